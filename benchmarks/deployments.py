"""Deployments to measure: the embedded default, and two workers on PostgreSQL and Redis.

Everything is started for the run, on free ports and with directories of its own, and gone after it.
PostgreSQL waits for its disk at each commit, as it does by default.
"""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from msgspec import Struct

from tests.app.workers.launched import launched
from tests.load.deployment import Deployment, deploy, served
from tests.queue.office import CODE
from tests.servers import MissingError, postgres, redis

__all__ = ["HALL", "MissingError", "Running", "embedded", "two_workers"]

HALL = CODE
WINDOWS = 16


class Running(Struct, frozen=True):
    """A deployment that answers: one hall with sixteen windows for one category, about noon."""

    url: str
    made: Deployment
    workers: tuple[int, ...] = ()
    """Their process ids, where there are several."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])


@asynccontextmanager
async def embedded() -> AsyncIterator[Running]:
    """One process, SQLite, the bus in memory."""
    with tempfile.TemporaryDirectory(prefix="tinghao-bench-") as name:
        made = deploy(Path(name), f"sqlite:///{name}/hall.sqlite3")
        async with served(made) as server:
            yield Running(server.url, made)


@asynccontextmanager
async def two_workers(
    furnish: Callable[[str], None] = lambda database_url: None,
) -> AsyncIterator[Running]:
    """Two workers, PostgreSQL, Redis. Raises MissingError where one of them is not installed.

    `furnish` is called with the database's URL before they start.
    """
    async with AsyncExitStack() as stack:
        database = stack.enter_context(postgres(durable=True))
        bus = stack.enter_context(redis())
        database.create("bench")
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="tinghao-bench-"))
        made = deploy(Path(name), database.url("bench"))
        furnish(made.url)
        service = await stack.enter_async_context(launched(made, TINGHAO_REDIS_URL=bus))
        await service.says("the bus is up", times=2)
        yield Running(service.url, made, tuple(await service.workers()))
