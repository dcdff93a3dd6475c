"""The calls of a hall that can still be told to one who missed them.

A screen's state may be merged with the next one, a call may not: every frame carries all calls
since the frame before. This log keeps the latest ones of a hall, in order of their id (the seq
of their journal entry), and knows from which seq on it has them all.
"""

from bisect import bisect_right
from collections.abc import Sequence

from tinghao.queue.events import Entry, TicketCalled, TicketRecalled
from tinghao.queue.evolve import evolve
from tinghao.queue.model import Call, HallState, Micros

LIMIT = 2_048  # calls; at one call a second more than half an hour


class CallLog:
    """The calls in (`since`, `seq`], none missing. Holds between LIMIT and 2 × LIMIT at most."""

    __slots__ = ("_calls", "seq", "since")

    def __init__(self, state: HallState) -> None:
        self._calls: list[Call] = list(state.calls)
        self.seq = state.seq
        # The state drops old calls, but from the oldest it holds on it holds all.
        self.since = self._calls[0].id - 1 if self._calls else state.seq

    def add(self, calls: Sequence[Call], seq: int) -> None:
        """The calls of the entries up to `seq`, which follow what is here."""
        self._calls.extend(calls)
        self.seq = seq
        if len(self._calls) > 2 * LIMIT:
            self.since = self._calls[-LIMIT - 1].id
            del self._calls[:-LIMIT]

    def prepend(self, calls: Sequence[Call], since: int) -> None:
        """The calls in (`since`, the old `since`], read from the journal."""
        self._calls[:0] = calls
        self.since = since

    def between(self, after: int, upto: int) -> list[Call] | None:
        """The calls in (after, upto], or None when they reach back further than this log."""
        if after < self.since:
            return None
        first = bisect_right(self._calls, after, key=_id)
        return self._calls[first : bisect_right(self._calls, upto, key=_id)]

    def recent(self, upto: int, from_time: Micros) -> list[Call]:
        """The calls not older than `from_time`, up to the seq `upto`."""
        end = bisect_right(self._calls, upto, key=_id)
        first = end
        while first and self._calls[first - 1].at >= from_time:
            first -= 1
        return self._calls[first:end]


def made(before: HallState, after: HallState, entries: Sequence[Entry]) -> list[Call]:
    """Every call in the entries between two states.

    The later state holds them, but for a long batch in fast hall time or over the end of a
    day; then they are folded out of the entries one by one.
    """
    count = sum(isinstance(each.event, TicketCalled | TicketRecalled) for each in entries)
    if not count:
        return []
    calls = [call for call in after.calls if call.id > before.seq]
    if len(calls) == count:
        return calls
    calls = []
    state = before
    for entry in entries:
        state = evolve(state, entry)
        if state.calls and state.calls[-1].id == entry.seq:
            calls.append(state.calls[-1])
    return calls


def _id(call: Call) -> int:
    return call.id
