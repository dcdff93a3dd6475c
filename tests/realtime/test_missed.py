"""Calls read back from the journal, on each kind of database."""

from collections.abc import AsyncIterator

import pytest

from tests.queue.office import CODE, Office, office
from tinghao.queue.commands import NoShow, Recall
from tinghao.queue.model import Call
from tinghao.realtime.missed import journal_calls


@pytest.fixture
async def at_desk(prepared: str) -> AsyncIterator[Office]:
    async with office(prepared) as made:
        yield made


async def test_the_journal_tells_the_calls_that_the_live_state_once_had(at_desk: Office) -> None:
    told: list[Call] = []
    at_desk.desk.live(CODE).listen(
        lambda before, after, _: told.extend(c for c in after.calls if c.id > before.seq)
    )
    await at_desk.open(1)
    for _ in range(4):
        await at_desk.take()
        await at_desk.call_next(1)
        await at_desk.do(Recall(window=1))
        at_desk.clock.wait(minutes=2)
        await at_desk.do(NoShow(window=1))
    load = journal_calls(at_desk.database.read, at_desk.desk.rooms)
    head = at_desk.state.seq
    assert await load(CODE, 0, head, 100) == told
    middle = told[3].id
    assert await load(CODE, middle, head, 100) == told[4:]
    assert await load(CODE, 0, middle, 100) == told[:4]
    assert await load(CODE, 0, head, 8) == told
    assert await load(CODE, 0, head, 7) is None
    assert await load("elsewhere", 0, head, 100) == []
