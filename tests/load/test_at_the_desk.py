"""Two thousand citizens, eight kiosks and sixteen windows at once, at the desk itself."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import msgspec
import pytest

from tests.load.halls import CITIZENS, CROWDED, KIOSKS, WINDOWS, numbers
from tests.queue.office import Office, bulk_of, office, prepare
from tinghao.app.database import Database
from tinghao.queue import commands as ask

pytestmark = pytest.mark.load


@pytest.fixture
async def crowded(database_url: str) -> AsyncIterator[Office]:
    database = Database(database_url)
    prepare(database, CROWDED)
    database.close()
    async with office(database_url) as made:
        yield made


async def everybody_waits(made: Office) -> None:
    """Two thousand citizens have come, some of them with priority."""
    bulk = bulk_of(made)
    for place in range(CITIZENS):
        cls = "priority" if place % 7 == 0 else "normal"
        bulk.run(ask.Take(category="social", cls=cls), made.clock.now, made.clock.now)
        made.clock.wait(seconds=1)
    bulk.flush(made.clock.now)
    await made.desk.confirm()


async def kiosks(made: Office) -> list[str]:
    """Every kiosk gives out one number after the other; all numbers, as they were given."""
    given: list[str] = []

    async def kiosk() -> None:
        for _ in range(CITIZENS // KIOSKS):
            given.append(await made.take())
            made.clock.wait(seconds=0.1)

    await asyncio.gather(*(kiosk() for _ in range(KIOSKS)))
    return given


async def test_eight_kiosks_give_two_thousand_numbers_without_gap_or_double(
    crowded: Office,
) -> None:
    given = await kiosks(crowded)
    assert given == numbers(CITIZENS)
    assert crowded.waiting() == numbers(CITIZENS)
    assert crowded.state == crowded.stored()


async def test_sixteen_windows_call_each_of_two_thousand_once_and_in_due_order(
    crowded: Office,
) -> None:
    await everybody_waits(crowded)
    await crowded.open(*range(1, WINDOWS + 1))
    due = crowded.waiting()
    dice = Random(16)

    async def clerk(window: int) -> list[str]:
        called = []
        while number := await crowded.call_next(window):
            called.append(number)
            if dice.random() < 0.2:
                await crowded.do(ask.Recall(window=window))
                await crowded.do(ask.NoShow(window=window))
            else:
                await crowded.do(ask.Start(window=window))
                await crowded.do(ask.Finish(window=window))
        return called

    by_window = await asyncio.gather(*(clerk(window) for window in range(1, WINDOWS + 1)))
    assert sorted(number for called in by_window for number in called) == sorted(due)
    assert calls_of(crowded) == due
    assert crowded.waiting() == []
    assert all(called for called in by_window)
    assert crowded.state == crowded.stored()
    assert crowded.verify().faults == ()


def calls_of(made: Office) -> list[str]:
    """The numbers called, in the order of the journal."""
    rows = made.sql("SELECT entry FROM journal WHERE kind = 'ticket-called' ORDER BY seq")
    return [msgspec.json.decode(text)["data"]["number"] for (text,) in rows]
