"""/metrics on an address of its own, for who must not reach the rest."""

from __future__ import annotations

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from tinghao.monitoring.metrics import CONTENT_TYPE, Metrics


def metrics_alone(metrics: Metrics) -> ASGIApp:
    """An application that answers GET /metrics and nothing else."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        found = scope["path"] == "/metrics"
        kind = CONTENT_TYPE if found else "text/plain; charset=utf-8"
        await send(
            {
                "type": "http.response.start",
                "status": 200 if found else 404,
                "headers": [(b"content-type", kind.encode())],
            }
        )
        body = metrics.text() if found else b"Only /metrics is here.\n"
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return answer
