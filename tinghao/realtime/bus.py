"""The bus: after a commit it says "hall H reached seq N", to whoever wants to be quick.

It makes screens fast, never right: a bus may lose, repeat or reorder what it is told. A
subscriber therefore takes a word only as a hint to look, and finds the facts in the journal.
"""

import logging
from collections.abc import Callable
from typing import Protocol

Heard = Callable[[str, int], None]
"""Called on the event loop with a hall's code and the seq it has reached."""

Unsubscribe = Callable[[], None]

logger = logging.getLogger(__name__)


class Bus(Protocol):
    """What a bus does, whether it reaches one process or all."""

    def publish(self, hall: str, seq: int) -> None:
        """Tell that a hall's journal has been committed up to `seq`.

        Returns at once and never raises: the command is done, whatever becomes of the word.
        """

    def subscribe(self, heard: Heard) -> Unsubscribe:
        """Call `heard` for every word from now on. Returns the way to end that."""


class MemoryBus:
    """The bus of one process: each subscriber is called before `publish` returns."""

    __slots__ = ("_subscribers",)

    def __init__(self) -> None:
        self._subscribers: list[Heard] = []

    def publish(self, hall: str, seq: int) -> None:
        """Tell every subscriber; one that fails is logged and keeps nobody from hearing."""
        for heard in tuple(self._subscribers):
            try:
                heard(hall, seq)
            except Exception:
                logger.exception("a subscriber of the bus failed at hall %s, seq %d", hall, seq)

    def subscribe(self, heard: Heard) -> Unsubscribe:
        """Call `heard` for every word from now on. Ending it twice does no harm."""
        self._subscribers.append(heard)

        def unsubscribe() -> None:
            if heard in self._subscribers:
                self._subscribers.remove(heard)

        return unsubscribe
