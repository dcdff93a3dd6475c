"""/metrics on an address of its own, for who must not reach the rest."""

from __future__ import annotations

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from tinghao.monitoring.metrics import CONTENT_TYPE, GatherFault, Metrics


def metrics_alone(metrics: Metrics) -> ASGIApp:
    """An application that answers GET /metrics and nothing else."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        status, kind, body = 404, "text/plain; charset=utf-8", b"Only /metrics is here.\n"
        if scope["path"] == "/metrics":
            try:
                status, kind, body = 200, CONTENT_TYPE, await metrics.text()
            except GatherFault as fault:
                status, body = 503, f"{fault}\n".encode()
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return answer
