"""The launcher: it holds the listening socket and keeps workers at it.

It serves nobody itself. A worker that dies is started again, later and later if it dies at once;
one that is silent for half a minute is killed first. A rolling restart starts a new worker, waits
until it is ready, and only then lets an old one end, so that there are never fewer than were asked
for. The socket stays open throughout: whoever connects meanwhile waits a moment instead of being
refused.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from msgspec import Struct

from tinghao.app.database.serving_lock import ServeError
from tinghao.app.serving.listening import Listeners
from tinghao.app.serving.workers.child import Child, start
from tinghao.app.serving.workers.sums import Sums

log = logging.getLogger(__name__)


class Plan(Struct, frozen=True, kw_only=True):
    """What the launcher is to do. Times are seconds."""

    workers: int
    command: tuple[str, ...]  # of a worker, without what it inherits
    drain: float  # for a worker to end in; then it is killed
    start: float = 60.0  # for a worker to become ready in
    silent: float = 30.0  # without a word after which a worker is taken for stuck
    steady: float = 5.0  # a worker that lived so long did not die at once
    first_delay: float = 0.5  # before the next start when it did; doubled each time
    longest_delay: float = 15.0


class Launcher:
    """Keeps as many workers as planned, from `run` until `stop`."""

    def __init__(self, plan: Plan, at: Listeners) -> None:
        self._plan = plan
        self._at = at
        self._children: set[Child] = set()
        self._sums = Sums(lambda: self._children)
        self._slots: list[Child | None] = [None] * plan.workers
        self._changing = [asyncio.Lock() for _ in range(plan.workers)]
        self._leaving: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._replacing = asyncio.Event()

    def stop(self) -> None:
        """End all workers in order, then `run`."""
        self._stopping.set()

    def kill(self) -> None:
        """End all workers at once."""
        self._stopping.set()
        for child in self._children:
            child.kill()

    def replace(self) -> None:
        """Put a new worker in the place of each, one after the other."""
        self._replacing.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Start the workers, say when they are `ready`, keep them until `stop`.

        Raises ServeError when not even the first one can start.
        """
        keeping: list[asyncio.Task[None]] = []
        try:
            if not await self._fill(0):
                if not self._stopping.is_set():
                    raise ServeError("No worker could start; what it said stands above.")
                return
            await asyncio.gather(*(self._fill(slot) for slot in range(1, self._plan.workers)))
            ready()
            work = [self._replace_when_told(), self._watch()]
            work += [self._keep(slot) for slot in range(self._plan.workers)]
            keeping = [asyncio.create_task(each) for each in work]
            await self._stopping.wait()
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            for listener in self._at.every():
                listener.close()
            await asyncio.gather(*(self._end(child) for child in tuple(self._children)))

    # -- one worker

    async def _start(self) -> Child:
        child = await start(self._plan.command, self._at, self._sums.over_all, self._share_of)
        self._children.add(child)
        task = asyncio.create_task(self._leave(child))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return child

    async def _leave(self, child: Child) -> None:
        await child.ended.wait()
        self._children.discard(child)
        self._sums.gone(child)

    def _share_of(self, child: Child) -> float:
        """The mean over those that go on serving; one that ends takes none any more."""
        others = [each for each in self._children if each.ready.is_set() and not each.ending]
        return sum(each.connections for each in {child, *others}) / len({child, *others})

    async def _fill(self, slot: int) -> bool:
        """Start a worker for the slot; whether it became ready."""
        child = self._slots[slot] = await self._start()
        return await self._becomes_ready(child)

    async def _becomes_ready(self, child: Child) -> bool:
        waiting = [
            asyncio.create_task(event.wait())
            for event in (child.ready, child.ended, self._stopping)
        ]
        await asyncio.wait(waiting, timeout=self._plan.start, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if child.ready.is_set():
            log.info("worker %d is ready", child.pid)
        if child.ready.is_set() or child.ended.is_set() or self._stopping.is_set():
            return child.ready.is_set()
        log.error("worker %d did not become ready in %.0f s", child.pid, self._plan.start)
        child.kill()
        await child.ended.wait()
        return False

    async def _end(self, child: Child, *, replaced: bool = False) -> None:
        if child.ready.is_set():
            child.terminate(replaced=replaced)
        else:
            child.kill()  # it has nothing in hand
        try:
            await asyncio.wait_for(child.ended.wait(), self._plan.drain)
        except TimeoutError:
            log.warning("worker %d did not end in %.0f s", child.pid, self._plan.drain)
            child.kill()
            await child.ended.wait()

    # -- for as long as it runs

    async def _keep(self, slot: int) -> None:
        """Start a worker again when it has died."""
        at_once = 0
        while True:
            child = self._slots[slot]
            assert child is not None
            await child.ended.wait()
            lasted = time.monotonic() - child.started_at
            async with self._changing[slot]:
                if self._slots[slot] is not child:
                    at_once = 0
                    continue
                at_once = 0 if lasted >= self._plan.steady else at_once + 1
                delay = self._delay(at_once)
                when = f"in {delay:g} s" if delay else "now"
                log.warning(
                    "worker %d %s; a new one starts %s", child.pid, child.how_it_ended, when
                )
                await asyncio.sleep(delay)
                await self._fill(slot)

    def _delay(self, at_once: int) -> float:
        if not at_once:
            return 0.0
        return min(self._plan.longest_delay, self._plan.first_delay * 2.0 ** min(at_once - 1, 10))

    async def _replace_when_told(self) -> None:
        while True:
            await self._replacing.wait()
            self._replacing.clear()
            log.info("%d workers are replaced one after the other", self._plan.workers)
            for slot in range(self._plan.workers):
                if not await self._replace_in(slot):
                    if self._stopping.is_set():
                        return
                    log.error("a new worker did not become ready; the others go on as they are")
                    break
            else:
                log.info("all workers are new")

    async def _replace_in(self, slot: int) -> bool:
        async with self._changing[slot]:
            fresh = await self._start()
            if not await self._becomes_ready(fresh):
                return False
            old, self._slots[slot] = self._slots[slot], fresh
            assert old is not None
            await self._end(old, replaced=True)
            return True

    async def _watch(self) -> None:
        """Kill those that are stuck: their sockets hear nothing and their requests wait."""
        while True:
            await asyncio.sleep(self._plan.silent / 10)
            for child in tuple(self._children):
                silent = time.monotonic() - child.heard_at
                if child.ready.is_set() and not child.ending and silent > self._plan.silent:
                    log.error("worker %d has been silent for %.0f s", child.pid, silent)
                    child.kill()
