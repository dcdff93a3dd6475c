"""The one door to the database, on both kinds of it."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tinghao.app.database import Database, DatabaseUnavailable, ValueRefused, database_now, engines
from tinghao.queue.clock import machine_clock

ADD = text("INSERT INTO numbers (value) VALUES (:value)")
ALL = text("SELECT value FROM numbers ORDER BY value")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    table = text("CREATE TABLE numbers (value integer PRIMARY KEY)")
    database.write_sync(lambda connection: connection.execute(table))
    yield database
    database.close()


def values(database: Database) -> list[int]:
    return database.read_sync(lambda connection: list(connection.scalars(ALL)))


def add(connection: Connection, value: int) -> int:
    connection.execute(ADD, {"value": value})
    return value


async def test_a_write_is_there_when_it_returns(database: Database) -> None:
    assert await database.write(lambda connection: add(connection, 1)) == 1
    assert await database.read(lambda connection: list(connection.scalars(ALL))) == [1]


async def test_a_failed_write_leaves_nothing(database: Database) -> None:
    def fail(connection: Connection) -> None:
        add(connection, 1)
        raise LookupError("changed my mind")

    with pytest.raises(LookupError, match="changed my mind"):
        await database.write(fail)
    assert values(database) == []


async def test_a_cancelled_caller_waits_for_the_end_of_its_transaction(database: Database) -> None:
    """Whatever lock the caller holds covers the whole transaction, and the work is done."""
    began, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        began.set()
        assert go_on.wait(10)
        add(connection, 1)

    task = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(began.wait, 10)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=0.05)
    assert not done
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert values(database) == [1]


async def test_many_writers_at_once_all_get_through(database: Database) -> None:
    async def one(value: int) -> None:
        await database.write(lambda connection: add(connection, value))

    await asyncio.gather(*(one(value) for value in range(200)))
    assert values(database) == list(range(200))


async def test_a_reader_sees_one_moment(database: Database) -> None:
    def twice(connection: Connection) -> tuple[list[int], list[int]]:
        before = list(connection.scalars(ALL))
        database.write_sync(lambda other: add(other, 1))
        return before, list(connection.scalars(ALL))

    assert await database.read(twice) == ([], [])
    assert values(database) == [1]


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable) as refused:
        await database.read(lambda connection: add(connection, 1))
    assert refused.value.cause == "read-only"


async def test_a_write_inside_a_write_is_a_mistake_and_not_a_deadlock(database: Database) -> None:
    with pytest.raises(RuntimeError, match="wait for itself"):
        await database.write(lambda _: database.write_sync(lambda other: add(other, 1)))


def test_a_broken_statement_keeps_its_own_error(database: Database) -> None:
    with pytest.raises(Exception, match="nowhere") as broken:
        database.read_sync(lambda connection: connection.execute(text("SELECT * FROM nowhere")))
    assert not isinstance(broken.value, DatabaseUnavailable)


async def test_a_value_that_the_database_has_no_room_for_is_said_so(database: Database) -> None:
    with pytest.raises(ValueRefused):
        await database.write(lambda connection: add(connection, 10**30))
    assert values(database) == []


async def test_a_text_with_nul_is_refused_where_it_cannot_be_kept(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    with pytest.raises(ValueRefused):
        await database.read(lambda c: c.scalar(text("SELECT :it"), {"it": "a\x00b"}))
    database.close()


def test_the_database_has_a_clock(database: Database) -> None:
    def during(connection: Connection) -> tuple[int, int]:
        return database_now(connection), database_now(connection)

    before, (first, second), after = machine_clock(), database.read_sync(during), machine_clock()
    assert before - 1_000_000 < first <= second < after + 1_000_000


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'hall.db'}")

    def fill(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE filler (bytes blob)")
        connection.exec_driver_sql("PRAGMA max_page_count = 20")
        connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(1000000))")

    with pytest.raises(DatabaseUnavailable, match="disk of the database is full") as full:
        database.write_sync(fill)
    assert full.value.cause == "full"
    assert database.write_sync(lambda connection: connection.scalar(text("SELECT 1"))) == 1
    database.close()


def test_a_file_that_another_program_holds_is_said_in_words_and_then_served_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "SQLITE_BUSY_TIMEOUT", 0.05)
    database = Database(f"sqlite:///{tmp_path / 'hall.db'}")
    database.write_sync(lambda c: c.exec_driver_sql("CREATE TABLE numbers (value integer)"))
    with closing(sqlite3.connect(tmp_path / "hall.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="Another program is holding") as held:
            database.write_sync(lambda connection: add(connection, 1))
        assert held.value.cause == "locked"
        assert values(database) == []  # who only reads is not disturbed
        other.execute("ROLLBACK")
    database.write_sync(lambda connection: add(connection, 1))
    assert values(database) == [1]
    database.close()


def test_a_file_that_is_no_database_is_said_in_words(tmp_path: Path) -> None:
    file = tmp_path / "hall.db"
    file.write_bytes(b"something else entirely, " * 100)
    database = Database(f"sqlite:///{file}")
    with pytest.raises(DatabaseUnavailable, match="not an SQLite database"):
        database.write_sync(lambda connection: connection.scalar(text("SELECT 1")))
    database.close()


def test_a_missing_folder_is_said_in_words(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'hall.db'}")
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        database.read_sync(lambda connection: connection.scalar(text("SELECT 1")))
    database.close()


def test_an_unreachable_server_is_said_without_the_password() -> None:
    database = Database("postgresql://hall:secret@127.0.0.1:1/hall")
    with pytest.raises(DatabaseUnavailable, match="cannot be reached") as unreachable:
        database.read_sync(lambda connection: connection.scalar(text("SELECT 1")))
    assert unreachable.value.cause == "unreachable"
    assert "secret" not in str(unreachable.value)
    database.close()


async def test_a_rested_connection_that_the_server_dropped_is_replaced(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PING_AFTER", 0.0)
    database = Database(postgresql_url)
    me = await database.write(lambda connection: connection.scalar(text("SELECT pg_backend_pid()")))
    other = Database(postgresql_url)
    kill = text("SELECT pg_terminate_backend(:pid)").bindparams(pid=me)
    other.write_sync(lambda connection: connection.execute(kill))
    other.close()
    again = await database.write(
        lambda connection: connection.scalar(text("SELECT pg_backend_pid()"))
    )
    assert again != me
    database.close()


async def test_a_connection_lost_on_the_way_loses_nothing_but_that_transaction(
    postgresql_url: str,
) -> None:
    database = Database(postgresql_url)
    create = text("CREATE TABLE numbers (value integer)")
    await database.write(lambda connection: connection.execute(create))

    def cut_off(connection: Connection) -> None:
        add(connection, 1)
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(DatabaseUnavailable) as lost:
        await database.write(cut_off)
    assert lost.value.cause == "unreachable"
    await database.write(lambda connection: add(connection, 2))
    assert values(database) == [2]
    database.close()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://root@localhost/hall", "'mysql' is not supported"),
        ("sqlite:///:memory:", "needs a plain file"),
        ("sqlite://", "needs a plain file"),
        ("hall.db", "not a database URL"),
    ],
)
def test_other_urls_are_refused_with_what_is_allowed(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"{why}.*allowed are sqlite:///FILE and postgresql://"):
        Database(url)
