"""What the passing of time brings by itself: the day's opening and close, the end of a grace.

A timer is not needed to be right: every command first lets happen what has fallen due.
"""

from tinghao.queue import calendar
from tinghao.queue.clock import business_day, day_end
from tinghao.queue.events import (
    DayClosed,
    DayOpened,
    Event,
    GraceEnded,
    TicketExpired,
    WindowClosed,
)
from tinghao.queue.model import HallState, Micros


def due(state: HallState, now: Micros) -> list[tuple[Micros, Event]]:
    """What has fallen due by `now`, each with its own moment, in order."""
    closing = next_close(state)
    until = now if closing is None else min(now, closing)
    happened: list[tuple[Micros, Event]] = []
    for ticket in (state.tickets[each] for each in state.absent):
        if ticket.grace_until is not None and ticket.grace_until <= until:
            happened.append((ticket.grace_until, GraceEnded(ticket=ticket.id)))
    happened.sort(key=lambda each: each[0])
    if closing is not None and closing <= now:
        ended = {event.ticket for _, event in happened if isinstance(event, GraceEnded)}
        happened.extend((closing, event) for event in _close(state, ended))
    return happened


def next_due(state: HallState) -> Micros | None:
    """The next moment at which something falls due by itself, or None."""
    ends = (state.tickets[each].grace_until for each in state.absent)
    moments = [end for end in (next_close(state), *ends) if end is not None]
    return min(moments, default=None)


def next_close(state: HallState) -> Micros | None:
    """The last microsecond of the open business day, or None when no day is open."""
    if state.day is None:
        return None
    return day_end(state.day, state.setup.timezone) - 1


def moment(state: HallState, now: Micros) -> Micros:
    """The time of an entry made now: never before the last one, never on a day that is closed.

    A clock that was set back, or another server's slightly slower one, would otherwise open the
    closed day once more and give its numbers a second time.
    """
    now = max(now, state.at)
    if state.day is not None or state.closed is None:
        return now
    return max(now, day_end(state.closed, state.setup.timezone))


def opening(state: HallState, now: Micros) -> list[Event]:
    """The day's opening, when none is open yet."""
    if state.day is not None:
        return []
    today = business_day(now, state.setup.timezone)
    return [DayOpened(day=today, rest_day=calendar.rest_day(today, state.setup.closures))]


def _close(state: HallState, ended: set[int]) -> list[Event]:
    if state.day is None:
        return []
    events: list[Event] = []
    for ticket in sorted(state.tickets.values(), key=lambda each: each.id):
        if ticket.id in ended:
            continue
        if ticket.state == "no-show":
            events.append(GraceEnded(ticket=ticket.id))
        else:
            events.append(TicketExpired(ticket=ticket.id))
    still_open = (each for each in state.windows.values() if each.state != "closed")
    events += [WindowClosed(window=window.number) for window in still_open]
    return [*events, DayClosed(day=state.day)]
