"""The pages: server-rendered screens, kept alive by their sockets."""

from __future__ import annotations

from litestar import Router

from tinghao.app.pages import acting, phone, screens

router = Router(
    path="/",
    include_in_schema=False,
    route_handlers=[
        screens.home,
        screens.lobby,
        screens.kiosk,
        screens.choose,
        screens.console,
        screens.manager,
        acting.at_console,
        acting.at_manager,
        acting.at_kiosk,
        phone.phone,
        phone.paper,
        phone.act,
    ],
)
