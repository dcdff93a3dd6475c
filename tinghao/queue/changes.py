"""The small changes that events are made of: each takes a state and gives the one after it."""

from bisect import bisect_left, insort

from msgspec.structs import replace

from tinghao.queue.clock import day_and_half_hour
from tinghao.queue.events import (
    Entry,
    TicketCalled,
    TicketRecalled,
)
from tinghao.queue.life import is_directed, is_open
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
    Window,
)

CALLS_KEPT: Micros = 120 * SECOND  # a snapshot carries the calls of the last 120 s
CALLS_ALWAYS = 12  # so that a wall is not empty in a quiet hour
FEED_KEPT = 30


def with_window(state: HallState, window: Window) -> HallState:
    """The window in place of the one of its number."""
    return replace(state, windows={**state.windows, window.number: window})


def with_ticket(state: HallState, before: Ticket | None, after: Ticket) -> HallState:
    """The ticket as it is after an entry: in its queue, among the open ones, or gone."""
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


def hands_empty(window: Window, ticket: Ticket, at: Micros) -> Window:
    """The window without that ticket, in hand or on hold."""
    held = tuple(each for each in window.held if each != ticket.id)
    if window.ticket != ticket.id:
        return replace(window, held=held)
    idle_since = at if window.state == "open" else None
    return replace(window, ticket=None, held=held, idle_since=idle_since)


def forget_undo(state: HallState, ticket: int) -> HallState:
    """No window may take back any more what it did with that ticket."""
    for window in state.windows.values():
        if window.undo is not None and window.undo.ticket.id == ticket:
            return with_window(state, replace(window, undo=None))
    return state


def count(state: HallState, category: str, **counts: int) -> HallState:
    """Add to the category's counts of the day."""
    tally = state.tallies.get(category, Tally())
    changed = replace(tally, **{name: getattr(tally, name) + more for name, more in counts.items()})
    return replace(state, tallies={**state.tallies, category: changed})


def count_half_hour(state: HallState, half_hour: int, taken: int = 0, called: int = 0) -> HallState:
    """Add to the counts of a half hour of the day."""
    known = state.half_hours.get(half_hour, HalfHour())
    changed = HalfHour(known.taken + taken, known.called + called)
    return replace(state, half_hours={**state.half_hours, half_hour: changed})


def half_hour_of(state: HallState, at: Micros) -> int:
    """In which half hour (0..47) of the hall's own day a moment lies."""
    return day_and_half_hour(at, state.setup.timezone)[1]


def target_of(state: HallState, code: str) -> Micros:
    """Within how many microseconds of coming one should be called in the category."""
    category = state.setup.category(code)
    return (category.target_minutes if category else 15) * MINUTE


def announce(
    state: HallState, entry: Entry, event: TicketCalled | TicketRecalled, attempt: int
) -> HallState:
    """The call, behind those of the last two minutes and always the last few."""
    call = Call(entry.seq, event.number, event.category, event.window, entry.at, attempt)
    calls = (*state.calls, call)
    first = 0
    while len(calls) - first > CALLS_ALWAYS and calls[first].at < entry.at - CALLS_KEPT:
        first += 1
    return replace(state, calls=calls[first:] if first else calls)


def note(
    state: HallState,
    entry: Entry,
    number: str | None = None,
    window: int | None = None,
    detail: str | None = None,
) -> HallState:
    """The entry at the end of the manager's feed."""
    noted = Noted(entry.seq, entry.at, entry.event.kind, number, window, detail)
    return replace(state, feed=(*state.feed[1 - FEED_KEPT :], noted))
