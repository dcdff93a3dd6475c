"""What a stalled and a slow client cost a thousand good ones, and the server's memory.

    python -m benchmarks.slow_sockets [--sockets 1000] [--seconds 60]

Two servers of the same kind, each with as many good sockets, send nine frames of 16 KB a second;
they take turns. At one of them there are also a socket that reads nothing at all and one that reads
a seventh of what it is sent. When the server drops them (4408) they come back at once. The figures
are how late the good sockets read their frames, and how much memory the servers have taken since
the bad ones came.
"""

import argparse
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks.measuring import machine, percentile, resident_kib, table
from benchmarks.reader import Reader, reading
from benchmarks.variants import PATH, Sender, sending, tinghao
from tinghao.realtime.gate import Limits

SIZE = 16_384
PAUSE = 0.11  # seconds between two frames
BLOCK = 2.0  # seconds at one server before the other's turn
SLOW_BYTES, SLOW_PAUSE = 2_048, 0.1  # what the slow one reads, and how often

SERVER = partial(tinghao, limits=Limits(sockets=50_000, per_address=50_000, ping_sweeps=1_000))
"""With its limits for slow clients as they are in a deployment; pings are left out."""


class Side:
    """One of the two servers with its good sockets."""

    def __init__(self, sender: Sender, reader: Reader) -> None:
        self.latencies: list[float] = []
        self.frames = 0
        self._sender = sender
        self._reader = reader
        self.port = sender.port

    def open(self, sockets: int) -> None:
        """Its good sockets, which have read a few frames already."""
        self._reader.open(self.port, PATH, sockets)
        self.run(BLOCK)
        self.latencies.clear()

    def run(self, seconds: float) -> None:
        """Send for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._reader.expect()
            sent = self._sender.send()
            self.latencies += [at - sent for at in self._reader.arrivals()]
            self.frames += 1
            time.sleep(PAUSE)

    def kib(self) -> int:
        """The memory of the server."""
        return resident_kib(self._sender.pid)


class Bad:
    """The stalled and the slow client. They count how often they were dropped."""

    def __init__(self, port: int) -> None:
        self.dropped = {"stalled": 0, "slow": 0}
        self.read = 0
        self._port = port
        self._ended = threading.Event()

    @contextmanager
    def there(self) -> Iterator[None]:
        """Connected, until the block is left."""
        tasks = [threading.Thread(target=each) for each in (self._stall, self._dawdle)]
        for task in tasks:
            task.start()
        try:
            yield
        finally:
            self._ended.set()
            for task in tasks:
                task.join()

    def _stall(self) -> None:
        while not self._ended.is_set():
            with _opened(self._port) as one:
                poll = select.poll()
                poll.register(one, 0)  # wakes for a reset only
                while not poll.poll(100):
                    if self._ended.is_set():
                        return
            self.dropped["stalled"] += 1

    def _dawdle(self) -> None:
        while not self._ended.is_set():
            with _opened(self._port) as one:
                while True:
                    try:
                        data = one.recv(SLOW_BYTES)
                    except OSError:
                        data = b""
                    if not data:
                        break
                    self.read += len(data)
                    if self._ended.wait(SLOW_PAUSE):
                        return
            self.dropped["slow"] += 1


@contextmanager
def _opened(port: int) -> Iterator[socket.socket]:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        one.connect(("127.0.0.1", port))
        one.sendall(
            f"GET {PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            .encode()
        )  # fmt: skip
        yield one


def measure(sockets: int, seconds: float) -> str:
    """Let both run in turn."""
    with ExitStack() as stack:
        calm, troubled = (
            Side(stack.enter_context(sending(SERVER, SIZE)), stack.enter_context(reading()))
            for _ in range(2)
        )
        sides = {"only good sockets": calm, "a stalled and a slow one beside": troubled}
        for side in sides.values():
            side.open(sockets)
        bad = Bad(troubled.port)
        before = {name: side.kib() for name, side in sides.items()}
        most = dict(before)
        with bad.there():
            for _ in range(round(seconds / BLOCK / 2)):
                for name, side in sides.items():
                    side.run(BLOCK)
                    most[name] = max(most[name], side.kib())
    base = percentile(calm.latencies, 0.99)
    rows = [
        (
            name,
            f"{percentile(side.latencies, 0.5) * 1e3:.1f}",
            f"{percentile(side.latencies, 0.99) * 1e3:.1f}",
            f"{percentile(side.latencies, 0.99) / base:.2f}",
            f"{most[name] - before[name]:,}",
        )
        for name, side in sides.items()
    ]
    heads = (f"{sockets:,} good sockets", "p50 ms", "p99 ms", "ratio of p99", "memory grew, KB")
    sent = troubled.frames * SIZE / 1e6
    return (
        f"{table(heads, rows)}\n\n{sent:.1f} MB were sent to each good socket; the slow one read "
        f"{bad.read / 1e6:.1f} MB. Dropped: {bad.dropped['stalled']} × the stalled one, "
        f"{bad.dropped['slow']} × the slow one."
    )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    chosen = parser.parse_args()
    print(f"{machine()}\n")
    print(measure(chosen.sockets, chosen.seconds))


if __name__ == "__main__":
    main()
