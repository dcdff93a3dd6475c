"""Background duties: each is done by one process at a time, whichever is alive.

A duty is a lease, one row of the table `duties`: taken and renewed by one conditional UPDATE that
counts when it changes the row. All times in it are the database's own, so the processes' clocks
need not agree. Whoever holds a lease counts its end from before he asked for it, by his own
monotonic clock, so he never believes in it longer than the others do.

Two holders at once (one was paused in the middle of its work) do no harm: whatever a duty does can
be done twice.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    String,
    Table,
    bindparam,
    literal,
    literal_column,
    or_,
    text,
    true,
    update,
)

from tinghao.app.database import Database, DatabaseUnavailable, database_now
from tinghao.queue.tables import metadata

log = logging.getLogger(__name__)

SECOND = 1_000_000

duties = Table(
    "duties",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(128), nullable=False),  # host:process:random
    Column("until", BigInteger, nullable=False),  # of the database's clock
)


class Lease(Struct, frozen=True):
    """How long a lease holds, how often its holder renews it, how often the others ask. Seconds."""

    valid: float = 4.0
    renew: float = 1.5
    ask: float = 0.5
    alone: bool = False
    """Nobody else can be there, so there is nothing to wait for at the start."""


AMONG_MANY = Lease()
"""A duty whose holder is killed moves within `valid` + `ask` seconds."""

ALONE = Lease(valid=60.0, renew=20.0, alone=True)
"""On SQLite the file's lock has let one server in: the disk is spared a write every second."""


class Duty:
    """What one process at a time does; `held` is whether it is this one."""

    __slots__ = ("_clock", "asked_at", "name", "until")

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self.name = name
        self.asked_at = float("-inf")
        self.until = float("-inf")
        self._clock = clock

    @property
    def held(self) -> bool:
        """Whether this process holds it now."""
        return self._clock() < self.until


class Duties:
    """The duties that this process does or stands ready for. `keep` holds on to them."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.monotonic,
        lease: Lease | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease or (ALONE if database.kind == "sqlite" else AMONG_MANY)
        self._duties: dict[str, Duty] = {}
        self._known: set[str] = set()  # that have their row
        self._resigned = asyncio.Event()
        self._away = False
        self.holder = f"{socket.gethostname()[:64]}:{os.getpid()}:{secrets.token_hex(4)}"

    def hold(self, name: str) -> Duty:
        """Stand ready for a duty from now on."""
        return self._duties.setdefault(name, Duty(name, self._clock))

    def held(self) -> Mapping[str, bool]:
        """Every duty by name, and whether this process holds it now."""
        return {duty.name: duty.held for duty in self._duties.values()}

    def resign(self) -> None:
        """Do nothing more from now on; `keep` gives the leases back and ends."""
        for duty in self._duties.values():
            duty.until = float("-inf")
        self._resigned.set()

    async def keep(self) -> None:
        """Take what is free, renew what is held, until `resign`."""
        while not self._resigned.is_set():
            await self.ask()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._resigned.wait(), self._lease.ask)
        with suppress(DatabaseUnavailable):
            await self._database.write(partial(_give_back, holder=self.holder))

    async def ask(self) -> None:
        """Take what is free and renew what is held, once. Without the database all lapses."""
        try:
            await self._ask()
            self._away = False
        except DatabaseUnavailable as unavailable:
            if not self._away:
                log.warning("the duties cannot be asked for: %s", unavailable)
            self._away = True

    async def _ask(self) -> None:
        asked_at = self._clock()
        wanted = [duty for duty in self._duties.values() if self._is_due(duty, asked_at)]
        if not wanted:
            return
        new = [duty.name for duty in wanted if duty.name not in self._known]
        free = new if self._lease.alone else []
        won = await self._database.write(
            partial(
                _take,
                new=new,
                free=free,
                names=[duty.name for duty in wanted],
                holder=self.holder,
                valid=round(self._lease.valid * SECOND),
            )
        )
        self._known.update(new)
        for duty in wanted:
            before = duty.until > float("-inf")
            duty.asked_at = asked_at
            duty.until = float("-inf")
            if duty.name in won and not self._resigned.is_set():
                duty.until = asked_at + self._lease.valid
            if (duty.name in won) != before:
                log.info("the duty %s is %s", duty.name, "ours" if not before else "another's now")

    def _is_due(self, duty: Duty, now: float) -> bool:
        return not duty.held or now - duty.asked_at >= self._lease.renew


_FIRST = text(
    "INSERT INTO duties (name, holder, until) VALUES (:name, '', 0) ON CONFLICT DO NOTHING"
)
_POSTGRESQL_NOW: Any = literal_column("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint")


def _take(
    connection: Connection,
    new: Sequence[str],
    free: Sequence[str],
    names: Sequence[str],
    holder: str,
    valid: int,
) -> set[str]:
    """Take or renew each of the names for `valid` microseconds; those that were to be had."""
    if new:
        connection.execute(_FIRST, [{"name": name} for name in sorted(new)])
    now: Any = _POSTGRESQL_NOW
    if connection.dialect.name == "sqlite":
        now = literal(database_now(connection))
    won = set()
    for name in sorted(names):  # in one order everywhere, so that nobody waits in a circle
        what = {"which": name, "me": holder, "valid": valid}
        if connection.execute(_taking(now, anyway=name in free), what).rowcount == 1:
            won.add(name)
    return won


def _taking(now: Any, *, anyway: bool) -> Any:
    free = true() if anyway else or_(duties.c.holder == bindparam("me"), duties.c.until <= now)
    return (
        update(duties)
        .where(duties.c.name == bindparam("which"), free)
        .values(holder=bindparam("me"), until=now + bindparam("valid", type_=BigInteger))
    )


def _give_back(connection: Connection, holder: str) -> None:
    connection.execute(update(duties).where(duties.c.holder == holder).values(until=0))
