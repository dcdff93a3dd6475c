"""Sockets that must be gone by a certain time, and one timer for all of them."""

import asyncio
import time
from typing import Protocol


class Closing(Protocol):
    """What is closing; an abort ends it without waiting for anything."""

    def abort(self) -> None:
        """End it at once."""


class Deadlines:
    """Aborts what has not gone by itself after `seconds`. No timer runs while nothing closes."""

    __slots__ = ("_at", "_seconds", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._at: dict[Closing, float] = {}  # the earliest is the first
        self._timer: asyncio.TimerHandle | None = None

    def add(self, closing: Closing) -> None:
        """It is to go from now on. Said twice, the first deadline stands."""
        self._at.setdefault(closing, time.monotonic() + self._seconds)
        if self._timer is None:
            self._set(self._seconds)

    def remove(self, closing: Closing) -> None:
        """It is gone."""
        self._at.pop(closing, None)

    def _set(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._due)

    def _due(self) -> None:
        self._timer = None
        now = time.monotonic()
        while self._at:
            closing, at = next(iter(self._at.items()))
            if at > now:
                self._set(at - now)
                return
            del self._at[closing]
            closing.abort()
