"""/health/live: the process runs. /health/ready: it should be sent requests."""

from __future__ import annotations

from litestar import Response, Router, get
from litestar.di import NamedDependency

from tinghao.app.auth.middleware import NO_CALLER
from tinghao.app.service import Service


@get("/live")
async def live() -> dict[str, str]:
    """Always ok while the process answers: restart it when this does not."""
    return {"status": "ok"}


@get("/ready")
async def ready(service: NamedDependency[Service]) -> Response[dict[str, str]]:
    """Ok, or 503 with the reason: send requests elsewhere, but leave the process alone."""
    reason = await service.ready()
    if reason is None:
        return Response({"status": "ok"})
    return Response({"status": "unavailable", "reason": reason}, status_code=503)


router = Router("/health", route_handlers=[live, ready], opt={NO_CALLER: True}, tags=["operations"])
