"""What can happen in a hall: the facts that its journal holds.

An event is a fact, in the past tense, complete enough that `evolve` needs no rule to apply it.
It holds no personal text: names stand in `staff`, free text in `texts` (see `TextRef`). Each
class names its `kind` and `version`; a change of shape is a new version beside the old one.
"""

from typing import Any, ClassVar

from msgspec import Struct

from tinghao.queue.model import (
    Day,
    HallClock,
    HallConfig,
    Micros,
    Rank,
    TextRef,
)


class Event(Struct, frozen=True):
    """A fact. `kind` and `version` stand in its journal entry."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1


class Entry(Struct, frozen=True):
    """An event at its place in the journal of its hall."""

    seq: int
    at: Micros
    day: Day
    half_hour: int
    by: str  # "staff:3", "token:7", "citizen", "hall"
    event: Event
    hash: str = ""


# -- the hall


class HallConfigured(Event, frozen=True):
    kind: ClassVar[str] = "hall-configured"
    config: HallConfig


class ClockSet(Event, frozen=True):
    kind: ClassVar[str] = "clock-set"
    clock: HallClock


class DayOpened(Event, frozen=True):
    kind: ClassVar[str] = "day-opened"
    day: Day
    rest_day: str | None  # the name of the day of rest, when the calendar has one


class DayClosed(Event, frozen=True):
    kind: ClassVar[str] = "day-closed"
    day: Day


# -- windows


class WindowOpened(Event, frozen=True):
    kind: ClassVar[str] = "window-opened"
    window: int
    staff: int | None


class WindowPaused(Event, frozen=True):
    kind: ClassVar[str] = "window-paused"
    window: int
    reason: str
    until: Micros | None
    text: TextRef | None = None


class WindowResumed(Event, frozen=True):
    kind: ClassVar[str] = "window-resumed"
    window: int


class WindowClosed(Event, frozen=True):
    kind: ClassVar[str] = "window-closed"
    window: int


class WindowAssigned(Event, frozen=True):
    kind: ClassVar[str] = "window-assigned"
    window: int
    categories: tuple[str, ...]


# -- tickets


class TicketEvent(Event, frozen=True):
    """A fact about one ticket; a take's own id is the seq of its entry."""

    kind: ClassVar[str] = ""


class TicketTaken(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-taken"
    number: str
    category: str
    ordinal: int  # of the number, within its prefix and day
    prefix: str
    channel: str
    due: Micros
    item: str | None = None
    cls: str = "normal"
    ground: str | None = None
    appointment: Micros | None = None


class PaperEntered(TicketEvent, frozen=True):
    """A citizen served from paper while the service was down, entered afterwards."""

    kind: ClassVar[str] = "paper-entered"
    number: str
    category: str
    ordinal: int
    prefix: str
    window: int
    staff: int | None
    taken_at: Micros
    called_at: Micros
    finished_at: Micros
    result: str


class TicketCalled(TicketEvent, frozen=True):
    """A number is called to a window. `why` is what put it before the others.

    `attempt` counts the calls of this stage: more than 1 for one who had been called before.
    """

    kind: ClassVar[str] = "ticket-called"
    ticket: int
    number: str
    category: str
    window: int
    staff: int | None
    why: str  # directed, appointment, priority, waiting, chosen
    attempt: int = 1
    out_of_turn: bool = False
    reason: str | None = None
    text: TextRef | None = None


class TicketRecalled(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-recalled"
    ticket: int
    number: str
    category: str
    window: int
    attempt: int


class TicketStarted(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-started"
    ticket: int
    window: int


class TicketFinished(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-finished"
    ticket: int
    window: int
    result: str  # done, not-done
    reason: str | None = None
    complex: bool = False
    text: TextRef | None = None
    undo_until: Micros = 0


class TicketHeld(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-held"
    ticket: int
    window: int
    reason: str
    text: TextRef | None = None


class TicketResumed(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-resumed"
    ticket: int
    window: int


class TicketNoShow(TicketEvent, frozen=True):
    """`early`: before a recall and within 60 s of the call, a finding for supervision."""

    kind: ClassVar[str] = "ticket-no-show"
    ticket: int
    window: int
    calls: int
    early: bool
    grace_until: Micros
    undo_until: Micros = 0


class GraceEnded(TicketEvent, frozen=True):
    kind: ClassVar[str] = "grace-ended"
    ticket: int


class TicketReturned(TicketEvent, frozen=True):
    """Back to the queue, at the place given."""

    kind: ClassVar[str] = "ticket-returned"
    ticket: int
    rank: Rank
    reason: str
    text: TextRef | None = None


class TicketTransferred(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-transferred"
    ticket: int
    window: int  # from where
    category: str
    due: Micros
    for_window: int | None = None
    for_staff: int | None = None
    note: TextRef | None = None


class TicketDeferred(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-deferred"
    ticket: int
    places: int
    rank: Rank


class TicketCancelled(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-cancelled"
    ticket: int
    reason: str = "citizen"


class TicketExpired(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-expired"
    ticket: int
    reason: str = "day-close"


class TicketReleased(TicketEvent, frozen=True):
    """A manager frees a ticket stuck at a window. `outcome` waiting puts it back at `rank`."""

    kind: ClassVar[str] = "ticket-released"
    ticket: int
    window: int
    outcome: str  # waiting, finished, no-show, cancelled
    reason: str
    rank: Rank | None = None
    text: TextRef | None = None


class TicketUndone(TicketEvent, frozen=True):
    """The last finish or no-show of a window is taken back: the ticket is in hand again."""

    kind: ClassVar[str] = "ticket-undone"
    ticket: int
    window: int
    undone: str  # finish, no-show


class TicketRated(TicketEvent, frozen=True):
    kind: ClassVar[str] = "ticket-rated"
    ticket: int
    grade: int
    reasons: tuple[str, ...] = ()
    text: TextRef | None = None
    device: str | None = None


EVENTS: tuple[type[Event], ...] = (
    HallConfigured,
    ClockSet,
    DayOpened,
    DayClosed,
    WindowOpened,
    WindowPaused,
    WindowResumed,
    WindowClosed,
    WindowAssigned,
    TicketTaken,
    PaperEntered,
    TicketCalled,
    TicketRecalled,
    TicketStarted,
    TicketFinished,
    TicketHeld,
    TicketResumed,
    TicketNoShow,
    GraceEnded,
    TicketReturned,
    TicketTransferred,
    TicketDeferred,
    TicketCancelled,
    TicketExpired,
    TicketReleased,
    TicketUndone,
    TicketRated,
)


def ticket_of(entry: Entry) -> int | None:
    """The id of the ticket that the entry is about, or None."""
    event: Any = entry.event
    if isinstance(event, TicketTaken | PaperEntered):
        return entry.seq
    return event.ticket if isinstance(entry.event, TicketEvent) else None
