"""What citizens do: take a number, leave, let others go first, rate the service."""

from typing import get_args

from tinghao.queue import calendar
from tinghao.queue.clock import DAY, at_time, business_day
from tinghao.queue.commands import Cancel, Defer, EnterPaper, Rate, Take
from tinghao.queue.events import (
    Event,
    PaperEntered,
    TicketCancelled,
    TicketDeferred,
    TicketRated,
    TicketTaken,
)
from tinghao.queue.model import (
    MINUTE,
    Category,
    Class,
    Ground,
    HallState,
    Micros,
    Policy,
    Ticket,
)
from tinghao.queue.refusals import conflict, invalid
from tinghao.queue.routing import behind, position
from tinghao.queue.rules.finding import (
    ITEM_CODE,
    code_of,
    manned,
    not_there,
    numbered,
    result_known,
)

CLASSES = get_args(Class)
GROUNDS = get_args(Ground)
GRADES = range(1, 6)  # 5 very satisfied … 1 very dissatisfied
PLACES = range(1, 21)


def take(state: HallState, command: Take, now: Micros) -> list[Event]:
    """A number, unless the category is closed, it is too late, or the day is full."""
    category = _category(state, command.category)
    _taking_now(state, category, now)
    _item_known(category, command.item)
    if command.cls not in CLASSES or (command.ground is not None and command.ground not in GROUNDS):
        raise invalid(
            "priority",
            "A class is one of: {classes}; a ground one of: {grounds}.",
            classes=", ".join(CLASSES),
            grounds=", ".join(GROUNDS),
        )
    ordinal = _next_ordinal(state, category)
    return [
        TicketTaken(
            number=numbered(category.prefix, ordinal),
            category=category.code,
            ordinal=ordinal,
            prefix=category.prefix,
            channel=command.channel,
            due=due_time(state.setup.policy, command.cls, now, command.appointment),
            item=command.item,
            cls=command.cls,
            ground=command.ground,
            appointment=command.appointment,
        )
    ]


def due_time(policy: Policy, cls: str, now: Micros, appointment: Micros | None) -> Micros:
    """When a citizen of that class should have been called (DESIGN 7)."""
    if cls == "appointment":
        return max(appointment or now, now) + policy.appointment_minutes * MINUTE
    if cls == "priority":
        return now + policy.priority_minutes * MINUTE
    return now + policy.normal_minutes * MINUTE


def enter_paper(state: HallState, command: EnterPaper, now: Micros) -> list[Event]:
    """A citizen served from paper, entered afterwards with his times, all of today."""
    window = manned(state, command.window)
    category = _category(state, command.category)
    times = (command.taken_at, command.called_at, command.finished_at, now)
    timezone = state.setup.timezone
    if list(times) != sorted(times) or len({business_day(at, timezone) for at in times}) > 1:
        raise invalid(
            "paper-times",
            "The times must be of today, in order, and past: taken, called, finished.",
        )
    result_known(command.result)
    ordinal = _next_ordinal(state, category)
    return [
        PaperEntered(
            number=numbered(category.prefix, ordinal),
            category=category.code,
            ordinal=ordinal,
            prefix=category.prefix,
            window=command.window,
            staff=window.staff,
            taken_at=command.taken_at,
            called_at=command.called_at,
            finished_at=command.finished_at,
            result=command.result,
        )
    ]


def cancel(state: HallState, command: Cancel, now: Micros, known: Ticket | None) -> list[Event]:
    """The citizen leaves the queue."""
    return [TicketCancelled(ticket=_waiting(known).id)]


def defer(state: HallState, command: Defer, now: Micros, known: Ticket | None) -> list[Event]:
    """The citizen lets the next `places` go first."""
    ticket = _waiting(known)
    if command.places not in PLACES:
        raise invalid("places", "One can let 1 to 20 others go first.")
    if ticket.rank is None:
        raise not_there(ticket)
    queue = state.queues[ticket.category]
    after_me = position(queue, ticket.rank) + 1
    rank = behind(queue, after_me, command.places, state.seq + 1, ticket.rank)
    if rank == ticket.rank:
        raise conflict("nobody-behind", "Nobody waits behind {number}.", number=ticket.number)
    return [TicketDeferred(ticket=ticket.id, places=command.places, rank=rank)]


def rate(state: HallState, command: Rate, now: Micros, known: Ticket | None) -> list[Event]:
    """A rating of a finished service, once, within the days the hall allows."""
    if command.grade not in GRADES:
        raise invalid("grade", "A grade is a whole number from 1 to 5.")
    if known is None:
        raise not_there(None)
    if known.state != "finished" or known.settled_at is None:
        raise conflict(
            "not-finished", "{number} can be rated once it is finished.", number=known.number
        )
    if known.grade is not None:
        raise conflict("already-rated", "{number} has been rated already.", number=known.number)
    days = state.setup.policy.rating_days
    if now > known.settled_at + days * DAY:
        raise conflict("rating-late", "A service can be rated for {days} days.", days=days)
    return [
        TicketRated(
            ticket=known.id,
            grade=command.grade,
            reasons=tuple(code_of(each) for each in command.reasons),
            text=command.text.ref if command.text else None,
            device=command.device,
        )
    ]


def _category(state: HallState, code: str) -> Category:
    category = state.setup.category(code)
    if category is None:
        raise invalid(
            "unknown-category",
            "This hall has no category {category}. It has: {known}.",
            category=code,
            known=", ".join(each.code for each in state.setup.categories),
        )
    return category


def _item_known(category: Category, item: str | None) -> None:
    """A category without a catalogue takes any code, but no free words."""
    known = {each.code for each in category.items}
    if item is not None and (item not in known if known else not ITEM_CODE.fullmatch(item)):
        raise invalid(
            "unknown-item", "{category} has no item {item}.", category=category.code, item=item
        )


def _taking_now(state: HallState, category: Category, now: Micros) -> None:
    setup = state.setup
    today = business_day(now, setup.timezone)
    if not category.open:
        raise conflict(
            "category-closed", "{category} gives no numbers now.", category=category.code
        )
    if category.last_take and now >= at_time(today, category.last_take, setup.timezone):
        raise conflict(
            "too-late",
            "The last numbers of {category} are given at {time}.",
            category=category.code,
            time=category.last_take,
        )
    if setup.policy.refuse_outside_hours:
        opens = at_time(today, setup.opens, setup.timezone)
        closes = at_time(today, setup.closes, setup.timezone)
        if calendar.rest_day(today, setup.closures) or not opens <= now < closes:
            raise conflict(
                "hall-closed",
                "The hall is open {opens}–{closes} on workdays.",
                opens=setup.opens,
                closes=setup.closes,
            )


def _next_ordinal(state: HallState, category: Category) -> int:
    ordinal = state.counters.get(category.prefix, 0) + 1
    if ordinal > category.daily_cap:
        raise conflict(
            "day-full",
            "All {cap} numbers of {category} for today have been given.",
            cap=category.daily_cap,
            category=category.code,
        )
    return ordinal


def _waiting(ticket: Ticket | None) -> Ticket:
    if ticket is None or ticket.state != "waiting":
        raise not_there(ticket)
    return ticket
