"""The application: every room's routes under one roof."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.di import Provide

from tinghao.app import api, asyncapi, pages
from tinghao.app.auth import pages as sign_in_pages
from tinghao.app.auth.middleware import CallerMiddleware
from tinghao.app.service import Service
from tinghao.app.settings import Settings
from tinghao.app.web import api_docs, health, metrics, security_headers, static_files
from tinghao.app.web.problems import EXCEPTION_HANDLERS
from tinghao.queue.clock import Clock, machine_clock


def create_app(settings: Settings, *, clock: Clock = machine_clock) -> Litestar:
    """The application of one deployment, its `Service` at ``app.state.service``.

    The schema must be current and the key files there (``tinghao init`` sees to both). ``clock``
    is the machine's clock of the halls; sign-in and sessions always use the real one. Raises
    KeyFileError.
    """
    service = Service(settings, clock=clock)

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        async with service.running():
            yield

    counted = metrics.metrics_of(
        service.desk, service.hub, service.duties, service.bus, alone=settings.workers == 1
    )
    parts: dict[str, object] = {
        "service": service,
        "settings": settings,
        "database": service.database,
        "desk": service.desk,
        "gate": service.gate,
        "counted": counted,
    }
    app = Litestar(
        route_handlers=[
            api.router,
            pages.router,
            sign_in_pages.router,
            health.router,
            *([] if settings.metrics_address else [metrics.metrics]),
            static_files.static_file,
            api_docs.docs_page,
            asyncapi.description,
            asyncapi.manual,
        ],
        dependencies={name: _given(part) for name, part in parts.items()},
        middleware=[
            metrics.NoteArrival(),
            CallerMiddleware(service.gate, https=settings.public_url.startswith("https:")),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        before_send=[security_headers.add_headers, metrics.count_requests(counted)],
        lifespan=[running],
        openapi_config=api_docs.openapi(),
        request_max_body_size=settings.body_limit_kib * 1024,
        logging_config=None,
        debug=False,
    )
    app.state.service = service
    app.state.metrics = counted
    return app


def _given(part: object) -> Provide:
    def provide() -> Any:
        return part

    return Provide(provide, sync_to_thread=False)
