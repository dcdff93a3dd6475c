"""/schema/asyncapi.json, and /docs/websocket to read it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response, get
from litestar.di import NamedDependency

from tinghao.app.asyncapi.document import document
from tinghao.app.asyncapi.reading import readable
from tinghao.app.auth.middleware import NO_CALLER
from tinghao.app.settings import Settings
from tinghao.realtime import render


@get(
    "/schema/asyncapi.json",
    opt={NO_CALLER: True},
    include_in_schema=False,
    sync_to_thread=False,
)
def description(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings]
) -> dict[str, Any]:
    """The description of topics and frames for programs."""
    return _described(request, settings)


@get("/docs/websocket", opt={NO_CALLER: True}, include_in_schema=False, sync_to_thread=False)
def manual(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[str]:
    """The same to read. Like the rest of the manual it is in English."""
    told = readable(_described(request, settings))
    return Response(render.page("docs_websocket.html", "en", **told), media_type="text/html")


def _described(request: Request[Any, Any, Any], settings: Settings) -> dict[str, Any]:
    """As whoever asks reaches the server."""
    url = urlsplit(settings.public_url or str(request.base_url))
    return document(url.netloc, secure=url.scheme == "https")
