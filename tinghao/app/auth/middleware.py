"""Before any page or command: who is it, did our own page send it, does it hold our token?"""

from __future__ import annotations

from typing import Any, cast

from litestar import Request
from litestar.enums import RequestEncodingType, ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from tinghao.app.auth import csrf
from tinghao.app.auth.gate import HOST_PREFIX, SESSION_COOKIE, VISITOR_COOKIE, Gate
from tinghao.app.auth.headers import cookies, header
from tinghao.app.auth.visit import Visit
from tinghao.app.web.problems import ProblemError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

NO_CALLER = "no_caller"
"""In a route's ``opt``: it asks nobody's name and sets no cookie (static files, health)."""

TOKEN_ALWAYS = "csrf_always"  # noqa: S105 - the name of an option
"""In a route's ``opt``: the form's token is asked even of a client without any cookie."""

OUR_COOKIES = frozenset(
    {SESSION_COOKIE, VISITOR_COOKIE, HOST_PREFIX + SESSION_COOKIE, HOST_PREFIX + VISITOR_COOKIE}
)


class CallerMiddleware(ASGIMiddleware):
    """Notes the caller (``request.user``) and the visit (``request.auth``) of every request.

    A bearer token is its own proof. Whatever a browser sends by itself, a cookie, proves nothing
    about who made it send: there an unsafe request must come from a page of ours and carry the
    token of that page.
    """

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = NO_CALLER

    def __init__(self, gate: Gate, *, https: bool) -> None:
        self._gate = gate
        self._https = https

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the request through, or raise ProblemError or NotAuthenticatedError."""
        request = cast("HTTPScope", scope)
        headers = request["headers"]
        client = request.get("client")
        caller = await self._gate.authenticate(headers, address=client[0] if client else "")
        by_bearer = caller.kind == "token" and caller.session is None
        session = None if by_bearer else self._gate.session_secret(headers)
        ended = session is not None and caller.session is None
        visit = Visit(
            caller,
            self._gate.secret,
            session if session is not None and not ended else self._gate.visitor(headers),
            https=self._https or request["scheme"] == "https",
        )
        if ended:
            visit.forget_session()
        scope["user"], scope["auth"] = caller, visit
        if request["method"] not in SAFE_METHODS and not by_bearer:
            await self._check(request, receive, visit, ended=ended)
        await next_app(scope, receive, send)

    async def _check(
        self, scope: HTTPScope, receive: Receive, visit: Visit, *, ended: bool
    ) -> None:
        headers = scope["headers"]
        with_cookie = not OUR_COOKIES.isdisjoint(cookies(headers))
        verdict = self._gate.origin(headers)
        if verdict == "foreign" or (verdict == "unknown" and with_cookie):
            raise ProblemError(
                403, "foreign-origin", "This request was not sent by a page of this service."
            )
        always = bool(scope["route_handler"].opt.get(TOKEN_ALWAYS))
        if ended and not always:
            raise ProblemError(401, "session-ended", "You have been signed out. Sign in again.")
        if (with_cookie or always) and not visit.holds(await _token(scope, receive)):
            visit.csrf_token()  # with the answer comes a cookie that the next page can use
            raise ProblemError(
                403, "page-outdated", "This page has become too old. Load it again and repeat."
            )


async def _token(scope: HTTPScope, receive: Receive) -> str | None:
    token = header(scope["headers"], csrf.HEADER)
    if token is not None:
        return token
    request: Request[Any, Any, Any] = Request(scope, receive)
    if request.content_type[0] not in {
        RequestEncodingType.URL_ENCODED,
        RequestEncodingType.MULTI_PART,
    }:
        return None
    form = await request.form()
    field = form.get(csrf.FIELD)
    return field if isinstance(field, str) else None
