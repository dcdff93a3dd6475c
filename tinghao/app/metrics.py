"""`GET /metrics`, and the middleware that counts requests for it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from tinghao.app.auth.middleware import NO_CALLER
from tinghao.monitoring.metrics import CONTENT_TYPE, HallNow, Metrics, Sockets
from tinghao.queue.desk import Desk
from tinghao.realtime.hub import Hub

UNMATCHED = "unmatched"

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


def metrics_of(desk: Desk, hub: Hub) -> Metrics:
    """The metrics of a process with this desk and this hub."""

    def halls() -> Iterator[HallNow]:
        for hall in desk.halls:
            yield HallNow(hall.state, desk.now(hall.code))

    def sockets() -> Sockets:
        counts = {
            name: (int(getattr(hub.counts, field)), said)
            for name, (field, said) in SOCKET_COUNTS.items()
        }
        return Sockets({(h, str(kind)): n for (h, kind), n in hub.sockets().items()}, counts)

    return Metrics(halls, sockets)


@get(
    "/metrics",
    include_in_schema=False,
    opt={NO_CALLER: True},
    name="metrics",
    sync_to_thread=False,
)
def metrics(counted: NamedDependency[Metrics]) -> Response[bytes]:
    """What Prometheus scrapes; no ticket, number or person is in it."""
    return Response(counted.text(), media_type=CONTENT_TYPE)


class CountRequests(ASGIMiddleware):
    """Counts answers and their times by route template, unmatched addresses as one."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, counted: Metrics) -> None:
        self._counted = counted

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the request through and note how it ended."""
        began = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await next_app(scope, receive, noting)
        finally:
            route = scope.get("path_template") or UNMATCHED
            method = str(scope.get("method", ""))
            self._counted.answered(method, route, status, time.perf_counter() - began)
