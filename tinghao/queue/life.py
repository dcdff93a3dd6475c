"""The life of one ticket: what each event makes of it (DOMAIN 3).

waiting → called → serving → finished is the plain way; every other way is one line below.
"""

from functools import singledispatch

from msgspec.structs import replace

from tinghao.queue.events import (
    Entry,
    Event,
    GraceEnded,
    PaperEntered,
    TicketCalled,
    TicketCancelled,
    TicketDeferred,
    TicketExpired,
    TicketFinished,
    TicketHeld,
    TicketNoShow,
    TicketRated,
    TicketRecalled,
    TicketReleased,
    TicketResumed,
    TicketReturned,
    TicketStarted,
    TicketTaken,
    TicketTransferred,
    TicketUndone,
)
from tinghao.queue.model import Micros, Rank, Stage, Ticket

SETTLED = frozenset({"finished", "cancelled", "expired"})


def is_open(ticket: Ticket) -> bool:
    """Whether the ticket may still change by calling: a no-show is open during its grace."""
    if ticket.state == "no-show":
        return ticket.grace_until is not None
    return ticket.state not in SETTLED


def is_directed(ticket: Ticket) -> bool:
    """Whether the ticket is meant for one window or one person."""
    return ticket.for_window is not None or ticket.for_staff is not None


def born(entry: Entry, event: TicketTaken | PaperEntered) -> Ticket:
    """The ticket that a take makes, or one that was served from paper."""
    if isinstance(event, PaperEntered):
        return _from_paper(entry, event)
    return Ticket(
        id=entry.seq,
        day=entry.day,
        number=event.number,
        state="waiting",
        channel=event.channel,
        taken_at=entry.at,
        stage=Stage(no=1, category=event.category, entered_at=entry.at, due=event.due),
        rank=Rank(event.due, entry.seq, 0, entry.seq),
        item=event.item,
        cls=event.cls,  # type: ignore[arg-type]  # decide admits only classes
        ground=event.ground,
        appointment=event.appointment,
    )


def _from_paper(entry: Entry, event: PaperEntered) -> Ticket:
    return Ticket(
        id=entry.seq,
        day=entry.day,
        number=event.number,
        state="finished",
        channel="paper",
        taken_at=event.taken_at,
        first_called_at=event.called_at,
        settled_at=event.finished_at,
        result=event.result,
        stage=Stage(
            no=1,
            category=event.category,
            entered_at=event.taken_at,
            due=event.taken_at,
            called_at=event.called_at,
            last_called_at=event.called_at,
            calls=1,
            window=event.window,
            staff=event.staff,
            started_at=event.called_at,
            ended_at=event.finished_at,
            outcome="finished",
        ),
    )


def lived(ticket: Ticket, entry: Entry, undo: Ticket | None = None) -> Ticket:
    """The ticket after the entry. `undo` is what a window remembers, for `TicketUndone`."""
    if isinstance(entry.event, TicketUndone):
        if undo is None or undo.id != ticket.id:
            raise LookupError(f"nothing to undo for ticket {ticket.id}")
        return undo
    return _after(entry.event, ticket, entry.at, entry.seq)


@singledispatch
def _after(event: Event, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    raise TypeError(f"{event.kind} is not about a ticket")


@_after.register
def _(event: TicketCalled, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    stage = replace(
        ticket.stage,
        called_at=ticket.stage.called_at or at,
        last_called_at=at,
        calls=ticket.stage.calls + 1,
        window=event.window,
        staff=event.staff,
    )
    return replace(
        ticket,
        state="called",
        stage=stage,
        returned=ticket.returned or ticket.state == "no-show",
        rank=None,
        grace_until=None,
        settled_at=None,
        first_called_at=ticket.first_called_at or at,
    )


@_after.register
def _(event: TicketRecalled, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    stage = replace(ticket.stage, last_called_at=at, calls=event.attempt)
    return replace(ticket, stage=stage)


@_after.register
def _(event: TicketStarted, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    return replace(ticket, state="serving", stage=replace(ticket.stage, started_at=at))


@_after.register
def _(event: TicketFinished, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    return replace(
        _settled(ticket, "finished", at),
        result=event.result,
        reason=event.reason,
        complex=event.complex,
    )


@_after.register
def _(event: TicketHeld, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    return replace(ticket, state="held", stage=replace(ticket.stage, held_since=at))


@_after.register
def _(event: TicketResumed, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    return replace(ticket, state="serving", stage=_unheld(ticket.stage, at))


@_after.register
def _(event: TicketNoShow, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    # Whether it stays one is known only when its grace has ended.
    settled = _settled(ticket, "no-show", at)
    return replace(settled, grace_until=None if ticket.returned else event.grace_until)


@_after.register
def _(event: GraceEnded, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    return replace(ticket, grace_until=None)


@_after.register
def _(event: TicketReturned, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    # Only who was absent has used his way back; a clerk's slip costs the citizen nothing.
    returned = ticket.returned or ticket.state == "no-show"
    return replace(_waiting_again(ticket, event.rank, at), returned=returned)


@_after.register
def _(event: TicketTransferred, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    return replace(
        ticket,
        state="waiting",
        past=(*ticket.past, ticket.category),
        stage=Stage(no=ticket.stage.no + 1, category=event.category, entered_at=at, due=event.due),
        rank=Rank(event.due, seq, 0, ticket.id),
        for_window=event.for_window,
        for_staff=event.for_staff,
        note=event.note,
        returned=False,
    )


@_after.register
def _(event: TicketDeferred, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    return replace(ticket, rank=event.rank)


@_after.register
def _(event: TicketCancelled, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    return replace(_settled(ticket, "cancelled", at), reason=event.reason)


@_after.register
def _(event: TicketExpired, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    return replace(_settled(ticket, "expired", at), reason=event.reason)


@_after.register
def _(event: TicketReleased, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    if event.outcome == "waiting":
        if event.rank is None:
            raise ValueError("a release into the queue names the place")
        return _waiting_again(ticket, event.rank, at)
    return replace(_settled(ticket, event.outcome, at), reason=event.reason)


@_after.register
def _(event: TicketRated, ticket: Ticket, at: Micros, seq: int) -> Ticket:
    return replace(ticket, grade=event.grade)


def _unheld(stage: Stage, at: Micros) -> Stage:
    if stage.held_since is None:
        return stage
    return replace(stage, held_since=None, held=stage.held + at - stage.held_since)


def _settled(ticket: Ticket, outcome: str, at: Micros) -> Ticket:
    stage = replace(_unheld(ticket.stage, at), ended_at=at, outcome=outcome)
    return replace(
        ticket,
        state=outcome,
        stage=stage,
        rank=None,
        grace_until=None,
        settled_at=at,
    )


def _waiting_again(ticket: Ticket, rank: Rank, at: Micros) -> Ticket:
    stage = replace(
        _unheld(ticket.stage, at),
        window=None,
        staff=None,
        started_at=None,
        ended_at=None,
        outcome=None,
    )
    return replace(
        ticket, state="waiting", stage=stage, rank=rank, settled_at=None, grace_until=None
    )
