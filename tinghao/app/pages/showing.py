"""What every page is given, and how pages and their fragments answer."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Request, Response

from tinghao.app.auth.caller import Caller
from tinghao.app.auth.visit import caller_of, csrf_token
from tinghao.app.web.languages import language_of
from tinghao.queue.clock import iso
from tinghao.queue.desk import Desk
from tinghao.queue.model import HallState
from tinghao.realtime import render
from tinghao.realtime.language import plain_text


def show(
    request: Request[Any, Any, Any], template: str, status: int = 200, **context: Any
) -> Response[str]:
    """A page in the caller's language."""
    language = language_of(request.scope)
    content = render.page(
        template,
        language,
        user=_user(caller_of(request)),
        csrf_token=csrf_token(request),
        **context,
    )
    return _html(content, language, status)


def show_fragments(
    request: Request[Any, Any, Any], kind: str, view: dict[str, Any], said: str = ""
) -> Response[str]:
    """The fragments of a topic's view, with a quiet sentence when there is one to say."""
    language = language_of(request.scope)
    content = render.fragments(kind, view, language)
    if said:
        content += render.notice(plain_text(language, said), language, "quiet")
    return _html(content, language, 200)


def hall_of(state: HallState) -> dict[str, str]:
    """A hall as pages name it."""
    setup = state.setup
    return {"code": state.code, "name": setup.name, "name_en": setup.name_en or setup.name}


def frame_of(desk: Desk, state: HallState) -> dict[str, Any]:
    """The place in the journal that a page shows, so that its socket goes on from there."""
    return {
        "epoch": state.epoch,
        "seq": state.seq,
        "at": iso(desk.now(state.code), state.setup.timezone),
        "speed": state.clock.speed,
    }


def is_htmx(request: Request[Any, Any, Any]) -> bool:
    """Whether a part of a page asks, not a browser for a whole one."""
    return "hx-request" in request.headers


def _user(caller: Caller) -> dict[str, Any] | None:
    if caller.kind == "citizen":
        return None
    # A device without a label goes by the number of its token.
    badge = None if caller.token_id is None else str(caller.token_id)
    return {"name": caller.name or None, "badge": badge, "role": caller.role}


def _html(content: str, language: str, status: int) -> Response[str]:
    return Response(
        content,
        status_code=status,
        media_type=MediaType.HTML,
        headers={"Content-Language": language, "Cache-Control": "no-store"},
    )
