"""Our own way of serving: one process, one port for pages, API, sockets and metrics.

Several processes at one port are the launcher's business (`tinghao.app.serving.workers`); each of
them comes through here as well.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import cast

import uvicorn
import uvloop
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from tinghao.app import log
from tinghao.app.database.serving_lock import ServeError, sole_server
from tinghao.app.factory import create_app
from tinghao.app.service import Service
from tinghao.app.serving.before_serving import database_file, migrate
from tinghao.app.serving.file_limit import raise_file_limit
from tinghao.app.serving.http_server import Accept, Server, told_when_cut_off
from tinghao.app.serving.listening import Listeners, address_of, listeners
from tinghao.app.settings import Settings
from tinghao.app.web.metrics_alone import metrics_alone
from tinghao.queue.clock import Clock, machine_clock

logger = logging.getLogger(__name__)

KEEP_ALIVE = 75
"""Seconds an idle connection is kept: longer than the proxies before us keep theirs."""


class Served:
    """A server that answers."""

    def __init__(self, app: Litestar, server: Server, address: tuple[str, int]) -> None:
        self.app = app
        self.host, self.port = address
        self._server = server
        self._on_stop: list[Callable[[], object]] = []

    @property
    def service(self) -> Service:
        """What runs in it."""
        service = self.app.state.service
        assert isinstance(service, Service)
        return service

    @property
    def url(self) -> str:
        """Its address on this machine, ``http://127.0.0.1:8000``."""
        return address_of(self.host, self.port)

    def on_stop(self, fn: Callable[[], object]) -> None:
        """Call ``fn`` when the server begins to end, for whoever uses it from within."""
        self._on_stop.append(fn)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._server.server_state.connections)

    def replaced(self) -> None:
        """Another process goes on at this address: take leave without haste."""
        self._server.replaced = self.service.replaced = True

    def stop(self) -> None:
        """Begin to end: no new requests, open ones get ``drain_seconds``."""
        self.service.drain()
        self._server.should_exit = True
        for fn in self._on_stop:
            fn()


@asynccontextmanager
async def serving(
    settings: Settings,
    *,
    clock: Clock = machine_clock,
    signals: bool = False,
    inherited: Listeners | None = None,
    accept: Accept | None = None,
) -> AsyncIterator[Served]:
    """Serve in the running event loop until the block is left, or a signal came if ``signals``.

    ``inherited`` are sockets that a launcher has bound, ``accept`` is how connections are taken
    from the main one.
    Raises ServeError, AlreadyServedError, SchemaTooNewError, DatabaseUnavailable, KeyFileError.
    """
    with sole_server(database_file(settings)), _listeners(settings, inherited) as at:
        migrate(settings)
        app = create_app(settings, clock=clock)
        server = Server(
            _config(settings, app), drain_seconds=settings.drain_seconds, signals=signals
        )
        served = Served(app, server, at.main.getsockname()[:2])
        server.stopping = served.stop
        server.accept = accept
        async with (
            # Not through the framework's lifespan, which would wrap every error into a group.
            served.service.running(),
            _metrics_beside(app, at.metrics),
            _answering(server, at.main) as task,
        ):
            try:
                yield served
                if signals:
                    await task
            finally:
                served.stop()


@contextmanager
def _listeners(settings: Settings, inherited: Listeners | None) -> Iterator[Listeners]:
    if inherited is not None:
        yield inherited
        return
    with listeners(settings) as own:
        yield own


@asynccontextmanager
async def _answering(server: Server, listener: socket.socket) -> AsyncIterator[asyncio.Task[None]]:
    """The server's task, from its first answer to its last."""
    task = asyncio.create_task(server.serve(sockets=[listener]))
    waiting = asyncio.create_task(server.answering.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done() and not server.answering.is_set():
        await task
        raise ServeError("The server ended before it answered.")
    try:
        yield task
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def _metrics_beside(app: Litestar, listener: socket.socket | None) -> AsyncIterator[None]:
    """Metrics on their own address, if the settings give them one."""
    if listener is None:
        yield
        return
    config = uvicorn.Config(
        metrics_alone(app.state.metrics),
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    async with _answering(Server(config, drain_seconds=1, signals=False), listener):
        yield


def run(settings: Settings, *, announce: str) -> None:
    """Serve until a signal comes; ``announce`` is printed with the address as {url}."""
    log.configure(settings)
    raise_file_limit()
    if sys.stdin is None or not sys.stdin.isatty():  # else a closed terminal ends it, as ever
        signal.signal(signal.SIGHUP, _only_one)

    async def main() -> None:
        async with serving(settings, signals=True) as served:
            log.say(announce.format(url=settings.public_url or served.url))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def _only_one(_signal: int, _frame: object) -> None:
    logger.warning("SIGHUP replaces workers; this is the only process: restart it instead")


def _config(settings: Settings, app: Litestar) -> uvicorn.Config:
    service = app.state.service
    assert isinstance(service, Service)
    return uvicorn.Config(
        _heads_as_gets(told_when_cut_off(log.AccessLog(app))),
        loop="none",
        http="httptools",
        ws=service.sockets(),
        lifespan="off",  # `serving` runs it: its errors are ours to explain
        log_config=None,
        access_log=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
    )


def _heads_as_gets(app: ASGIApp) -> ASGIApp:
    """A HEAD is answered as the GET would be; the server leaves the body away."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == "HEAD":
            scope = cast("HTTPScope", {**scope, "method": "GET"})
        await app(scope, receive, send)

    return answer
