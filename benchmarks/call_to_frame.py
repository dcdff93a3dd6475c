"""From a clerk's "next" to the frame at every display, through the whole stack.

    python -m benchmarks.call_to_frame [--displays 1000] [--calls 60]

A window asks for the next number over HTTP; the displays are sockets of another process that follow
the lobby as our own page does (HTML, compressed). A latency is the time from just before the
request to when one display has read the frame that has the call in it: as many as calls × displays.

Beside it in the same run, call by call in turn: a bare asyncio protocol that answers an HTTP
request and writes a ready frame of the same size to as many displays, without rights, database
and hall.
"""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from random import Random
from typing import Any

from msgspec import Struct

from benchmarks.deployments import HALL, WINDOWS, MissingError, Running, embedded, two_workers
from benchmarks.measuring import Http, machine, percentile, table
from benchmarks.reader import Reader, reading
from benchmarks.variants import sending
from tinghao.realtime.frames import framed

PAUSE = 0.2  # seconds: the frame of what came before is out, and the next may go at once
BUSY_PAUSE = 1.6  # seconds of work at a window: sixteen of them call ten numbers a second
PATH = f"/ws/halls/{HALL}/lobby?format=html&lang=zh"

Row = tuple[str, ...]


class Chosen(Struct, frozen=True):
    """What is asked for on the command line."""

    displays: int
    calls: int
    busy: float


class Times:
    """When each number was asked for, how long the answer took, when displays were told."""

    def __init__(self, reader: Reader, displays: int) -> None:
        self.asked: dict[str, float] = {}
        self.answers: list[float] = []
        self._reader = reader
        self._displays = displays
        self._told: dict[str, list[float]] = {}

    async def complete(self) -> None:
        """Return when every display has been told of every number asked for."""
        async with asyncio.timeout(30):
            while any(len(self._told.get(each, ())) < self._displays for each in self.asked):
                for number, times in (await asyncio.to_thread(self._reader.calls)).items():
                    self._told.setdefault(number, []).extend(times)
                await asyncio.sleep(0.01)

    def latencies(self) -> list[float]:
        """Of every number at every display, seconds."""
        return [at - began for number, began in self.asked.items() for at in self._told[number]]

    def row(self, name: str, base: float | None = None) -> Row:
        """The figures; `base` is the reference's p50."""
        found = self.latencies()
        p50 = percentile(found, 0.5)
        return (
            name,
            str(len(self.asked)),
            *(f"{each * 1e3:.1f}" for each in (p50, percentile(found, 0.99), max(found))),
            f"{percentile(self.answers, 0.5) * 1e3:.1f}",
            "" if base is None else f"{p50 / base:.1f}",
        )


class Asking:
    """The windows and the kiosk of a deployment, each with a connection of its own."""

    def __init__(self, running: Running, lines: list[Http]) -> None:
        self._made = running.made
        self._lines = lines

    @classmethod
    async def of(cls, running: Running) -> "Asking":
        """Connect, and open all windows."""
        made = cls(running, [await Http.open(running.port) for _ in range(WINDOWS + 1)])
        for window in range(1, WINDOWS + 1):
            await made.at(window, "open")
        return made

    async def take(self, count: int = 1) -> None:
        """Citizens take numbers."""
        for _ in range(count):
            await self._ask(self._lines[0], self._made.kiosk, "tickets", {"category": "social"})

    async def at(self, window: int, command: str) -> Any:
        """A window gives a command."""
        path = f"windows/{window}/{command}"
        return await self._ask(self._lines[window], self._made.windows, path, {})

    async def _ask(self, line: Http, token: str, path: str, body: dict[str, Any]) -> Any:
        status, answer = await line.ask(
            "POST",
            f"/api/v1/halls/{HALL}/{path}",
            json.dumps(body).encode(),
            Authorization=f"Bearer {token}",
            Content_Type="application/json",
        )
        assert status in (200, 201), (path, status, answer)
        return answer


async def one_at_a_time(
    asking: Asking, times: Times, calls: int, beside: Callable[[], Any]
) -> None:
    """A quiet hall: each window calls when nothing else happens. `beside` is done in between."""
    for place in range(calls + 1):
        window = place % WINDOWS + 1
        await asking.take()
        await asyncio.sleep(PAUSE)
        began = time.monotonic()
        number = (await asking.at(window, "call-next"))["number"]
        if place:  # the first one warms up
            times.answers.append(time.monotonic() - began)
            times.asked[number] = began
            await times.complete()
        else:
            await asyncio.sleep(1)
        await asking.at(window, "start")
        await asking.at(window, "finish")
        await asyncio.sleep(PAUSE)
        await beside()


async def all_at_once(asking: Asking, times: Times, seconds: float) -> None:
    """A crowded hall: sixteen windows call, start and finish without a break."""
    await asking.take(round(WINDOWS * seconds / BUSY_PAUSE) + 2 * WINDOWS)
    until = time.monotonic() + seconds

    async def work(window: int) -> None:
        chance = Random(window)
        await asyncio.sleep(BUSY_PAUSE * chance.random())
        while (began := time.monotonic()) < until:
            number = (await asking.at(window, "call-next"))["number"]
            times.answers.append(time.monotonic() - began)
            times.asked[number] = began
            for command in ("start", "finish"):
                await asyncio.sleep(BUSY_PAUSE * chance.random())
                await asking.at(window, command)

    await asyncio.gather(*(work(window) for window in range(1, WINDOWS + 1)))
    await times.complete()


@asynccontextmanager
async def bare(size: int) -> AsyncIterator[tuple[int, Any]]:
    """A server whose POST writes a frame of `size` bytes, with a call in it, to all displays."""
    displays: list[asyncio.Transport] = []
    calls = 0

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            nonlocal calls
            if data.startswith(b"GET"):
                displays.append(self.transport)
                self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                return
            calls += 1
            told = b'{"calls":[{"number":"X%06d","attempt":1}],"padding":"' % calls
            frame = framed(0x81, told + b"x" * (size - len(told) - 2) + b'"}')
            for each in displays:
                each.write(frame)
            body = b'{"number":"X%06d"}' % calls
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )

    loop = asyncio.get_running_loop()
    async with await loop.create_server(Bare, "127.0.0.1", 0, backlog=2_048) as server:
        yield server.sockets[0].getsockname()[1], lambda: None


async def quiet_and_busy(
    name: str, deployment: AbstractAsyncContextManager[Running], chosen: Chosen
) -> list[Row]:
    """The rows of one deployment, with those of the reference."""
    displays = chosen.displays
    async with deployment as running:
        with ExitStack() as stack:
            reader, other = (stack.enter_context(reading()) for _ in range(2))
            asking = await Asking.of(running)
            await asyncio.to_thread(reader.open, running.port, PATH, displays, compressed=True)
            size = await _size(asking, reader)
            reference = stack.enter_context(sending(bare, size))
            await asyncio.to_thread(other.open, reference.port, "/", displays)
            line = await Http.open(reference.port)
            bare_times, quiet, busy = Times(other, displays), *_two(reader, displays)

            async def ask_the_reference() -> None:
                began = time.monotonic()
                _, answer = await line.ask("POST", "/")
                bare_times.answers.append(time.monotonic() - began)
                bare_times.asked[answer["number"]] = began
                await bare_times.complete()

            await one_at_a_time(asking, quiet, chosen.calls, ask_the_reference)
            await all_at_once(asking, busy, chosen.busy)
            base = percentile(bare_times.latencies(), 0.5)
            return [
                bare_times.row(f"bare, {size} bytes", base),
                quiet.row(f"{name}, one call at a time", base),
                busy.row(f"{name}, {WINDOWS / BUSY_PAUSE:.0f} calls a second", base),
            ]


def _two(reader: Reader, displays: int) -> tuple[Times, Times]:
    return Times(reader, displays), Times(reader, displays)


async def _size(asking: Asking, reader: Reader) -> int:
    """Of a frame with a call in it."""
    await asking.take()
    await asking.at(1, "call-next")
    await asyncio.sleep(1)
    size = await asyncio.to_thread(reader.frame_bytes)
    await asking.at(1, "start")
    await asking.at(1, "finish")
    return size


async def measure(chosen: Chosen) -> None:
    """Both deployments, one after the other."""
    heads = (
        f"{chosen.displays:,} displays", "calls", "p50 ms", "p99 ms", "max ms",
        "answer p50 ms", "p50 × bare",
    )  # fmt: skip
    rows = await quiet_and_busy("embedded", embedded(), chosen)
    try:
        rows += await quiet_and_busy("PostgreSQL and Redis, two workers", two_workers(), chosen)
        missing = ""
    except MissingError as error:
        missing = f"\nWithout PostgreSQL and Redis: {error}."
    print(table(heads, rows) + missing)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--displays", type=int, default=1_000)
    parser.add_argument("--calls", type=int, default=60, help="one at a time")
    parser.add_argument("--busy", type=float, default=10.0, help="seconds of calls at once")
    chosen = Chosen(**vars(parser.parse_args()))
    print(f"{machine()}\n")
    asyncio.run(measure(chosen))


if __name__ == "__main__":
    main()
