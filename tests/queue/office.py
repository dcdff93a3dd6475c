"""A hall at a real database, behind a real desk, with a clock that the test sets."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from tests.queue.hall import PLAIN
from tinghao.app import migrations
from tinghao.app.database import Database
from tinghao.queue import commands as ask
from tinghao.queue.clock import at_time
from tinghao.queue.desk import Desk, Result
from tinghao.queue.events import TicketCalled, TicketTaken
from tinghao.queue.founding import found
from tinghao.queue.journal import Bulk, Done, Room, Rooms, load_state
from tinghao.queue.journal.entries import GENESIS
from tinghao.queue.journal.seals import Signer
from tinghao.queue.journal.store import head_of, raw_entries, stream_entries
from tinghao.queue.journal.verify import Report, verify
from tinghao.queue.model import MINUTE, SECOND, Day, HallConfig, HallState, Micros, Window

MONDAY: Day = 2026_01_19
TUESDAY: Day = 2026_01_20
CODE = "plain"


class Clock:
    """A machine's clock that shows what it is told. It lies in the past of every database."""

    def __init__(self, clock: str = "09:00", day: Day = MONDAY) -> None:
        self.now: Micros = 0
        self.shows(clock, day)

    def shows(self, clock: str, day: Day = MONDAY) -> None:
        """Set it."""
        self.now = at_time(day, clock, "Asia/Shanghai")

    def wait(self, minutes: float = 0, seconds: float = 0) -> None:
        """Let it run."""
        self.now += round(minutes * MINUTE + seconds * SECOND)

    def __call__(self) -> Micros:
        return self.now


def prepare(database: Database, config: HallConfig = PLAIN, rooms: Sequence[Room] = ()) -> None:
    """Make the tables and found the hall."""
    migrations.upgrade(database)
    staff = [(f"{badge:03d}", f"李{badge}") for badge in range(1, 4)]
    database.write_sync(
        lambda connection: found(connection, Rooms(rooms), CODE, config, staff) and None
    )


class Office:
    """One server's worth: a database of its own kind of connections, and a desk."""

    def __init__(self, database: Database, clock: Clock, desk: Desk) -> None:
        self.database = database
        self.clock = clock
        self.desk = desk

    # -- what is

    @property
    def state(self) -> HallState:
        """The hall as this server's screens see it."""
        return self.desk.live(CODE).state

    def window(self, number: int) -> Window:
        """A window as the screens see it."""
        return self.state.windows[number]

    def waiting(self, category: str = "social") -> list[str]:
        """Who waits, in the order of calling."""
        return [self.state.tickets[each.ticket].number for each in self.state.queues[category]]

    def stored(self) -> HallState:
        """The hall as a server that starts now would see it."""
        return self.database.read_sync(partial(load_state, rooms=self.desk.rooms, code=CODE))

    def refolded(self) -> HallState:
        """The hall as its journal has it from the first entry on."""

        def fold(connection: Connection) -> HallState:
            head = head_of(connection, CODE)
            rooms = self.desk.rooms
            start = rooms.start(CODE, head.epoch, GENESIS)
            return rooms.fold(start, stream_entries(connection, rooms, head))

        return self.database.read_sync(fold)

    def verify(self, signer: Signer | None = None) -> Report:
        """What `tinghao journal verify` finds."""
        return self.database.read_sync(
            partial(verify, rooms=self.desk.rooms, code=CODE, signer=signer)
        )

    def journal(self) -> list[str]:
        """The stored texts, first to last."""
        return [
            entry
            for entry, _ in self.database.read_sync(
                lambda connection: raw_entries(connection, 1, 0, 1_000_000)
            )
        ]

    def kinds(self) -> list[str]:
        """What has happened, first to last."""
        return [msgspec.json.decode(entry)["kind"] for entry in self.journal()]

    def sql(self, statement: str, **values: Any) -> Any:
        """What somebody with the database's password might do; the rows of a SELECT."""

        def run(connection: Connection) -> Any:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else result.rowcount

        return self.database.write_sync(run)

    # -- what is done

    async def do(self, command: ask.Command, **more: Any) -> Result:
        """Carry a command out. Raises Refusal."""
        return await self.desk.execute(CODE, command, **more)

    async def take(self, category: str = "social", **more: Any) -> str:
        """A citizen takes a number."""
        result = await self.do(ask.Take(category=category), answer=_number, **more)
        return str(answered(result))

    async def call_next(self, window: int = 1, **more: Any) -> str | None:
        """The next number, or None when nobody is eligible."""
        result = await self.do(ask.CallNext(window=window), answer=_number, **more)
        return None if result.answer is None else str(answered(result))

    async def serve(self, window: int = 1) -> str | None:
        """The next citizen, from the call to the finish."""
        number = await self.call_next(window)
        if number is not None:
            await self.do(ask.Start(window=window))
            await self.do(ask.Finish(window=window))
        return number

    async def open(self, *windows: int) -> None:
        """Clerks sit down."""
        for window in windows:
            await self.do(ask.Open(window=window, staff=window))


@asynccontextmanager
async def office(url: str, clock: Clock | None = None, **desk: Any) -> AsyncIterator[Office]:
    """One server at the database of that URL, which is prepared."""
    database = Database(url)
    try:
        clock = clock or Clock()
        made = Desk(database, clock=clock, **desk)
        await made.start()
        yield Office(database, clock, made)
        await made.drain()
    finally:
        database.close()


def bulk_of(made: Office, day: Day | None = MONDAY) -> Bulk:
    """An import into the hall that begins on that day, or now."""
    return Bulk(
        made.desk.rooms,
        made.stored(),
        made.desk.live(CODE).hall_id,
        made.database.write_sync,
        begins=at_time(day, "00:00", "Asia/Shanghai") if day else made.clock(),
    )


def answered(result: Result) -> Any:
    """What the caller was told."""
    assert result.answer is not None
    return msgspec.json.decode(result.answer)


def _number(done: Done) -> str | None:
    numbers = [
        entry.event.number
        for entry in done.entries
        if isinstance(entry.event, TicketTaken | TicketCalled)
    ]
    return numbers[0] if numbers else None
