"""Who comes next, and why (DESIGN 7)."""

from msgspec.structs import replace

from tests.queue.hall import PLAIN, Hall, with_policy
from tinghao.queue.routing import first, next_few


def test_who_came_first_is_called_first(hall: Hall) -> None:
    hall.open(1)
    numbers = hall.take_many(3)
    assert [hall.served(1) for _ in numbers] == numbers


def test_of_two_at_the_same_moment_the_smaller_number_is_called_first(hall: Hall) -> None:
    hall.open(1)
    assert [hall.take(), hall.take()] == hall.next_for(1)


def test_a_window_calls_only_what_it_serves(hall: Hall) -> None:
    hall.open(1, 3)
    hall.take("estate")
    assert hall.call_next(1) is None
    assert hall.call_next(3) == "B001"


def test_a_window_for_two_categories_calls_who_has_waited_longer(hall: Hall) -> None:
    hall.open(2)
    for category in ("estate", "social", "estate"):
        hall.take(category)
        hall.wait(minutes=1)
    assert hall.next_for(2) == ["B001", "A001", "B002"]


def test_two_windows_never_call_one_number(hall: Hall) -> None:
    hall.open(1, 2)
    hall.take_many(2)
    assert {hall.call_next(1), hall.call_next(2)} == {"A001", "A002"}
    assert hall.state.queues["social"] == ()


def test_calling_with_nobody_there_changes_nothing(hall: Hall) -> None:
    hall.open(1)
    before = hall.state
    assert hall.call_next(1) is None
    assert hall.state is before


class TestPriority:
    def test_a_priority_citizen_comes_before_who_came_less_than_ten_minutes_earlier(
        self, hall: Hall
    ) -> None:
        hall.open(1)
        early = hall.take()
        hall.wait(minutes=5)
        later = hall.take()
        hall.wait(minutes=5.1)
        old = hall.take(cls="priority", ground="elderly")
        assert hall.next_for(1) == [early, old, later]

    def test_nobody_starves_behind_priority_citizens(self, hall: Hall) -> None:
        """However many of them come, within ten minutes it is one's turn."""
        hall.open(1)
        plain = hall.take()
        for _ in range(30):
            hall.wait(seconds=30)
            hall.take(cls="priority")
        assert hall.next_for(1).index(plain) == 19

    def test_an_appointment_is_called_at_its_time(self, hall: Hall) -> None:
        hall.open(1)
        booked = hall.take(cls="appointment", appointment=hall.at("10:00"))
        others = hall.take_many(2)
        assert hall.next_for(1) == [*others, booked]
        hall.clock_shows("09:55")
        latecomer = hall.take()
        assert hall.next_for(1) == [*others, booked, latecomer]

    def test_each_call_says_what_put_it_first(self, hall: Hall) -> None:
        hall.open(1, 2)
        hall.serving(2)
        hall.transfer(2, to_window=1)
        hall.take(cls="appointment", appointment=hall.at("08:00"))
        hall.take(cls="priority")
        hall.take()
        reasons = [each.why for each in next_few(hall.state, hall.window(1), 5)]
        assert reasons == ["directed", "appointment", "priority", "waiting"]

    def test_a_call_keeps_its_reason(self, hall: Hall) -> None:
        hall.open(1)
        hall.take(cls="priority")
        hall.call_next(1)
        assert hall.entries[-1].event.why == "priority"


class TestWeights:
    def test_a_windows_weight_puts_a_category_forward_by_minutes(self) -> None:
        windows = list(PLAIN.windows)
        windows[1] = replace(windows[1], weights={"estate": 2.5})
        hall = Hall(replace(PLAIN, windows=tuple(windows)))
        hall.open(2)
        social = hall.take("social")
        hall.wait(minutes=2.4)
        near = hall.take("estate")
        hall.wait(minutes=0.2)
        far = hall.take("estate")
        assert hall.next_for(2) == [near, social, far]

    def test_it_is_no_concern_of_other_windows(self) -> None:
        windows = list(PLAIN.windows)
        windows[0] = replace(windows[0], categories=("social", "estate"), weights={"estate": 60})
        hall = Hall(replace(PLAIN, windows=tuple(windows)))
        hall.open(1, 2)
        social = hall.take("social")
        hall.wait(minutes=1)
        estate = hall.take("estate")
        assert hall.next_for(1) == [estate, social]
        assert hall.next_for(2) == [social, estate]


class TestDirected:
    def test_a_number_for_a_person_follows_him_to_another_window(self, hall: Hall) -> None:
        hall.open(1, 2)
        number = hall.serving(1)
        hall.take()
        hall.transfer(1, to_staff=2)
        assert (hall.next_for(1), hall.next_for(2)[0]) == (["A002"], number)
        hall.close(2)
        hall.open(3, staff=2)
        assert hall.next_for(3) == [number]

    def test_a_number_for_a_window_is_nobody_elses_while_it_is_open(self, hall: Hall) -> None:
        hall.open(1, 2)
        number = hall.serving(1)
        hall.transfer(1, to_window=2)
        assert hall.next_for(1) == []
        assert hall.next_for(2) == [number]

    def test_a_break_does_not_lose_it(self, hall: Hall) -> None:
        hall.open(1, 2)
        number = hall.serving(1)
        hall.transfer(1, to_window=2)
        hall.pause(2)
        assert hall.next_for(1) == []
        hall.resume(2)
        assert hall.next_for(2) == [number]

    def test_when_that_window_closes_whoever_serves_the_category_calls_it(self, hall: Hall) -> None:
        """At its place by due time, not before everybody else."""
        hall.open(1, 2)
        hall.serving(1)
        overdue = hall.take()
        hall.wait(minutes=20)
        hall.transfer(1, to_window=2)
        fresh = hall.take()
        hall.close(2)
        assert hall.next_for(1) == [overdue, "A001", fresh]

    def test_when_that_person_leaves_whoever_serves_the_category_calls_it(self, hall: Hall) -> None:
        hall.open(1, 2)
        number = hall.serving(1)
        hall.transfer(1, to_staff=2)
        hall.close(2)
        assert hall.next_for(1) == [number]

    def test_a_window_that_was_not_open_at_all_leaves_it_to_the_others(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.serving(1)
        hall.transfer(1, to_window=2)
        assert hall.next_for(1) == [number]

    def test_two_for_one_window_come_by_due_time(self, hall: Hall) -> None:
        hall.open(1, 2, 3)
        first_sent = hall.serving(1)
        second_sent = hall.serving(3)
        hall.transfer(1, to_window=2)
        hall.wait(minutes=1)
        hall.transfer(3, to_window=2)
        hall.take_many(3)
        assert hall.next_for(2)[:2] == [first_sent, second_sent]

    def test_a_window_is_sent_what_it_does_not_serve_by_itself(self, hall: Hall) -> None:
        """The colleague next door is asked for help with one matter."""
        hall.open(1, 3)
        number = hall.serving(1)
        hall.transfer(1, "social", to_window=3)
        assert hall.ticket(number).category == "social"
        assert hall.call_next(3) == number

    def test_a_directed_number_is_listed_once(self, hall: Hall) -> None:
        hall.open(1, 2)
        number = hall.serving(1)
        hall.take_many(2)
        hall.transfer(1, to_window=2)
        assert hall.next_for(2).count(number) == 1


class TestReturning:
    def test_two_late_ones_keep_the_order_in_which_they_came_back(self, hall: Hall) -> None:
        hall.open(1)
        one, two = hall.missed(1), hall.missed(1)
        others = hall.take_many(4)
        hall.bring_back(1, one)
        hall.bring_back(1, two)
        # The first of them is one of the three whom the second lets go first, had he not come
        # before: both wanted to stand behind the same third citizen.
        assert hall.waiting() == [*others[:3], one, two, others[3]]

    def test_the_hall_decides_how_many_go_first(self) -> None:
        hall = Hall(with_policy(return_behind=1))
        hall.open(1)
        late = hall.missed(1)
        others = hall.take_many(2)
        hall.bring_back(1, late)
        assert hall.waiting() == [others[0], late, others[1]]

    def test_it_holds_at_every_window(self, hall: Hall) -> None:
        hall.open(1, 2)
        late = hall.missed(1)
        hall.take("estate")
        others = hall.take_many(3)
        hall.bring_back(1, late)
        assert hall.next_for(1) == [*others, late]
        assert hall.next_for(2) == ["B001", *others, late]


class TestChoosing:
    def test_a_chosen_number_is_out_of_turn(self, hall: Hall) -> None:
        hall.open(1)
        hall.take_many(3)
        assert hall.call(1, "A003") == "A003"
        event = hall.entries[-1].event
        assert (event.why, event.out_of_turn, event.reason) == ("chosen", True, "green-lane")

    def test_choosing_who_is_next_anyway_is_not_out_of_turn(self, hall: Hall) -> None:
        hall.open(1)
        hall.take_many(3)
        hall.call(1, "A001")
        assert not hall.entries[-1].event.out_of_turn

    def test_a_chosen_number_may_be_of_another_category(self, hall: Hall) -> None:
        hall.open(1)
        hall.take("estate")
        hall.call(1, "b001")
        assert hall.in_hand(1) == "B001"

    def test_the_others_keep_their_places(self, hall: Hall) -> None:
        hall.open(1)
        hall.take_many(4)
        hall.call(1, "A003")
        assert hall.waiting() == ["A001", "A002", "A004"]


class TestAhead:
    def test_ahead_counts_who_waits_before_me_in_my_category(self, hall: Hall) -> None:
        hall.take("estate")
        hall.take_many(3)
        hall.take(cls="priority")
        ahead = {each: hall.ahead_of(each) for each in hall.waiting()}
        assert ahead == {"A004": 0, "A001": 1, "A002": 2, "A003": 3}

    def test_it_shrinks_with_every_call(self, hall: Hall) -> None:
        hall.open(1)
        hall.take_many(3)
        hall.served(1)
        assert hall.ahead_of("A003") == 1

    def test_who_is_called_has_nobody_ahead_any_more(self, hall: Hall) -> None:
        hall.open(1)
        assert hall.ahead_of(hall.called(1)) is None


def test_a_long_queue_is_in_one_order(hall: Hall) -> None:
    """The list that a window sees is the queue, whatever the classes."""
    hall.open(1)
    for place in range(400):
        hall.take(cls=("normal", "priority", "appointment")[place % 3])
        hall.wait(seconds=7)
    assert hall.next_for(1) == hall.waiting()
    candidate = first(hall.state, hall.window(1))
    assert candidate is not None
    assert hall.state.tickets[candidate.ticket].number == hall.waiting()[0]
