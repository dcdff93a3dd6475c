"""How long still: the plain estimate, and when it is unknown."""

import pytest

from tests.queue.hall import Hall, with_social
from tinghao.queue.waits import Estimate, estimate


def test_with_no_window_open_it_is_unknown(hall: Hall) -> None:
    hall.take()
    assert estimate(hall.state, "social", 0) is None


def test_with_a_free_window_it_is_at_once(hall: Hall) -> None:
    hall.open(1)
    assert estimate(hall.state, "social", 0) == Estimate(0, 1)


def test_a_break_makes_it_unknown_again(hall: Hall) -> None:
    hall.open(1)
    hall.pause(1)
    assert estimate(hall.state, "social", 0) is None


def test_before_anybody_was_served_the_standard_time_counts() -> None:
    hall = Hall(with_social(standard_minutes=8))
    hall.open(1)
    hall.serving(1)
    found = estimate(hall.state, "social", 2)
    assert found is not None
    assert found.p50_minutes == 24
    assert found.p90_minutes > 24


def test_afterwards_what_was_served_counts(hall: Hall) -> None:
    hall.open(1)
    for minutes in (2, 4):
        hall.serving(1)
        hall.wait(minutes=minutes)
        hall.finish(1)
    hall.serving(1)
    found = estimate(hall.state, "social", 3)
    assert found is not None
    assert found.p50_minutes == 12


@pytest.mark.parametrize(("windows", "minutes"), [((1,), 40), ((1, 2), 20)])
def test_twice_the_windows_halve_it(hall: Hall, windows: tuple[int, ...], minutes: int) -> None:
    hall.open(*windows)
    for window in windows:
        hall.serving(window)
    found = estimate(hall.state, "social", 4)
    assert found is not None
    assert found.p50_minutes == minutes


def test_more_ahead_is_never_sooner(hall: Hall) -> None:
    hall.open(1)
    hall.serving(1)
    found = [estimate(hall.state, "social", ahead) for ahead in range(50)]
    known = [(each.p50_minutes, each.p90_minutes) for each in found if each is not None]
    assert len(known) == 50
    assert known == sorted(known)
    assert all(half < nine for half, nine in known)
