"""`evolve(state, entry) -> state`: what one journal entry makes of a hall.

Pure, total over its events, and without any rule of its own: an event already says all that
it changes. A state is replaced, never written to; dictionaries are copied before a change.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from msgspec.structs import replace

from tinghao.queue.clock import day_and_half_hour
from tinghao.queue.events import (
    ClockSet,
    DayClosed,
    DayOpened,
    Entry,
    Event,
    HallConfigured,
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
    WindowAssigned,
    WindowClosed,
    WindowOpened,
    WindowPaused,
    WindowResumed,
)
from tinghao.queue.life import born, is_directed, is_open, lived
from tinghao.queue.model import (
    MINUTE,
    SECOND,
    Call,
    HalfHour,
    HallState,
    Micros,
    Noted,
    Rank,
    Tally,
    Ticket,
    Undo,
    Window,
)

CALLS_KEPT: Micros = 120 * SECOND  # a snapshot carries the calls of the last 120 s
CALLS_ALWAYS = 12  # so that a wall is not empty in a quiet hour
HANDLING_KEPT = 20
FEED_KEPT = 30


def evolve(state: HallState, entry: Entry) -> HallState:
    """The state after the entry.

    Raises LookupError or ValueError for an entry that cannot follow this state: the journal
    has then been tampered with, or read out of order.
    """
    if entry.seq != state.seq + 1:
        raise ValueError(f"entry {entry.seq} cannot follow {state.seq} in hall {state.code}")
    event = entry.event
    if isinstance(event, TicketEvent):
        after = _ticket_event(state, entry, event)
    else:
        change = _HALL_EVENTS.get(type(event))
        after = change(state, entry, event) if change else state
    return replace(after, seq=entry.seq, hash=entry.hash, at=entry.at)


def fold(state: HallState, entries: list[Entry] | tuple[Entry, ...]) -> HallState:
    """The state after all the entries."""
    return reduce(evolve, entries, state)


# -- the hall and its windows


def _configured(state: HallState, entry: Entry, event: HallConfigured) -> HallState:
    codes = {each.code for each in event.config.categories}
    before = {} if state.config is None else {each.number: each for each in state.config.windows}
    windows = {}
    for setup in event.config.windows:
        known = state.windows.get(setup.number)
        if known is None:
            windows[setup.number] = Window(
                number=setup.number, state="closed", since=entry.at, categories=setup.categories
            )
            continue
        was = before.get(setup.number)
        categories = setup.categories
        if was is not None and was.categories == categories:  # a manager's assignment stays
            categories = tuple(each for each in known.categories if each in codes)
        windows[setup.number] = replace(known, categories=categories)
    queues = {each.code: state.queues.get(each.code, ()) for each in event.config.categories}
    return replace(state, config=event.config, windows=windows, queues=queues)


def _clock_set(state: HallState, entry: Entry, event: ClockSet) -> HallState:
    return replace(state, clock=event.clock)


def _day_opened(state: HallState, entry: Entry, event: DayOpened) -> HallState:
    fresh = {
        number: replace(window, finished=0, no_shows=0, handling=(), undo=None, last_finished=None)
        for number, window in state.windows.items()
    }
    return replace(
        state, day=event.day, counters={}, tallies={}, half_hours={}, windows=fresh, calls=()
    )


def _day_closed(state: HallState, entry: Entry, event: DayClosed) -> HallState:
    return replace(state, day=None, closed=event.day)


def _window_opened(state: HallState, entry: Entry, event: WindowOpened) -> HallState:
    window = replace(
        state.windows[event.window],
        state="open",
        since=entry.at,
        staff=event.staff,
        pause_reason=None,
        pause_until=None,
        idle_since=entry.at,
    )
    return _note(_with_window(state, window), entry, window=event.window)


def _window_paused(state: HallState, entry: Entry, event: WindowPaused) -> HallState:
    window = replace(
        state.windows[event.window],
        state="paused",
        since=entry.at,
        pause_reason=event.reason,
        pause_until=event.until,
        idle_since=None,
    )
    return _note(_with_window(state, window), entry, window=event.window, detail=event.reason)


def _window_resumed(state: HallState, entry: Entry, event: WindowResumed) -> HallState:
    known = state.windows[event.window]
    window = replace(
        known,
        state="open",
        since=entry.at,
        pause_reason=None,
        pause_until=None,
        idle_since=entry.at if known.ticket is None else None,
    )
    return _note(_with_window(state, window), entry, window=event.window)


def _window_closed(state: HallState, entry: Entry, event: WindowClosed) -> HallState:
    window = replace(
        state.windows[event.window],
        state="closed",
        since=entry.at,
        staff=None,
        pause_reason=None,
        pause_until=None,
        undo=None,
        idle_since=None,
    )
    return _note(_with_window(state, window), entry, window=event.window)


def _window_assigned(state: HallState, entry: Entry, event: WindowAssigned) -> HallState:
    window = replace(state.windows[event.window], categories=event.categories)
    detail = ", ".join(event.categories)
    return _note(_with_window(state, window), entry, window=event.window, detail=detail)


_HALL_EVENTS: Mapping[type[Event], Callable[[HallState, Entry, Any], HallState]] = {
    HallConfigured: _configured,
    ClockSet: _clock_set,
    DayOpened: _day_opened,
    DayClosed: _day_closed,
    WindowOpened: _window_opened,
    WindowPaused: _window_paused,
    WindowResumed: _window_resumed,
    WindowClosed: _window_closed,
    WindowAssigned: _window_assigned,
}


# -- tickets


def _paper(
    state: HallState, entry: Entry, event: PaperEntered, before: Ticket, after: Ticket
) -> HallState:
    state = replace(state, counters={**state.counters, event.prefix: event.ordinal})
    within = event.called_at - event.taken_at <= _target(state, event.category)
    state = _half_hour(state, _half_hour_of(state, event.taken_at), taken=1)
    state = _half_hour(state, _half_hour_of(state, event.called_at), called=1)
    return _count(state, event.category, taken=1, called=1, finished=1, within_target=int(within))


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


def _ticket_event(state: HallState, entry: Entry, event: TicketEvent) -> HallState:
    if isinstance(event, TicketRated):  # of a settled ticket: it can no longer be undone
        return _forget_undo(_note(state, entry, detail=str(event.grade)), event.ticket)
    before = ticket_before(state, entry)
    after = ticket_after(state, entry, before)
    state = _with_ticket(state, before, after)
    change = _TICKET_EVENTS.get(type(event))
    if change is not None:
        state = change(state, entry, event, before or after, after)
    window = getattr(event, "window", None)
    return _note(state, entry, number=after.number, window=window)


def _taken(
    state: HallState, entry: Entry, event: TicketTaken, before: Ticket, after: Ticket
) -> HallState:
    state = replace(state, counters={**state.counters, event.prefix: event.ordinal})
    return _half_hour(_count(state, event.category, taken=1), entry.half_hour, taken=1)


def _called(
    state: HallState, entry: Entry, event: TicketCalled, before: Ticket, after: Ticket
) -> HallState:
    state = _forget_undo(state, event.ticket)
    window = replace(state.windows[event.window], ticket=event.ticket, undo=None, idle_since=None)
    state = _with_window(state, window)
    if before.state == "no-show":
        state = _count(state, event.category, no_shows=-1)
    if before.stage.called_at is None:
        target = _target(state, event.category)
        within = entry.at - before.stage.entered_at <= target
        state = _count(state, event.category, called=1, within_target=int(within))
        state = _half_hour(state, entry.half_hour, called=1)
    return _announce(state, entry, event, after.stage.calls)


def _recalled(
    state: HallState, entry: Entry, event: TicketRecalled, before: Ticket, after: Ticket
) -> HallState:
    return _announce(state, entry, event, event.attempt)


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
        _hands_empty(window, before, entry.at),
        finished=window.finished + 1,
        handling=handling,
        undo=Undo(before, "finish", event.undo_until),
        last_finished=before.id,
    )
    return _count(_with_window(state, window), after.category, finished=1)


def _no_show(
    state: HallState, entry: Entry, event: TicketNoShow, before: Ticket, after: Ticket
) -> HallState:
    window = state.windows[event.window]
    window = replace(
        _hands_empty(window, before, entry.at),
        no_shows=window.no_shows + 1,
        undo=Undo(before, "no-show", event.undo_until),
    )
    return _count(_with_window(state, window), after.category, no_shows=1)


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
        state = _count(state, after.category, finished=-1)
    else:
        window = replace(window, no_shows=window.no_shows - 1)
        state = _count(state, after.category, no_shows=-1)
    return _with_window(state, window)


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
    window = replace(_hands_empty(window, before, entry.at), held=(*window.held, event.ticket))
    return _with_window(state, window)


def _resumed(
    state: HallState, entry: Entry, event: TicketResumed, before: Ticket, after: Ticket
) -> HallState:
    window = state.windows[event.window]
    held = tuple(each for each in window.held if each != event.ticket)
    window = replace(window, held=held, ticket=event.ticket, undo=None, idle_since=None)
    return _with_window(state, window)


def _left_window(
    state: HallState, entry: Entry, event: Event, before: Ticket, after: Ticket
) -> HallState:
    """The ticket is no longer at the window that had it in hand or on hold."""
    state = _forget_undo(state, before.id)
    number = before.stage.window
    if number is None or number not in state.windows:
        return state
    return _with_window(state, _hands_empty(state.windows[number], before, entry.at))


def _returned(
    state: HallState, entry: Entry, event: TicketReturned, before: Ticket, after: Ticket
) -> HallState:
    if before.state == "no-show":
        state = _count(state, after.category, no_shows=-1)
    return _left_window(state, entry, event, before, after)


def _released(
    state: HallState, entry: Entry, event: TicketReleased, before: Ticket, after: Ticket
) -> HallState:
    state = _left_window(state, entry, event, before, after)
    if event.outcome == "finished":
        return _count(state, after.category, finished=1)
    if event.outcome == "no-show":
        return _count(state, after.category, no_shows=1)
    if event.outcome == "cancelled":
        return _count(state, after.category, cancelled=1)
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
    late = entry.at - before.stage.entered_at > _target(state, before.category)
    return _count(state, before.category, left_late=int(uncalled and late), **counts)


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


# -- small changes


def _with_window(state: HallState, window: Window) -> HallState:
    return replace(state, windows={**state.windows, window.number: window})


def _with_ticket(state: HallState, before: Ticket | None, after: Ticket) -> HallState:
    queues = state.queues
    if before is not None and before.rank is not None and before.rank != after.rank:
        queue = queues[before.category]
        place = bisect_left(queue, before.rank)
        if place == len(queue) or queue[place] != before.rank:
            raise LookupError(f"ticket {before.number} is not in its queue")
        queues = {**queues, before.category: queue[:place] + queue[place + 1 :]}
    if after.rank is not None and (before is None or before.rank != after.rank):
        ranks: list[Rank] = list(queues.get(after.category, ()))
        insort(ranks, after.rank)
        queues = {**queues, after.category: tuple(ranks)}
    tickets = dict(state.tickets)
    if is_open(after):
        tickets[after.id] = after
    else:
        tickets.pop(after.id, None)
    waits_for_one = after.state == "waiting" and is_directed(after)
    return replace(
        state,
        tickets=tickets,
        queues=queues,
        directed=_listed(state.directed, after.id, waits_for_one),
        absent=_listed(state.absent, after.id, after.grace_until is not None),
    )


def _listed(ids: tuple[int, ...], ticket: int, belongs: bool) -> tuple[int, ...]:
    if (ticket in ids) == belongs:
        return ids
    return (*ids, ticket) if belongs else tuple(each for each in ids if each != ticket)


def _hands_empty(window: Window, ticket: Ticket, at: Micros) -> Window:
    held = tuple(each for each in window.held if each != ticket.id)
    if window.ticket != ticket.id:
        return replace(window, held=held)
    idle_since = at if window.state == "open" else None
    return replace(window, ticket=None, held=held, idle_since=idle_since)


def _forget_undo(state: HallState, ticket: int) -> HallState:
    for window in state.windows.values():
        if window.undo is not None and window.undo.ticket.id == ticket:
            return _with_window(state, replace(window, undo=None))
    return state


def _count(state: HallState, category: str, **counts: int) -> HallState:
    tally = state.tallies.get(category, Tally())
    changed = replace(
        tally, **{name: getattr(tally, name) + count for name, count in counts.items()}
    )
    return replace(state, tallies={**state.tallies, category: changed})


def _half_hour(state: HallState, half_hour: int, taken: int = 0, called: int = 0) -> HallState:
    known = state.half_hours.get(half_hour, HalfHour())
    changed = HalfHour(known.taken + taken, known.called + called)
    return replace(state, half_hours={**state.half_hours, half_hour: changed})


def _half_hour_of(state: HallState, at: Micros) -> int:
    return day_and_half_hour(at, state.setup.timezone)[1]


def _target(state: HallState, code: str) -> Micros:
    category = state.setup.category(code)
    return (category.target_minutes if category else 15) * MINUTE


def _announce(
    state: HallState, entry: Entry, event: TicketCalled | TicketRecalled, attempt: int
) -> HallState:
    call = Call(entry.seq, event.number, event.category, event.window, entry.at, attempt)
    calls = (*state.calls, call)
    first = 0
    while len(calls) - first > CALLS_ALWAYS and calls[first].at < entry.at - CALLS_KEPT:
        first += 1
    return replace(state, calls=calls[first:] if first else calls)


def _note(
    state: HallState,
    entry: Entry,
    number: str | None = None,
    window: int | None = None,
    detail: str | None = None,
) -> HallState:
    noted = Noted(entry.seq, entry.at, entry.event.kind, number, window, detail)
    return replace(state, feed=(*state.feed[1 - FEED_KEPT :], noted))
