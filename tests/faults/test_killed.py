"""`kill -9` in the middle of the load: every acknowledged command is there, and none twice."""

from pathlib import Path

import pytest

from tests.load.asking import Load, kiosks, windows
from tests.load.deployment import Deployment, deploy, served
from tests.load.halls import CITIZENS, KIOSKS, WINDOWS, numbers
from tests.load.test_at_the_desk import calls_of
from tests.queue.office import Office, bulk_of
from tinghao.queue import commands as ask

pytestmark = pytest.mark.load

KILLS = 2
ANSWERS = 250  # between two kills


@pytest.fixture
def deployment(database_url: str, tmp_path: Path) -> Deployment:
    return deploy(tmp_path, database_url)


async def test_nothing_that_was_acknowledged_is_lost_and_nothing_is_done_twice(
    deployment: Deployment,
) -> None:
    async with deployment.office() as before:
        everybody_waits(before)
    load = Load(
        kiosks(deployment, KIOSKS), windows(deployment, WINDOWS, "call-next", "start", "finish")
    )
    cut_off = 0
    for turn in range(1, KILLS + 1):
        async with served(deployment) as server:
            cut_off += await load.run_until_cut(server.url, turn * ANSWERS, server.kill)
    async with served(deployment) as server:
        await load.run(server.url, (KILLS + 1) * ANSWERS)
        assert await server.stop() == 0

    assert cut_off > 0
    code, said, errors = await deployment.command("journal", "verify")
    assert (code, errors) == (0, ""), said
    async with deployment.office() as after:
        assert after.state == after.stored() == after.refolded()
        taken = load.told(load.kiosks, "tickets")
        assert sorted(taken) == sorted(numbers(CITIZENS + len(taken))[CITIZENS:])
        assert after.state.counters == {"A": CITIZENS + len(taken)}
        called = load.told(load.windows, "call-next")
        assert sorted(called) == sorted(calls_of(after))
        assert calls_of(after) == numbers(len(called))
        finished = load.told(load.windows, "finish")
        rows = after.sql("SELECT number FROM tickets WHERE state = 'finished'")
        assert sorted(number for (number,) in rows) == sorted(finished)


def everybody_waits(made: Office) -> None:
    bulk = bulk_of(made, None)
    now = made.clock()
    for _ in range(CITIZENS):
        bulk.run(ask.Take(category="social"), now, now)
    bulk.flush(now)
