"""One request's sender, its CSRF token, and the cookies that its answer sets."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection

from tinghao.app.auth import csrf
from tinghao.app.auth.caller import Caller
from tinghao.app.auth.gate import HOST_PREFIX, SESSION_COOKIE, VISITOR_COOKIE
from tinghao.app.auth.sessions import DEVICE_LIFETIME

SECOND = 1_000_000


class Visit:
    """Kept as ``request.auth``; ``request.user`` is its caller."""

    def __init__(self, caller: Caller, secret: bytes, owner: str | None, *, https: bool) -> None:
        self.caller = caller
        self.set_cookies: list[str] = []
        self._secret = secret
        self._owner = owner
        self._https = https

    def csrf_token(self) -> str:
        """The token for the forms and scripts of a page.

        Gives a browser that has no cookie of ours one, so that the token has an owner: only
        pages that can send something set a cookie.
        """
        if self._owner is None:
            self._owner = csrf.new_visitor()
            self._set(VISITOR_COOKIE, csrf.visitor_cookie(self._secret, self._owner))
        return csrf.token_for(self._secret, self._owner)

    def holds(self, token: str | None) -> bool:
        """Whether ``token`` came from a page of this visitor's."""
        return self._owner is not None and csrf.is_token_of(self._secret, self._owner, token)

    def begin_session(self, secret: str, *, device: bool) -> None:
        """Give the browser a new session; a person's ends with the browser at the latest."""
        self._owner = secret
        self._set(SESSION_COOKIE, secret, DEVICE_LIFETIME // SECOND if device else None)
        self._set(VISITOR_COOKIE, "", 0)

    def end_session(self) -> None:
        """The session has ended: its cookie goes, and pages that carry its token are outdated."""
        self._owner = None
        self.forget_session()

    def forget_session(self) -> None:
        """Take the cookie of a session away that had ended before this request."""
        self._set(SESSION_COOKIE, "", 0)

    def _set(self, name: str, value: str, max_age: int | None = None) -> None:
        """``max_age`` in seconds; 0 deletes, None lasts until the browser is closed."""
        name = HOST_PREFIX + name if self._https else name
        text = f"{name}={value}; Path=/; HttpOnly; SameSite=Lax"
        if self._https:
            text += "; Secure"
        if max_age is not None:
            text += f"; Max-Age={max_age}"
        self.set_cookies.append(text)


def caller_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """Who sent the request."""
    return visit_of(connection).caller


def visit_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Visit:
    """The visit that the middleware has noted."""
    visit = connection.scope["auth"]
    assert isinstance(visit, Visit)
    return visit


def csrf_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The CSRF token for the page that answers this request."""
    return visit_of(connection).csrf_token()
