"""uvicorn's server as this service runs it: it says when it answers, and it ends in order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any, Protocol, cast

import msgspec
import uvicorn
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGER = 0.25
"""Seconds in which a kept-alive connection may still bring a request that was on its way."""

LINGER_REPLACED = 1.0
"""The same when another process goes on at this address: there is no hurry, and whoever asks is
told to connect anew, which is better than to find the connection gone."""

_CLOSE = (b"connection", b"close")


class Closeable(Protocol):
    """What uvicorn needs of a server."""

    def close(self) -> None:
        """Take no more."""

    async def wait_closed(self) -> None:
        """Return when that is so."""


Accept = Callable[[socket.socket, Callable[[], asyncio.Protocol]], Closeable]
"""Takes connections from a socket and makes a protocol for each."""


class Server(uvicorn.Server):
    """uvicorn's server, with an end in which nobody is cut off.

    It accepts no more, answers what it has been asked and what still comes on open connections,
    each time with ``Connection: close``, and only then closes those that are silent. It ends with
    exit code 0 on a signal.
    """

    def __init__(self, config: uvicorn.Config, *, drain_seconds: int, signals: bool) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()
        self.stopping: Callable[[], None] = _nothing
        self.replaced = False
        """Whether another process goes on at this address."""
        self.accept: Accept | None = None
        """Another way to take connections than the event loop's own."""
        self._drain_seconds = drain_seconds
        self._signals = signals
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        self._loop = asyncio.get_running_loop()
        if self.accept is None:
            await super().startup(sockets)
        else:
            await super().startup([])
            taking = [self.accept(socket, self._protocol) for socket in sockets or ()]
            self.servers = cast("list[asyncio.Server]", taking)
        self.answering.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, answer what comes, close what is silent; ``drain_seconds`` in all."""
        began = time.monotonic()
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, _CLOSE]
        linger = LINGER_REPLACED if self.replaced else LINGER
        self._say_goodbye()  # an answer that is about to be made says so, too
        await asyncio.sleep(0.02)  # for those that have just been let in
        while self._say_goodbye():
            if self.force_exit or time.monotonic() - began >= linger:
                break
            await asyncio.sleep(0.02)
        passed = round(time.monotonic() - began)
        self.config.timeout_graceful_shutdown = max(1, self._drain_seconds - passed)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        make = cast("type[HttpToolsProtocol]", self.config.http_protocol_class)
        return make(self.config, self.server_state, self.lifespan.state)

    def _say_goodbye(self) -> bool:
        """End sockets and busy connections in order; whether there are idle ones left."""
        idle = False
        for connection in list(self.server_state.connections):
            if not isinstance(connection, HttpToolsProtocol):
                connection.shutdown()
            elif _is_answering(connection):
                connection.shutdown()  # closes it after its answer
            else:
                idle = True
        return idle

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Only who owns the process takes its signals."""
        if not self._signals:
            yield
            return
        with super().capture_signals():
            yield
        # It is ending already: being told so once more must not cut short what is left to do.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain on the first signal; a second Ctrl-C ends at once."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        if self._loop is None:
            self.should_exit = True
        else:
            self._loop.call_soon_threadsafe(self.stopping)


def told_when_cut_off(app: ASGIApp) -> ASGIApp:
    """A request that does not come to its end before the server's is answered all the same."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, noting)
        except asyncio.CancelledError:
            if begun:
                raise
            await send({"type": "http.response.start", "status": 503, "headers": _CUT_OFF_HEADERS})
            await send({"type": "http.response.body", "body": _CUT_OFF, "more_body": False})

    return answer


_CUT_OFF = msgspec.json.encode(
    {
        "type": "urn:tinghao:problem:restarting",
        "title": "Not available at the moment",
        "status": 503,
        "detail": "The server is restarting. Send the request again.",
    }
)
_CUT_OFF_HEADERS = [
    (b"content-type", b"application/problem+json"),
    (b"content-length", str(len(_CUT_OFF)).encode()),
    (b"retry-after", b"1"),
    _CLOSE,
]


def _is_answering(connection: Any) -> bool:
    # Of no type: it is None before the first request, which uvicorn's annotation leaves out.
    cycle = connection.cycle
    return cycle is not None and not cycle.response_complete


def _nothing() -> None:
    """Until there is something to stop."""
