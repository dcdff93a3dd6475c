"""One part after another fails under load: no call is lost, doubled or out of order."""

from pathlib import Path

import pytest

from tests.faults.trial import trial
from tests.load.deployment import deploy
from tests.realtime.test_redis_bus import OwnRedis, own_redis

__all__ = ["own_redis"]
pytestmark = [pytest.mark.load, pytest.mark.redis]


async def test_every_call_reaches_every_screen_once_and_in_order_whatever_fails(
    postgresql_url: str, tmp_path: Path, own_redis: OwnRedis
) -> None:
    deployment = deploy(tmp_path, postgresql_url)
    async with trial(deployment, own_redis) as hall:
        async with hall.working(pause=0.15):
            killed = await hall.phase("a worker is killed", hall.kill_a_worker, 1)
            replaced = await hall.phase("the workers are replaced", hall.replace_workers)
            restarted = await hall.phase("the service is restarted", hall.restart)
        async with hall.working(pause=0.3, one_line=True):
            alone = await hall.phase("Redis is killed", hall.kill_redis, 2)
            stalled = await hall.phase("Redis is stopped", hall.stop_redis, 4)
        assert await hall.prove() > 0
        assert hall.service.said.count("the bus is down") == 4  # each worker, each time
    for phase in (killed, replaced, restarted, alone, stalled):
        assert phase.calls > 0, phase.name
        assert phase.snapshots == 0, phase.name
    for phase in (alone, stalled):
        assert phase.cuts == 0, phase.name
        assert phase.latest < 5, phase.name  # 1.5 s on a machine that has nothing else to do
