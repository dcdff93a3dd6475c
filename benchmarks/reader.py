"""A process full of clients: it opens sockets, reads what comes, and says when it came.

Raw sockets and no library, so that reading a thousand of them takes milliseconds. Times are of
the machine's monotonic clock, which is one for all processes.
"""

import multiprocessing
import re
import select
import socket
import time
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.measuring import raise_file_limit

TEXT, PING = 0x1, 0x9
COMPRESSED = 0x40
PONG = b"\x8a\x80\x00\x00\x00\x00"
AT_ONCE = 100
"""Sockets that are opened before their answers are read."""

_CALLS = re.compile(rb'"calls":\[(.*?)\]')
_NUMBER = re.compile(rb'"number":"(\w+)"[^}]*"attempt":1\b')

Calls = dict[str, list[float]]
"""By the number that was called: when each socket was told of its first call."""


class Reader:
    """The process as its parent sees it. One order at a time."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def open(
        self, port: int, path: str, count: int, *, compressed: bool = False, hall: str = ""
    ) -> None:
        """Open so many sockets more; returns when all are answered.

        With a `hall` the numbers that they are told of are counted as `hall number`.
        """
        self._pipe.send(("open", port, path, count, compressed, hall))
        if (said := self._pipe.recv()) != "open":
            raise RuntimeError(said)

    def expect(self) -> None:
        """From now on note when each socket gets its next text frame; then `arrivals`."""
        self._pipe.send(("expect",))
        self._pipe.recv()

    def arrivals(self) -> list[float]:
        """The times, one a socket, when every socket has its frame."""
        times = array("d")
        times.frombytes(self._pipe.recv_bytes())
        return list(times)

    def calls(self) -> Calls:
        """The calls that were read since the last time this was asked."""
        self._pipe.send(("calls",))
        told: Calls = self._pipe.recv()
        return told

    def frame_bytes(self) -> int:
        """The size of the last frame with a call in it, as it came over the wire."""
        self._pipe.send(("size",))
        return int(self._pipe.recv())

    def opened(self) -> int:
        """How many sockets are still open."""
        self._pipe.send(("count",))
        return int(self._pipe.recv())


@contextmanager
def reading() -> Iterator[Reader]:
    """A reader, until the block is left."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_read, args=(there,), daemon=True)
    process.start()
    try:
        yield Reader(here)
    finally:
        process.kill()
        process.join()


def _read(pipe: Connection) -> None:
    raise_file_limit()
    crowd = Crowd(pipe)
    while True:
        crowd.turn()


class Crowd:
    """The sockets, in the process itself."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._poll = select.epoll()
        self._poll.register(pipe.fileno(), select.EPOLLIN)
        self._sockets: dict[int, socket.socket] = {}
        self._asking: set[int] = set()
        self._rest: dict[int, bytes] = {}
        self._arrived: dict[int, float] | None = None
        self._calls: dict[str, dict[int, float]] = {}
        self._known: dict[bytes, tuple[str, ...]] = {}
        self._halls: dict[int, str] = {}
        self._size = 0

    def turn(self) -> None:
        """Read what there is, or do what the parent says."""
        came: list[tuple[int, float, bytes]] = []
        for fd, _ in self._poll.poll():
            if fd == self._pipe.fileno():
                self._ordered(*self._pipe.recv())
                continue
            try:
                data = self._sockets[fd].recv(65_536)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            came.append((fd, time.monotonic(), data))
        # All times are taken before anything is looked at.
        for fd, at, data in came:
            if data:
                self._look(fd, at, data)
            else:
                self._forget(fd)

    def _ordered(self, what: str, *arguments: Any) -> None:
        if what == "open":
            self._open(*arguments)
        elif what == "expect":
            self._arrived = {}
            self._pipe.send("ready")
        elif what == "calls":
            calls, self._calls = self._calls, {}
            self._pipe.send({call: list(times.values()) for call, times in calls.items()})
        elif what == "size":
            self._pipe.send(self._size)
        elif what == "count":
            self._pipe.send(len(self._sockets))

    def _open(self, port: int, path: str, count: int, compressed: bool, hall: str) -> None:
        request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Version: 13\r\n"
        )
        if compressed:
            request += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        for place in range(1, count + 1):
            one = socket.create_connection(("127.0.0.1", port))
            one.sendall(f"{request}\r\n".encode())
            one.setblocking(False)
            fd = one.fileno()
            self._sockets[fd] = one
            if hall:
                self._halls[fd] = f"{hall} "
            self._asking.add(fd)
            self._poll.register(fd, select.EPOLLIN)
            if place % AT_ONCE == 0 or place == count:
                while self._asking:
                    self.turn()
        self._pipe.send("open")

    def _forget(self, fd: int) -> None:
        self._poll.unregister(fd)
        self._sockets.pop(fd).close()
        self._rest.pop(fd, None)
        self._halls.pop(fd, None)
        self._asking.discard(fd)

    def _look(self, fd: int, at: float, data: bytes) -> None:
        if fd in self._rest:
            data = self._rest.pop(fd) + data
        if fd in self._asking:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest[fd] = head
                return
            if b" 101 " not in head:
                raise RuntimeError(head.decode("latin-1"))
            self._asking.remove(fd)
        while (frame := _first_frame(data)) is not None:
            kind, payload, data = frame
            self._frame(fd, at, kind, payload)
        if data:
            self._rest[fd] = data

    def _frame(self, fd: int, at: float, kind: int, payload: bytes) -> None:
        opcode = kind & 0xF
        if opcode == PING:
            self._sockets[fd].send(PONG)
            return
        if opcode != TEXT:
            return
        if self._arrived is not None:
            self._arrived.setdefault(fd, at)
            if len(self._arrived) == len(self._sockets):
                self._pipe.send_bytes(array("d", self._arrived.values()).tobytes())
                self._arrived = None
        for number in self._calls_in(payload, bool(kind & COMPRESSED)):
            call = self._halls.get(fd, "") + number
            self._calls.setdefault(call, {}).setdefault(fd, at)

    def _calls_in(self, payload: bytes, compressed: bool) -> tuple[str, ...]:
        """The numbers called in a frame; the same bytes reach many and are looked at once."""
        known = self._known.get(payload)
        if known is None:
            plain = _inflated(payload) if compressed else payload
            found = _CALLS.search(plain)
            known = tuple(each.decode() for each in _NUMBER.findall(found[1])) if found else ()
            if known:
                self._size = len(payload)
            if len(self._known) > 50:
                self._known.clear()
            self._known[payload] = known
        return known


def _first_frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """First byte and payload of the first frame, and what follows; None if it is not whole."""
    if len(data) < 2:
        return None
    length, start = data[1], 2
    if length == 126:
        start = 4
        length = int.from_bytes(data[2:4], "big")
    elif length == 127:
        start = 10
        length = int.from_bytes(data[2:10], "big")
    end = start + length
    if len(data) < end:
        return None
    return data[0], data[start:end], data[end:]


def _inflated(payload: bytes) -> bytes:
    inflater = zlib.decompressobj(-15)
    return inflater.decompress(payload + b"\x00\x00\xff\xff")
