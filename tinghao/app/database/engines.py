"""SQLAlchemy engines as this program uses them, one function per database and purpose."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool

SQLITE_BUSY_TIMEOUT = 10.0
"""Seconds a statement waits for another process (the command line beside a server)."""

POSTGRESQL_LOCK_TIMEOUT = "10s"
POSTGRESQL_IDLE_IN_TRANSACTION = "60s"
"""A process that freezes inside a transaction gives the hall's row lock back after this."""

PING_AFTER = 1.0
"""Seconds a PostgreSQL connection may have rested in the pool before it is tried first."""


def sqlite_writer(url: URL) -> Engine:
    """One connection whose every transaction takes the write lock first."""
    engine = _sqlite(url, 1)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def sqlite_readers(url: URL, size: int) -> Engine:
    """Connections that refuse to write and read one snapshot per transaction."""
    engine = _sqlite(url, size)

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _sqlite(url: URL, size: int) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,  # an error's text may end in a log, a citizen's words may not
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT, "check_same_thread": False},
    )

    # The recipe of SQLAlchemy's pysqlite page: the driver starts no transaction of its own
    # (isolation_level None), the "begin" event does.
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


def postgresql_writers(url: URL, size: int) -> Engine:
    """READ COMMITTED: the hall's row lock, the first statement, makes its commands serial."""
    return _postgresql(url, size, psycopg.IsolationLevel.READ_COMMITTED, read_only=False)


def postgresql_readers(url: URL, size: int) -> Engine:
    """REPEATABLE READ and read-only: one snapshot per transaction, as on SQLite."""
    return _postgresql(url, size, psycopg.IsolationLevel.REPEATABLE_READ, read_only=True)


def _postgresql(
    url: URL, size: int, isolation: psycopg.IsolationLevel, *, read_only: bool
) -> Engine:
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,  # an error's text may end in a log, a citizen's words may not
        pool_timeout=15,
        pool_use_lifo=True,
        connect_args={
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
            "application_name": "tinghao",
        },
    )

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        connection.execute(f"SET lock_timeout = '{POSTGRESQL_LOCK_TIMEOUT}'")
        connection.execute(
            f"SET idle_in_transaction_session_timeout = '{POSTGRESQL_IDLE_IN_TRANSACTION}'"
        )
        connection.autocommit = False
        connection.isolation_level = isolation
        connection.read_only = read_only

    # A ping before every use would cost each command a round trip; one after a rest finds the
    # connections that a restarted server has left behind.
    @event.listens_for(engine, "checkin")
    def checkin(_connection: Any, record: Any) -> None:
        record.info["rested_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rested_since", time.monotonic()) < PING_AFTER:
            return
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except psycopg.Error as error:
            raise exc.DisconnectionError(str(error)) from error

    return engine
