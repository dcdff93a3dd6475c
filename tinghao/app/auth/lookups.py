"""A memory of a few seconds for "who is this secret", so that a command costs no extra query."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Lookups(Generic[V]):
    """Answers by key, each asked once at a time and kept for ``seconds``.

    ``forget`` takes effect at once in this process; elsewhere a revocation shows after
    ``seconds``. A refusal (None) is kept for a moment only, against a crowd of dead devices.
    """

    def __init__(
        self, seconds: float = 3.0, most: int = 20_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, V | None]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[V | None]] = {}
        self._generation = 0

    async def get(self, key: str, ask: Callable[[], Awaitable[V | None]]) -> V | None:
        """The answer for ``key``: the kept one, or what ``ask`` says; its errors are raised."""
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key, ask, self._generation))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        # Shielded: whoever asked first may go away, the others still want to know.
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Drop every answer, also those on their way: something was revoked or changed."""
        self._generation += 1
        self._kept.clear()
        self._asking.clear()

    async def _ask(
        self, key: str, ask: Callable[[], Awaitable[V | None]], generation: int
    ) -> V | None:
        answer = await ask()
        if generation == self._generation:
            keep = self._seconds if answer is not None else min(1.0, self._seconds)
            self._kept[key] = (self._clock() + keep, answer)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return answer

    def _asked(self, key: str, task: asyncio.Task[V | None]) -> None:
        if self._asking.get(key) is task:
            del self._asking[key]
        if not task.cancelled():
            task.exception()  # looked at: the first asker may have gone
