"""Our own way of serving: one process, one port for pages, API, sockets and metrics."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import cast

import uvicorn
import uvloop
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from tinghao.app import log, migrations
from tinghao.app.database import Database, normal_url
from tinghao.app.factory import create_app
from tinghao.app.metrics_alone import metrics_alone
from tinghao.app.service import Service
from tinghao.app.serving_lock import ServeError, sole_server
from tinghao.app.settings import Settings
from tinghao.queue.clock import Clock, machine_clock

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
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def on_stop(self, fn: Callable[[], object]) -> None:
        """Call ``fn`` when the server begins to end, for whoever uses it from within."""
        self._on_stop.append(fn)

    def stop(self) -> None:
        """Begin to end: no new requests, open ones get ``drain_seconds``."""
        self.service.drain()
        self._server.should_exit = True
        for fn in self._on_stop:
            fn()


@asynccontextmanager
async def serving(
    settings: Settings, *, clock: Clock = machine_clock, signals: bool = False
) -> AsyncIterator[Served]:
    """Serve in the running event loop until the block is left, or a signal came if ``signals``.

    Raises ServeError, AlreadyServedError, SchemaTooNewError, DatabaseUnavailable, KeyFileError.
    """
    with (
        sole_server(_database_file(settings)),
        bound(settings.host, settings.port) as listener,
    ):
        _migrate(settings)
        app = create_app(settings, clock=clock)
        server = Server(_config(settings, app), signals=signals)
        served = Served(app, server, listener.getsockname()[:2])
        server.stopping = served.stop
        async with (
            # Not through the framework's lifespan, which would wrap every error into a group.
            served.service.running(),
            _metrics_beside(settings, app),
            _answering(server, listener) as task,
        ):
            try:
                yield served
                if signals:
                    await task
            finally:
                served.stop()


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
async def _metrics_beside(settings: Settings, app: Litestar) -> AsyncIterator[None]:
    """Metrics on their own address, if the settings give them one."""
    if not settings.metrics_address:
        yield
        return
    host, _, port = settings.metrics_address.rpartition(":")
    config = uvicorn.Config(
        metrics_alone(app.state.metrics),
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    with bound(host.strip("[]"), int(port)) as listener:
        async with _answering(Server(config, signals=False), listener):
            yield


def run(settings: Settings, *, announce: str) -> None:
    """Serve until a signal comes; ``announce`` is printed with the address as {url}."""
    log.configure(settings)

    async def main() -> None:
        async with serving(settings, signals=True) as served:
            log.say(announce.format(url=settings.public_url or served.url))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


class Server(uvicorn.Server):
    """uvicorn's server, which tells when it answers and ends with exit code 0 on a signal."""

    def __init__(self, config: uvicorn.Config, *, signals: bool) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()
        self.stopping: Callable[[], None] = _nothing
        self._signals = signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self.answering.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Only who owns the process takes its signals."""
        if not self._signals:
            yield
            return
        with super().capture_signals():
            yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain on the first signal; a second Ctrl-C ends at once."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.stopping()


@contextlib.contextmanager
def bound(host: str, port: int) -> Generator[socket.socket, None, None]:
    """A listening socket; raises ServeError when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ServeError(f"The address {host} is not known here: {error.strerror}.") from None
    # asyncio turns Nagle's delay off only for a socket that says it is TCP.
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise ServeError(
                f"Port {port} of {host} cannot be taken: {error.strerror}. Is another server "
                "running? Choose another with --port."
            ) from None
        listener.setblocking(False)
        yield listener


def _database_file(settings: Settings) -> Path | None:
    """The SQLite file to lock; None on PostgreSQL. Raises ServeError when there is none."""
    url = normal_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        return None
    file = Path(url.database or "")
    if not file.exists():
        raise ServeError(
            f"There is no database {file}. `tinghao init DIR` makes a deployment; start "
            "`tinghao serve` in that folder, or name its file with --config."
        )
    return file


def _migrate(settings: Settings) -> None:
    database = Database(settings.database_url)
    try:
        migrations.upgrade(database)
    finally:
        database.close()


def _nothing() -> None:
    """Until there is something to stop."""


def _config(settings: Settings, app: Litestar) -> uvicorn.Config:
    service = app.state.service
    assert isinstance(service, Service)
    return uvicorn.Config(
        _heads_as_gets(log.AccessLog(app)),
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
        timeout_graceful_shutdown=settings.drain_seconds,
    )


def _heads_as_gets(app: ASGIApp) -> ASGIApp:
    """A HEAD is answered as the GET would be; the server leaves the body away."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == "HEAD":
            scope = cast("HTTPScope", {**scope, "method": "GET"})
        await app(scope, receive, send)

    return answer
