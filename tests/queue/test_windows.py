"""Windows as clerks and managers know them."""

import pytest
from msgspec.structs import replace

from tests.queue.hall import PLAIN, Hall
from tinghao.queue.model import MINUTE, WindowConfig


def test_a_window_opens_with_the_person_who_sits_there(hall: Hall) -> None:
    hall.open(1, staff=7)
    assert (hall.window(1).state, hall.window(1).staff) == ("open", 7)


def test_a_closed_window_has_nobody(hall: Hall) -> None:
    hall.open(1)
    hall.wait(minutes=30)
    hall.close(1)
    window = hall.window(1)
    assert (window.state, window.staff, window.since) == ("closed", None, hall.now)


def test_during_a_break_nobody_is_called_but_who_is_there_is_served(hall: Hall) -> None:
    hall.open(1)
    number = hall.called(1)
    hall.pause(1, reason="meal", minutes=30)
    hall.recall(1)
    hall.start(1)
    hall.finish(1)
    assert hall.states()[number] == "finished"
    with hall.refuses("window-paused"):
        hall.call_next(1)


def test_a_break_says_why_and_until_when(hall: Hall) -> None:
    hall.open(1)
    hall.pause(1, reason="meal", minutes=30)
    window = hall.window(1)
    assert (window.pause_reason, window.pause_until) == ("meal", hall.now + 30 * MINUTE)
    hall.resume(1)
    window = hall.window(1)
    assert (window.state, window.pause_reason, window.pause_until) == ("open", None, None)


def test_a_break_may_end_in_going_home(hall: Hall) -> None:
    hall.open(1)
    hall.pause(1)
    hall.close(1)
    assert hall.window(1).state == "closed"


def test_a_manager_gives_a_window_other_categories(hall: Hall) -> None:
    hall.open(1)
    hall.take("estate")
    hall.assign(1, "estate", "social", "estate")
    assert hall.window(1).categories == ("estate", "social")
    assert hall.call_next(1) == "B001"


def test_giving_it_the_same_again_is_nothing_new(hall: Hall) -> None:
    before = hall.state
    hall.assign(1, "social")
    assert hall.state is before


def test_a_window_may_be_left_without_any(hall: Hall) -> None:
    hall.open(1)
    hall.take()
    hall.assign(1)
    assert hall.call_next(1) is None


def test_one_person_at_two_windows_is_a_finding_and_no_refusal(hall: Hall) -> None:
    hall.open(1, 2, staff=7)
    assert [hall.window(number).staff for number in (1, 2)] == [7, 7]


@pytest.mark.parametrize(
    ("scene", "idle"),
    [("called", False), ("serving", False), ("served", True), ("missed", True), ("held", True)],
)
def test_a_window_is_idle_while_it_is_open_with_empty_hands(
    hall: Hall, scene: str, idle: bool
) -> None:
    hall.open(1)
    hall.wait(minutes=3)
    getattr(hall, scene)(1)
    assert hall.window(1).idle_since == (hall.now if idle else None)


def test_the_windows_own_day_is_counted(hall: Hall) -> None:
    hall.open(1)
    hall.serving(1)
    hall.wait(minutes=4)
    hall.finish(1)
    hall.missed(1)
    window = hall.window(1)
    assert (window.finished, window.no_shows, window.handling) == (1, 1, (4 * MINUTE,))


class TestConfiguring:
    def test_a_new_window_is_there_at_once(self, hall: Hall) -> None:
        four = WindowConfig(number=4, name="帮办", categories=("social",))
        hall.configure(replace(PLAIN, windows=(*PLAIN.windows, four)))
        hall.open(4)
        assert hall.called(4) == "A001"

    def test_a_window_that_is_dropped_is_gone(self, hall: Hall) -> None:
        hall.configure(replace(PLAIN, windows=PLAIN.windows[:2]))
        with hall.refuses("unknown-window", "unknown"):
            hall.open(3)

    def test_a_manager_s_assignment_outlives_a_new_notice(self, hall: Hall) -> None:
        hall.assign(1, "estate")
        hall.configure(replace(PLAIN, notices=("明日闭馆",)))
        assert hall.window(1).categories == ("estate",)

    def test_but_not_another_set_up_of_that_window(self, hall: Hall) -> None:
        hall.assign(1, "estate")
        first = replace(PLAIN.windows[0], categories=("social", "estate"))
        hall.configure(replace(PLAIN, windows=(first, *PLAIN.windows[1:])))
        assert hall.window(1).categories == ("social", "estate")

    def test_who_waits_is_not_touched(self, hall: Hall) -> None:
        numbers = hall.take_many(2)
        hall.configure(replace(PLAIN, opens="08:30"))
        assert hall.waiting() == numbers
