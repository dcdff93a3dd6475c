"""`GET /metrics`, and the counting of requests for it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import get_args

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from tinghao import __version__
from tinghao.app.auth.middleware import NO_CALLER
from tinghao.app.serving.duties import Duties
from tinghao.monitoring.hall_figures import HallNow
from tinghao.monitoring.metrics import (
    CONTENT_TYPE,
    GatherFault,
    Metrics,
    Process,
    Sockets,
)
from tinghao.queue.desk import Desk
from tinghao.realtime.bus import MemoryBus
from tinghao.realtime.hub import Hub
from tinghao.realtime.redis_bus import RedisBus
from tinghao.realtime.topics import Kind

KINDS: tuple[str, ...] = get_args(Kind)

UNMATCHED = "unmatched"
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
OTHER_METHOD = "other"
ARRIVED = "metrics_arrived"

SOCKET_COUNTS = {
    "opened": ("opened", "WebSockets opened since the start."),
    "refused": ("refused", "WebSocket requests answered without a socket."),
    "frames": ("frames", "Snapshots and updates written, once per socket."),
    "sent_bytes": ("bytes", "Bytes of these frames."),
    "beats": ("beats", "Beats written, once per socket."),
    "renderings": ("renderings", "Views rendered; all sockets of a topic share one."),
    "skipped": ("skipped", "Updates passed over because a socket could not take them."),
    "resumes": ("resumes", "Subscriptions that went on from where they had been."),
    "snapshots": ("snapshots", "Subscriptions answered with a snapshot."),
    "unconfirmed": ("unconfirmed", "Beats withheld: the journal's head was not confirmed."),
    "slow": ("slow", "Sockets dropped as too slow (4408)."),
    "lost": ("lost", "Sockets dropped because they answered no ping."),
    "revoked": ("revoked", "Sockets closed because their rights had ended."),
}
"""Metric (tinghao_websocket_…_total) → field of the hub's counts, and what it counts."""


def metrics_of(
    desk: Desk, hub: Hub, duties: Duties, bus: MemoryBus | RedisBus, *, alone: bool
) -> Metrics:
    """The metrics of a process with this desk, hub, duties and bus, ``alone`` or among others."""

    def halls() -> Iterator[HallNow]:
        for hall in desk.halls:
            yield HallNow(hall.state, desk.now(hall.code))

    def sockets() -> Sockets:
        counts = {
            name: (int(getattr(hub.counts, field)), said)
            for name, (field, said) in SOCKET_COUNTS.items()
        }
        # A topic that nobody follows is 0, so that an alert can tell it from one without a server.
        followed = {(hall.code, kind): 0 for hall in desk.halls for kind in KINDS}
        followed |= {(hall, str(kind)): number for (hall, kind), number in hub.sockets().items()}
        return Sockets(followed, counts)

    def process() -> Process:
        if isinstance(bus, RedisBus):
            return Process(sockets(), duties.held(), bus.up, bus.outages)
        return Process(sockets(), duties.held(), bus_up=alone)

    return Metrics(halls, process, __version__)


@get(
    "/metrics",
    summary="Figures for Prometheus",
    tags=["operations"],
    media_type=MediaType.TEXT,
    opt={NO_CALLER: True},
    name="metrics",
)
async def metrics(counted: NamedDependency[Metrics]) -> Response[bytes]:
    """What Prometheus scrapes; no ticket, number or person is in it."""
    try:
        text = await counted.text()
    except GatherFault as fault:
        # A failed scrape shows as one; sums that lack a process would look like a restart.
        return Response(f"{fault}\n".encode(), status_code=503)
    # Set as a header: a media type of text/* would get a second charset.
    return Response(text, headers={"Content-Type": CONTENT_TYPE})


class NoteArrival(ASGIMiddleware):
    """Notes when a request for a known route came in."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the request through."""
        scope["state"][ARRIVED] = time.perf_counter()
        await next_app(scope, receive, send)


def count_requests(counted: Metrics) -> Callable[[Message, Scope], Awaitable[None]]:
    """A ``before_send`` hook: it sees every answer, also those to errors and unknown addresses.

    Requests are counted by route template, unknown addresses and methods as one each, so that
    no visitor can make new time series.
    """

    async def count(message: Message, scope: Scope) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
        route = scope.get("path_template") or UNMATCHED
        if message["type"] == "http.response.start":
            counted.answered(method, route, message["status"])
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            arrived = scope["state"].get(ARRIVED)
            if arrived is not None:
                counted.took(method, route, time.perf_counter() - arrived)

    return count
