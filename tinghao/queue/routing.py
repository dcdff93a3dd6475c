"""Who comes next (DESIGN 7).

The order key is (directed to this window or its person first, due, seq); due is the moment by
which a citizen of his class should have been called. Priority is a shorter target, not a
separate queue: nobody starves, and one can always say why this number came before that one.
"""

from bisect import bisect_left
from collections.abc import Iterator
from heapq import merge
from itertools import islice

from msgspec import Struct

from tinghao.queue.life import is_directed
from tinghao.queue.model import MINUTE, HallState, Micros, Rank, Ticket, Window


class Candidate(Struct, frozen=True, order=True):
    """A waiting ticket as one window sees it, ordered by who comes first."""

    undirected: bool
    due: Micros  # shifted by the window's weight for the category
    seq: int
    bump: int
    ticket: int
    why: str  # directed, appointment, priority, waiting


def candidates(state: HallState, window: Window) -> Iterator[Candidate]:
    """The tickets this window may call, first to last, each lazily."""
    weights = _weights(state, window)
    directed = sorted(_directed(state, window, weights))
    queues = [
        _eligible(state, window, category, weights.get(category, 0.0))
        for category in window.categories
    ]
    yield from merge(directed, *queues)


def first(state: HallState, window: Window) -> Candidate | None:
    """The ticket this window calls next, or None when nobody is eligible."""
    return next(candidates(state, window), None)


def next_few(state: HallState, window: Window, count: int) -> list[Candidate]:
    """The first `count` of the window's candidates."""
    return list(islice(candidates(state, window), count))


def ahead(state: HallState, ticket: Ticket) -> int | None:
    """Waiting tickets of its category that come before it; None when it does not wait."""
    if ticket.rank is None:
        return None
    return position(state.queues.get(ticket.category, ()), ticket.rank)


def position(queue: tuple[Rank, ...], rank: Rank) -> int:
    """How many of the queue come before the rank."""
    return bisect_left(queue, rank)


def behind(queue: tuple[Rank, ...], start: int, places: int, seq: int, own: Rank) -> Rank:
    """The rank that puts a ticket behind the next `places` of the queue from `start` on.

    `seq` is that of the entry which moves it, so that of two moved to one place the later
    comes later. With fewer waiting it goes to the end; into an empty queue with its own due.
    """
    following = queue[start : start + places]
    if not following:
        return Rank(own.due, own.seq, own.bump, own.ticket)
    last = following[-1]
    return Rank(last.due, last.seq, seq, own.ticket)


def why(ticket: Ticket) -> str:
    """What puts the ticket where it stands, in one word."""
    if is_directed(ticket):
        return "directed"
    return {"appointment": "appointment", "priority": "priority"}.get(ticket.cls, "waiting")


def _weights(state: HallState, window: Window) -> dict[str, float]:
    setup = (each for each in state.setup.windows if each.number == window.number)
    found = next(setup, None)
    return found.weights if found else {}


def _seen(rank: Rank, weight: float, ticket: Ticket, directed: bool) -> Candidate:
    due = rank.due - round(weight * MINUTE)
    return Candidate(not directed, due, rank.seq, rank.bump, rank.ticket, why(ticket))


def _directed(state: HallState, window: Window, weights: dict[str, float]) -> Iterator[Candidate]:
    for ticket in (state.tickets[each] for each in state.directed):
        if ticket.rank is not None and _is_for(ticket, window):
            yield _seen(ticket.rank, weights.get(ticket.category, 0.0), ticket, True)


def _eligible(
    state: HallState, window: Window, category: str, weight: float
) -> Iterator[Candidate]:
    for rank in state.queues.get(category, ()):
        ticket = state.tickets[rank.ticket]
        if is_directed(ticket) and (_is_for(ticket, window) or _awaited(state, ticket)):
            continue  # counted as directed, or left to whom it is meant for
        yield _seen(rank, weight, ticket, False)


def _is_for(ticket: Ticket, window: Window) -> bool:
    if ticket.for_window is not None:
        return ticket.for_window == window.number
    return ticket.for_staff is not None and ticket.for_staff == window.staff


def _awaited(state: HallState, ticket: Ticket) -> bool:
    """Directed to a window or person that is at work now: nobody else takes it meanwhile."""
    if ticket.for_window is not None:
        target = state.windows.get(ticket.for_window)
        return target is not None and target.state != "closed"
    return any(each.staff == ticket.for_staff for each in state.windows.values())
