"""One serving process for one SQLite file: a lock beside it, held as long as the process lives."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIX = ".serving"


class ServeError(Exception):
    """The service cannot start; the message says why and what to do."""


class AlreadyServedError(ServeError):
    """Another process serves this database file."""


@contextmanager
def sole_server(database: Path | None) -> Iterator[None]:
    """Hold the lock of the file; nothing to hold for None (PostgreSQL, which has many servers).

    The kernel gives the lock back when the process ends in any way, so none is ever left over.
    Raises AlreadyServedError.
    """
    if database is None:
        yield
        return
    descriptor = os.open(f"{database}{SUFFIX}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            raise AlreadyServedError(
                f"{database} is served already, by process {holder}. One SQLite file has one "
                "server; stop that one first, or move to PostgreSQL for several."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
