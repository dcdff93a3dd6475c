"""A recorded period put into a hall's journal with its own times.

The plan's steps go through the same rules as a clerk's keys (`queue.journal.Bulk`), with the
clock set to the recorded time; every recorded day is opened and closed as a business day.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from msgspec import Struct
from sqlalchemy import Connection, select

from tinghao.app.records.fitting import days_later, instant
from tinghao.app.records.steps import DayPlan, Plan, Step
from tinghao.queue.clock import Clock, day_end, iso
from tinghao.queue.commands import (
    Assign,
    CallNext,
    CallNumber,
    Cancel,
    Close,
    Command,
    Finish,
    NoShow,
    Open,
    Pause,
    Recall,
    Resume,
    Start,
    Take,
    Tick,
)
from tinghao.queue.events import Entry, TicketCalled, TicketTaken
from tinghao.queue.journal import Bulk, Rooms
from tinghao.queue.journal.bulk import Transaction
from tinghao.queue.journal.seals import Signer
from tinghao.queue.model import HallState, Micros
from tinghao.queue.refusals import Refusal
from tinghao.queue.tables import staff

REASON = "record"
"""Why a number was called before its turn: the record has it so."""
PAUSE_REASON = "break"


class NotImported(ValueError):
    """A record that the hall does not take; the message says where it stopped and why."""


class Imported(Struct, frozen=True):
    """What an import wrote."""

    first: date
    last: date
    tickets: int
    calls: int
    entries: int


def import_plan(
    plan: Plan,
    state: HallState,
    hall_id: int,
    rooms: Rooms,
    transaction: Transaction,
    clock: Clock,
    people: Sequence[int] = (),
    signer: Signer | None = None,
    shift: int = 0,
    progress: Callable[[int], None] = lambda steps: None,
) -> Imported:
    """Carry a plan out in a hall's journal, `shift` days later than recorded.

    Each window gets one of `people` (ids of staff) for the whole period, as far as they go.
    `progress` hears how many steps were done since it was last called. Raises Refusal when the
    hall has something open or is already later, NotImported for a period that is not past and
    when a step is refused; whole days before that step are then in the journal.
    """
    timezone = state.setup.timezone
    first, last = (days_later(plan.days[at].day, shift) for at in (0, -1))
    begins = instant(first, 0, timezone)
    if day_end(_yyyymmdd(last), timezone) > clock():
        raise NotImported(f"{last} is not over yet: only a past period can be imported")
    bulk = _WholeDays(rooms, state, hall_id, transaction, begins=begins, signer=signer)
    numbers = sorted(each.number for each in state.setup.windows)
    seats = dict(zip(numbers, people, strict=False))
    calls = 0
    for day in plan.days:
        calls += _import_day(bulk, day, shift, seats, clock, progress)
    return Imported(
        first=first,
        last=last,
        tickets=sum(1 for day in plan.days for step in day.steps if step.kind == "take"),
        calls=calls,
        entries=bulk.state.seq - state.seq,
    )


class _WholeDays(Bulk):
    """Writes whole days only. A past day that stood open, were it for a second, would be closed
    by a server that runs beside us; and an import that breaks off leaves no half day behind."""

    def flush(self, machine: Micros) -> None:
        """Write what is not yet written, once the day is closed."""
        if self.state.day is None:
            super().flush(machine)


def _import_day(
    bulk: Bulk,
    day: DayPlan,
    shift: int,
    seats: Mapping[int, int],
    clock: Clock,
    progress: Callable[[int], None],
) -> int:
    timezone = bulk.state.setup.timezone
    date_ = days_later(day.day, shift)
    taken: dict[str, int] = {}
    calls = 0
    for done, step in enumerate(day.steps, start=1):
        at = instant(date_, step.at, timezone)
        try:
            entries = bulk.run(_command(step, seats, taken), at, clock())
        except Refusal as refusal:
            raise _stopped(step, at, timezone, str(refusal)) from refusal
        calls += _check(step, entries, taken, at, timezone)
        if done % 100 == 0:
            progress(100)
    progress(len(day.steps) % 100)
    bulk.run(Tick(), day_end(_yyyymmdd(date_), timezone), clock())
    try:
        bulk.flush(clock())
    except RuntimeError as moved:  # the journal's own check under its lock
        raise NotImported(
            f"somebody else has written to the hall meanwhile, {date_} is not imported: {moved}"
        ) from moved
    return calls


def _check(
    step: Step, entries: Sequence[Entry], taken: dict[str, int], at: Micros, timezone: str
) -> int:
    """Whether the hall did what the record says; 1 for a call. Raises NotImported if not."""
    if step.kind == "take":
        take = next(each for each in entries if isinstance(each.event, TicketTaken))
        taken[step.ticket or ""] = take.seq
    if step.kind not in {"call", "call-next"}:
        return 0
    called = [each.event.number for each in entries if isinstance(each.event, TicketCalled)]
    if called != [step.number]:
        problem = f"the hall calls {called[0] if called else 'nobody'} instead"
        raise _stopped(step, at, timezone, problem)
    return 1


def _stopped(step: Step, at: Micros, timezone: str, problem: str) -> NotImported:
    what = " ".join(
        each
        for each in (step.kind, step.number, f"({step.ticket})" if step.ticket else None)
        if each is not None
    )
    where = f" at window {step.window}" if step.window is not None else ""
    return NotImported(f"{iso(at, timezone)}, {what}{where}: {problem}")


def _command(step: Step, seats: Mapping[int, int], taken: Mapping[str, int]) -> Command:
    if step.kind == "take":
        return Take(category=step.category or "", cls="priority" if step.priority else "normal")
    if step.kind == "cancel":
        return Cancel(ticket=taken[step.ticket or ""])
    assert step.window is not None
    if step.kind == "open":
        return Open(window=step.window, staff=seats.get(step.window))
    if step.kind == "assign":
        return Assign(window=step.window, categories=step.categories)
    if step.kind == "call":
        return CallNumber(window=step.window, number=step.number or "", reason=REASON)
    if step.kind == "pause":
        return Pause(window=step.window, reason=PAUSE_REASON)
    return _PLAIN[step.kind](window=step.window)


_PLAIN: Mapping[str, Callable[..., Command]] = {
    "call-next": CallNext,
    "recall": Recall,
    "start": Start,
    "finish": Finish,
    "no-show": NoShow,
    "resume": Resume,
    "close": Close,
}


def people_of(connection: Connection, hall_id: int) -> list[int]:
    """The ids of the hall's present staff, by badge."""
    present = select(staff.c.id).where(staff.c.hall_id == hall_id, staff.c.active)
    return list(connection.scalars(present.order_by(staff.c.badge)))


def _yyyymmdd(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
