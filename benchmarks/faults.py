"""A hall at work on two workers, PostgreSQL and Redis, while one part after another fails.

    python -m benchmarks.faults [--seconds 30]

Witnesses follow every topic through the public client, over connections spread over both workers.
At the end the journal is read back: each call of it must have reached each witness of its topic,
once and in order, and be acknowledged to the window that made it. The figures are the latest frame
of each phase, from call to frame: at witnesses whose line stood, and at those who were cut off and
came back.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring import machine, table
from tests.faults.trial import Phase, Trial, trial
from tests.load.deployment import Deployment, deploy
from tests.realtime.test_redis_bus import OwnRedis
from tests.servers import MissingError, postgres

PAUSE = 0.25  # seconds between two commands of a window or kiosk


@contextmanager
def parts() -> Iterator[tuple[Deployment, OwnRedis]]:
    """A deployment that is not started, and its Redis. Raises MissingError."""
    with postgres(durable=True) as database, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database.create("bench")
        redis = OwnRedis(folder)
        redis.start()
        try:
            yield deploy(folder, database.url("bench")), redis
        finally:
            redis.kill()


async def run(hall: Trial, seconds: float) -> list[Phase]:
    """Each fault in turn; Redis is stopped for so many seconds."""
    phases = []
    async with hall.working(PAUSE):
        phases.append(await hall.phase("nothing fails", hall.nothing, 5))
        phases.append(await hall.phase("a worker is killed", hall.kill_a_worker, 3))
        phases.append(await hall.phase("the other worker is killed", hall.kill_a_worker, 3))
        phases.append(await hall.phase("workers are replaced in turn", hall.replace_workers))
        phases.append(await hall.phase("the service is restarted", hall.restart))
    async with hall.working(PAUSE, one_line=True):
        phases.append(await hall.phase("all work at one worker", hall.nothing, 5))
        phases.append(await hall.phase("so, Redis is killed for 10 s", hall.kill_redis, 10))
        phases.append(
            await hall.phase(f"so, Redis is stopped for {seconds:.0f} s", hall.stop_redis, seconds)
        )
        phases.append(await hall.phase("so, Redis is back", hall.nothing, 5))
    return phases


async def measure(seconds: float) -> None:
    """Run it all and print what came of it."""
    with parts() as (deployment, redis):
        async with trial(deployment, redis) as hall:
            phases = await run(hall, seconds)
            calls = await hall.prove()
            witnesses = len(hall.witnesses)
            retries = hall.ledger.retries
            outages = hall.service.said.count("the bus is down")
    heads = (
        "phase", "s", "commands", "calls", "latest frame, s", "after coming back, s", "cut off",
        "snapshots",
    )  # fmt: skip
    print(table(heads, [_row(each) for each in phases]))
    print(
        f"\n{calls} calls in the journal; each reached each of the {witnesses} witnesses of its "
        f"topic once and in order, and the journal is sound. {retries} requests were sent again. "
        f"Redis was away twice: {outages} log lines say so, one of each worker each time."
    )


def _row(phase: Phase) -> tuple[str, ...]:
    back = f"{phase.latest_back:.2f}" if phase.latest_back else "–"
    return (
        phase.name,
        f"{phase.seconds:.0f}",
        str(phase.commands),
        str(phase.calls),
        f"{phase.latest:.2f}",
        back,
        str(phase.cuts),
        str(phase.snapshots),
    )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="that Redis is stopped")
    chosen = parser.parse_args()
    print(f"{machine()}\n")
    try:
        asyncio.run(measure(chosen.seconds))
    except MissingError as error:
        print(f"Not run: {error}.")


if __name__ == "__main__":
    main()
