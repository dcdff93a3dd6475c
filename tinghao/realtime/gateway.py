"""The WebSocket gateway: sockets on the port of the pages, without the framework in between."""

import asyncio

from tinghao.realtime.connection import Connection
from tinghao.realtime.gate import Gate, Limits
from tinghao.realtime.handshake import Authorise, Recheck
from tinghao.realtime.hub import Hub

LIMITS = Limits()


def bind(
    hub: Hub,
    authorise: Authorise,
    recheck: Recheck,
    *,
    origins: frozenset[str] = frozenset(),
    trusted_proxies: frozenset[str] = frozenset(),
    limits: Limits = LIMITS,
    compress: bool = True,
) -> type[asyncio.Protocol]:
    """The class to give to uvicorn as `ws=`.

    `origins` are those of pages that may open sockets besides the server's own. There is
    nothing to start: what runs for the sockets runs while there are any.
    """
    gate = Gate(
        hub,
        authorise,
        recheck,
        origins=origins,
        trusted_proxies=trusted_proxies,
        limits=limits,
        compress=compress,
    )
    return type("BoundConnection", (Connection,), {"__slots__": (), "gate": gate})
