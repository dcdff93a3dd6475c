"""Totals since a hall's founding, folded from its journal like everything else.

A Prometheus counter must never run backwards. Counted in memory it would start at zero with each
process and differ between workers; folded from the journal it is one number, whoever is scraped.
An undone finish therefore stays counted, and is counted as undone as well.

Checkpoints hold these values: whoever changes their shape or the bounds of a histogram raises
`STATE_VERSION` of the journal's store, so that they are folded anew.
"""

from bisect import bisect_left
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import replace

from tinghao.queue.events import (
    Entry,
    Event,
    PaperEntered,
    TicketCalled,
    TicketCancelled,
    TicketExpired,
    TicketFinished,
    TicketNoShow,
    TicketReleased,
    TicketTaken,
    TicketUndone,
)
from tinghao.queue.journal import Room
from tinghao.queue.model import SECOND, HallState, Micros

NAME = "totals"

WAIT_BUCKETS = (60, 120, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200)
"""Upper bounds in seconds; 900 is the target of 15 minutes."""

HANDLING_BUCKETS = (30, 60, 120, 300, 600, 900, 1200, 1800, 2700, 3600)
"""Upper bounds in seconds; under 30 is an empty turn to supervision."""


class Spread(Struct, frozen=True):
    """A histogram: how many fell into each bucket (not cumulated), and the sum in seconds."""

    counts: tuple[int, ...]
    total_seconds: float = 0.0

    def with_one(self, duration: Micros, bounds: tuple[int, ...]) -> Self:
        """One duration more."""
        seconds = max(0, duration) / SECOND
        place = bisect_left(bounds, seconds)
        counts = (*self.counts[:place], self.counts[place] + 1, *self.counts[place + 1 :])
        return type(self)(counts, self.total_seconds + seconds)


def _empty(bounds: tuple[int, ...]) -> Spread:
    return Spread((0,) * (len(bounds) + 1))


class CategoryTotals(Struct, frozen=True):
    """What has happened in a category since the hall was founded."""

    taken: int = 0
    called: int = 0
    finished: int = 0
    no_shows: int = 0
    cancelled: int = 0
    expired: int = 0
    undone: int = 0
    wait: Spread = _empty(WAIT_BUCKETS)
    handling: Spread = _empty(HANDLING_BUCKETS)


Totals = dict[str, CategoryTotals]


def evolve(totals: Totals, before: HallState, after: HallState, entry: Entry) -> Totals:
    """The totals after the entry, which leads from one state of the hall to the other."""
    event: Any = entry.event
    if isinstance(event, TicketTaken):
        return _add(totals, event.category, taken=1)
    if isinstance(event, PaperEntered):
        return _paper(totals, event)
    if isinstance(event, TicketCalled):
        return _called(totals, before, entry, event)
    if isinstance(event, TicketFinished):
        return _finished(totals, before, entry, event)
    if isinstance(event, TicketUndone):
        return _add(totals, after.tickets[event.ticket].category, undone=1)
    counted = event.outcome if isinstance(event, TicketReleased) else _OUTCOMES.get(type(event))
    if counted in _FIELDS:
        category = before.tickets[event.ticket].category
        return _add(totals, category, **{_FIELDS[counted]: 1})
    return totals


_OUTCOMES: dict[type[Event], str] = {
    TicketNoShow: "no-show",
    TicketCancelled: "cancelled",
    TicketExpired: "expired",
}
_FIELDS = {
    "finished": "finished",
    "no-show": "no_shows",
    "cancelled": "cancelled",
    "expired": "expired",
}


def of(hall: HallState) -> Totals:
    """The totals of a hall."""
    own: Totals = hall.rooms.get(NAME, {})
    return own


def _called(totals: Totals, before: HallState, entry: Entry, event: TicketCalled) -> Totals:
    stage = before.tickets[event.ticket].stage
    if stage.called_at is not None:  # after a return: its wait had ended with the first call
        return totals
    known = totals.get(event.category, CategoryTotals())
    wait = known.wait.with_one(entry.at - stage.entered_at, WAIT_BUCKETS)
    return {**totals, event.category: replace(known, called=known.called + 1, wait=wait)}


def _finished(totals: Totals, before: HallState, entry: Entry, event: TicketFinished) -> Totals:
    ticket = before.tickets[event.ticket]
    known = totals.get(ticket.category, CategoryTotals())
    handling = known.handling
    if ticket.stage.started_at is not None:
        spent = entry.at - ticket.stage.started_at - ticket.stage.held
        handling = handling.with_one(spent, HANDLING_BUCKETS)
    changed = replace(known, finished=known.finished + 1, handling=handling)
    return {**totals, ticket.category: changed}


def _paper(totals: Totals, event: PaperEntered) -> Totals:
    totals = _add(totals, event.category, taken=1, called=1, finished=1)
    known = totals[event.category]
    wait = known.wait.with_one(event.called_at - event.taken_at, WAIT_BUCKETS)
    handling = known.handling.with_one(event.finished_at - event.called_at, HANDLING_BUCKETS)
    return {**totals, event.category: replace(known, wait=wait, handling=handling)}


def _add(totals: Totals, category: str, **counts: int) -> Totals:
    known = totals.get(category, CategoryTotals())
    changed = {name: getattr(known, name) + count for name, count in counts.items()}
    return {**totals, category: replace(known, **changed)}


ROOM = Room(name=NAME, state=Totals, initial={}, evolve=evolve)
