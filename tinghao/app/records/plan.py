"""A plan: the recorded days as a list of commands for one hall, in order of time.

Every recorded arrival is a take at its recorded time and every recorded call is a call of that
very ticket at its recorded time. Nothing else is on record, so everything else is made up to be
plausible and is marked `synthetic`: which window calls, when windows open, pause and close, how
long the walk and the service take, who does not come. Times are microseconds from the local
midnight of the plan's day; a plan says nothing about the date on which it is carried out.
"""

from collections import Counter
from collections.abc import Sequence
from random import Random

from msgspec import Struct

from tinghao.app.records.deal import deal
from tinghao.app.records.record import Record, RecordedTicket, Snapshot
from tinghao.app.records.roster import Spell, roster
from tinghao.app.records.services import (
    NO_SHOW_SHARE,
    DealtCall,
    Pause,
    Visit,
    deal_calls,
    pauses,
    visits,
)
from tinghao.app.records.steps import (
    DAY,
    DayPlan,
    Plan,
    PlanHall,
    PlanWindow,
    Step,
    StepKind,
)
from tinghao.app.records.turns import in_turn
from tinghao.queue.model import MINUTE, SECOND, Micros


class PlanError(ValueError):
    """A record that cannot be planned for this hall."""


def make_plan(
    record: Record,
    hall: PlanHall,
    maps: Sequence[str] = (),
    seed: int = 1,
    no_show_share: float = NO_SHOW_SHARE,
) -> Plan:
    """Plan a record for a hall; the same arguments make the same plan.

    Windows with categories are used before those without, which the plan would have to assign
    first. Raises DealError for a map that fits neither record nor hall, PlanError for a hall
    without windows.
    """
    windows = tuple(each for each in hall.windows if each.categories) or hall.windows
    if not windows:
        raise PlanError("the hall has no windows to call from")
    dealt = deal(record.tickets, [each.code for each in hall.categories], maps)
    left_out: list[str] = []
    days = []
    for day in record.days:
        tickets = []
        for ticket in record.tickets:
            if ticket.day != day:
                continue
            kept, problem = _within_the_day(ticket)
            tickets.append(kept)
            left_out.extend([problem] if problem else [])
        snapshots = [each for each in record.snapshots if each.day == day]
        random = Random(f"{seed} {day}")  # noqa: S311 (plausible, not secret)
        shape = _Shape(hall, windows, dealt, no_show_share, random)
        days.append(DayPlan(day, tuple(_day(tickets, snapshots, shape))))
    return Plan(record.source, dealt, tuple(days), tuple(left_out))


def _within_the_day(ticket: RecordedTicket) -> tuple[RecordedTicket, str | None]:
    """A ticket called after midnight cannot be: its number expired when the day closed."""
    if ticket.called is not None and ticket.called >= DAY - MINUTE:
        kept = RecordedTicket(ticket.id, ticket.site, ticket.letter, ticket.day, ticket.arrived)
        return kept, f"{ticket.id} is called after its day's end and expires instead"
    return ticket, None


class _Shape(Struct):
    """What all days of a plan have in common, and the day's own generator."""

    hall: PlanHall
    windows: tuple[PlanWindow, ...]
    dealt: dict[str, str]
    no_show_share: float
    random: Random


# Where steps share a time they are carried out in this order. A visit's steps keep the order of
# its call, so that a window with two calls in one second finishes the first before the second.
_OPENING, _TAKING, _CALLING, _CLOSING = range(4)
_Placed = tuple[Micros, int, int, int, Step]


def _day(
    tickets: Sequence[RecordedTicket], snapshots: Sequence[Snapshot], shape: _Shape
) -> list[Step]:
    spells = roster(tickets, snapshots, shape.dealt, shape.windows)
    recorded = sorted(
        (each.called, index) for index, each in enumerate(tickets) if each.called is not None
    )
    calls = deal_calls(
        [
            DealtCall(index, shape.dealt[tickets[index].queue], at, 0, tickets[index].finished)
            for at, index in recorded
        ],
        spells,
    )
    made = visits(calls, shape.hall.closes, shape.random, shape.no_show_share)
    numbers = _numbers(tickets, shape)
    placed = [
        *_takes(tickets, numbers, shape.dealt),
        *_visit_steps(tickets, numbers, made),
        *_pause_steps(pauses(made, spells, shape.random)),
        *_window_steps(spells, made, shape),
    ]
    placed.sort(key=lambda each: each[:4])
    return in_turn([each[4] for each in placed], shape.hall)


def _numbers(tickets: Sequence[RecordedTicket], shape: _Shape) -> list[str]:
    prefixes = {each.code: each.prefix for each in shape.hall.categories}
    last: Counter[str] = Counter()
    numbers = []
    for ticket in tickets:
        prefix = prefixes[shape.dealt[ticket.queue]]
        last[prefix] += 1
        numbers.append(f"{prefix}{last[prefix]:03d}")
    return numbers


def _takes(
    tickets: Sequence[RecordedTicket], numbers: Sequence[str], dealt: dict[str, str]
) -> list[_Placed]:
    placed: list[_Placed] = []
    for index, (ticket, number) in enumerate(zip(tickets, numbers, strict=True)):
        code = dealt[ticket.queue]
        take = Step(
            ticket.arrived,
            "take",
            ticket=ticket.id,
            number=number,
            category=code,
            priority=ticket.priority,
            synthetic=False,
        )
        placed.append((ticket.arrived, _TAKING, index, 0, take))
        left = ticket.finished
        if ticket.called is None and left is not None and left < DAY - MINUTE:
            cancel = Step(
                left, "cancel", ticket=ticket.id, number=number, category=code, synthetic=False
            )
            placed.append((left, _CALLING, index, 0, cancel))
    return placed


def _visit_steps(
    tickets: Sequence[RecordedTicket], numbers: Sequence[str], made: Sequence[Visit]
) -> list[_Placed]:
    placed: list[_Placed] = []
    for order, visit in enumerate(made):
        call = visit.call
        ticket = tickets[call.ticket]
        chain: list[tuple[Micros, StepKind]] = [(call.at, "call")]
        if visit.start is None:
            chain += [(at, "recall") for at in visit.recalls] + [(visit.end, "no-show")]
        else:
            chain += [(visit.start, "start"), (visit.end, "finish")]
        for place, (at, kind) in enumerate(chain):
            step = Step(
                at,
                kind,
                window=call.window,
                ticket=ticket.id,
                number=numbers[call.ticket],
                category=call.category,
                synthetic=not (kind == "call" or (kind == "finish" and ticket.finished == at)),
            )
            placed.append((at, _CALLING, len(tickets) + order, place, step))
    return placed


def _pause_steps(found: Sequence[Pause]) -> list[_Placed]:
    placed: list[_Placed] = []
    for pause in found:
        for at, kind in ((pause.start, "pause"), (pause.end, "resume")):
            step = Step(at, kind, window=pause.window)  # type: ignore[arg-type]
            placed.append((at, _CLOSING, pause.window, 0, step))
    return placed


def _window_steps(spells: Sequence[Spell], made: Sequence[Visit], shape: _Shape) -> list[_Placed]:
    """Open, assign and close. A window closes after its last service in a spell."""
    placed: list[_Placed] = []
    usual = {each.number: each.categories for each in shape.windows}
    for index, spell in enumerate(spells):
        before = spells[index - 1] if index and spells[index - 1].window == spell.window else None
        after = spells[index + 1] if index + 1 < len(spells) else None
        if after is not None and after.window != spell.window:
            after = None
        number = spell.window
        own = [each for each in made if each.call.window == number]
        in_spell = [each for each in own if spell.start <= each.call.at < spell.end]
        opens = spell.start + shape.random.randrange(0, 90) * SECOND
        opens = min([opens, *(each.call.at for each in in_spell)])
        follows = before is not None and _closing(before, own, spell) is None
        if before is None or before.categories != spell.categories:
            assign = Step(opens, "assign", window=number, categories=spell.categories)
            placed.append((opens, _OPENING, number, 0, assign))
        if not follows:
            placed.append((opens, _OPENING, number, 1, Step(opens, "open", window=number)))
        closes = _closing(spell, own, after)
        if closes is not None:
            placed.append((closes, _CLOSING, number, 0, Step(closes, "close", window=number)))
        if after is None and spell.categories != usual[number]:
            end = closes or spell.end
            back = Step(end, "assign", window=number, categories=usual[number])
            placed.append((end, _CLOSING, number, 1, back))
    return placed


def _closing(spell: Spell, own: Sequence[Visit], after: Spell | None) -> Micros | None:
    """When the window closes at the end of a spell; None: it stays open into the next."""
    ends = [each.end for each in own if each.call.at < spell.end]
    closes = max([spell.end, *(end + MINUTE for end in ends)])
    if after is None:
        return min(closes, DAY - SECOND)
    return closes if closes + 5 * MINUTE <= after.start else None
