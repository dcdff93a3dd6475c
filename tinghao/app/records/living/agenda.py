"""What is to happen when, and the hall's time of day as its inhabitants see it."""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from itertools import count

from tinghao.queue.model import Micros

Act = Callable[[], Awaitable[None]]


class Agenda:
    """Acts in order of their time of day; those of one time in the order they were noted."""

    def __init__(self) -> None:
        self._acts: list[tuple[Micros, int, Act]] = []
        self._order = count()

    def add(self, at: Micros, act: Act) -> None:
        """Note an act."""
        heapq.heappush(self._acts, (at, next(self._order), act))

    def first(self) -> Micros | None:
        """When the next act is, or None when nothing is left."""
        return self._acts[0][0] if self._acts else None

    def pop(self) -> tuple[Micros, Act]:
        """The next act, taken off."""
        at, _, act = heapq.heappop(self._acts)
        return at, act


class TimeOfDay:
    """Microseconds since the hall's midnight. It stands while times are stated, else it runs."""

    def __init__(self, at: Micros) -> None:
        self._at = at
        self._since = time.monotonic()
        self._speed = 0.0

    @property
    def stated(self) -> bool:
        """Whether every act states its time, instead of waiting for it."""
        return self._speed == 0

    @property
    def now(self) -> Micros:
        """The time of day."""
        return self._at + round((time.monotonic() - self._since) * self._speed * 1e6)

    def stand(self, at: Micros) -> None:
        """It is `at`, until told otherwise."""
        self._at, self._speed = at, 0.0

    def run(self, at: Micros, speed: float) -> None:
        """It is `at` now and goes on, `speed` times as fast as the machine's."""
        self._at, self._speed, self._since = at, speed, time.monotonic()

    def correct(self, at: Micros) -> None:
        """The hall says that it is `at`; it goes on from there."""
        if not self.stated:
            self.run(at, self._speed)

    async def until(self, at: Micros) -> None:
        """Wait for `at`; while times are stated it is `at` at once."""
        if self.stated:
            self._at = max(self._at, at)
            return
        ahead = (at - self.now) / 1e6 / self._speed
        if ahead > 0:
            await asyncio.sleep(ahead)
