"""What a request's headers say: pure functions over raw ASGI headers.

Both doors use them, the pages and API (which see a Litestar request) and the WebSocket gateway
(which sees nothing but headers): names are lower-case bytes, as ASGI has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

RawHeaders: TypeAlias = Iterable[tuple[bytes, bytes]]
Verdict: TypeAlias = Literal["own", "foreign", "unknown"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


def header(headers: RawHeaders, name: bytes) -> str | None:
    """The first header of that name."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return None


def bearer_token(headers: RawHeaders) -> str | None:
    """The secret of ``Authorization: Bearer``, None without that header.

    Another scheme gives an empty text, which is the secret of nobody.
    """
    value = header(headers, b"authorization")
    if value is None:
        return None
    scheme, _, secret = value.strip().partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def cookies(headers: RawHeaders) -> dict[str, str]:
    """The cookies by name; of several with one name the first, which has the longest path."""
    found: dict[str, str] = {}
    for key, value in headers:
        if key == b"cookie":
            for part in value.decode("latin-1").split(";"):
                name, equals, text = part.strip().partition("=")
                if equals:
                    found.setdefault(name, text)
    return found


def origin_verdict(headers: RawHeaders, allowed: frozenset[str]) -> Verdict:
    """Whether a page of ours (or of an allowed origin) sent the request.

    ``own`` and ``foreign`` as the browser says in Origin, Sec-Fetch-Site or Referer, which a page
    cannot forge; ``unknown`` when it says nothing, which today's browsers do for no unsafe
    request. ``allowed`` holds origins as browsers write them, ``https://host[:port]``.
    """
    host = (header(headers, b"host") or "").lower()
    origin = header(headers, b"origin")
    if origin is not None and origin != "null":
        return "own" if _same(origin, host, allowed) else "foreign"
    site = header(headers, b"sec-fetch-site")
    if site is not None:
        return "own" if site in {"same-origin", "none"} else "foreign"
    if origin == "null":
        return "foreign"
    referer = header(headers, b"referer")
    if referer is not None:
        return "own" if _same(referer, host, allowed) else "foreign"
    return "unknown"


def _same(url: str, host: str, allowed: frozenset[str]) -> bool:
    """The scheme is left out of the comparison with Host: behind a proxy that speaks https to
    the browser and http to us we cannot know it.
    """
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return False
    if f"{parts.scheme}://{parts.netloc}" in allowed:
        return True
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = _DEFAULT_PORTS[parts.scheme]
    hosts = {f"{name}:{port or default}"}
    if port in {None, default}:
        hosts.add(name)
    return host in hosts
