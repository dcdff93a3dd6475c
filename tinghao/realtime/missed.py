"""Calls that are no longer in memory, read from the journal for a client that comes back."""

from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy import Connection, select

from tinghao.queue.events import Entry, TicketCalled, TicketRecalled
from tinghao.queue.journal.entries import parse
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.model import Call
from tinghao.queue.tables import halls, journal
from tinghao.realtime.feed import LoadCalls

Reading = Callable[[Connection], list[Call] | None]


def journal_calls(
    read: Callable[[Reading], Awaitable[list[Call] | None]], rooms: Rooms
) -> LoadCalls:
    """What the hub loads missed calls with; `read` runs a function on a database connection."""

    async def load(hall: str, after: int, upto: int, limit: int) -> list[Call] | None:
        return await read(partial(_calls, rooms=rooms, span=(hall, after, upto), limit=limit))

    return load


def _calls(
    connection: Connection, rooms: Rooms, span: tuple[str, int, int], limit: int
) -> list[Call] | None:
    hall, after, upto = span
    rows = connection.execute(
        select(journal.c.entry, journal.c.hash)
        .join(halls, halls.c.id == journal.c.hall_id)
        .where(
            halls.c.code == hall,
            journal.c.seq > after,
            journal.c.seq <= upto,
            journal.c.kind.in_((TicketCalled.kind, TicketRecalled.kind)),
        )
        .order_by(journal.c.seq)
        .limit(limit + 1)
    ).all()
    if len(rows) > limit:
        return None
    return [_call(parse(rooms, hall, text, digest)) for text, digest in rows]


def _call(entry: Entry) -> Call:
    event = entry.event
    assert isinstance(event, TicketCalled | TicketRecalled)
    return Call(entry.seq, event.number, event.category, event.window, entry.at, event.attempt)
