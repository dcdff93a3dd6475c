"""What each screen shows: pure functions of a hall's state to plain data.

The same data stand in JSON frames, in the API and behind every page. They hold absolute times
(RFC 3339, with the hall's offset): the page does the counting. Names come in Chinese (`name`)
and English (`name_en`), so that one view serves every language.
"""

from statistics import median
from typing import Any

from tinghao.queue.calendar import rest_day
from tinghao.queue.clock import at_time, business_day, iso, iso_day
from tinghao.queue.model import (
    SECOND,
    Call,
    Category,
    HallConfig,
    HallState,
    Micros,
    Noted,
    Tally,
    Ticket,
    Window,
)
from tinghao.queue.people import Directory, Person
from tinghao.queue.routing import ahead, next_few, why
from tinghao.queue.waits import Estimate, estimate, open_for

View = dict[str, Any]

SNAPSHOT_CALLS: Micros = 120 * SECOND
RECENT = 8
NEXT_UP = 3
NEXT_AT_WINDOW = 5


def lobby(state: HallState, people: Directory, now: Micros) -> View:
    """The lobby wall, the kiosk, and `GET /state`. `now` is the hall's own time."""
    return _lobby(state, people, now, staff_shown=state.setup.policy.show_staff)


def category(state: HallState, code: str) -> View | None:
    """One category for its phones: who is before whom; None when there is no such category."""
    setup = state.setup.category(code)
    if setup is None:
        return None
    order = []
    for place, rank in enumerate(state.queues.get(code, ())):
        expected = estimate(state, code, place)
        order.append(
            {
                "number": state.tickets[rank.ticket].number,
                "p50_minutes": expected.p50_minutes if expected else None,
                "p90_minutes": expected.p90_minutes if expected else None,
            }
        )
    called = [
        {
            "number": ticket.number,
            "window": ticket.stage.window,
            "at": _iso(state, ticket.stage.last_called_at),
            "attempt": ticket.stage.calls,
            "state": ticket.state,
        }
        for ticket in state.tickets.values()
        if ticket.category == code and ticket.state in ("called", "serving")
    ]
    calls = [call_view(state, call) for call in snapshot_calls(state) if call.category == code]
    return {
        "category": _category(state, setup),
        "order": order,
        "called": called,
        "calls": calls,
    }


def window(state: HallState, number: int, people: Directory) -> View | None:
    """The console of one window; None when there is no such window."""
    now = state.windows.get(number)
    if now is None:
        return None
    in_hand = state.tickets.get(now.ticket) if now.ticket is not None else None
    undo = now.undo
    return {
        "window": _window(state, now, people, "name"),
        "staff": _person(people, now.staff, "name"),
        "ticket": None if in_hand is None else ticket_view(state, in_hand),
        "held": [ticket_view(state, state.tickets[each]) for each in now.held],
        "next": [_upcoming(state, state.tickets[each.ticket]) for each in _next(state, now)],
        "waiting": sum(len(state.queues.get(code, ())) for code in now.categories),
        "today": {
            "finished": now.finished,
            "no_shows": now.no_shows,
            "median_handling_seconds": round(median(now.handling) / SECOND)
            if now.handling
            else None,
        },
        "undo": None
        if undo is None
        else {
            "number": undo.ticket.number,
            "kind": undo.kind,
            "until": _iso(state, undo.until),
        },
        "target_seconds": standard_seconds(state, in_hand),
        "calls": [call_view(state, c) for c in snapshot_calls(state) if c.window == number],
    }


def manager(state: HallState, people: Directory, now: Micros) -> View:
    """The manager's screen: the lobby with names, and the figures behind it."""
    view = _lobby(state, people, now, staff_shown="name")
    tallies = list(state.tallies.values())
    waiting = {code: _waiting_since(state, code) for code in state.queues}
    oldest = min((times[0] for times in waiting.values() if times), default=None)
    served = sum(each.called for each in tallies)
    counted = served + sum(each.left_late for each in tallies)
    within = sum(each.within_target for each in tallies)
    at_work = [each for each in state.windows.values() if each.state != "closed"]
    view["figures"] = {
        "waiting": sum(len(times) for times in waiting.values()),
        "longest_wait_since": _iso(state, oldest),
        "service_level": round(within / counted, 4) if counted else None,
        "windows_open": sum(each.state == "open" for each in at_work),
        "windows_total": len(state.windows),
        "no_shows": sum(each.no_shows for each in tallies),
        "called": served,
        "finished": sum(each.finished for each in tallies),
    }
    view["waits"] = {code: [_iso(state, at) for at in times] for code, times in waiting.items()}
    view["half_hours"] = [
        {
            "from": f"{half // 2:02d}:{half % 2 * 30:02d}",
            "taken": counts.taken,
            "called": counts.called,
        }
        for half, counts in sorted(state.half_hours.items())
    ]
    view["feed"] = [_noted(state, each) for each in state.feed]
    return view


def ticket_view(state: HallState, ticket: Ticket) -> View:
    """A ticket as the API gives it; never its token."""
    return {
        "id": ticket.id,
        "number": ticket.number,
        "category": ticket.category,
        "state": ticket.state,
        "priority": _priority(ticket),
        "channel": ticket.channel,
        "item": ticket.item,
        "window": ticket.stage.window if ticket.state != "waiting" else None,
        "ahead": ahead(state, ticket),
        "taken_at": _iso(state, ticket.taken_at),
        "called_at": _iso(state, ticket.first_called_at),
        "started_at": _iso(state, ticket.stage.started_at),
        "finished_at": _iso(state, ticket.settled_at) if ticket.state == "finished" else None,
        "attempts": ticket.stage.calls,
        "note": ticket.note is not None,
    }


def public_ticket(state: HallState, ticket: Ticket) -> View:
    """A ticket as whoever holds its token sees it."""
    place = ahead(state, ticket)
    return {
        "number": ticket.number,
        "category": ticket.category,
        "state": ticket.state,
        "priority": _priority(ticket),
        "ahead": place,
        "estimate": None
        if place is None
        else estimate_view(estimate(state, ticket.category, place)),
        "window": ticket.stage.window if ticket.state in ("called", "serving", "held") else None,
        "taken_at": _iso(state, ticket.taken_at),
        "called_at": _iso(state, ticket.first_called_at),
        "started_at": _iso(state, ticket.stage.started_at),
        "finished_at": _iso(state, ticket.settled_at) if ticket.state == "finished" else None,
        "rated": ticket.grade is not None,
    }


def call_view(state: HallState, call: Call) -> View:
    """One call, as frames carry it; clients deduplicate by its id."""
    return {
        "id": call.id,
        "number": call.number,
        "category": call.category,
        "window": call.window,
        "at": _iso(state, call.at),
        "attempt": call.attempt,
    }


def snapshot_calls(state: HallState) -> list[Call]:
    """The calls a snapshot carries: those of the last 120 s of hall time."""
    return [call for call in state.calls if call.at >= state.at - SNAPSHOT_CALLS]


def estimate_view(expected: Estimate | None) -> dict[str, int] | None:
    """An estimate as the API gives it."""
    if expected is None:
        return None
    return {"p50_minutes": expected.p50_minutes, "p90_minutes": expected.p90_minutes}


def standard_seconds(state: HallState, ticket: Ticket | None) -> int | None:
    """The standard time of a ticket's item, else of its category; seconds."""
    if ticket is None:
        return None
    setup = state.setup.category(ticket.category)
    if setup is None:
        return None
    item = next((each for each in setup.items if each.code == ticket.item), None)
    return 60 * (item.standard_minutes if item else setup.standard_minutes)


def _lobby(state: HallState, people: Directory, now: Micros, staff_shown: str) -> View:
    setup = state.setup
    today = business_day(now, setup.timezone)
    return {
        "hall": {"code": state.code, "name": setup.name, "name_en": setup.name_en},
        "day": iso_day(today),
        "hours": f"{setup.opens}–{setup.closes}",
        "open": is_open(state, now),
        "rest_day": rest_day(today, setup.closures),
        "categories": [_category(state, each) for each in setup.categories],
        "windows": [
            _window(state, state.windows[number], people, staff_shown)
            for number in sorted(state.windows)
        ],
        "calls": [call_view(state, call) for call in snapshot_calls(state)],
        "recent": [call_view(state, call) for call in state.calls[: -RECENT - 1 : -1]],
        "notices": list(setup.notices),
    }


def is_open(state: HallState, now: Micros) -> bool:
    """Whether the hall is at work: a window is manned, or it is within a workday's hours."""
    if any(each.state != "closed" for each in state.windows.values()):
        return True
    setup = state.setup
    today = business_day(now, setup.timezone)
    if rest_day(today, setup.closures) is not None:
        return False
    opens = at_time(today, setup.opens, setup.timezone)
    return opens <= now < at_time(today, setup.closes, setup.timezone)


def _category(state: HallState, setup: Category) -> View:
    queue = state.queues.get(setup.code, ())
    tally = state.tallies.get(setup.code, Tally())
    since = _waiting_since(state, setup.code)
    return {
        "code": setup.code,
        "name": setup.name,
        "name_en": setup.name_en or setup.name,
        "prefix": setup.prefix,
        "waiting": len(queue),
        "estimate": estimate_view(estimate(state, setup.code, len(queue))),
        "next": [state.tickets[rank.ticket].number for rank in queue[:NEXT_UP]],
        "windows_open": open_for(state, setup.code),
        "longest_wait_since": _iso(state, since[0] if since else None),
        "target_minutes": setup.target_minutes,
        "called": tally.called,
        "finished": tally.finished,
        "no_shows": tally.no_shows,
        "taken": tally.taken,
    }


def _window(state: HallState, now: Window, people: Directory, staff_shown: str) -> View:
    setup = next((each for each in state.setup.windows if each.number == now.number), None)
    in_hand = state.tickets.get(now.ticket) if now.ticket is not None else None
    shown = "free" if now.state == "open" else now.state
    return {
        "number": now.number,
        "name": setup.name if setup else "",
        "name_en": (setup.name_en or setup.name) if setup else "",
        "role": setup.role if setup else "intake",
        "categories": list(now.categories),
        "state": in_hand.state if in_hand else shown,
        "staff": _person(people, now.staff, staff_shown),
        "ticket": in_hand.number if in_hand else None,
        "since": _iso(state, _since(now, in_hand)),
        "pause_reason": now.pause_reason,
    }


def _since(now: Window, in_hand: Ticket | None) -> Micros:
    if in_hand is None:
        return max(now.since, now.idle_since or 0)
    stage = in_hand.stage
    since = stage.started_at if in_hand.state == "serving" else stage.last_called_at
    return since or now.since


def _person(people: Directory, staff: int | None, shown: str) -> View | None:
    person: Person | None = people.get(staff) if staff is not None else None
    if person is None or shown == "nothing":
        return None
    if shown == "name":
        return {"badge": person.badge, "name": person.name}
    return {"badge": person.badge}


def _next(state: HallState, now: Window) -> list[Any]:
    return next_few(state, now, NEXT_AT_WINDOW)


def _upcoming(state: HallState, ticket: Ticket) -> View:
    return {
        "number": ticket.number,
        "category": ticket.category,
        "reason": why(ticket),
        "waited_since": _iso(state, ticket.stage.entered_at),
    }


def _priority(ticket: Ticket) -> View | None:
    return None if ticket.cls == "normal" else {"class": ticket.cls, "ground": ticket.ground}


def _waiting_since(state: HallState, code: str) -> list[Micros]:
    """When each waiting ticket of the category entered its queue, earliest first."""
    queue = state.queues.get(code, ())
    return sorted(state.tickets[rank.ticket].stage.entered_at for rank in queue)


def _noted(state: HallState, noted: Noted) -> View:
    return {
        "seq": noted.seq,
        "at": _iso(state, noted.at),
        "kind": noted.kind,
        "number": noted.number,
        "window": noted.window,
        "category": None,
        "reason": noted.detail,
        "channel": None,
    }


def _iso(state: HallState, at: Micros | None) -> str | None:
    return None if at is None else iso(at, state.setup.timezone)


def hall_view(config: HallConfig, state: HallState) -> View:
    """`GET /halls/{hall}`: how the hall is set up."""
    return {
        "code": state.code,
        "name": config.name,
        "name_en": config.name_en,
        "timezone": config.timezone,
        "opens": config.opens,
        "closes": config.closes,
        "categories": [
            {
                "code": each.code,
                "name": each.name,
                "name_en": each.name_en,
                "prefix": each.prefix,
                "target_minutes": each.target_minutes,
                "open": each.open,
                "last_take": each.last_take,
                "items": [
                    {"code": item.code, "name": item.name, "name_en": item.name_en}
                    for item in each.items
                ],
            }
            for each in config.categories
        ],
        "windows": [
            {
                "number": each.number,
                "name": each.name,
                "name_en": each.name_en,
                "role": each.role,
                "categories": list(state.windows[each.number].categories),
            }
            for each in config.windows
        ],
    }
