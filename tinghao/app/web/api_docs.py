"""The API's manual: the OpenAPI description at /schema, a page to read it with at /docs.

Everything comes from this server: a hall's network often ends at its own door.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme

from tinghao import __version__
from tinghao.app.auth.middleware import NO_CALLER
from tinghao.app.web.languages import language_of
from tinghao.realtime import render

DESCRIPTION = """\
Real-time operations for a government service hall.

A device or integration sends `Authorization: Bearer TOKEN`. Every POST takes an `Idempotency-Key`:
a repeated request with the same key and body gets the first one's answer and changes nothing.
Errors are problem details (RFC 9457) with a stable `type` and a sentence in the caller's language.
Live updates come over WebSocket: see [topics and frames](/docs/websocket), for programs
[as AsyncAPI](/schema/asyncapi.json).
"""


def openapi() -> OpenAPIConfig:
    """The description's frame; the routes fill it."""
    return OpenAPIConfig(
        title="Tinghao 厅好",
        version=__version__,
        description=DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        path="/schema",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "token": SecurityScheme(
                    type="http", scheme="bearer", description="A device or integration token."
                ),
                "session": SecurityScheme(
                    type="apiKey",
                    name="tinghao_session",
                    security_scheme_in="cookie",
                    description="A signed-in person's cookie; needs `x-csrftoken` as well.",
                ),
            }
        ),
        security=[{}, {"token": []}, {"session": []}],
    )


@get("/docs", opt={NO_CALLER: True}, include_in_schema=False, sync_to_thread=False)
def docs_page(request: Request[Any, Any, Any]) -> Response[str]:
    """The page that shows the description."""
    return Response(render.page("docs.html", language_of(request.scope)), media_type="text/html")
