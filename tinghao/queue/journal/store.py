"""The journal in the database: the hall's lock, appending, reading, loading a state."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, insert, literal_column, select, update

from tinghao.queue.events import Entry
from tinghao.queue.journal.entries import chained, parse
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.model import HallState, Micros, Ticket
from tinghao.queue.refusals import unknown
from tinghao.queue.tables import checkpoints, halls, journal, tickets

STATE_VERSION = 1  # of a checkpoint; another one is passed over and the journal folded instead
BATCH = 2_000


class Head(Struct, frozen=True):
    """A hall's row: how far its journal has come."""

    hall_id: int
    code: str
    epoch: str
    seq: int
    hash: str
    at: Micros
    database_now: Micros | None = None  # of the database's own clock, when it has one


_columns = (
    halls.c.id,
    halls.c.code,
    halls.c.epoch,
    halls.c.head_seq,
    halls.c.head_hash,
    halls.c.head_at,
)
_select = select(*_columns)
_clock: Any = literal_column("(extract(epoch from clock_timestamp()) * 1000000)::bigint")
_lock_postgresql = (
    select(*_columns, _clock).where(halls.c.id == bindparam("hall")).with_for_update(of=halls)
)
_lock_sqlite = select(*_columns).where(halls.c.id == bindparam("hall"))
_append = insert(journal)
_move_head = (
    update(halls)
    .where(halls.c.id == bindparam("hall"), halls.c.head_seq == bindparam("from_seq"))
    .values(
        head_seq=bindparam("to_seq"), head_hash=bindparam("to_hash"), head_at=bindparam("to_at")
    )
)
_after = (
    select(journal.c.entry, journal.c.hash)
    .where(journal.c.hall_id == bindparam("hall"), journal.c.seq > bindparam("after"))
    .order_by(journal.c.seq)
    .limit(bindparam("most"))
)


def lock(connection: Connection, hall_id: int) -> Head:
    """The hall's row, locked until the transaction ends: its first statement.

    On SQLite the transaction itself is the lock (BEGIN IMMEDIATE).
    """
    statement = _lock_sqlite if connection.dialect.name == "sqlite" else _lock_postgresql
    row = connection.execute(statement, {"hall": hall_id}).one()
    return Head(*row)


def heads(connection: Connection) -> list[Head]:
    """Every hall's head, by code."""
    return [Head(*row) for row in connection.execute(_select.order_by(halls.c.code))]


def head_of(connection: Connection, code: str) -> Head:
    """A hall's head. Raises Refusal `unknown-hall`."""
    row = connection.execute(_select.where(halls.c.code == code)).one_or_none()
    if row is None:
        raise unknown("unknown-hall", "There is no hall {hall}.", hall=code)
    return Head(*row)


def append(connection: Connection, head: Head, entries: Iterable[tuple[Entry, str]]) -> None:
    """Write entries (with their canonical texts) behind the head and move it."""
    rows = [
        {
            "hall_id": head.hall_id,
            "seq": entry.seq,
            "at": entry.at,
            "day": entry.day,
            "half_hour": entry.half_hour,
            "kind": entry.event.kind,
            "entry": text,
            "hash": entry.hash,
        }
        for entry, text in entries
    ]
    if rows[0]["seq"] != head.seq + 1:
        raise RuntimeError(f"entry {rows[0]['seq']} cannot follow {head.seq} of {head.code}")
    connection.execute(_append, rows if len(rows) > 1 else rows[0])
    last = rows[-1]
    moved = connection.execute(
        _move_head,
        {
            "hall": head.hall_id,
            "from_seq": head.seq,
            "to_seq": last["seq"],
            "to_hash": last["hash"],
            "to_at": last["at"],
        },
    )
    if moved.rowcount != 1:
        raise RuntimeError(f"the journal of {head.code} moved under its lock")


def read_entries(
    connection: Connection, rooms: Rooms, head: Head, after: int, most: int = BATCH
) -> list[Entry]:
    """The entries behind `after`, at most `most` of them. Raises BrokenEntry."""
    rows = connection.execute(_after, {"hall": head.hall_id, "after": after, "most": most})
    return [parse(rooms, head.code, text, digest) for text, digest in rows]


def stream_entries(
    connection: Connection, rooms: Rooms, head: Head, after: int = 0
) -> Iterator[Entry]:
    """All entries behind `after`, read in batches."""
    while batch := read_entries(connection, rooms, head, after):
        yield from batch
        after = batch[-1].seq


def behind(
    connection: Connection, rooms: Rooms, head: Head, seen: HallState
) -> HallState | tuple[Entry, ...]:
    """The entries that a state lacks; or the whole state anew when the journal is another one.

    It is another one with another epoch, and also when what was seen is not its beginning: a
    backup was put back under a running server.
    """
    if head.epoch == seen.epoch and head.seq == seen.seq and head.hash == seen.hash:
        return ()
    if head.epoch == seen.epoch and head.seq > seen.seq:
        rows = raw_entries(connection, head.hall_id, seen.seq, 1)
        if rows and chained(seen.hash, rows[0][0]) == rows[0][1]:
            return tuple(stream_entries(connection, rooms, head, seen.seq))
    return load_state(connection, rooms, head.code)


def raw_entries(
    connection: Connection, hall_id: int, after: int, most: int
) -> list[tuple[str, str]]:
    """Stored texts with their hashes, for those who check or pass on what is written."""
    rows = connection.execute(_after, {"hall": hall_id, "after": after, "most": most})
    return [(text, digest) for text, digest in rows]


def load_state(connection: Connection, rooms: Rooms, code: str) -> HallState:
    """The hall's present state: its last checkpoint and every entry behind it."""
    head = head_of(connection, code)
    state = _checkpoint(connection, rooms, head) or rooms.start(head.code, head.epoch, "")
    return rooms.fold(state, stream_entries(connection, rooms, head, state.seq))


def save_checkpoint(connection: Connection, hall_id: int, state: HallState) -> None:
    """Remember a state, so that a fold can start there."""
    text = msgspec.json.encode(state).decode()
    connection.execute(
        insert(checkpoints),
        {"hall_id": hall_id, "seq": state.seq, "version": STATE_VERSION, "state": text},
    )


def _checkpoint(connection: Connection, rooms: Rooms, head: Head) -> HallState | None:
    latest = (
        select(checkpoints.c.state)
        .where(
            checkpoints.c.hall_id == head.hall_id,
            checkpoints.c.version == STATE_VERSION,
            checkpoints.c.seq <= head.seq,  # one beyond a cut tail leads nowhere
        )
        .order_by(checkpoints.c.seq.desc())
        .limit(1)
    )
    text = connection.scalar(latest)
    state = None if text is None else rooms.read_state(text)
    return None if state is None else msgspec.structs.replace(state, epoch=head.epoch)


def settled_ticket(connection: Connection, hall_id: int, ticket: int) -> Ticket | None:
    """A ticket by its id, as its row has it."""
    text = connection.scalar(
        select(tickets.c.life).where(tickets.c.hall_id == hall_id, tickets.c.id == ticket)
    )
    return None if text is None else msgspec.json.decode(text, type=Ticket)


def ticket_by_token(connection: Connection, token_hash: str) -> tuple[str, Ticket] | None:
    """The hall's code and the ticket that a token opens."""
    row = connection.execute(
        select(halls.c.code, tickets.c.life)
        .join(halls, halls.c.id == tickets.c.hall_id)
        .where(tickets.c.token_hash == token_hash)
    ).one_or_none()
    return None if row is None else (row[0], msgspec.json.decode(row[1], type=Ticket))
