"""Witnesses: each follows a topic through whatever happens, and remembers what it was told."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec import Struct

from tinghao.client import Frame, follow


class Told(Struct, frozen=True):
    """A call as a witness was told of it. Times are seconds since 1970."""

    id: int
    number: str
    attempt: int
    at: float  # when it was called
    arrived: float
    held: bool  # the line stood from the call until this frame


class Witness:
    """One follower of one topic."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.told: list[Told] = []
        self.told_of: set[tuple[str, int]] = set()
        self.cuts = 0  # how often its line broke
        self.snapshots = 0  # how often the server could not tell what it had missed
        self.begun = False
        self._since: float | None = None  # when its present line became live

    def connected(self, live: bool) -> None:
        """What `follow` says of the line."""
        if not live:
            self.cuts += self._since is not None
            self._since = None
        elif self._since is None:
            self._since = time.time()

    def take(self, frame: Frame) -> None:
        """A frame has come."""
        arrived = time.time()
        if not frame.resumed and self.begun:
            self.snapshots += 1
        self.begun = True
        for call in frame.calls:
            at = datetime.fromisoformat(call["at"]).timestamp()
            held = self._since is not None and self._since <= at
            told = Told(call["id"], call["number"], call["attempt"], at, arrived, held)
            self.told.append(told)
            self.told_of.add((told.number, told.attempt))


@asynccontextmanager
async def watching(
    url: str, hall: str, token: str, topics: Iterable[str]
) -> AsyncIterator[list[Witness]]:
    """Witnesses of these topics, one each, all with a first frame. A fault of one is raised."""
    witnesses = [Witness(topic) for topic in topics]

    async def watch(witness: Witness) -> None:
        frames = follow(url, hall, witness.topic, token=token, connected=witness.connected)
        async for frame in frames:
            witness.take(frame)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(watch(each)) for each in witnesses]
        while not all(each.begun for each in witnesses):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        yield witnesses
        for task in tasks:
            task.cancel()
