"""Hall time, business days and half hours."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinghao.queue.clock import (
    LATEST,
    at_time,
    business_day,
    clock_time,
    day_and_half_hour,
    day_end,
    day_start,
    hall_time,
    iso,
    micros,
    moment,
)
from tinghao.queue.model import MINUTE, SECOND, HallClock

ZONES = ["Asia/Shanghai", "Europe/Warsaw", "America/St_Johns", "Asia/Kathmandu", "Africa/Cairo"]
ZONES += ["Australia/Lord_Howe", "Pacific/Apia", "UTC"]
MOMENTS = st.integers(
    micros(datetime(2012, 1, 1, tzinfo=UTC)), micros(datetime(2040, 1, 1, tzinfo=UTC))
)


@given(MOMENTS, st.sampled_from(ZONES))
def test_every_moment_is_of_the_day_that_its_local_date_says(at: int, zone: str) -> None:
    local = moment(at, zone)
    day, half_hour = day_and_half_hour(at, zone)
    assert day == local.year * 10_000 + local.month * 100 + local.day
    assert half_hour == local.hour * 2 + local.minute // 30


@given(MOMENTS, st.sampled_from(ZONES))
def test_every_moment_lies_within_its_day(at: int, zone: str) -> None:
    day = business_day(at, zone)
    assert day_start(day, zone) <= at < day_end(day, zone)
    assert business_day(day_end(day, zone) - 1, zone) == day
    assert business_day(day_end(day, zone), zone) > day


@given(MOMENTS)
def test_times_are_exact_to_the_microsecond(at: int) -> None:
    assert micros(moment(at, "Asia/Shanghai")) == at


def test_a_time_is_written_with_the_halls_offset() -> None:
    at = at_time(2026_11_24, "10:42", "Asia/Shanghai") + 17 * SECOND + 123_456
    assert iso(at, "Asia/Shanghai") == "2026-11-24T10:42:17.123+08:00"


@pytest.mark.parametrize("text", ["", "9", "9:60", "24:00", "-1:30", "09:30:00", "九:三十", "²:00"])
def test_a_time_of_day_has_one_form(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time of day"):
        clock_time(text)


class TestTheHallsClock:
    NOW = at_time(2026_11_24, "10:00", "Asia/Shanghai")

    def test_it_is_the_machines(self) -> None:
        assert hall_time(HallClock(), self.NOW, 0) == self.NOW

    def test_it_never_goes_back(self) -> None:
        assert hall_time(HallClock(), self.NOW, self.NOW + MINUTE) == self.NOW + MINUTE

    def test_a_demo_runs_faster(self) -> None:
        clock = HallClock("scaled", at=self.NOW, machine_at=50 * SECOND, speed=30)
        assert hall_time(clock, 52 * SECOND, 0) == self.NOW + MINUTE

    def test_a_replay_stands_still_until_it_is_told(self) -> None:
        assert hall_time(HallClock("stated"), self.NOW, 7) == 7

    @pytest.mark.parametrize("clock", [HallClock("scaled", 10**30, 0, 1e6), HallClock()])
    def test_it_stops_where_the_calendar_ends(self, clock: HallClock) -> None:
        """Whatever it is set to, the hall goes on and the clock can be set again."""
        assert hall_time(clock, 10**30, 0) == LATEST
        assert iso(LATEST, "Asia/Shanghai") == "9000-01-01T08:00:00.000+08:00"
