"""Kiosks and windows that never let go: each asks again, under the same key, until it is answered.

Whoever is cut off in the middle of a request does not know whether it was done. The key tells.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count, cycle, repeat
from math import inf
from typing import Any

import httpx

from tests.load.deployment import Deployment
from tests.queue.office import CODE

Step = tuple[str, dict[str, Any]]


@dataclass
class Asker:
    """One kiosk or window with its requests, one at a time."""

    name: str
    token: str
    steps: Iterator[Step]
    keys: Iterator[int] = field(default_factory=count)
    pending: tuple[str, Step] | None = None
    answers: list[tuple[str, Any]] = field(default_factory=list)
    done: bool = False

    async def go_on(self, client: httpx.AsyncClient, answered: Callable[[], bool]) -> None:
        """Ask until `answered` says that it is enough. Raises httpx.TransportError when cut off."""
        while not self.done:
            if self.pending is None:
                step = next(self.steps, None)
                if step is None:
                    self.done = True
                    return
                self.pending = (f"{self.name}-{next(self.keys)}", step)
            key, (path, body) = self.pending
            headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
            answer = await client.post(path, json=body, headers=headers)
            assert answer.status_code in (200, 201, 204), answer.text
            self.pending = None
            if answer.status_code == 204:
                self.done = True
            else:
                self.answers.append((path.rpartition("/")[2], answer.json()))
            if answered():
                return


class Load:
    """All of them, and how many answers they have had."""

    def __init__(self, kiosks: list[Asker], windows: list[Asker]) -> None:
        self.answered = 0
        self.kiosks = kiosks
        self.windows = windows

    async def run(self, url: str, until: float = inf, askers: list[Asker] | None = None) -> None:
        """Until so many answers have come in all; then everybody finishes what he has begun."""

        def enough() -> bool:
            self.answered += 1
            return self.answered >= until

        async with clients(url) as client:
            chosen = askers or [*self.kiosks, *self.windows]
            await asyncio.gather(*(each.go_on(client, enough) for each in chosen))

    async def run_until_cut(self, url: str, until: int, cut: Callable[[], Any]) -> int:
        """The same, but then the server is cut off under them; how many had no answer."""
        reached = asyncio.Event()

        def answered() -> bool:
            self.answered += 1
            if self.answered >= until:
                reached.set()
            return False

        async with clients(url) as client:
            asking = [
                asyncio.create_task(each.go_on(client, answered))
                for each in (*self.kiosks, *self.windows)
            ]
            first = asyncio.create_task(reached.wait())
            await asyncio.wait({first, *asking}, return_when=asyncio.FIRST_COMPLETED)
            assert reached.is_set(), [task for task in asking if task.done()]
            await cut()
            outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(each, httpx.TransportError) for each in outcomes), outcomes
        return sum(each.pending is not None for each in (*self.kiosks, *self.windows))

    def told(self, askers: list[Asker], what: str) -> list[str]:
        """The numbers that were told in answers of one kind."""
        return [body["number"] for each in askers for kind, body in each.answers if kind == what]


def clients(url: str) -> httpx.AsyncClient:
    """Connections for all of them."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    return httpx.AsyncClient(base_url=url, timeout=60, limits=limits)


def kiosks(deployment: Deployment, count: int, takes: int | None = None) -> list[Asker]:
    """Kiosks that give out so many numbers each, or one after the other without end."""
    take = (f"/api/v1/halls/{CODE}/tickets", {"category": "social"})
    steps = [repeat(take) if takes is None else repeat(take, takes) for _ in range(count)]
    return [
        Asker(f"kiosk-{place}", deployment.kiosk, each) for place, each in enumerate(steps, start=1)
    ]


def windows(deployment: Deployment, count: int, *commands: str) -> list[Asker]:
    """Windows that open and then do these commands in turn, until nobody waits."""
    return [
        Asker(f"window-{number}", deployment.windows, turns(number, commands))
        for number in range(1, count + 1)
    ]


def turns(window: int, commands: tuple[str, ...]) -> Iterator[Step]:
    """What a window asks for, without end."""
    for command in chain(("open",), cycle(commands)):
        yield f"/api/v1/halls/{CODE}/windows/{window}/{command}", {}
