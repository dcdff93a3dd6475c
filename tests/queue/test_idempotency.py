"""A retried command is answered again, not done again (`Idempotency-Key`)."""

import asyncio

import pytest

from tests.queue.office import TUESDAY, Office, answered, office
from tinghao.queue import commands as ask
from tinghao.queue.journal.answers import forget_old
from tinghao.queue.refusals import Refusal


async def test_a_retried_take_gives_the_same_number(at_desk: Office) -> None:
    assert await at_desk.take(key="k") == "A001"
    assert await at_desk.take(key="k") == "A001"
    assert at_desk.kinds().count("ticket-taken") == 1
    assert await at_desk.take() == "A002"


async def test_a_retried_call_does_not_call_a_second_citizen(at_desk: Office) -> None:
    await at_desk.open(1)
    await at_desk.take()
    await at_desk.take()
    assert [await at_desk.call_next(1, key="k") for _ in range(3)] == ["A001"] * 3
    assert at_desk.waiting() == ["A002"]


async def test_the_answer_says_that_it_is_an_old_one(at_desk: Office) -> None:
    take = ask.Take(category="social")
    first = await at_desk.do(take, key="k", answer=lambda done: done.state.seq)
    again = await at_desk.do(take, key="k", answer=lambda done: done.state.seq)
    assert (first.replayed, again.replayed) == (False, True)
    assert answered(first) == answered(again)


async def test_twenty_retries_at_once_do_it_once(at_desk: Office) -> None:
    numbers = await asyncio.gather(*(at_desk.take(key="k") for _ in range(20)))
    assert set(numbers) == {"A001"}
    assert at_desk.waiting() == ["A001"]


async def test_also_at_two_servers(prepared: str) -> None:
    async with office(prepared) as one, office(prepared) as two:
        numbers = await asyncio.gather(*(at.take(key="k") for _ in range(10) for at in (one, two)))
        assert set(numbers) == {"A001"}
        assert one.stored().counters == {"A": 1}


async def test_a_retry_after_a_restart_is_still_known(prepared: str) -> None:
    async with office(prepared) as before:
        await before.take(key="k")
    async with office(prepared) as after:
        assert await after.take(key="k") == "A001"


async def test_another_request_under_the_same_key_is_refused(at_desk: Office) -> None:
    await at_desk.take(key="k", fingerprint="one body")
    with pytest.raises(Refusal) as refused:
        await at_desk.take("estate", key="k", fingerprint="another body")
    assert (refused.value.slug, refused.value.kind) == ("key-reused", "conflict")
    assert at_desk.kinds().count("ticket-taken") == 1


async def test_two_callers_may_use_the_same_key(at_desk: Office) -> None:
    numbers = [await at_desk.take(key="k", caller=caller) for caller in ("token:1", "token:2")]
    assert numbers == ["A001", "A002"]


async def test_a_refusal_is_not_remembered(at_desk: Office) -> None:
    """The clerk opens the window and tries again: now it works."""
    await at_desk.take()
    with pytest.raises(Refusal):
        await at_desk.call_next(1, key="k")
    await at_desk.open(1)
    assert await at_desk.call_next(1, key="k") == "A001"


async def test_that_nobody_waited_is_not_remembered(at_desk: Office) -> None:
    await at_desk.open(1)
    assert await at_desk.call_next(1, key="k") is None
    await at_desk.take()
    assert await at_desk.call_next(1, key="k") == "A001"


async def test_a_failed_command_is_not_remembered(at_desk: Office) -> None:
    def fail(done: object) -> None:
        raise OSError("no paper")

    with pytest.raises(OSError, match="no paper"):
        await at_desk.do(ask.Take(category="social"), key="k", answer=fail)
    assert await at_desk.take(key="k") == "A001"


async def test_an_answer_is_kept_for_24_hours(at_desk: Office) -> None:
    await at_desk.take(key="k")
    at_desk.clock.shows("08:59", TUESDAY)
    assert await at_desk.take(key="k") == "A001"
    assert at_desk.state.day == 2026_01_19  # only looked up: not even the day was closed
    at_desk.clock.shows("09:01", TUESDAY)
    await at_desk.take()
    assert await at_desk.take(key="k") == "A002"
    assert await at_desk.take(key="k") == "A002"


async def test_old_answers_are_cleared_away(at_desk: Office) -> None:
    await at_desk.take(key="old")
    at_desk.clock.wait(minutes=23 * 60)
    await at_desk.take(key="young")
    at_desk.clock.wait(minutes=2 * 60)
    cleared = await at_desk.database.write(
        lambda connection: forget_old(connection, at_desk.clock.now)
    )
    assert cleared == 1
    assert at_desk.sql("SELECT key FROM answers") == [("young",)]
