"""The life of a ticket, as citizens and clerks see it (DOMAIN 3)."""

import pytest

from tests.queue.hall import WEDNESDAY, Hall, with_policy


def test_the_plain_way_is_waiting_called_serving_finished(hall: Hall) -> None:
    hall.open(1)
    number = hall.take()
    lived = [hall.ticket(number).state]
    for step in (hall.call_next, hall.start, hall.finish):
        hall.wait(minutes=2)
        step(1)
        lived.append(hall.ticket(number).state)
    assert lived == ["waiting", "called", "serving", "finished"]


def test_each_step_of_a_ticket_has_its_own_time(hall: Hall) -> None:
    hall.open(1)
    number = hall.take()
    for step, clock in ((hall.call_next, "09:10"), (hall.start, "09:12"), (hall.finish, "09:20")):
        hall.clock_shows(clock)
        step(1)
    ticket = hall.ticket(number)
    times = (
        ticket.taken_at,
        ticket.first_called_at,
        ticket.stage.started_at,
        ticket.settled_at,
    )
    assert times == tuple(hall.at(clock) for clock in ("09:00", "09:10", "09:12", "09:20"))


def test_a_called_number_can_be_called_again(hall: Hall) -> None:
    hall.open(1)
    number = hall.called(1)
    hall.wait(seconds=30)
    hall.recall(1)
    assert hall.ticket(number).state == "called"
    assert [(call.number, call.window, call.attempt) for call in hall.state.calls] == [
        (number, 1, 1),
        (number, 1, 2),
    ]


def test_a_recall_does_not_move_the_first_call(hall: Hall) -> None:
    """The wait ends with the first call, however often the number is called."""
    hall.open(1)
    number = hall.called(1)
    first = hall.now
    hall.wait(minutes=1)
    hall.recall(1)
    assert hall.ticket(number).first_called_at == first
    assert hall.ticket(number).stage.called_at == first


def test_a_finished_number_leaves_the_window_free_for_the_next(hall: Hall) -> None:
    hall.open(1)
    first, second = hall.take(), hall.take()
    assert hall.call_next(1) == first
    hall.start(1)
    hall.finish(1)
    assert hall.in_hand(1) is None
    assert hall.call_next(1) == second


def test_not_done_keeps_its_reason(hall: Hall) -> None:
    hall.open(1)
    number = hall.serving(1)
    hall.finish(1, result="not-done", reason="materials")
    assert hall.ticket(number).result == "not-done"
    assert hall.ticket(number).reason == "materials"


def test_a_matter_may_be_marked_complex(hall: Hall) -> None:
    hall.open(1)
    number = hall.serving(1)
    hall.finish(1, complex=True)
    assert hall.ticket(number).complex


class TestLeaving:
    def test_a_citizen_who_leaves_is_called_no_more(self, hall: Hall) -> None:
        hall.open(1)
        gone, stays = hall.take(), hall.take()
        hall.cancel(gone)
        assert hall.states()[gone] == "cancelled"
        assert hall.call_next(1) == stays

    def test_letting_three_others_go_first(self, hall: Hall) -> None:
        polite, *others = hall.take_many(6)
        hall.defer(polite)
        assert hall.waiting() == [*others[:3], polite, *others[3:]]

    def test_with_fewer_behind_one_goes_to_the_end(self, hall: Hall) -> None:
        polite, *others = hall.take_many(3)
        hall.defer(polite, places=20)
        assert hall.waiting() == [*others, polite]

    def test_letting_one_go_first_again_and_again_ends_at_the_end(self, hall: Hall) -> None:
        polite, *others = hall.take_many(4)
        for _ in others:
            hall.defer(polite, places=1)
        assert hall.waiting() == [*others, polite]

    def test_two_who_let_the_same_go_first_keep_the_order_of_their_wish(self, hall: Hall) -> None:
        one, two, three, four = hall.take_many(4)
        hall.defer(one, places=2)
        hall.defer(two, places=1)
        assert hall.waiting() == [three, one, two, four]


class TestNotComing:
    def test_who_does_not_come_is_a_no_show(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.missed(1)
        assert hall.states()[number] == "no-show"
        assert hall.in_hand(1) is None

    @pytest.mark.parametrize(
        ("recalls", "seconds", "early"),
        [(0, 59, True), (0, 60, False), (1, 5, False)],
        ids=["at once", "after a minute", "after a recall"],
    )
    def test_giving_up_too_soon_is_noted(
        self, hall: Hall, recalls: int, seconds: int, early: bool
    ) -> None:
        """It is a finding for supervision, not a refusal: the hall goes on."""
        hall.open(1)
        hall.called(1)
        for _ in range(recalls):
            hall.recall(1)
        hall.wait(seconds=seconds)
        hall.no_show(1)
        assert hall.entries[-1].event.early is early

    def test_who_comes_after_all_waits_behind_the_next_three(self, hall: Hall) -> None:
        hall.open(1)
        late = hall.missed(1)
        others = hall.take_many(5)
        hall.wait(minutes=29)
        hall.bring_back(1, late, reason="came-back")
        assert hall.waiting() == [*others[:3], late, *others[3:]]

    def test_who_comes_after_all_and_finds_nobody_is_next(self, hall: Hall) -> None:
        hall.open(1)
        late = hall.missed(1)
        hall.bring_back(1, late)
        assert hall.call_next(1) == late

    def test_who_came_after_all_is_absent_no_more(self, hall: Hall) -> None:
        """The end of the grace is no concern of his, and at midnight he expires like all."""
        hall.open(1)
        late = hall.missed(1)
        hall.bring_back(1, late)
        assert hall.state.absent == ()
        hall.wait(minutes=45)
        hall.tick()
        assert "grace-ended" not in hall.happened()
        hall.clock_shows("00:00", WEDNESDAY)
        hall.tick()
        assert hall.states()[late] == "expired"

    def test_any_window_may_take_him_back(self, hall: Hall) -> None:
        """The guide at the entrance does not know which window it was; a closed one will do."""
        hall.open(1)
        late = hall.missed(1)
        hall.bring_back(3, late)
        assert hall.states()[late] == "waiting"

    def test_he_may_come_back_once_only(self, hall: Hall) -> None:
        hall.open(1)
        late = hall.missed(1)
        hall.bring_back(1, late)
        assert hall.missed(1) == late
        with hall.refuses("already-settled"):
            hall.bring_back(1, late)

    def test_after_half_an_hour_it_is_too_late(self, hall: Hall) -> None:
        hall.open(1)
        late = hall.missed(1)
        hall.wait(minutes=30)
        with hall.refuses("already-settled"):
            hall.bring_back(1, late)
        assert hall.states()[late] == "no-show"

    def test_the_end_of_his_grace_stands_at_its_own_time(self, hall: Hall) -> None:
        """Nobody has to be there at that moment: the next command finds it."""
        hall.open(1)
        hall.missed(1)
        end = hall.now + 30 * 60_000_000
        hall.wait(minutes=47)
        hall.take()
        ended = hall.entries[-2]
        assert (ended.event.kind, ended.at, ended.by) == ("grace-ended", end, "hall")

    def test_he_may_be_called_by_his_number_meanwhile(self, hall: Hall) -> None:
        hall.open(1)
        late = hall.missed(1)
        assert hall.call(1, late) == late
        assert hall.states()[late] == "called"

    def test_called_by_his_number_he_has_used_his_return(self, hall: Hall) -> None:
        hall.open(1)
        late = hall.missed(1)
        hall.call(1, late)
        hall.no_show(1)
        with hall.refuses("already-settled"):
            hall.call(1, late)

    def test_a_clerk_sending_one_back_costs_the_citizen_no_grace(self, hall: Hall) -> None:
        """The clerk's slip is not the citizen's absence: he may still be missed and come back."""
        hall.open(1)
        number = hall.called(1)
        hall.bring_back(1)
        assert hall.missed(1) == number
        hall.bring_back(1, number)
        assert hall.states()[number] == "waiting"

    def test_a_hall_without_grace_lets_nobody_come_back(self) -> None:
        hall = Hall(with_policy(grace_minutes=0))
        hall.open(1)
        late = hall.missed(1)
        with hall.refuses("already-settled"):
            hall.bring_back(1, late)


class TestSendingBack:
    def test_a_called_number_goes_back_to_its_place(self, hall: Hall) -> None:
        hall.open(1)
        first, second = hall.take_many(2)
        hall.call_next(1)
        hall.bring_back(1)
        assert hall.waiting() == [first, second]
        assert hall.in_hand(1) is None

    def test_a_number_on_hold_goes_back_to_its_place(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.held(1)
        hall.take()
        hall.bring_back(1, number)
        assert hall.next_for(1)[0] == number
        assert hall.window(1).held == ()

    def test_its_wait_was_over_with_the_first_call(self, hall: Hall) -> None:
        """A call that went wrong is not counted again, the citizen was called within target."""
        hall.open(1)
        hall.called(1)
        hall.bring_back(1)
        hall.wait(minutes=40)
        hall.called(1)
        tally = hall.state.tallies["social"]
        assert (tally.called, tally.within_target) == (1, 1)


class TestHolding:
    def test_a_held_number_frees_the_window_for_another(self, hall: Hall) -> None:
        hall.open(1)
        fetching, other = hall.take_many(2)
        hall.serving(1)
        hall.hold(1)
        assert hall.states()[fetching] == "held"
        assert hall.serving(1) == other

    def test_a_held_number_is_served_on_at_the_same_window(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.held(1)
        hall.resume_ticket(1, number)
        assert hall.states()[number] == "serving"
        assert (hall.in_hand(1), hall.window(1).held) == (number, ())

    def test_the_time_on_hold_is_not_handling_time(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.serving(1)
        hall.wait(minutes=3)
        hall.hold(1)
        hall.wait(minutes=40)
        hall.resume_ticket(1, number)
        hall.wait(minutes=2)
        hall.finish(1)
        assert hall.window(1).handling == (5 * 60_000_000,)

    def test_several_may_be_on_hold_at_one_window(self, hall: Hall) -> None:
        hall.open(1)
        first, second = hall.held(1), hall.held(1)
        hall.resume_ticket(1, second)
        hall.finish(1)
        hall.resume_ticket(1, first)
        assert hall.in_hand(1) == first

    def test_a_number_may_be_named_as_people_write_it(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.held(1)
        hall.resume_ticket(1, f" {number.lower()} ")
        assert hall.in_hand(1) == number

    def test_what_is_on_hold_stays_for_whoever_sits_there_next(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.held(1)
        hall.close(1)
        hall.open(1, staff=9)
        hall.resume_ticket(1, number)
        assert hall.in_hand(1) == number


class TestTransferring:
    def test_a_transferred_number_keeps_its_take_and_waits_anew(self, hall: Hall) -> None:
        hall.open(1, 3)
        number = hall.serving(1)
        taken = hall.ticket(number).taken_at
        hall.wait(minutes=20)
        hall.transfer(1, "estate")
        ticket = hall.ticket(number)
        assert (ticket.state, ticket.category) == ("waiting", "estate")
        assert (ticket.taken_at, ticket.stage.no) == (taken, 2)
        assert ticket.stage.entered_at == hall.now
        assert ticket.stage.due == hall.now + 5 * 60_000_000
        assert hall.call_next(3) == number

    def test_each_stage_of_a_visit_is_a_wait_of_its_own(self, hall: Hall) -> None:
        hall.open(1, 3)
        hall.serving(1)
        hall.transfer(1, "estate")
        hall.wait(minutes=16)
        hall.served(3)
        social, estate = hall.state.tallies["social"], hall.state.tallies["estate"]
        assert (social.taken, social.called, social.within_target, social.finished) == (1, 1, 1, 0)
        assert (estate.taken, estate.called, estate.within_target, estate.finished) == (0, 1, 0, 1)

    def test_a_called_number_may_be_transferred_before_it_comes(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.called(1)
        hall.transfer(1, "estate")
        assert hall.waiting("estate") == [number]
        assert hall.in_hand(1) is None

    def test_a_transfer_to_a_window_is_called_there_first(self, hall: Hall) -> None:
        hall.open(1, 2)
        number = hall.serving(1)
        hall.take_many(3)
        hall.transfer(1, to_window=2)
        assert hall.next_for(2)[0] == number
        assert number not in hall.next_for(1)

    def test_a_transfer_to_a_window_goes_into_a_queue_it_serves(self, hall: Hall) -> None:
        hall.open(1, 3)
        number = hall.serving(1)
        hall.transfer(1, to_window=3)
        assert hall.ticket(number).category == "estate"

    def test_a_transfer_gives_a_new_grace(self, hall: Hall) -> None:
        """Who came back once at the first window may still be missed once at the second."""
        hall.open(1, 3)
        number = hall.missed(1)
        hall.bring_back(1, number)
        hall.serving(1)
        hall.transfer(1, "estate")
        assert hall.missed(3) == number
        hall.bring_back(3, number)
        assert hall.states()[number] == "waiting"


class TestUndoing:
    def test_a_wrong_finish_is_taken_back(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.serving(1)
        before = hall.ticket(number)
        hall.finish(1)
        hall.wait(seconds=60)
        hall.undo(1)
        assert hall.ticket(number) == before
        assert hall.in_hand(1) == number
        assert hall.state.tallies["social"].finished == 0
        assert (hall.window(1).finished, hall.window(1).handling) == (0, ())

    def test_a_wrong_no_show_is_taken_back(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.missed(1)
        hall.undo(1)
        assert (hall.states()[number], hall.in_hand(1)) == ("called", number)
        assert hall.state.tallies["social"].no_shows == 0
        assert hall.state.absent == ()

    def test_after_a_minute_it_stays(self, hall: Hall) -> None:
        hall.open(1)
        hall.served(1)
        hall.wait(seconds=60.000001)
        with hall.refuses("nothing-to-undo"):
            hall.undo(1)

    def test_after_the_next_call_it_stays(self, hall: Hall) -> None:
        hall.open(1)
        hall.served(1)
        hall.served(1)
        hall.undo(1)  # the second one
        hall.finish(1)
        hall.called(1)
        hall.bring_back(1)
        with hall.refuses("nothing-to-undo"):
            hall.undo(1)

    def test_only_once(self, hall: Hall) -> None:
        hall.open(1)
        hall.served(1)
        hall.undo(1)
        hall.hold(1)
        with hall.refuses("nothing-to-undo"):
            hall.undo(1)

    def test_not_once_the_citizen_has_rated(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.served(1)
        hall.rate(number)
        with hall.refuses("nothing-to-undo"):
            hall.undo(1)

    def test_not_once_the_citizen_is_back_in_the_queue(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.missed(1)
        hall.bring_back(1, number)
        with hall.refuses("nothing-to-undo"):
            hall.undo(1)

    def test_not_once_another_window_has_called_him(self, hall: Hall) -> None:
        hall.open(1, 2)
        number = hall.missed(1)
        hall.call(2, number)
        with hall.refuses("nothing-to-undo"):
            hall.undo(1)
        assert hall.in_hand(2) == number

    def test_not_at_another_window(self, hall: Hall) -> None:
        hall.open(1, 2)
        hall.served(1)
        with hall.refuses("nothing-to-undo"):
            hall.undo(2)

    def test_not_by_the_next_clerk(self, hall: Hall) -> None:
        hall.open(1)
        hall.served(1)
        hall.close(1)
        hall.open(1, staff=9)
        with hall.refuses("nothing-to-undo"):
            hall.undo(1)

    def test_a_finish_taken_back_can_be_finished_again(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.served(1)
        hall.undo(1)
        hall.finish(1, result="not-done", reason="materials")
        assert hall.ticket(number).result == "not-done"
        assert hall.state.tallies["social"].finished == 1

    def test_the_estimate_forgets_the_right_handling_time(self, hall: Hall) -> None:
        """Another window finished meanwhile: its handling time is not the one to forget."""
        hall.open(1, 2)
        hall.serving(1)
        hall.serving(2)
        hall.wait(minutes=2)
        hall.finish(1)
        hall.wait(seconds=30)
        hall.finish(2)
        hall.undo(1)
        assert hall.state.handling["social"] == (150_000_000,)

    def test_a_hall_may_allow_more_undo_than_grace(self) -> None:
        hall = Hall(with_policy(grace_minutes=0, undo_seconds=60))
        hall.open(1)
        number = hall.missed(1)
        hall.wait(seconds=30)
        hall.tick()
        hall.undo(1)
        assert (hall.states()[number], hall.in_hand(1)) == ("called", number)


class TestReleasing:
    @pytest.mark.parametrize("stuck", ["called", "serving", "held"])
    @pytest.mark.parametrize("outcome", ["waiting", "finished", "no-show", "cancelled"])
    def test_a_manager_frees_a_stuck_number(self, hall: Hall, stuck: str, outcome: str) -> None:
        hall.open(1)
        number = getattr(hall, stuck)(1)
        hall.release(1, outcome)
        assert hall.states()[number] == outcome
        assert (hall.in_hand(1), hall.window(1).held) == (None, ())
        if outcome != "waiting":
            assert hall.state.tickets == {}

    def test_a_released_number_waits_at_its_old_place(self, hall: Hall) -> None:
        hall.open(1)
        first, second = hall.take_many(2)
        hall.serving(1)
        hall.release(1, "waiting")
        assert hall.waiting() == [first, second]

    def test_one_of_several_on_hold_is_named(self, hall: Hall) -> None:
        hall.open(1)
        first, second = hall.held(1), hall.held(1)
        hall.release(1, "finished", number=first)
        assert hall.states() == {first: "finished", second: "held"}

    def test_at_a_window_that_was_left(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.held(1)
        hall.close(1)
        hall.release(1, "waiting")
        assert hall.waiting() == [number]

    def test_released_as_a_no_show_he_cannot_come_back(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.called(1)
        hall.release(1, "no-show")
        with hall.refuses("already-settled"):
            hall.bring_back(1, number)


class TestRating:
    def test_a_finished_service_is_rated_once(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.served(1)
        hall.rate(number, 4, reasons=("friendly",))
        assert hall.ticket(number).grade == 4
        with hall.refuses("already-rated"):
            hall.rate(number, 1)

    def test_on_another_day(self, hall: Hall) -> None:
        """Also when the hall has not opened yet."""
        hall.open(1)
        number = hall.served(1)
        hall.wait(minutes=5 * 24 * 60)
        hall.rate(number)
        assert hall.ticket(number).grade == 5
        assert hall.state.day is None

    def test_not_after_five_days(self, hall: Hall) -> None:
        hall.open(1)
        number = hall.served(1)
        hall.wait(minutes=5 * 24 * 60, seconds=1)
        with hall.refuses("rating-late"):
            hall.rate(number)
