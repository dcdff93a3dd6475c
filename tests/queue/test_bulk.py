"""A past period is put into the journal through the same rules, with its own times."""

import pytest

from tests.queue.office import MONDAY, TUESDAY, Clock, Office, bulk_of, office
from tinghao.queue import commands as ask
from tinghao.queue.clock import at_time, day_end
from tinghao.queue.journal import Bulk
from tinghao.queue.refusals import Refusal

ZONE = "Asia/Shanghai"


def a_day(bulk: Bulk, day: int, citizens: int) -> None:
    """One window serves everybody, a minute each."""
    machine = at_time(TUESDAY, "20:00", ZONE)
    at = at_time(day, "09:00", ZONE)
    bulk.run(ask.Open(window=1, staff=1), at, machine)
    for _ in range(citizens):
        for command in (
            ask.Take(category="social"),
            ask.CallNext(window=1),
            ask.Start(window=1),
            ask.Finish(window=1),
        ):
            at += 15_000_000
            bulk.run(command, at, machine)
    bulk.run(ask.Tick(), day_end(day, ZONE), machine)


async def test_an_imported_period_is_as_if_it_had_been_lived(at_desk: Office) -> None:
    bulk = bulk_of(at_desk)
    a_day(bulk, MONDAY, 300)
    a_day(bulk, TUESDAY, 10)
    bulk.flush(0)
    await at_desk.desk.confirm()
    assert at_desk.state == bulk.state == at_desk.stored() == at_desk.refolded()
    assert at_desk.verify().faults == ()
    days = at_desk.sql("SELECT day, count(*) FROM tickets GROUP BY day ORDER BY day")
    assert days == [(MONDAY, 300), (TUESDAY, 10)]
    first = at_desk.sql("SELECT min(taken_at) FROM tickets")[0][0]
    assert first == at_time(MONDAY, "09:00", ZONE) + 15_000_000


async def test_it_is_written_in_transactions_of_about_a_thousand_entries(at_desk: Office) -> None:
    """A machine that stops in the middle leaves whole commands, and says how far it came."""
    bulk = bulk_of(at_desk)
    a_day(bulk, MONDAY, 600)
    written = at_desk.stored().seq
    assert 2000 <= written < bulk.state.seq
    assert at_desk.verify().faults == ()


async def test_citizens_who_left_are_imported_too(at_desk: Office) -> None:
    bulk = bulk_of(at_desk)
    at = at_time(MONDAY, "09:00", ZONE)
    (*_, taken) = bulk.run(ask.Take(category="social"), at, 0)
    bulk.run(ask.Cancel(ticket=taken.seq), at + 1, 0)
    bulk.flush(0)
    assert at_desk.sql("SELECT number, state FROM tickets") == [("A001", "cancelled")]


async def test_a_refused_step_leaves_no_day_opened(at_desk: Office) -> None:
    bulk = bulk_of(at_desk)
    with pytest.raises(Refusal):
        bulk.run(ask.CallNext(window=1), at_time(MONDAY, "09:00", ZONE), 0)
    assert bulk.state.day is None
    bulk.flush(0)
    assert at_desk.kinds() == ["hall-configured"]


async def test_only_into_a_hall_that_is_empty(at_desk: Office) -> None:
    await at_desk.open(1)
    with pytest.raises(Refusal) as refused:
        bulk_of(at_desk, TUESDAY)
    assert refused.value.slug == "not-empty"
    await at_desk.do(ask.Close(window=1))
    await at_desk.take()
    with pytest.raises(Refusal) as refused:
        bulk_of(at_desk, TUESDAY)
    assert refused.value.slug == "not-empty"


async def test_only_behind_what_is_there(at_desk: Office) -> None:
    await at_desk.open(1)
    await at_desk.do(ask.Close(window=1))
    with pytest.raises(Refusal) as refused:
        bulk_of(at_desk, MONDAY)
    assert refused.value.slug == "not-older"


async def test_somebody_else_s_command_meanwhile_stops_it(at_desk: Office) -> None:
    """Nothing of the batch is written: two histories never mix."""
    bulk = bulk_of(at_desk)
    bulk.run(ask.Take(category="social"), at_time(MONDAY, "08:00", ZONE), 0)
    await at_desk.take()
    with pytest.raises(RuntimeError, match="cannot follow"):
        bulk.flush(0)
    assert at_desk.state == at_desk.stored() == at_desk.refolded()


async def test_the_hall_goes_on_after_it(prepared: str) -> None:
    clock = Clock()
    async with office(prepared, clock) as made:
        bulk = bulk_of(made)
        a_day(bulk, MONDAY, 3)
        bulk.flush(0)
        clock.shows("09:00", TUESDAY)
        assert await made.take() == "A001"
        assert made.state.day == TUESDAY
        assert made.verify().faults == ()
