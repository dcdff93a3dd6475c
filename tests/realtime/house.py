"""A running server with a hub and the gateway, in the loop of the test."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from tests.realtime.hall import PEOPLE, Hall, finder
from tinghao.realtime.feed import LoadCalls
from tinghao.realtime.gate import Limits
from tinghao.realtime.gateway import bind
from tinghao.realtime.handshake import PUBLIC, Handshake, Rights
from tinghao.realtime.hub import Hub
from tinghao.realtime.topics import Topic, needed
from tinghao.realtime.views import Views, hall_views

Rule = Callable[[Handshake, Topic], Awaitable[Rights | int]]

QUICK = Limits(stuck=0.4, close=0.3, handshake=0.5, sweep=0.05, ping_sweeps=4, recheck=0.1)
"""Limits that a test need not wait for."""


@dataclass
class House:
    """The server as a test sees it."""

    hall: Hall
    hub: Hub
    server: uvicorn.Server
    port: int
    revoked: dict[str, int] = field(default_factory=dict)
    """By the subject of rights that have ended: the code to close with."""

    def url(self, topic: str = "lobby", **query: object) -> str:
        rest = "&".join(f"{name}={value}" for name, value in query.items())
        hall = self.hall.state.code
        return f"ws://127.0.0.1:{self.port}/ws/halls/{hall}/{topic}?{rest}"

    @property
    def connections(self) -> int:
        """What the server holds open, of any kind."""
        return len(self.server.server_state.connections)

    @property
    def sockets(self) -> int:
        """How many follow something."""
        return sum(self.hub.sockets().values())


@asynccontextmanager
async def open_house(
    hall: Hall | None = None,
    *,
    limits: Limits = Limits(),  # noqa: B008
    rule: Rule | None = None,
    views: Views | None = None,
    load_calls: LoadCalls | None = None,
    confirmed_at: Callable[[], float] = time.monotonic,
    beat_seconds: float = 60.0,
    **options: Any,
) -> AsyncIterator[House]:
    """A house that closes with the block."""
    hall = hall or Hall()
    hub = Hub(
        finder(hall),
        views or hall_views(lambda code: PEOPLE, lambda: hall.at),
        load_calls=load_calls or hall.missed,
        confirmed_at=confirmed_at,
        clock=lambda: hall.at,
        beat_seconds=beat_seconds,
    )
    revoked: dict[str, int] = {}

    async def recheck(rights: Rights, topic: Topic) -> int | None:
        return revoked.get(rights.subject)

    protocol = bind(hub, rule or public_rule, recheck, limits=limits, **options)
    config = uvicorn.Config(
        pages, port=0, ws=protocol, lifespan="off", log_config=None, timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield House(hall, hub, server, port, revoked)
    finally:
        server.should_exit = True
        await running
        hub.close()


async def public_rule(handshake: Handshake, topic: Topic) -> Rights | int:
    """Everybody may see what is public; a bearer of a token, or a signed-in page, the rest."""
    if needed(topic) == "public":
        return PUBLIC
    said = handshake.headers.get("authorization") or handshake.headers.get("cookie")
    if said is None:
        return 4401
    return Rights(said) if "manager" in said else 4403


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """The pages beside the sockets."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"page"})


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return as soon as it holds; fail when it does not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.005)
