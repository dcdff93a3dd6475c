"""A city's working day at the rate of one hour: ten halls on two workers, PostgreSQL and Redis.

    python -m benchmarks.city_day [--minutes 10]

A day has 50,000 tickets at 300 windows, so in this hour every window calls, starts and finishes
one every 21.6 seconds, one in five is called twice, and every second fourteen citizens take a
number. Of 3,000 sockets 1,000 are displays that follow a lobby, as our own page does, and 2,000 are
phones that follow a category. Each window and each hall's kiosks have a connection of their own.

A latency is the time from just before a window's request to when one socket has read the frame with
the call; a call that a socket of its hall and category never reads would be a fault, and so would a
journal that is not sound.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

from msgspec.structs import replace

from benchmarks.deployments import MissingError, Running, two_workers
from benchmarks.measuring import Http, cpu_seconds, machine, percentile, table
from benchmarks.reader import Reader, reading
from tests.load.deployment import where_it_is_noon
from tinghao.app.auth import tokens
from tinghao.app.database import Database
from tinghao.app.rooms import all_rooms
from tinghao.queue.clock import machine_clock
from tinghao.queue.founding import PUYANG, found
from tinghao.queue.model import HallConfig, WindowConfig

HALLS = tuple(f"hall{place}" for place in range(1, 11))
CATEGORIES = tuple(each.code for each in PUYANG.categories)
WINDOWS = 30  # of a hall
TICKETS = 50_000 / 3_600 / len(HALLS)  # taken in a hall by the second
DISPLAYS = 100  # of a hall
PHONES = 50  # of a category of a hall
RECALLED = 0.2
STOCK = 15  # tickets of each category that wait in the beginning

LOBBY = "lobby?format=html&lang=zh"


def config() -> HallConfig:
    """Thirty windows, each for one of the four categories, where it is about noon."""
    return replace(
        PUYANG,
        timezone=where_it_is_noon(),
        categories=tuple(replace(each, daily_cap=9_999) for each in PUYANG.categories),
        windows=tuple(
            WindowConfig(
                number=number, name="综合受理", categories=(CATEGORIES[number % len(CATEGORIES)],)
            )
            for number in range(1, WINDOWS + 1)
        ),
    )


def found_city(secrets: list[str], database_url: str) -> None:
    """Ten halls more, and a token for all of them."""
    database = Database(database_url)
    rooms, hall = all_rooms(), config()
    for code in HALLS:
        database.write_sync(partial(found, rooms=rooms, code=code, config=hall))
    now = machine_clock()
    secrets.append(
        database.write_sync(partial(tokens.create, role="administrator", now=now, hall=None))
    )
    database.close()


class City:
    """Everybody who asks for something."""

    def __init__(self, port: int, token: str) -> None:
        self.asked: dict[str, float] = {}
        self.answers: list[float] = []
        self.commands = 0
        self._port = port
        self._token = token
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Nobody begins anything any more."""
        self._ended.set()

    async def open(self, hall: str) -> list[Http]:
        """Open the hall: stock its queues, open its windows. The lines of its windows."""
        lines = [await Http.open(self._port) for _ in range(WINDOWS)]
        for place in range(STOCK * len(CATEGORIES)):
            await self._take(lines[place % WINDOWS], hall, CATEGORIES[place % len(CATEGORIES)])
        for window, line in enumerate(lines, start=1):
            await self._at(line, hall, window, "open")
        return lines

    async def arrive(self, hall: str) -> None:
        """Citizens take numbers, as chance will have it, but for a category each in turn."""
        chance, line, place = Random(hall), await Http.open(self._port), 0
        at = time.monotonic()
        while not self._ended.is_set():
            at += chance.expovariate(TICKETS)
            await self._passes(at - time.monotonic())
            # As many for each category as windows serve it.
            window, place = place % WINDOWS + 1, place + 1
            await self._take(line, hall, CATEGORIES[window % len(CATEGORIES)])

    async def work(self, hall: str, window: int, line: Http) -> None:
        """A window serves one citizen after the other."""
        chance = Random(f"{hall}{window}")
        cycle = WINDOWS / TICKETS  # seconds
        await self._passes(cycle * chance.random())
        while not self._ended.is_set():
            began = time.monotonic()
            ticket = await self._at(line, hall, window, "call-next")
            if ticket is None:
                await self._passes(1)
                continue
            self.answers.append(time.monotonic() - began)
            self.asked[f"{hall} {ticket['number']}"] = began
            await self._passes(cycle * chance.uniform(0.1, 0.2))
            if chance.random() < RECALLED:
                await self._at(line, hall, window, "recall")
            await self._at(line, hall, window, "start")
            await self._passes(cycle * chance.uniform(0.5, 1.0))
            await self._at(line, hall, window, "finish")

    async def _passes(self, seconds: float) -> None:
        """So much time, or until the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), max(0.0, seconds))

    async def _take(self, line: Http, hall: str, category: str) -> None:
        await self._ask(line, f"{hall}/tickets", {"category": category})

    async def _at(self, line: Http, hall: str, window: int, command: str) -> Any:
        return await self._ask(line, f"{hall}/windows/{window}/{command}", {})

    async def _ask(self, line: Http, path: str, body: dict[str, Any]) -> Any:
        self.commands += 1
        status, answer = await line.ask(
            "POST",
            f"/api/v1/halls/{path}",
            json.dumps(body).encode(),
            Authorization=f"Bearer {self._token}",
            Content_Type="application/json",
        )
        assert status in (200, 201, 204), (path, status, answer)
        return answer


async def screens(running: Running, reader: Reader) -> int:
    """Open them all; how many each call must reach."""
    for hall in HALLS:
        open_ = partial(reader.open, running.port, compressed=True, hall=hall)
        await asyncio.to_thread(open_, f"/ws/halls/{hall}/{LOBBY}", DISPLAYS)
        for category in CATEGORIES:
            await asyncio.to_thread(open_, f"/ws/halls/{hall}/category-{category}", PHONES)
    return DISPLAYS + PHONES


async def measure(minutes: float) -> None:
    """Open the halls, let them work, and see what came of it."""
    secrets: list[str] = []
    async with two_workers(partial(found_city, secrets)) as running:
        with reading() as reader:
            city = City(running.port, secrets[0])
            opened = await asyncio.gather(*(city.open(hall) for hall in HALLS))
            lines = dict(zip(HALLS, opened, strict=True))
            wanted = await screens(running, reader)
            await asyncio.to_thread(reader.calls)
            commands, began = city.commands, time.monotonic()
            before = _cpu(running)
            told: Counter[str] = Counter()
            latencies: list[float] = []

            async def listen() -> None:
                for call, times in (await asyncio.to_thread(reader.calls)).items():
                    told[call] += len(times)
                    latencies.extend(at - city.asked[call] for at in times if call in city.asked)

            async with asyncio.TaskGroup() as group:
                for hall in HALLS:
                    group.create_task(city.arrive(hall))
                    for window, line in enumerate(lines[hall], start=1):
                        group.create_task(city.work(hall, window, line))
                while time.monotonic() - began < minutes * 60:
                    await asyncio.sleep(2)
                    await listen()
                elapsed = time.monotonic() - began
                rate = (city.commands - commands) / elapsed
                cores = (_cpu(running) - before) / elapsed
                city.end()
            await asyncio.sleep(1)
            await listen()
            missed = sum(wanted > told[call] for call in city.asked)
        code, said, _ = await running.made.command("journal", "verify")
    heads = (
        "calls", "commands a second", "p50 ms", "p99 ms", "max ms", "answer p99 ms", "missed",
        "workers' CPU, cores",
    )  # fmt: skip
    row = (
        f"{len(city.asked):,}",
        f"{rate:.0f}",
        *(f"{percentile(latencies, share) * 1e3:.0f}" for share in (0.5, 0.99, 1)),
        f"{percentile(city.answers, 0.99) * 1e3:.0f}",
        str(missed),
        f"{cores:.2f}",
    )
    print(table(heads, [row]))
    print(f"\nThe journals are {'sound' if code == 0 else 'NOT sound'}.")
    if code:
        print(said)


def _cpu(running: Running) -> float:
    return sum(cpu_seconds(pid) for pid in running.workers)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    chosen = parser.parse_args()
    print(f"{machine()}\n")
    try:
        asyncio.run(measure(chosen.minutes))
    except MissingError as error:
        print(f"Not run: {error}.")


if __name__ == "__main__":
    main()
