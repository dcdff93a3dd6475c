"""Halls as they are now, in memory: one per hall and process, a fold of the journal."""

import asyncio
import logging
from collections.abc import Callable
from typing import Self

from tinghao.queue.events import Entry
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.model import HallState

log = logging.getLogger(__name__)

Listener = Callable[[HallState, HallState, tuple[Entry, ...]], None]


class Gap(Exception):
    """Entries do not follow on what the live state has: read the journal."""


class LiveHall:
    """One hall now. `state` is replaced, never changed; only `advance` and `reload` do so.

    `lock` spans from taking the hall's row lock to `advance`, so that within this process
    commands and catching up never interleave.
    """

    def __init__(self, rooms: Rooms, hall_id: int, state: HallState) -> None:
        self._rooms = rooms
        self._listeners: list[Listener] = []
        self.hall_id = hall_id
        self.state = state
        self.lock = asyncio.Lock()

    @property
    def code(self) -> str:
        """The hall's code."""
        return self.state.code

    def advance(self, entries: tuple[Entry, ...]) -> None:
        """The one door: apply what follows, skip what is known. Raises Gap, changing nothing."""
        before = self.state
        fresh = tuple(entry for entry in entries if entry.seq > before.seq)
        if not fresh:
            return
        if fresh[0].seq != before.seq + 1:
            raise Gap(f"{self.code}: entry {fresh[0].seq} cannot follow {before.seq}")
        self.state = self._rooms.fold(before, fresh)
        self._tell(before, fresh)

    def reload(self, state: HallState) -> None:
        """Another incarnation of the journal: everybody starts from its state."""
        before, self.state = self.state, state
        self._tell(before, ())

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(before, after, entries)` after each advance; returns the way out.

        It runs on the event loop, inside the advance, and must be quick. The work that it is
        told of is committed: what it raises is logged, and the others are still told.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, before: HallState, entries: tuple[Entry, ...]) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(before, self.state, entries)
            except Exception:
                log.exception("a listener of hall %s failed", self.code)

    def __repr__(self: Self) -> str:
        return f"<LiveHall {self.code} at {self.state.seq}>"
