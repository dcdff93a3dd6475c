"""Two thousand citizens, eight kiosks and sixteen windows at once, through the API of a server."""

from pathlib import Path

import pytest

from tests.load.asking import Load, kiosks, windows
from tests.load.deployment import deploy, served
from tests.load.halls import CITIZENS, KIOSKS, WINDOWS, numbers
from tests.load.test_at_the_desk import calls_of

pytestmark = pytest.mark.load


async def test_each_number_is_given_once_and_called_once_in_due_order(
    database_url: str, tmp_path: Path
) -> None:
    deployment = deploy(tmp_path, database_url)
    load = Load(
        kiosks(deployment, KIOSKS, takes=CITIZENS // KIOSKS),
        windows(deployment, WINDOWS, "call-next", "no-show"),
    )
    async with served(deployment) as server:
        await load.run(server.url, askers=load.kiosks)
        given = load.told(load.kiosks, "tickets")
        assert sorted(given) == sorted(numbers(CITIZENS))
        await load.run(server.url, askers=load.windows)
        assert await server.stop() == 0
    called = load.told(load.windows, "call-next")
    assert sorted(called) == sorted(numbers(CITIZENS))
    async with deployment.office() as after:
        assert calls_of(after) == numbers(CITIZENS)
        assert after.waiting() == []
        assert after.verify().faults == ()
