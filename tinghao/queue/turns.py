"""What the events of tickets make of the hall around them: windows, queues, counts and calls.

Pure, like `evolve`, which calls it. What becomes of the ticket itself is in `life`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from tinghao.queue.changes import (
    announce,
    count,
    count_half_hour,
    forget_undo,
    half_hour_of,
    hands_empty,
    note,
    target_of,
    with_ticket,
    with_window,
)
from tinghao.queue.events import (
    Entry,
    Event,
    PaperEntered,
    TicketCalled,
    TicketCancelled,
    TicketEvent,
    TicketExpired,
    TicketFinished,
    TicketHeld,
    TicketNoShow,
    TicketRated,
    TicketRecalled,
    TicketReleased,
    TicketResumed,
    TicketReturned,
    TicketTaken,
    TicketTransferred,
    TicketUndone,
)
from tinghao.queue.life import born, lived
from tinghao.queue.model import (
    HallState,
    Micros,
    Ticket,
    Undo,
)

HANDLING_KEPT = 20


def ticket_event(state: HallState, entry: Entry, event: TicketEvent) -> HallState:
    """The state after an event of a ticket; errors as in `evolve`."""
    if isinstance(event, TicketRated):  # of a settled ticket: it can no longer be undone
        return forget_undo(note(state, entry, detail=str(event.grade)), event.ticket)
    before = ticket_before(state, entry)
    after = ticket_after(state, entry, before)
    state = with_ticket(state, before, after)
    change = _TICKET_EVENTS.get(type(event))
    if change is not None:
        state = change(state, entry, event, before or after, after)
    window = getattr(event, "window", None)
    return note(state, entry, number=after.number, window=window)


def ticket_before(state: HallState, entry: Entry) -> Ticket | None:
    """The ticket that the entry is about, as the state has it; None for one it does not hold."""
    event: Any = entry.event
    if isinstance(event, TicketTaken | PaperEntered):
        return None
    if isinstance(event, TicketUndone):
        undo = state.windows[event.window].undo
        return undo.ticket if undo else None
    return state.tickets.get(event.ticket)


def ticket_after(state: HallState, entry: Entry, before: Ticket | None) -> Ticket:
    """The ticket after the entry; `before` as the state or, when settled, its row has it."""
    if isinstance(entry.event, TicketTaken | PaperEntered):
        return born(entry, entry.event)
    if before is None:
        raise LookupError(f"entry {entry.seq} is about a ticket that is not open")
    undo = None
    if isinstance(entry.event, TicketUndone):
        memory = state.windows[entry.event.window].undo
        undo = memory.ticket if memory else None
    return lived(before, entry, undo)


def _paper(
    state: HallState, entry: Entry, event: PaperEntered, before: Ticket, after: Ticket
) -> HallState:
    state = replace(state, counters={**state.counters, event.prefix: event.ordinal})
    within = event.called_at - event.taken_at <= target_of(state, event.category)
    state = count_half_hour(state, half_hour_of(state, event.taken_at), taken=1)
    state = count_half_hour(state, half_hour_of(state, event.called_at), called=1)
    return count(state, event.category, taken=1, called=1, finished=1, within_target=int(within))


def _taken(
    state: HallState, entry: Entry, event: TicketTaken, before: Ticket, after: Ticket
) -> HallState:
    state = replace(state, counters={**state.counters, event.prefix: event.ordinal})
    return count_half_hour(count(state, event.category, taken=1), entry.half_hour, taken=1)


def _called(
    state: HallState, entry: Entry, event: TicketCalled, before: Ticket, after: Ticket
) -> HallState:
    state = forget_undo(state, event.ticket)
    window = replace(state.windows[event.window], ticket=event.ticket, undo=None, idle_since=None)
    state = with_window(state, window)
    if before.state == "no-show":
        state = count(state, event.category, no_shows=-1)
    if before.stage.called_at is None:
        target = target_of(state, event.category)
        within = entry.at - before.stage.entered_at <= target
        state = count(state, event.category, called=1, within_target=int(within))
        state = count_half_hour(state, entry.half_hour, called=1)
    return announce(state, entry, event, after.stage.calls)


def _recalled(
    state: HallState, entry: Entry, event: TicketRecalled, before: Ticket, after: Ticket
) -> HallState:
    return announce(state, entry, event, event.attempt)


def _finished(
    state: HallState, entry: Entry, event: TicketFinished, before: Ticket, after: Ticket
) -> HallState:
    window = state.windows[event.window]
    handling = window.handling
    if before.stage.started_at is not None:
        spent = max(0, entry.at - before.stage.started_at - after.stage.held)
        handling = (*handling, spent)
        recent = (*state.handling.get(after.category, ()), spent)[-HANDLING_KEPT:]
        state = replace(state, handling={**state.handling, after.category: recent})
    window = replace(
        hands_empty(window, before, entry.at),
        finished=window.finished + 1,
        handling=handling,
        undo=Undo(before, "finish", event.undo_until),
        last_finished=before.id,
    )
    return count(with_window(state, window), after.category, finished=1)


def _no_show(
    state: HallState, entry: Entry, event: TicketNoShow, before: Ticket, after: Ticket
) -> HallState:
    window = state.windows[event.window]
    window = replace(
        hands_empty(window, before, entry.at),
        no_shows=window.no_shows + 1,
        undo=Undo(before, "no-show", event.undo_until),
    )
    return count(with_window(state, window), after.category, no_shows=1)


def _undone(
    state: HallState, entry: Entry, event: TicketUndone, before: Ticket, after: Ticket
) -> HallState:
    window = replace(state.windows[event.window], ticket=event.ticket, undo=None, idle_since=None)
    if event.undone == "finish":
        if after.stage.started_at is not None:
            recent = _without_last(state.handling.get(after.category, ()), window.handling[-1])
            state = replace(state, handling={**state.handling, after.category: recent})
            window = replace(window, handling=window.handling[:-1])
        window = replace(window, finished=window.finished - 1, last_finished=None)
        state = count(state, after.category, finished=-1)
    else:
        window = replace(window, no_shows=window.no_shows - 1)
        state = count(state, after.category, no_shows=-1)
    return with_window(state, window)


def _without_last(times: tuple[Micros, ...], spent: Micros) -> tuple[Micros, ...]:
    """Without the last of these handling times; another window's may have come behind it."""
    for place in reversed(range(len(times))):
        if times[place] == spent:
            return (*times[:place], *times[place + 1 :])
    return times


def _held(
    state: HallState, entry: Entry, event: TicketHeld, before: Ticket, after: Ticket
) -> HallState:
    window = state.windows[event.window]
    window = replace(hands_empty(window, before, entry.at), held=(*window.held, event.ticket))
    return with_window(state, window)


def _resumed(
    state: HallState, entry: Entry, event: TicketResumed, before: Ticket, after: Ticket
) -> HallState:
    window = state.windows[event.window]
    held = tuple(each for each in window.held if each != event.ticket)
    window = replace(window, held=held, ticket=event.ticket, undo=None, idle_since=None)
    return with_window(state, window)


def _left_window(
    state: HallState, entry: Entry, event: Event, before: Ticket, after: Ticket
) -> HallState:
    """The ticket is no longer at the window that had it in hand or on hold."""
    state = forget_undo(state, before.id)
    number = before.stage.window
    if number is None or number not in state.windows:
        return state
    return with_window(state, hands_empty(state.windows[number], before, entry.at))


def _returned(
    state: HallState, entry: Entry, event: TicketReturned, before: Ticket, after: Ticket
) -> HallState:
    if before.state == "no-show":
        state = count(state, after.category, no_shows=-1)
    return _left_window(state, entry, event, before, after)


def _released(
    state: HallState, entry: Entry, event: TicketReleased, before: Ticket, after: Ticket
) -> HallState:
    state = _left_window(state, entry, event, before, after)
    if event.outcome == "finished":
        return count(state, after.category, finished=1)
    if event.outcome == "no-show":
        return count(state, after.category, no_shows=1)
    if event.outcome == "cancelled":
        return count(state, after.category, cancelled=1)
    return state


def _cancelled(
    state: HallState, entry: Entry, event: TicketCancelled, before: Ticket, after: Ticket
) -> HallState:
    return _left(state, entry, before, cancelled=1)


def _expired(
    state: HallState, entry: Entry, event: TicketExpired, before: Ticket, after: Ticket
) -> HallState:
    state = _left_window(state, entry, event, before, after)
    return _left(state, entry, before, expired=1)


def _left(state: HallState, entry: Entry, before: Ticket, **counts: int) -> HallState:
    uncalled = before.stage.called_at is None
    late = entry.at - before.stage.entered_at > target_of(state, before.category)
    return count(state, before.category, left_late=int(uncalled and late), **counts)


_TICKET_EVENTS: Mapping[
    type[Event], Callable[[HallState, Entry, Any, Ticket, Ticket], HallState]
] = {
    TicketTaken: _taken,
    PaperEntered: _paper,
    TicketCalled: _called,
    TicketRecalled: _recalled,
    TicketFinished: _finished,
    TicketHeld: _held,
    TicketResumed: _resumed,
    TicketNoShow: _no_show,
    TicketReturned: _returned,
    TicketTransferred: _left_window,
    TicketCancelled: _cancelled,
    TicketExpired: _expired,
    TicketReleased: _released,
    TicketUndone: _undone,
}
