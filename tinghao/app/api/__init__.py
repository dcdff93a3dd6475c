"""The JSON API (DESIGN 5): halls, tickets, windows."""

from __future__ import annotations

from litestar import Router

from tinghao.app.api import halls, tickets, windows

router = Router(
    path="/api/v1",
    route_handlers=[
        halls.halls,
        halls.hall,
        halls.state,
        halls.journal,
        halls.presence,
        halls.set_clock,
        halls.configuration,
        halls.configure,
        tickets.take,
        tickets.ticket,
        tickets.cancel,
        tickets.defer,
        tickets.rating,
        *windows.routes(),
    ],
)
