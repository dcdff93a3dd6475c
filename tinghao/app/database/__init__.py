"""One door to the database: a function of a connection, run in a thread, in one transaction.

``write`` is the only place of the program that commits. On SQLite one thread with one connection
does all the writing, so writers queue in the process instead of polling the file's lock; readers
have connections of their own and see the last commit (WAL). On PostgreSQL both sides are small
pools of threads with a connection each. SQLAlchemy Core, no ORM, no asynchronous driver: the
reasons are measured in docs/decisions.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from sqlalchemy import Connection, Engine, exc, text
from sqlalchemy.engine import URL, make_url

from tinghao.app.database import engines
from tinghao.app.database.failures import DatabaseUnavailable, ValueRefused, as_unavailable

__all__ = ["Database", "DatabaseUnavailable", "ValueRefused", "database_now", "normal_url"]

T = TypeVar("T")

READERS = 4
"""Threads and connections that read at once."""

POSTGRESQL_WRITERS = 8
"""Threads and connections that write at once: halls are serial, so more than the busy halls of
one process would only wait."""


class Database:
    """A database by its URL (``sqlite:///file`` or ``postgresql://user:password@host/name``)."""

    def __init__(self, url: str) -> None:
        self.url: URL = normal_url(url)
        self.kind: Literal["sqlite", "postgresql"] = (
            "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        )
        writers = 1 if self.kind == "sqlite" else POSTGRESQL_WRITERS
        self._write_engine: Engine
        self._read_engine: Engine
        if self.kind == "sqlite":
            self._write_engine = engines.sqlite_writer(self.url)
            self._read_engine = engines.sqlite_readers(self.url, READERS)
        else:
            self._write_engine = engines.postgresql_writers(self.url, writers)
            self._read_engine = engines.postgresql_readers(self.url, READERS)
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="database-write")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="database-read")
        self._inside = threading.local()

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database, None on PostgreSQL."""
        return Path(self.url.database or "") if self.kind == "sqlite" else None

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run ``fn`` in one transaction and commit it; any exception rolls back and is raised.

        A cancelled caller still waits until the thread is done before it sees the cancellation:
        whatever lock it holds around the write then covers the whole transaction.

        Raises DatabaseUnavailable when the database is locked, full, unreachable or damaged, and
        ValueRefused when it has no room for a value.
        """
        return await _finish(self._writers.submit(self._write, fn))

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run ``fn`` on one snapshot of the database, read-only; errors as in ``write``."""
        return await _finish(self._readers.submit(self._read, fn))

    def write_sync(self, fn: Callable[[Connection], T]) -> T:
        """``write`` for code without an event loop (the command line, migrations, tests)."""
        if getattr(self._inside, "writing", False):
            raise RuntimeError("a write inside a write would wait for itself")
        return self._writers.submit(self._write, fn).result()

    def read_sync(self, fn: Callable[[Connection], T]) -> T:
        """``read`` for code without an event loop; runs in the caller's thread."""
        return self._read(fn)

    def close(self) -> None:
        """Wait for running transactions, then close every connection."""
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self._write_engine.dispose()
        self._read_engine.dispose()

    def _write(self, fn: Callable[[Connection], T]) -> T:
        self._inside.writing = True
        try:
            with _clear_failures(), self._write_engine.begin() as connection:
                return fn(connection)
        finally:
            self._inside.writing = False

    def _read(self, fn: Callable[[Connection], T]) -> T:
        with _clear_failures(), self._read_engine.connect() as connection:
            return fn(connection)


@contextmanager
def _clear_failures() -> Iterator[None]:
    try:
        yield
    except (exc.DataError, OverflowError) as error:
        raise ValueRefused(str(error)) from error
    except exc.SQLAlchemyError as error:
        unavailable = as_unavailable(error)
        if unavailable is None:
            raise
        raise unavailable from error


def database_now(connection: Connection) -> int:
    """The database's own clock: microseconds since the epoch, UTC.

    On SQLite that is this machine's clock. On PostgreSQL it is the wall clock at this moment, not
    the start of the transaction, which may lie before a long wait for the hall's lock.
    """
    if connection.dialect.name == "sqlite":
        return time.time_ns() // 1_000
    return int(connection.scalar(_POSTGRESQL_NOW) or 0)


_POSTGRESQL_NOW = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")


def normal_url(url: str) -> URL:
    """``url`` with the driver this program uses; raises ValueError with what is allowed."""
    allowed = "allowed are sqlite:///FILE and postgresql://USER:PASSWORD@HOST/NAME"
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise ValueError(f"not a database URL; {allowed}") from None
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        if not parsed.database or parsed.database == ":memory:" or parsed.query:
            raise ValueError(f"an SQLite database needs a plain file; {allowed}")
        return parsed.set(drivername="sqlite+pysqlite")
    if parsed.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(f"{parsed.drivername!r} is not supported; {allowed}")


async def _finish(future: Future[T]) -> T:
    """The outcome of ``future``; a cancellation is passed on only after the thread has ended."""
    waiting = asyncio.wrap_future(future)
    cancelled: asyncio.CancelledError | None = None
    while not waiting.done():
        try:
            await asyncio.wait((waiting,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        waiting.exception()  # looked at, so that asyncio does not log it as lost
        raise cancelled
    return waiting.result()
