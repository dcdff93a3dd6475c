"""A background duty is one process's at a time, and moves when that process is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import Connection, text

from tests.realtime.house import until
from tinghao.app import migrations
from tinghao.app.database import Database, DatabaseUnavailable
from tinghao.app.serving.duties import Duties, Lease

QUICK = Lease(valid=0.4, renew=0.1, ask=0.05)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield database
    database.close()


@asynccontextmanager
async def process(database: Database, lease: Lease | None = QUICK) -> AsyncIterator[Duties]:
    """What one process has of the duties; leaving the block is a clean end."""
    duties = Duties(database, lease=lease)
    duties.hold("halls")
    keeping = asyncio.create_task(duties.keep())
    try:
        yield duties
    finally:
        duties.resign()
        if not keeping.cancelled():
            with suppress(asyncio.CancelledError):
                await keeping


def row(database: Database) -> tuple[str, int]:
    query = text("SELECT holder, until FROM duties WHERE name = 'halls'")
    holder, ends = database.read_sync(lambda c: c.execute(query).one())
    return str(holder), int(ends)


async def test_of_two_processes_one_has_the_duty(database: Database) -> None:
    async with process(database) as one, process(database) as other:
        await until(lambda: one.hold("halls").held)
        for _ in range(20):
            await asyncio.sleep(0.03)
            assert (one.held(), other.held()) == ({"halls": True}, {"halls": False})
        assert row(database)[0] == one.holder


async def test_a_process_that_ends_hands_the_duty_on_at_once(database: Database) -> None:
    patient = Lease(valid=3600, renew=1, ask=0.05)
    async with process(database, patient) as one:
        await until(lambda: one.hold("halls").held)
        async with process(database, patient) as other:
            one.resign()
            assert one.held() == {"halls": False}
            await until(lambda: other.hold("halls").held)
    assert row(database) == (other.holder, 0)


async def test_the_duty_of_a_process_that_vanished_moves_when_its_lease_ends(
    database: Database,
) -> None:
    vanished = Duties(database, lease=QUICK)
    vanished.hold("halls")
    keeping = asyncio.create_task(vanished.keep())
    await until(lambda: vanished.hold("halls").held)
    keeping.cancel()  # nothing is given back, as after kill -9
    async with process(database) as other:
        await until(lambda: other.hold("halls").held)
        assert vanished.held() == {"halls": False}


async def test_a_holder_believes_in_its_lease_no_longer_than_the_database_does(
    database: Database,
) -> None:
    now = 1000.0
    duties = Duties(database, clock=lambda: now, lease=QUICK)
    duty = duties.hold("halls")
    keeping = asyncio.create_task(duties.keep())
    await until(lambda: duty.held)
    now += 0.39
    assert duty.held
    now += 0.01  # a paused process that wakes up
    assert not duty.held
    duties.resign()
    await keeping


async def test_without_the_database_a_duty_lapses_and_comes_back(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(_: object) -> None:
        raise DatabaseUnavailable("unreachable", "The database server cannot be reached.")

    async with process(database) as duties:
        await until(lambda: duties.hold("halls").held)
        with monkeypatch.context() as patched:
            patched.setattr(database, "write", away)
            await until(lambda: not duties.hold("halls").held)
        await until(lambda: duties.hold("halls").held)
    assert [each for each in caplog.messages if "cannot be asked for" in each] == [
        "the duties cannot be asked for: The database server cannot be reached."
    ]


async def test_a_clock_that_is_wrong_takes_no_duty_away(
    prepared_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process whose machine is an hour ahead must not think that every lease has ended."""
    database = Database(prepared_postgresql)
    async with process(database) as one:
        await until(lambda: one.hold("halls").held)
        monkeypatch.setattr("time.time_ns", lambda: 2**62)
        async with process(database) as other:
            await asyncio.sleep(0.3)
            assert (one.held(), other.held()) == ({"halls": True}, {"halls": False})
    database.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_only_server_of_a_file_waits_for_no_lease_of_the_killed_one(
    database: Database,
) -> None:
    def killed_ones(connection: Connection) -> None:
        connection.execute(text("INSERT INTO duties VALUES ('halls', 'killed', 9000000000000000)"))

    database.write_sync(killed_ones)
    async with process(database, None) as duties:
        await until(lambda: duties.hold("halls").held)
        assert row(database)[0] == duties.holder
