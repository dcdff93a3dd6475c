"""Clients that stall, vanish, babble or dawdle: they harm nobody and leave nothing behind."""

import asyncio
import errno
import gc
import select
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import pytest
from msgspec.structs import replace
from websockets.exceptions import ConnectionClosed

from tests.realtime.follower import following
from tests.realtime.hall import Hall
from tests.realtime.house import QUICK, House, open_house, public_rule, until
from tests.realtime.test_rights import closed_with, status
from tinghao.queue.founding import PUYANG
from tinghao.realtime.connection import Connection
from tinghao.realtime.gate import Limits
from tinghao.realtime.handshake import Handshake, Rights
from tinghao.realtime.topics import Topic

REQUEST = (
    b"GET /ws/halls/puyang/lobby HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)


@asynccontextmanager
async def raw(house: House, *, receive_buffer: int | None = None) -> AsyncIterator[socket.socket]:
    """A bare TCP connection to the server."""
    with socket.socket() as connection:
        connection.setblocking(False)
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", house.port))
        yield connection


def talkative() -> Hall:
    """A hall whose frames are large: about 25 KB."""
    return Hall(config=replace(PUYANG, notices=("停车场今日关闭。" * 850,)))


async def send(connection: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(connection, data)


async def rest(connection: socket.socket) -> bytes:
    """All that the server still says until it ends the connection."""
    loop = asyncio.get_running_loop()
    data = b""
    async with asyncio.timeout(10):
        while True:
            try:
                more = await loop.sock_recv(connection, 65536)
            except ConnectionResetError:
                return data
            if not more:
                return data
            data += more


@asynccontextmanager
async def stalled(house: House) -> AsyncIterator[socket.socket]:
    """A screen that reads no more after its request."""
    async with raw(house, receive_buffer=4096) as connection:
        before = house.sockets
        await send(connection, REQUEST)
        await until(lambda: house.sockets == before + 1)
        yield connection


def buffered(house: House) -> int:
    """The most that the server keeps for any socket, in bytes."""
    connections = house.server.server_state.connections
    return max(each.transport.get_write_buffer_size() for each in connections)


def connections_in_memory() -> int:
    """How many there are, closed ones included that something still holds."""
    gc.collect()
    return sum(issubclass(type(each), Connection) for each in gc.get_objects())


BRIEF = Limits(close=0.3)
PATIENT = {"sweep": 0.05, "ping_sweeps": 10_000}
"""No ping gets in the way of what stalls."""


async def test_a_stalled_screen_costs_little_delays_nobody_and_is_dropped() -> None:
    limits = Limits(stuck=1.0, close=0.3, write_buffer=32_768, **PATIENT)
    async with (
        open_house(talkative(), limits=limits) as house,
        following(house.url()) as screen,
        stalled(house),
    ):
        most = 0
        slowest = 0.0
        async with asyncio.timeout(20):
            while not house.hub.counts.slow:
                began = time.monotonic()
                call = house.hall.call()
                await screen.reach(call.id)
                slowest = max(slowest, time.monotonic() - began)
                most = max(most, buffered(house))
        # One frame may stand over the limit, no more.
        assert 32_768 < most < 32_768 + 30_000
        assert house.hub.counts.skipped > 0
        assert slowest < 1.0
        await until(lambda: house.connections == 1)
        assert screen.calls == [call.id for call in house.hall.calls]


async def test_a_screen_that_is_dropped_as_too_slow_learns_it_if_it_wakes_up() -> None:
    limits = Limits(stuck=0.2, close=1.0, write_buffer=32_768, **PATIENT)
    async with open_house(talkative(), limits=limits) as house, stalled(house) as connection:
        async with asyncio.timeout(20):
            while not house.hub.counts.slow:
                house.hall.call()
                await asyncio.sleep(0.01)
        said = await rest(connection)
        assert struct.pack("!H", 4408) + b"too slow" in said


async def test_what_a_dropped_screen_never_took_is_not_kept_for_it() -> None:
    """The system would go on to offer it: the connection is reset instead."""
    limits = Limits(stuck=0.2, close=0.2, write_buffer=32_768, **PATIENT)
    async with open_house(talkative(), limits=limits) as house, stalled(house) as connection:
        poll = select.poll()
        poll.register(connection, 0)  # nothing is read, so that only a reset is seen
        async with asyncio.timeout(20):
            while not poll.poll(0):
                house.hall.call()
                await asyncio.sleep(0.01)
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET


async def test_a_slow_screen_skips_and_then_gets_every_call_it_missed() -> None:
    limits = Limits(stuck=60, write_buffer=32_768, **PATIENT)
    async with (
        open_house(talkative(), limits=limits) as house,
        following(house.url()) as screen,
    ):
        await screen.next()
        screen.socket.transport.pause_reading()
        async with asyncio.timeout(20):
            while house.hub.counts.skipped < 3:
                house.hall.call()
                await asyncio.sleep(0.01)
        screen.socket.transport.resume_reading()
        await screen.reach(house.hall.state.seq)
        assert screen.calls == [call.id for call in house.hall.calls]
        assert all(frame["type"] == "update" for frame in screen.frames[1:])


async def test_a_screen_whose_network_vanished_is_noticed_by_its_silence() -> None:
    """Half open: the connection stands, but nobody answers."""
    async with open_house(limits=QUICK) as house, stalled(house):
        await until(lambda: house.hub.counts.lost == 1)
        await until(lambda: house.connections == 0)
        assert house.sockets == 0


async def test_a_screen_that_lives_is_kept_however_quiet_it_is() -> None:
    async with open_house(limits=QUICK) as house, following(house.url()) as screen:
        await screen.next()
        opened = time.monotonic()
        await until(lambda: time.monotonic() - opened > 1.0)  # five pings
        house.hall.take()
        await screen.next()
        assert house.hub.counts.lost == 0


async def test_a_reset_connection_leaves_nothing_behind() -> None:
    async with open_house() as house:
        async with stalled(house) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await until(lambda: house.connections == 0)
        assert house.sockets == 0
        assert connections_in_memory() == 0


async def test_a_client_that_ends_its_side_is_gone() -> None:
    async with open_house() as house, stalled(house) as connection:
        connection.shutdown(socket.SHUT_WR)
        await rest(connection)
        await until(lambda: house.connections == 0)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x83\x80\0\0\0\0", 1002),  # an opcode that does not exist
        (b"\x81\x03abc", 1002),  # not masked
        (b"\xc1\x80\0\0\0\0", 1002),  # compressed without having agreed on it
        (b"\x81\xfe\x10\x01\0\0\0\0", 1009),  # 4,097 bytes announced
        (b"\x81\xff" + b"\x7f" * 8 + b"\0\0\0\0", 1009),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
)
async def test_garbage_is_answered_as_the_protocol_says(sent: bytes, code: int) -> None:
    async with open_house(limits=BRIEF) as house, stalled(house) as connection:
        await send(connection, sent)
        assert struct.pack("!H", code) in await rest(connection)
        await until(lambda: house.connections == 0)


async def test_a_message_too_large_closes_with_1009_even_while_it_is_being_sent() -> None:
    async with open_house(limits=BRIEF) as house, stalled(house) as connection:
        megabyte = (1_000_000).to_bytes(8, "big")
        await send(connection, b"\x81\xff" + megabyte + b"mask" + b"x" * 1_000_000)
        assert struct.pack("!H", 1009) in await rest(connection)


async def test_small_messages_are_ignored_and_a_flood_of_them_is_not() -> None:
    async with open_house() as house, following(house.url()) as screen:
        await screen.next()
        await screen.socket.send('{"hello": "hall"}')
        await screen.socket.send([b"in", b"parts"])
        await (await screen.socket.ping())
        house.hall.take()
        await screen.next()
        with suppress(ConnectionClosed):
            while True:
                await screen.socket.send("again")
                await asyncio.sleep(0)
        assert screen.socket.close_code == 1008


async def test_a_client_that_talks_before_it_is_let_in_is_heard_within_bounds() -> None:
    let_in = asyncio.Event()

    async def slowly(handshake: Handshake, topic: Topic) -> Rights | int:
        await let_in.wait()
        return await public_rule(handshake, topic)

    async with open_house(rule=slowly) as house:
        async with raw(house) as connection:
            await send(connection, REQUEST)
            await until(lambda: bool(house.server.server_state.tasks))
            await send(connection, b"\x81\x82\0\0\0\0hi" * 10)
            let_in.set()
            await until(lambda: house.sockets == 1)
        let_in.clear()
        async with raw(house) as connection:
            await send(connection, REQUEST)
            await until(lambda: bool(house.server.server_state.tasks))
            await send(connection, b"\x81\x82\0\0\0\0hi" * 1000)
            await rest(connection)
        await until(lambda: house.connections == 0)


async def test_a_handshake_that_does_not_end_is_ended() -> None:
    async def never(handshake: Handshake, topic: Topic) -> Rights | int:
        return await asyncio.get_running_loop().create_future()

    async with open_house(rule=never, limits=QUICK) as house, raw(house) as connection:
        await send(connection, REQUEST)
        await rest(connection)
        await until(lambda: house.connections == 0)
        await until(lambda: not house.server.server_state.tasks)


async def test_a_client_that_leaves_during_its_handshake_leaves_nothing_behind() -> None:
    async def never(handshake: Handshake, topic: Topic) -> Rights | int:
        return await asyncio.get_running_loop().create_future()

    async with open_house(rule=never) as house:
        async with raw(house) as connection:
            await send(connection, REQUEST)
            await until(lambda: house.connections == 1)
        await until(lambda: house.connections == 0)
        await until(lambda: not house.server.server_state.tasks)


async def test_rights_that_cannot_be_asked_are_a_server_error() -> None:
    async def broken(handshake: Handshake, topic: Topic) -> Rights | int:
        raise OSError("the database is away")

    async with open_house(rule=broken) as house:
        assert await status(house) == 500


async def test_a_stopping_server_says_so_and_waits_for_nobody_long() -> None:
    hall = Hall()
    async with (
        open_house(hall, limits=QUICK) as house,
        following(house.url()) as screen,
        stalled(house),
    ):
        await screen.next()
        began = time.monotonic()
        house.server.should_exit = True
        assert await closed_with(screen) == 1012
        await until(lambda: house.connections == 0)
        assert time.monotonic() - began < 2


async def test_a_stopping_server_refuses_who_is_just_coming() -> None:
    async def never(handshake: Handshake, topic: Topic) -> Rights | int:
        return await asyncio.get_running_loop().create_future()

    async with open_house(rule=never) as house, raw(house) as connection:
        await send(connection, REQUEST)
        await until(lambda: house.connections == 1)
        house.server.should_exit = True
        assert (await rest(connection)).startswith(b"HTTP/1.1 503 ")


async def test_a_thousand_screens_get_a_call() -> None:
    async with open_house() as house:
        loop = asyncio.get_running_loop()
        heard = 0

        class Screen(asyncio.Protocol):
            def __init__(self) -> None:
                self.data = b""

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                cast(asyncio.Transport, transport).write(REQUEST)

            def data_received(self, data: bytes) -> None:
                nonlocal heard
                self.data += data
                if wanted and wanted in self.data:
                    heard += 1
                    self.data = b""

        wanted = b""
        screens = []
        for _ in range(10):
            screens += await asyncio.gather(
                *(loop.create_connection(Screen, "127.0.0.1", house.port) for _ in range(100))
            )
        await until(lambda: house.sockets == 1000)
        call = house.hall.call()
        wanted = f'"id":{call.id},'.encode()
        await until(lambda: heard == 1000)
        for transport, _ in screens:
            transport.abort()
        await until(lambda: house.connections == 0)
