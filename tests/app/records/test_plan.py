"""A plan repeats what is on record and makes up nothing impossible."""

from collections import Counter
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.records.days import DAYS, TICKETS, plan_hall
from tinghao.app.records.plan import PlanError, make_plan
from tinghao.app.records.record import Record, RecordedTicket, Snapshot, read_record, select
from tinghao.app.records.steps import DAY, DayPlan, PlanHall, Step
from tinghao.queue.model import MINUTE, SECOND

RECORD = read_record(TICKETS)


def walk(day: DayPlan, hall: PlanHall) -> dict[str, str]:  # noqa: C901 (one case a command)
    """Carry the day out on paper and return what became of each ticket.

    Written apart from the plan's own code: it knows only what a hall would refuse.
    """
    window: dict[int, str] = {each.number: "closed" for each in hall.windows}
    serves = {each.number: each.categories for each in hall.windows}
    hand: dict[int, str | None] = dict.fromkeys(window)
    tickets: dict[str, str] = {}
    waiting: dict[str, list[str]] = {each.code: [] for each in hall.categories}
    numbers: set[str] = set()
    for step in day.steps:
        at, own = step.ticket or "", step.window or 0
        match step.kind:
            case "take":
                assert at not in tickets
                assert step.number is not None
                assert step.number not in numbers
                numbers.add(step.number)
                tickets[at] = "waiting"
                waiting[step.category or ""].append(at)
            case "cancel":
                assert tickets[at] == "waiting"
                tickets[at] = "cancelled"
                waiting[step.category or ""].remove(at)
            case "call" | "call-next":
                assert window[own] == "open"
                assert hand[own] is None
                assert tickets[at] == "waiting"
                assert step.category in serves[own]
                if step.kind == "call-next" and not any(each.priority for each in day.steps):
                    assert waiting[step.category or ""][0] == at
                waiting[step.category or ""].remove(at)
                tickets[at], hand[own] = "called", at
            case "recall":
                assert (hand[own], tickets[at]) == (at, "called")
            case "start":
                assert (hand[own], tickets[at]) == (at, "called")
                tickets[at] = "serving"
            case "finish":
                assert (hand[own], tickets[at]) == (at, "serving")
                tickets[at], hand[own] = "finished", None
            case "no-show":
                assert (hand[own], tickets[at]) == (at, "called")
                tickets[at], hand[own] = "no-show", None
            case "assign":
                serves[own] = step.categories
            case "open" | "resume":
                assert window[own] == ("closed" if step.kind == "open" else "paused")
                window[own] = "open"
            case "pause":
                assert window[own] == "open"
                assert hand[own] is None
                window[own] = "paused"
            case "close":
                assert window[own] != "closed"
                assert hand[own] is None
                window[own] = "closed"
    assert set(window.values()) <= {"closed"}
    assert serves == {each.number: each.categories for each in hall.windows}
    return tickets


def steps_of(day: DayPlan, *kinds: str) -> list[Step]:
    return [each for each in day.steps if each.kind in kinds]


def holds(record: Record, hall: PlanHall, **options: float) -> None:
    """Everything that must be true of every plan."""
    plan = make_plan(record, hall, **options)  # type: ignore[arg-type]
    assert plan == make_plan(record, hall, **options)  # type: ignore[arg-type]
    assert tuple(each.day for each in plan.days) == record.days
    left_out = {each.split(" ", 1)[0] for each in plan.left_out}
    for day in plan.days:
        recorded = [each for each in record.tickets if each.day == day.day]
        assert [each.at for each in day.steps] == sorted(each.at for each in day.steps)
        assert all(0 <= each.at < DAY for each in day.steps)
        takes = {each.ticket: each.at for each in steps_of(day, "take")}
        calls = {each.ticket: each.at for each in steps_of(day, "call", "call-next")}
        assert takes == {each.id: each.arrived for each in recorded}
        assert len(steps_of(day, "take")) == len(recorded)
        assert calls == {
            each.id: each.called
            for each in recorded
            if each.called is not None and each.id not in left_out
        }
        assert len(steps_of(day, "call", "call-next")) == len(calls)
        outcomes = walk(day, hall)
        never = {each.id for each in recorded if each.id not in calls}
        assert {each for each, end in outcomes.items() if end in {"waiting", "cancelled"}} == never


@pytest.mark.parametrize("windows", [1, 3, 4, 10, 40])
def test_the_recorded_days_can_be_carried_out_by_a_hall_of_any_size(windows: int) -> None:
    """Every arrival and every call once and in time, no window ever with two tickets."""
    holds(RECORD, plan_hall(windows))


def test_windows_set_up_for_nothing_are_assigned_first() -> None:
    """A hall whose windows have no categories can live the day as well, and is left as it was."""
    hall = plan_hall(8)
    bare = PlanHall(hall.categories, tuple(type(w)(w.number) for w in hall.windows))

    holds(RECORD, bare)


def test_one_category_takes_all_queues() -> None:
    """Merged queues are called by number where the record's order is not the hall's."""
    hall = plan_hall(10, plan_hall().categories[:1])

    holds(select(RECORD, (), (DAYS[-1],)), hall)
    (day,) = make_plan(select(RECORD, (), (DAYS[-1],)), hall).days

    assert steps_of(day, "call")
    assert steps_of(day, "call-next")


def test_a_queue_of_its_own_is_always_called_in_turn() -> None:
    """With a category for each recorded queue the hall's own order is the recorded one."""
    for day in make_plan(RECORD, plan_hall()).days:
        assert not steps_of(day, "call")


def test_as_many_windows_are_open_as_the_record_had_counters() -> None:
    """Seven counters at ten in the morning, so seven windows, give or take one."""
    record = select(RECORD, (), (DAYS[-1],))
    (day,) = make_plan(record, plan_hall()).days
    for hour in (10, 12, 14):
        at = hour * 60 * MINUTE
        opened = len([s for s in steps_of(day, "open") if s.at <= at])
        closed = len([s for s in steps_of(day, "close") if s.at <= at])
        latest: dict[str, int] = {}
        for each in record.snapshots:
            if each.at <= at:
                latest[each.queue] = each.open_counters
        assert abs(opened - closed - sum(latest.values())) <= 1


def test_services_look_like_services() -> None:
    """Half of them take some minutes, few are over in half a minute, walks are 10 to 60 s."""
    handling, walks = [], []
    for day in make_plan(RECORD, plan_hall()).days:
        called = {each.ticket: each.at for each in steps_of(day, "call", "call-next")}
        started = {each.ticket: each.at for each in steps_of(day, "start")}
        walks += [at - called[ticket] for ticket, at in started.items()]
        handling += [each.at - started[each.ticket] for each in steps_of(day, "finish")]
    handling.sort()

    assert 3 * MINUTE < handling[len(handling) // 2] < 12 * MINUTE
    assert sum(each < 30 * SECOND for each in handling) < len(handling) / 50
    assert max(walks) < 60 * SECOND
    assert sum(each >= 10 * SECOND for each in walks) > len(walks) * 0.98


def test_what_no_record_holds_is_marked_synthetic() -> None:
    """Takes and calls are the record's, the rest is made up and says so."""
    plan = make_plan(RECORD, plan_hall())

    told = Counter((each.kind, each.synthetic) for day in plan.days for each in day.steps)
    assert {kind for kind, synthetic in told if not synthetic} == {"take", "call-next"}
    assert {kind for kind, synthetic in told if synthetic} >= {"open", "start", "finish", "close"}
    assert plan.synthetic


def test_a_recorded_end_of_service_is_kept() -> None:
    """Where the record has it and the window is free till then, the finish is the record's."""
    day = date(2022, 2, 27)
    record = Record(
        "booth.csv",
        (
            RecordedTicket(
                "t1", "booth", "T", day, 9 * 60 * MINUTE, 541 * MINUTE, 555 * MINUTE, "L1"
            ),
        ),
    )

    (planned,) = make_plan(record, plan_hall(), no_show_share=1.0).days

    assert [(each.at, each.synthetic) for each in steps_of(planned, "finish")] == [
        (555 * MINUTE, False)
    ]


def test_who_left_without_being_called_cancels_then() -> None:
    """A call centre's record knows when the caller hung up; who stays to the end expires."""
    day = date(1999, 1, 1)
    record = Record(
        "calls.csv",
        (
            RecordedTicket("left", "bank", "regular", day, MINUTE, None, 3 * MINUTE),
            RecordedTicket("stayed", "bank", "regular", day, 2 * MINUTE),
            RecordedTicket("called", "bank", "regular", day, 2 * MINUTE, 4 * MINUTE),
        ),
    )

    (planned,) = make_plan(record, plan_hall()).days

    assert [(each.ticket, each.at) for each in steps_of(planned, "cancel")] == [
        ("left", 3 * MINUTE)
    ]
    assert walk(planned, plan_hall())["stayed"] == "waiting"


def test_a_call_after_midnight_is_left_out_and_said() -> None:
    """The number expired with its day; the plan says which."""
    record = Record(
        "night.csv",
        (
            RecordedTicket(
                "owl", "bank", "regular", date(1999, 1, 1), DAY - 5 * MINUTE, DAY + MINUTE
            ),
        ),
    )

    plan = make_plan(record, plan_hall())

    assert plan.left_out == ("owl is called after its day's end and expires instead",)
    assert [each.kind for each in plan.days[0].steps] == ["take"]


def test_a_hall_without_windows_is_refused() -> None:
    """There is nobody to call."""
    with pytest.raises(PlanError, match="no windows"):
        make_plan(RECORD, plan_hall(0))


moments = st.integers(0, 24 * 60 - 3).map(lambda minute: minute * MINUTE)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record at all: queues, priorities, ties, known and unknown ends, counters or none."""
    tickets = []
    for index in range(draw(st.integers(1, 40))):
        arrived = draw(moments)
        called = draw(st.none() | st.integers(0, 90).map(lambda m, a=arrived: a + m * MINUTE))  # type: ignore[misc]
        base = arrived if called is None else called
        finished = draw(st.none() | st.integers(0, 50).map(lambda m, b=base: b + m * MINUTE))  # type: ignore[misc]
        tickets.append(
            RecordedTicket(
                f"t{index}",
                draw(st.sampled_from(["east", "west"])),
                draw(st.sampled_from("PQR")),
                date(2020, 1, draw(st.integers(7, 8))),
                arrived,
                called,
                finished,
                priority=draw(st.booleans()),
            )
        )
    snapshots = draw(
        st.lists(
            st.builds(
                Snapshot,
                st.sampled_from(["east", "west"]),
                st.sampled_from("PQR"),
                st.sampled_from([date(2020, 1, 7), date(2020, 1, 8)]),
                moments,
                st.integers(0, 9),
            ),
            max_size=20,
        )
    )
    tickets.sort(key=lambda each: (each.day, each.arrived))
    snapshots.sort(key=lambda each: (each.day, each.at))
    return Record("any.csv", tuple(tickets), tuple(snapshots))


@given(records(), st.integers(1, 12), st.integers(1, 4), st.sampled_from([0.0, 0.5, 1.0]))
def test_any_record_at_all_can_be_carried_out(
    record: Record, windows: int, categories: int, no_show_share: float
) -> None:
    """Whatever is on record and however small the hall: nothing impossible, nothing lost."""
    holds(
        record, plan_hall(windows, plan_hall().categories[:categories]), no_show_share=no_show_share
    )


def test_steps_of_one_window_never_overlap_in_time() -> None:
    """A window finishes one ticket before it calls the next, at the latest in the same second."""
    for day in make_plan(RECORD, plan_hall(2)).days:
        for window in (1, 2):
            own = [
                each
                for each in steps_of(day, "call", "call-next", "finish", "no-show")
                if each.window == window
            ]
            for before, after in pairwise(own):
                called = before.kind in {"call", "call-next"}
                assert called != (after.kind in {"call", "call-next"})
                assert before.at <= after.at
