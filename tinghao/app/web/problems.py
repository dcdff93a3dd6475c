"""Everything that goes wrong becomes a problem detail (RFC 9457) in the caller's language.

Programs read ``type`` and ``state``, people read ``detail``. A browser gets the same as a page, a
part of a page (htmx) gets one sentence to show. Nothing inside is ever shown: what we did not
foresee is logged under a number, and the number is what the caller gets.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import Struct

from tinghao.app.auth.gate import NotAuthenticatedError
from tinghao.app.auth.headers import header
from tinghao.app.database.failures import DatabaseUnavailable, ValueRefused
from tinghao.app.naming import spoken
from tinghao.app.web.languages import language_of
from tinghao.queue.refusals import Kind, Refusal
from tinghao.realtime import render
from tinghao.realtime.language import plain_text

log = logging.getLogger(__name__)

TYPE = "urn:tinghao:problem:"

TITLES: dict[int, str] = {
    400: "This request cannot be understood",
    401: "Please sign in",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible at this address",
    409: "Not possible now",
    413: "Too large",
    422: "Not valid",
    429: "Too many tries",
    500: "Something failed here",
    503: "Not available at the moment",
}

_KINDS: dict[Kind, int] = {
    "unknown": 404,
    "invalid": 422,
    "conflict": 409,
    "forbidden": 403,
    "ahead": 503,
}

# What the framework itself refuses: slug and sentence by status.
_PLAIN: dict[int, tuple[str, str]] = {
    400: ("bad-request", "The request is not written as it should be."),
    401: ("not-signed-in", "Sign in first."),
    403: ("forbidden", "You are not allowed to do this."),
    404: ("not-found", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not take such a request."),
    413: ("too-large", "The request is larger than this service reads."),
    429: ("too-many-requests", "That was too often. Wait a moment."),
}


class ProblemError(Exception):
    """A refusal of the web side. ``text`` is English with {places} for ``params``."""

    def __init__(
        self,
        status: int,
        slug: str,
        text: str,
        *,
        state: Any = None,
        headers: Mapping[str, str] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(text.format(**params))
        self.problem = Problem(
            status, slug, text, params, {} if state is None else {"state": state}, headers or {}
        )


class Problem(Struct, frozen=True):
    """A problem before it is put into words and bytes."""

    status: int
    slug: str
    text: str
    params: dict[str, Any] = {}
    members: dict[str, Any] = {}
    """What stands beside type, title, status and detail: ``state``, ``errors``, ``incident``."""
    headers: Mapping[str, str] = {}


def problem_of(error: Exception) -> Problem:
    """The problem that an error is to its caller; logs what is a fault of ours."""
    if isinstance(error, ProblemError):
        return error.problem
    if isinstance(error, Refusal):
        state = {"state": error.params["state"]} if "state" in error.params else {}
        return Problem(_KINDS[error.kind], error.slug, error.text, error.params, state)
    if isinstance(error, NotAuthenticatedError):
        return Problem(
            401,
            "token-invalid",
            "This token is not valid, or not any more.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    if isinstance(error, DatabaseUnavailable):
        log.warning("database unavailable: %s", error)
        return Problem(
            503,
            "database-unavailable",
            "The service cannot reach its records at the moment. Try again in a few seconds.",
            headers={"Retry-After": "2"},
        )
    if isinstance(error, ValueRefused):
        return Problem(422, "value-refused", "A value in the request cannot be stored.")
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _of_framework(error)
    if isinstance(error, RecursionError):
        log.warning("too deep: %s", error)
        return Problem(400, "bad-request", "The request is not written as it should be.")
    return _unforeseen(error)


def _of_framework(error: HTTPException) -> Problem:
    status = error.status_code
    headers = dict(error.headers or {})
    if isinstance(error, ValidationException):
        listed = error.extra if isinstance(error.extra, list) else []
        errors = [_field_error(each) for each in listed if isinstance(each, dict)]
        text = "The request is not written as it should be: {fault}."
        fault = "; ".join(f"{each['field']} {each['message']}".strip() for each in errors)
        if fault:
            members = {"errors": errors}
            return Problem(400, "invalid-input", text, {"fault": fault}, members, headers)
    slug, text = _PLAIN.get(status, (f"http-{status}", "The request was refused."))
    return Problem(status, slug, text, headers=headers)


def _field_error(each: dict[str, Any]) -> dict[str, str]:
    field, message = str(each.get("key", "")), str(each.get("message", ""))
    if message == repr(field):  # a KeyError's way to say it
        return {"field": "body" if field == "data" else field, "message": "is missing"}
    return {"field": field, "message": message}


def _unforeseen(error: Exception) -> Problem:
    incident = secrets.token_hex(4)
    log.error("incident %s", incident, exc_info=error)
    return Problem(
        500,
        "internal",
        "Something failed here. It was recorded as {incident}; please tell the operator.",
        {"incident": incident},
        {"incident": incident},
    )


def respond(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The answer to a request that went wrong: a page, a sentence for a page, or JSON."""
    problem = problem_of(error)
    language = language_of(request.scope)
    title = plain_text(language, title_of(problem.status))
    detail = in_words(language, problem.text, problem.params)
    headers = dict(problem.headers)
    if not _wants_page(request):
        body = {
            "type": TYPE + problem.slug,
            "title": title,
            "status": problem.status,
            "detail": detail,
            **problem.members,
        }
        return Response(
            msgspec.json.encode(body, enc_hook=str),
            status_code=problem.status,
            media_type="application/problem+json",
            headers={**headers, "Content-Language": language},
        )
    if header(request.scope["headers"], b"hx-request") is not None:
        content = render.notice(detail, language)
    elif problem.status == 401 and request.method == "GET":
        return Response(
            b"",
            status_code=303,
            media_type="text/plain",
            headers={**headers, "Location": sign_in_address(request)},
        )
    else:
        content = render.page(
            "problem.html", language, status=problem.status, title=title, detail=detail
        )
    return Response(
        content,
        status_code=problem.status,
        media_type="text/html",
        headers={**headers, "Content-Language": language},
    )


def title_of(status: int) -> str:
    """The English title of a status."""
    return TITLES.get(status) or (HTTPStatus(status).phrase if status in _STATUSES else "Refused")


def in_words(language: str, text: str, params: Mapping[str, Any]) -> str:
    """A sentence with {places} in ``language``; in English if its translation does not fit."""
    said = spoken(language, params)
    try:
        return plain_text(language, text).format(**said)
    except (KeyError, IndexError, ValueError):
        return text.format(**said)


def sign_in_address(request: Request[Any, Any, Any]) -> str:
    """The sign-in page, which leads back to what was asked for."""
    path = request.scope["path"]
    query = request.scope.get("query_string", b"").decode("latin-1")
    return "/sign-in?next=" + quote(f"{path}?{query}" if query else path)


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    if request.scope["path"].startswith("/api/"):
        return False
    return "text/html" in (header(request.scope["headers"], b"accept") or "")


_STATUSES = frozenset(int(status) for status in HTTPStatus)

EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    HTTPException: respond,
    Exception: respond,
}
