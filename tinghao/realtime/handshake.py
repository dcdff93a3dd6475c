"""Who asks to follow: the request's headers, its origin and address, and the rights it gets.

ASGI middleware does not see an upgrade, so what it does for pages is done here for sockets.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from urllib.parse import urlsplit

from msgspec import Struct
from websockets.datastructures import Headers

from tinghao.realtime.topics import Topic

_DEFAULT_PORTS = {"http": 80, "https": 443}
_EVERY = "*"


class Handshake(Struct, frozen=True):
    """A request that may become a socket."""

    headers: Mapping[str, str]
    """By lower-case name; several of one name are joined as HTTP says. Without `cookie` when the
    request names no origin: a cookie counts only from a page whose origin we have checked."""
    address: str
    """The client's address, as a trusted proxy tells it; "" when there is none."""


class Rights(Struct, frozen=True):
    """By what right a socket is open. `subject` is the application's: a session, a token."""

    subject: str


PUBLIC = Rights("public")
"""The right of everybody in a hall that allows public reading."""

Authorise = Callable[[Handshake, Topic], Awaitable[Rights | int]]
"""The rights of a caller to a topic, or the code to close with: 4401 (nobody we know) or 4403
(somebody who may not)."""

Recheck = Callable[[Rights, Topic], Awaitable[int | None]]
"""None while the rights hold, else the code to close with. Asked again and again for each pair
of rights and topic that is open."""


def handshake(headers: Headers, address: str) -> Handshake:
    """What the application is told of a request."""
    plain: dict[str, str] = {}
    for name, value in headers.raw_items():
        key = name.lower()
        joint = "; " if key == "cookie" else ", "
        plain[key] = f"{plain[key]}{joint}{value}" if key in plain else value
    if "origin" not in plain:
        plain.pop("cookie", None)
    return Handshake(plain, address)


def is_allowed_origin(headers: Headers, allowed: Collection[str]) -> bool:
    """Whether a page of that origin may open a socket here: ours, or one that is allowed.

    Browsers always name the origin of the page. Other clients need not, and then may.
    """
    origins = headers.get_all("Origin")
    if not origins:
        return True
    if len(origins) > 1:
        return False
    origin = origins[0]
    return origin in allowed or _names_host(origin, headers.get_all("Host"))


def _names_host(origin: str, hosts: list[str]) -> bool:
    if len(hosts) != 1:
        return False
    try:
        page, host = urlsplit(origin), urlsplit(f"//{hosts[0]}")
        default = _DEFAULT_PORTS[page.scheme]
        return bool(page.hostname) and (
            (page.hostname, page.port or default) == (host.hostname, host.port or default)
        )
    except (ValueError, KeyError):
        return False


def client_address(peer: str, headers: Headers, trusted: Collection[str]) -> str:
    """The address that a limit counts: the nearest that is not a proxy of ours.

    "" when the request comes from a trusted proxy, or the machine itself, that does not say for
    whom: to count that address would be to count everybody.
    """
    if _EVERY in trusted:
        chain = _forwarded(headers)
        return chain[0] if chain else ""
    if peer not in trusted:
        return peer
    for address in reversed(_forwarded(headers)):
        if address not in trusted:
            return address
    return ""


def _forwarded(headers: Headers) -> list[str]:
    return [
        address.strip()
        for value in headers.get_all("X-Forwarded-For")
        for address in value.split(",")
        if address.strip()
    ]
