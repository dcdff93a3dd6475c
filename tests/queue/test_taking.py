"""Taking a number, and what a number is."""

import pytest

from tests.queue.hall import ESTATE, TUESDAY, WEDNESDAY, Hall, with_policy, with_social
from tinghao.queue.model import MINUTE, Item


def test_numbers_of_a_category_run_from_001_without_a_gap(hall: Hall) -> None:
    assert [hall.take() for _ in range(4)] == ["A001", "A002", "A003", "A004"]


def test_each_category_has_its_own_letter_and_numbers(hall: Hall) -> None:
    taken = [hall.take(category) for category in ("social", "estate", "estate", "social")]
    assert taken == ["A001", "B001", "B002", "A002"]


def test_the_thousandth_number_has_four_digits(hall: Hall) -> None:
    numbers = [hall.take() for _ in range(1000)]
    assert numbers[998:] == ["A999", "A1000"]


def test_a_refused_take_uses_up_no_number(hall: Hall) -> None:
    hall.take()
    with hall.refuses("unknown-category", "invalid"):
        hall.take("passports")
    assert hall.take() == "A002"


def test_a_number_that_was_cancelled_is_not_given_again(hall: Hall) -> None:
    hall.cancel(hall.take())
    assert hall.take() == "A002"


def test_a_new_day_starts_at_001(hall: Hall) -> None:
    hall.take_many(3)
    hall.clock_shows("09:00", WEDNESDAY)
    assert hall.take() == "A001"


def test_a_new_letter_starts_at_001(hall: Hall) -> None:
    hall.take_many(3)
    hall.configure(with_social(prefix="S"))
    assert hall.take() == "S001"


class TestTheCap:
    @pytest.fixture
    def full(self) -> Hall:
        hall = Hall(with_social(daily_cap=3))
        hall.take_many(3)
        return hall

    def test_a_full_day_gives_no_further_number(self, full: Hall) -> None:
        with full.refuses("day-full"):
            full.take()

    def test_cancelling_makes_no_room(self, full: Hall) -> None:
        """The cap is of numbers given: what a hall can do in a day is planned by it."""
        full.cancel("A001")
        with full.refuses("day-full"):
            full.take()

    def test_the_other_categories_go_on(self, full: Hall) -> None:
        assert full.take("estate") == "B001"

    def test_the_next_day_gives_numbers_again(self, full: Hall) -> None:
        full.clock_shows("09:00", WEDNESDAY)
        assert full.take() == "A001"

    def test_a_paper_entry_counts_too(self) -> None:
        hall = Hall(with_social(daily_cap=1), clock="11:00")
        hall.open(1)
        hall.enter_paper(1, ("09:00", "09:10", "09:20"))
        with hall.refuses("day-full"):
            hall.take()


class TestHours:
    def test_a_closed_category_gives_no_numbers(self) -> None:
        hall = Hall(with_social(open=False))
        with hall.refuses("category-closed"):
            hall.take()
        assert hall.take("estate") == "B001"

    def test_the_last_numbers_are_given_before_the_last_take(self) -> None:
        hall = Hall(with_social(last_take="16:30"), clock="16:29")
        hall.take()
        hall.clock_shows("16:30")
        with hall.refuses("too-late"):
            hall.take()
        assert hall.take("estate") == "B001"

    def test_who_waits_at_the_last_take_is_still_called(self) -> None:
        hall = Hall(with_social(last_take="16:30"), clock="16:29")
        number = hall.take()
        hall.clock_shows("16:45")
        hall.open(1)
        assert hall.call_next(1) == number

    @pytest.mark.parametrize("clock", ["08:59", "17:00", "00:00", "23:59"])
    def test_a_strict_hall_gives_numbers_in_its_hours_only(self, clock: str) -> None:
        hall = Hall(with_policy(refuse_outside_hours=True), clock=clock)
        with hall.refuses("hall-closed"):
            hall.take()

    @pytest.mark.parametrize("clock", ["09:00", "12:30", "16:59"])
    def test_within_its_hours_it_does(self, clock: str) -> None:
        assert Hall(with_policy(refuse_outside_hours=True), clock=clock).take() == "A001"

    def test_a_lenient_hall_gives_numbers_at_any_hour(self) -> None:
        assert Hall(clock="05:00").take() == "A001"

    @pytest.mark.parametrize(
        ("day", "works"),
        [
            (2026_11_24, True),  # a Tuesday
            (2026_11_28, False),  # a Saturday
            (2026_10_01, False),  # the National Day, a Thursday
            (2026_10_10, True),  # a Saturday that is worked for it
        ],
    )
    def test_a_strict_hall_keeps_the_days_of_rest(self, day: int, works: bool) -> None:
        hall = Hall(with_policy(refuse_outside_hours=True), day=day, clock="10:00")
        if works:
            assert hall.take() == "A001"
        else:
            with hall.refuses("hall-closed"):
                hall.take()


class TestPriority:
    @pytest.mark.parametrize(
        ("asked", "minutes"),
        [({}, 15), ({"cls": "priority", "ground": "elderly"}, 5), ({"cls": "appointment"}, 5)],
        ids=["normal", "priority", "appointment"],
    )
    def test_a_class_is_a_target(self, hall: Hall, asked: dict[str, str], minutes: int) -> None:
        number = hall.take(**asked)
        assert hall.ticket(number).stage.due == hall.now + minutes * MINUTE

    def test_an_appointment_counts_from_its_slot(self, hall: Hall) -> None:
        number = hall.take(cls="appointment", appointment=hall.at("09:40"))
        assert hall.ticket(number).stage.due == hall.at("09:45")

    def test_who_comes_late_to_his_slot_counts_from_coming(self, hall: Hall) -> None:
        number = hall.take(cls="appointment", appointment=hall.at("08:30"))
        assert hall.ticket(number).stage.due == hall.at("09:05")

    def test_targets_are_the_halls_own(self) -> None:
        hall = Hall(with_policy(normal_minutes=30, priority_minutes=1))
        plain, quick = hall.take(), hall.take(cls="priority")
        dues = [(hall.ticket(each).stage.due - hall.now) // MINUTE for each in (plain, quick)]
        assert dues == [30, 1]

    @pytest.mark.parametrize(
        "asked", [{"cls": "vip"}, {"cls": "priority", "ground": "mayor"}], ids=["class", "ground"]
    )
    def test_there_are_no_other_classes_or_grounds(self, hall: Hall, asked: dict[str, str]) -> None:
        with hall.refuses("priority", "invalid"):
            hall.take(**asked)


class TestItems:
    @pytest.fixture
    def hall(self) -> Hall:
        return Hall(with_social(items=(Item("pension", "养老保险"), Item("card", "社保卡"))))

    def test_the_matter_stands_on_the_ticket(self, hall: Hall) -> None:
        assert hall.ticket(hall.take(item="card")).item == "card"

    def test_a_matter_of_another_category_is_refused(self, hall: Hall) -> None:
        with hall.refuses("unknown-item", "invalid"):
            hall.take(item="mortgage")

    def test_a_category_without_a_catalogue_takes_any_code(self, hall: Hall) -> None:
        assert hall.ticket(hall.take("estate", item="410900-T.12")).item == "410900-T.12"

    @pytest.mark.parametrize("words", ["张伟 的房产证", "two words", "x" * 65, ""])
    def test_but_no_words(self, hall: Hall, words: str) -> None:
        with hall.refuses("unknown-item", "invalid"):
            hall.take("estate", item=words)


class TestPaper:
    """While the server is down the hall calls from paper."""

    @pytest.fixture
    def hall(self) -> Hall:
        hall = Hall(clock="11:00")
        hall.open(1)
        return hall

    def test_who_was_served_from_paper_is_entered_with_his_times(self, hall: Hall) -> None:
        hall.take()
        number = hall.enter_paper(1, ("09:10", "09:30", "09:40"))
        ticket = hall.ticket(number)
        assert (number, ticket.state, ticket.channel) == ("A002", "finished", "paper")
        times = (ticket.taken_at, ticket.first_called_at, ticket.settled_at)
        assert times == (hall.at("09:10"), hall.at("09:30"), hall.at("09:40"))

    def test_it_is_marked_as_entered_afterwards(self, hall: Hall) -> None:
        hall.enter_paper(1, ("09:10", "09:30", "09:40"))
        entry = hall.entries[-1]
        assert (entry.event.kind, entry.at) == ("paper-entered", hall.at("11:00"))

    def test_it_counts_as_taken_called_and_finished(self, hall: Hall) -> None:
        hall.enter_paper(1, ("09:10", "09:20", "09:40"))
        hall.enter_paper(1, ("09:10", "09:30", "09:40"))
        tally = hall.state.tallies["social"]
        assert (tally.taken, tally.called, tally.finished, tally.within_target) == (2, 2, 2, 1)

    def test_it_counts_in_the_half_hours_in_which_it_happened(self, hall: Hall) -> None:
        hall.enter_paper(1, ("09:10", "09:30", "09:40"))
        counts = {at: (each.taken, each.called) for at, each in hall.state.half_hours.items()}
        assert counts == {18: (1, 0), 19: (0, 1)}

    @pytest.mark.parametrize(
        "times",
        [
            ("09:30", "09:10", "09:40"),
            ("09:10", "09:40", "09:30"),
            ("09:10", "09:30", "11:01"),
        ],
        ids=["called before taken", "finished before called", "in the future"],
    )
    def test_times_must_be_in_order_and_past(self, hall: Hall, times: tuple[str, str, str]) -> None:
        with hall.refuses("paper-times", "invalid"):
            hall.enter_paper(1, times)

    def test_times_must_be_of_today(self, hall: Hall) -> None:
        hall.clock_shows("00:30", WEDNESDAY)
        hall.open(1)
        with hall.refuses("paper-times", "invalid"):
            hall.enter_paper(1, (hall.at("23:50", TUESDAY), "00:10", "00:20"))

    def test_a_result_is_one_of_two(self, hall: Hall) -> None:
        with hall.refuses("result", "invalid"):
            hall.enter_paper(1, ("09:10", "09:30", "09:40"), result="张伟 was here")


def test_two_categories_with_letters_that_begin_alike_keep_apart() -> None:
    hall = Hall(with_social(prefix="BA"))
    assert [hall.take("social"), hall.take(ESTATE.code)] == ["BA001", "B001"]
