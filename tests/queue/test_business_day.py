"""The business day: it opens with the first command and closes at the hall's own midnight."""

import pytest
from msgspec.structs import replace

from tests.queue.hall import PLAIN, TUESDAY, WEDNESDAY, Hall
from tinghao.queue import commands as ask
from tinghao.queue.calendar import covered_until, rest_day
from tinghao.queue.clock import business_day, iso
from tinghao.queue.model import Closure
from tinghao.queue.rules.days import next_due

OUTCOMES = {"finished", "cancelled", "no-show", "expired"}


def test_the_first_command_opens_the_day(hall: Hall) -> None:
    assert hall.state.day is None
    hall.take()
    assert hall.state.day == TUESDAY
    assert hall.happened() == ["hall-configured", "day-opened", "ticket-taken"]


def test_a_refused_command_opens_no_day(hall: Hall) -> None:
    with hall.refuses("window-closed"):
        hall.call_next(1)
    assert hall.happened() == ["hall-configured"]


def test_a_tick_or_a_configuration_opens_no_day(hall: Hall) -> None:
    hall.tick()
    hall.configure(replace(PLAIN, opens="08:00"))
    assert hall.state.day is None


def a_full_hall() -> Hall:
    """Somebody in every state there is."""
    hall = Hall()
    hall.open(1, 2, 3)
    hall.served(1)
    hall.missed(1)
    hall.held(1)
    hall.serving(1)
    hall.called(3)
    hall.cancel(hall.take())
    hall.take_many(2)
    hall.pause(2)
    return hall


def test_at_midnight_every_number_has_exactly_one_outcome() -> None:
    hall = a_full_hall()
    assert set(hall.states().values()) > {"waiting", "called", "serving", "held", "no-show"}
    hall.clock_shows("00:00", WEDNESDAY)
    hall.tick()
    assert set(hall.states().values()) == OUTCOMES
    assert hall.state.tickets == {}
    assert set(hall.state.queues.values()) == {()}
    tallies = hall.state.tallies.values()
    taken = sum(each.taken for each in tallies)
    ended = sum(each.finished + each.cancelled + each.no_shows + each.expired for each in tallies)
    assert taken == ended == len(hall.states())


def test_at_midnight_every_window_is_closed_and_empty() -> None:
    hall = a_full_hall()
    hall.clock_shows("00:00", WEDNESDAY)
    hall.tick()
    windows = hall.state.windows.values()
    assert {each.state for each in windows} == {"closed"}
    assert {(each.ticket, each.held, each.undo, each.staff) for each in windows} == {
        (None, (), None, None)
    }


def test_what_expires_says_that_the_day_closed() -> None:
    hall = Hall()
    number = hall.take()
    hall.clock_shows("00:00", WEDNESDAY)
    hall.tick()
    assert (hall.ticket(number).state, hall.ticket(number).reason) == ("expired", "day-close")


def test_a_close_after_hours_of_downtime_stands_at_midnight() -> None:
    """The server was down from evening to the next morning: the journal reads as if it had run."""
    hall = a_full_hall()
    before = hall.state.seq
    missed = hall.ticket("A002")
    hall.clock_shows("10:17", WEDNESDAY)
    hall.take()
    fallen_due = [each for each in hall.entries if before < each.seq and each.by == "hall"]
    kinds = [each.event.kind for each in fallen_due]
    assert kinds == [
        "grace-ended",
        *["ticket-expired"] * 5,
        *["window-closed"] * 3,
        "day-closed",
        "day-opened",
    ]
    assert fallen_due[0].at == missed.grace_until
    closing = [iso(each.at, "Asia/Shanghai") for each in fallen_due[1:-1]]
    assert set(closing) == {"2026-11-24T23:59:59.999+08:00"}
    assert {each.day for each in fallen_due[:-1]} == {TUESDAY}
    assert (fallen_due[-1].day, fallen_due[-1].at) == (WEDNESDAY, hall.now)


def test_days_without_a_command_leave_nothing_in_the_journal(hall: Hall) -> None:
    hall.take()
    hall.clock_shows("09:00", 2026_12_24)
    hall.take()
    assert hall.happened(since=3) == ["ticket-expired", "day-closed", "day-opened", "ticket-taken"]


def test_a_grace_that_reaches_beyond_midnight_ends_with_the_day() -> None:
    hall = Hall(clock="23:45")
    hall.open(1)
    late = hall.missed(1)
    hall.clock_shows("00:10", WEDNESDAY)
    with hall.refuses("unknown-number", "unknown"):
        hall.bring_back(1, late)
    assert hall.states()[late] == "no-show"


def test_the_counts_begin_anew(hall: Hall) -> None:
    hall.open(1)
    hall.served(1)
    hall.clock_shows("09:00", WEDNESDAY)
    hall.open(1)
    assert hall.state.tallies == {}
    assert (hall.window(1).finished, hall.window(1).handling) == (0, ())
    assert hall.state.calls == ()


def test_the_first_citizen_after_midnight_may_not_leave_a_queue_that_is_gone(hall: Hall) -> None:
    """His ticket has expired a moment before, in the same transaction."""
    number = hall.take()
    hall.clock_shows("00:00", WEDNESDAY)
    named = ask.Cancel(ticket=hall.ticket(number).id)
    with hall.refuses("already-settled"):
        hall.do(named)


class TestClocksThatDisagree:
    """Two servers' clocks are never quite the same, and a clock may be set back."""

    def test_a_clock_set_back_does_not_turn_time_back(self, hall: Hall) -> None:
        hall.clock_shows("10:00")
        hall.take()
        hall.clock_shows("09:00")
        hall.take()
        assert [each.at for each in hall.entries[-2:]] == [hall.at("10:00")] * 2

    def test_a_closed_day_is_not_opened_again(self, hall: Hall) -> None:
        """Its numbers would be given twice: what is asked then belongs to the day that begins."""
        hall.take()
        hall.clock_shows("00:00", WEDNESDAY)
        hall.tick()
        hall.clock_shows("23:59", TUESDAY)
        assert hall.take() == "A001"
        assert hall.state.day == WEDNESDAY
        assert hall.entries[-1].at == hall.at("00:00", WEDNESDAY)
        assert {each.day for each in hall.entries if each.event.kind == "ticket-taken"} == {
            TUESDAY,
            WEDNESDAY,
        }

    def test_in_the_last_microsecond_of_the_day_it_is_over(self, hall: Hall) -> None:
        hall.take()
        hall.now = hall.at("00:00", WEDNESDAY) - 1
        hall.take()
        assert hall.state.day == WEDNESDAY


class TestZones:
    """The hall's own midnight, wherever it is and whatever its clocks do that night."""

    @pytest.mark.parametrize(
        ("zone", "day", "last"),
        [
            ("Asia/Shanghai", 2026_11_24, "2026-11-24T23:59:59.999+08:00"),
            ("Europe/Warsaw", 2026_03_29, "2026-03-29T23:59:59.999+02:00"),  # 23 hours long
            ("Europe/Warsaw", 2026_10_25, "2026-10-25T23:59:59.999+01:00"),  # 25 hours long
            ("Africa/Cairo", 2026_04_23, "2026-04-23T23:59:59.999+02:00"),  # then there is no 00:00
            ("Australia/Lord_Howe", 2026_10_04, "2026-10-04T23:59:59.999+11:00"),
        ],
    )
    def test_a_day_closes_at_the_halls_midnight(self, zone: str, day: int, last: str) -> None:
        hall = Hall(replace(PLAIN, timezone=zone), day=day)
        hall.take()
        closing = next_due(hall.state)
        assert closing is not None
        assert iso(closing, zone) == last
        hall.now = closing + 1
        hall.take()
        assert hall.state.day == business_day(closing + 1, zone) > day

    def test_the_zone_stays_while_a_day_is_open(self, hall: Hall) -> None:
        hall.take()
        with hall.refuses("day-open"):
            hall.configure(replace(PLAIN, timezone="Europe/Warsaw"))

    def test_after_its_close_it_may_change(self, hall: Hall) -> None:
        hall.take()
        hall.clock_shows("00:00", WEDNESDAY)
        hall.configure(replace(PLAIN, timezone="Europe/Warsaw"))
        assert hall.take() == "A001"
        days = [each.day for each in hall.entries if each.event.kind == "ticket-taken"]
        assert days == [TUESDAY, WEDNESDAY]


class TestCalendar:
    @pytest.mark.parametrize(
        ("day", "name"),
        [
            (2026_11_24, None),
            (2026_11_28, "Saturday"),
            (2026_11_29, "Sunday"),
            (2026_10_01, "National Day"),
            (2026_10_10, None),  # a Saturday, worked to make up for the holiday
            (2026_02_17, "Spring Festival"),
        ],
    )
    def test_the_national_calendar(self, day: int, name: str | None) -> None:
        assert rest_day(day) == name

    def test_the_halls_own_days_come_first(self) -> None:
        closures = (Closure(2026_11_24, False, "Inventory"), Closure(2026_10_01, True))
        assert rest_day(2026_11_24, closures) == "Inventory"
        assert rest_day(2026_10_01, closures) is None

    def test_beyond_the_known_years_weekends_are_days_of_rest(self) -> None:
        year = (covered_until() + 1) * 10_000
        weekdays = [rest_day(year + 601 + day) for day in range(7)]
        assert sorted(weekdays, key=str).count(None) == 5
        assert {"Saturday", "Sunday"} < set(weekdays)

    def test_a_day_of_rest_is_named_when_the_hall_opens_nevertheless(self) -> None:
        hall = Hall(day=2026_10_01)
        hall.take()
        opened = hall.entries[1].event
        assert (opened.kind, opened.rest_day) == ("day-opened", "National Day")
