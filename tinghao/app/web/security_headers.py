"""What every answer carries: rules for the browser, the visit's cookies, the chosen language."""

from __future__ import annotations

from litestar.types import Message, Scope

from tinghao.app.auth.visit import Visit
from tinghao.app.web.languages import COOKIE, asked
from tinghao.realtime.render import SCREEN_CSP

YEAR = 365 * 24 * 3600

# The API's manual sets styles from its script; it still loads nothing from elsewhere.
DOCS_CSP = SCREEN_CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
NO_PAGE_CSP = "default-src 'none'; frame-ancestors 'none'"

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    # A page's address may hold a ticket's token: no other site hears of it.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
)


async def add_headers(message: Message, scope: Scope) -> None:
    """A ``before_send`` hook: it sees the answers to errors and unknown addresses as well."""
    if message["type"] != "http.response.start":
        return
    headers = list(message.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    headers += [pair for pair in _ALWAYS if pair[0] not in present]
    if b"content-security-policy" not in present:
        headers.append((b"content-security-policy", _policy(headers, scope["path"]).encode()))
    if b"cache-control" not in present:
        headers.append((b"cache-control", b"no-store"))
    visit = scope.get("auth")
    if isinstance(visit, Visit):
        headers += [(b"set-cookie", cookie.encode()) for cookie in visit.set_cookies]
    language = asked(scope)
    if language is not None:
        cookie = f"{COOKIE}={language}; Path=/; Max-Age={YEAR}; SameSite=Lax"
        headers.append((b"set-cookie", cookie.encode()))
    message["headers"] = headers


def _policy(headers: list[tuple[bytes, bytes]], path: str) -> str:
    html = any(
        name.lower() == b"content-type" and value.startswith(b"text/html")
        for name, value in headers
    )
    if not html:
        return NO_PAGE_CSP
    return DOCS_CSP if path == "/docs" else SCREEN_CSP
