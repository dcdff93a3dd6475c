"""Which errors of a driver mean "the database cannot serve now", said in one sentence each.

Everything else (a broken statement, a violated constraint) is a fault of ours and keeps its own
exception: turning it into "unavailable" would hide it.
"""

from __future__ import annotations

import sqlite3
from typing import Literal

from sqlalchemy import exc

Cause = Literal["locked", "full", "unreachable", "damaged", "read-only"]


class DatabaseUnavailable(Exception):
    """The database cannot serve now. The transaction was rolled back, or its end is unknown.

    ``cause`` says what to look at; the message is a sentence for the person who runs the hall. A
    caller that repeats the command under the same idempotency key is safe in every case.
    """

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause: Cause = cause


class ValueRefused(Exception):
    """A value that the database has no room for: a NUL in a text, a number beyond 64 bits."""


def as_unavailable(error: exc.SQLAlchemyError) -> DatabaseUnavailable | None:
    """The clear error for ``error``, or None when it is no failure of the database itself."""
    if isinstance(error, exc.TimeoutError):
        return DatabaseUnavailable(
            "locked", "Every connection to the database is busy. Try again in a moment."
        )
    if not isinstance(error, exc.DBAPIError):
        return None
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return _sqlite(original)
    return _postgresql(error)


# Primary result codes, https://www.sqlite.org/rescode.html
_SQLITE: dict[int, tuple[Cause, str]] = {
    sqlite3.SQLITE_BUSY: ("locked", "Another program is holding the database file."),
    sqlite3.SQLITE_LOCKED: ("locked", "Another program is holding the database file."),
    sqlite3.SQLITE_NOMEM: ("full", "The machine has no memory left for the database."),
    sqlite3.SQLITE_READONLY: ("read-only", "The database file may not be written."),
    sqlite3.SQLITE_IOERR: ("damaged", "The disk failed while the database was using it."),
    sqlite3.SQLITE_CORRUPT: ("damaged", "The database file is damaged: restore a backup."),
    sqlite3.SQLITE_FULL: ("full", "The disk of the database is full."),
    sqlite3.SQLITE_CANTOPEN: ("unreachable", "The database file cannot be opened."),
    sqlite3.SQLITE_PERM: ("unreachable", "The database file cannot be opened."),
    sqlite3.SQLITE_NOTADB: ("damaged", "The database file is not an SQLite database."),
}


def _sqlite(original: sqlite3.Error) -> DatabaseUnavailable | None:
    code = getattr(original, "sqlite_errorcode", None)
    known = None if code is None else _SQLITE.get(code & 0xFF)
    return None if known is None else DatabaseUnavailable(known[0], f"{known[1]} ({original})")


# SQLSTATE, whole or its first two characters (the class),
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL: dict[str, tuple[Cause, str]] = {
    "53100": ("full", "The disk of the database server is full."),
    "53": ("unreachable", "The database server has no room for another connection."),
    "08": ("unreachable", "The connection to the database server broke."),
    "57": ("unreachable", "The database server is stopping or starting."),
    "58": ("damaged", "The database server's disk failed."),
    "25006": ("read-only", "The database server is a read-only copy."),
    "55P03": ("locked", "Another transaction is holding the hall for too long."),
    "40001": ("locked", "Two transactions got into each other's way."),
    "40P01": ("locked", "Two transactions got into each other's way."),
}


def _postgresql(error: exc.DBAPIError) -> DatabaseUnavailable | None:
    state = getattr(error.orig, "sqlstate", None)
    if state:
        known = _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
        if known:
            return DatabaseUnavailable(known[0], f"{known[1]} ({_first_line(error)})")
    if error.connection_invalidated or (state is None and isinstance(error, exc.OperationalError)):
        return DatabaseUnavailable(
            "unreachable", f"The database server cannot be reached. ({_first_line(error)})"
        )
    return None


def _first_line(error: exc.DBAPIError) -> str:
    """The driver's own words; the rest of SQLAlchemy's text may hold the statement's values."""
    return str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no detail"
