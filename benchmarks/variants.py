"""Five ways to send one frame to every socket, each a server in a process of its own.

All of them run on uvloop, without compression, pings or beats, and send 1 KB of the same text.
"""

import asyncio
import gc
import logging
import multiprocessing
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from multiprocessing.connection import Connection
from typing import Any

import uvicorn
import uvloop
from litestar import Litestar
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.memory import MemoryChannelsBackend
from msgspec.structs import replace
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as serve_websockets

from benchmarks.measuring import raise_file_limit
from tinghao.queue.model import HallConfig, HallState
from tinghao.realtime.feed import Listener
from tinghao.realtime.frames import framed
from tinghao.realtime.gate import Limits
from tinghao.realtime.gateway import bind
from tinghao.realtime.handshake import PUBLIC, Handshake, Rights
from tinghao.realtime.hub import Hub
from tinghao.realtime.topics import Topic, Wish
from tinghao.realtime.views import View

PATH = "/ws/halls/h/lobby"
NEVER = 1e9  # seconds
SIZE = 1_024

Send = Callable[[], Any]
"""Sends the next frame to all; may be a coroutine function."""

Variant = Callable[[int], AbstractAsyncContextManager[tuple[int, Send]]]
"""A server that sends frames of so many bytes: its port, and what makes it send."""


class Hall:
    """A hall that moves when it is told to."""

    def __init__(self) -> None:
        # As many digits as it will keep, so that every frame has the same size.
        self.state = HallState("h", "e", seq=100_000, config=HallConfig("h", (), ()))
        self._listeners: list[Listener] = []

    def listen(self, heard: Listener) -> Callable[[], None]:
        """As a live hall does it."""
        self._listeners.append(heard)
        return lambda: None

    def move(self) -> None:
        """One entry more, of no event in particular."""
        before = self.state
        self.state = replace(before, seq=before.seq + 1)
        entry: Any = type("Entry", (), {"event": None})()
        for heard in self._listeners:
            heard(before, self.state, (entry,))


@asynccontextmanager
async def tinghao(
    size: int, limits: Limits | None = None, beat: float = NEVER
) -> AsyncIterator[tuple[int, Send]]:
    """This server's hub and gateway, as `serve` binds them, with a screen of `size` bytes."""
    hall = Hall()
    padding = ""

    async def load(*_: Any) -> None:
        return None

    async def everybody(_: Handshake, __: Topic) -> Rights:
        return PUBLIC

    async def still(_: Rights, __: Topic) -> None:
        return None

    screen = View(
        find=lambda _, topic: topic,
        build=lambda state, _: {"seq": state.seq, "padding": padding},
        calls=lambda *_: [],
        content=lambda *_: "",
    )
    hub = Hub(
        lambda code: hall if code == "h" else None,
        {"lobby": screen},
        load_calls=load,
        confirmed_at=time.monotonic,
        beat_seconds=beat,
    )
    feed = hub.feed("h")
    assert feed is not None
    probe = feed.channel(Wish(Topic("h", "lobby")))
    padding = "x" * (size - len(probe.frame(hall.state.seq).plain) + 4)
    feed.drop(probe)
    limits = limits or Limits(sockets=50_000, per_address=50_000, sweep=NEVER)
    protocol = bind(hub, everybody, still, limits=limits)
    async with _uvicorn(_nothing, ws=protocol) as port:
        yield port, hall.move


@asynccontextmanager
async def bare(size: int) -> AsyncIterator[tuple[int, Send]]:
    """An asyncio protocol that says yes to everything, and `transport.write` of a ready frame."""
    transports: set[asyncio.BaseTransport] = set()

    class Bare(asyncio.Protocol):
        __slots__ = ("transport",)

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            if self.transport not in transports:
                transports.add(self.transport)
                self.transport.write(  # type: ignore[attr-defined]
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"
                )

        def connection_lost(self, exc: Exception | None) -> None:
            transports.discard(self.transport)

    def send() -> None:
        frame = framed(0x81, _text(size).encode())
        for each in transports:
            each.write(frame)  # type: ignore[attr-defined]

    loop = asyncio.get_running_loop()
    async with await loop.create_server(Bare, "127.0.0.1", 0, backlog=2_048) as server:
        yield server.sockets[0].getsockname()[1], send


@asynccontextmanager
async def websockets_broadcast(size: int) -> AsyncIterator[tuple[int, Send]]:
    """The asyncio server of `websockets`, and its `broadcast`."""

    async def stay(connection: ServerConnection) -> None:
        await connection.wait_closed()

    options: dict[str, Any] = {"compression": None, "ping_interval": None}
    async with serve_websockets(stay, "127.0.0.1", 0, **options) as server:
        yield (
            next(iter(server.sockets)).getsockname()[1],
            lambda: broadcast(server.connections, _text(size)),
        )


@asynccontextmanager
async def asgi_send(size: int) -> AsyncIterator[tuple[int, Send]]:
    """An ASGI application without a framework, under uvicorn's own WebSocket protocol."""
    sends: set[Any] = set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        sends.add(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass
        sends.discard(send)

    async def send_all() -> None:
        text = _text(size)
        for send in tuple(sends):
            await send({"type": "websocket.send", "text": text})

    async with _uvicorn(app, ws="websockets-sansio") as port:
        yield port, send_all


@asynccontextmanager
async def litestar_channels(size: int) -> AsyncIterator[tuple[int, Send]]:
    """Litestar's ChannelsPlugin, in memory, with the route handler that it makes itself."""
    plugin = ChannelsPlugin(
        backend=MemoryChannelsBackend(),
        channels=["lobby"],
        create_ws_route_handlers=True,
        ws_handler_base_path=PATH.rpartition("/")[0],
    )
    app = Litestar(plugins=[plugin], openapi_config=None, logging_config=None)
    async with _uvicorn(app, ws="websockets-sansio", lifespan="on") as port:
        yield port, lambda: plugin.publish(_text(size), "lobby")


VARIANTS: dict[str, Variant] = {
    "bare `transport.write`": bare,
    "this server": tinghao,
    "`websockets.broadcast`": websockets_broadcast,
    "ASGI `send`": asgi_send,
    "Litestar ChannelsPlugin": litestar_channels,
}
BARE, OURS = "bare `transport.write`", "this server"


class Sender:
    """The server's process as its parent sees it."""

    def __init__(self, pipe: Connection, pid: int) -> None:
        self._pipe = pipe
        self.pid = pid
        self.port = int(pipe.recv())

    def send(self) -> float:
        """Send a frame to all; the monotonic time just before."""
        self._pipe.send("send")
        return float(self._pipe.recv())

    def collect(self) -> None:
        """Let it free what it no longer needs."""
        self._pipe.send("collect")
        self._pipe.recv()


@contextmanager
def sending(variant: Variant, size: int = SIZE) -> Iterator[Sender]:
    """A process with that server, until the block is left."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(variant, size, there), daemon=True)
    process.start()
    assert process.pid is not None
    try:
        yield Sender(here, process.pid)
    finally:
        process.kill()
        process.join()


def _serve(variant: Variant, size: int, pipe: Connection) -> None:
    raise_file_limit()
    logging.disable()
    uvloop.run(_obey(variant, size, pipe))


async def _obey(variant: Variant, size: int, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    orders: asyncio.Queue[str] = asyncio.Queue()
    loop.add_reader(pipe.fileno(), lambda: orders.put_nowait(pipe.recv()))
    async with variant(size) as (port, send):
        pipe.send(port)
        while True:
            if await orders.get() == "collect":
                gc.collect()
                pipe.send(None)
                continue
            began = time.monotonic()
            sent = send()
            if sent is not None:
                await sent
            pipe.send(began)


def _text(size: int) -> str:
    # Made anew each time: in life no frame is sent twice.
    return "".join(("x" * (size - 1), "y"))


@asynccontextmanager
async def _uvicorn(app: Any, *, ws: Any, lifespan: Any = "off") -> AsyncIterator[int]:
    config = uvicorn.Config(
        app,
        port=0,
        ws=ws,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        factory=False,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.force_exit = server.should_exit = True
        await task


async def _nothing(*_: Any) -> None:
    """Pages beside the sockets: none."""
