"""`evolve(state, entry) -> state`: what one journal entry makes of a hall.

Pure, total over its events, and without any rule of its own: an event already says all that
it changes. A state is replaced, never written to; dictionaries are copied before a change.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from msgspec.structs import replace

from tinghao.queue.changes import note, with_window
from tinghao.queue.events import (
    ClockSet,
    DayClosed,
    DayOpened,
    Entry,
    Event,
    HallConfigured,
    TicketEvent,
    WindowAssigned,
    WindowClosed,
    WindowOpened,
    WindowPaused,
    WindowResumed,
)
from tinghao.queue.model import (
    HallState,
    Window,
)
from tinghao.queue.turns import ticket_event


def evolve(state: HallState, entry: Entry) -> HallState:
    """The state after the entry.

    Raises LookupError or ValueError for an entry that cannot follow this state: the journal
    has then been tampered with, or read out of order.
    """
    if entry.seq != state.seq + 1:
        raise ValueError(f"entry {entry.seq} cannot follow {state.seq} in hall {state.code}")
    event = entry.event
    if isinstance(event, TicketEvent):
        after = ticket_event(state, entry, event)
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
    return note(with_window(state, window), entry, window=event.window)


def _window_paused(state: HallState, entry: Entry, event: WindowPaused) -> HallState:
    window = replace(
        state.windows[event.window],
        state="paused",
        since=entry.at,
        pause_reason=event.reason,
        pause_until=event.until,
        idle_since=None,
    )
    return note(with_window(state, window), entry, window=event.window, detail=event.reason)


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
    return note(with_window(state, window), entry, window=event.window)


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
    return note(with_window(state, window), entry, window=event.window)


def _window_assigned(state: HallState, entry: Entry, event: WindowAssigned) -> HallState:
    window = replace(state.windows[event.window], categories=event.categories)
    detail = ", ".join(event.categories)
    return note(with_window(state, window), entry, window=event.window, detail=detail)


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
