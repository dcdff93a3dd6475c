"""Checking a journal: the chain, the rows, the seals, and a refold against the tables.

The refold writes every entry once more into an empty database in memory, through the code that
writes the real one, and compares the tables row by row.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, create_engine, insert, select

from tinghao.queue.journal import seals, store
from tinghao.queue.journal.entries import GENESIS, BrokenEntry, chained, parse
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.journal.writing import Replaying
from tinghao.queue.model import HallState, Micros
from tinghao.queue.tables import halls, journal, metadata, stages, tickets, windows

COMPARED = (tickets, stages, windows)
FAULTS_SHOWN = 20


class Report(Struct, frozen=True):
    """What the check found. Empty `faults`: the journal and the tables are as they should be."""

    hall: str
    entries: int
    seals: int
    faults: tuple[str, ...]
    state: HallState


class _Walked(Struct):
    """What walking along the journal has shown so far."""

    last: tuple[int, str, Micros] = (0, GENESIS, 0)  # seq, hash and time
    faults: list[str] = []
    hashes: dict[int, str] = {}  # of the entries that are sealed


def verify(
    connection: Connection, rooms: Rooms, code: str, signer: seals.Signer | None = None
) -> Report:
    """Check the journal of a hall; raises Refusal `unknown-hall`."""
    head = store.head_of(connection, code)
    sealed = seals.saved(connection, head.hall_id, head.code)
    scratch = create_engine("sqlite://")
    with scratch.begin() as memory:
        metadata.create_all(memory)
        memory.execute(insert(halls), _row_of(head))
        start = rooms.start(head.code, head.epoch, GENESIS)
        replaying = Replaying(rooms, start, memory, head.hall_id)
        walked = _walk(connection, rooms, head, replaying, {each.seq for each in sealed})
        replaying.flush()
        faults = walked.faults
        if (head.seq, head.hash, head.at) != walked.last:
            faults.append(f"the hall's row says entry {head.seq}, the last is {walked.last[0]}")
        faults += _seal_faults(sealed, walked.hashes, signer)
        if not replaying.lost:
            for table in COMPARED:
                faults += _table_faults(connection, memory, table, head.hall_id)
    scratch.dispose()
    return Report(code, walked.last[0], len(sealed), tuple(faults[:FAULTS_SHOWN]), replaying.state)


def _walk(
    connection: Connection,
    rooms: Rooms,
    head: store.Head,
    replaying: Replaying,
    sealed: set[int],
) -> _Walked:
    """Along all entries, each checked for itself and against the one before it, and replayed."""
    walked = _Walked()
    for row in _rows(connection, head.hall_id):
        fault = _row_fault(rooms, head, row, walked.last, replaying)
        if fault is not None and len(walked.faults) < FAULTS_SHOWN:
            walked.faults.append(fault)
        walked.last = (row.seq, row.hash, row.at)
        if row.seq in sealed:
            walked.hashes[row.seq] = row.hash
    return walked


def _row_fault(
    rooms: Rooms,
    head: store.Head,
    row: Any,
    last: tuple[int, str, Micros],
    replaying: Replaying,
) -> str | None:
    before, previous, _ = last
    fault: str | None = None
    if row.seq != before + 1:
        fault = f"entry {before + 1} is missing: after {before} comes {row.seq}"
        replaying.lost = True
    elif chained(previous, row.entry) != row.hash:
        fault = f"entry {row.seq} does not continue the chain: it was changed"
    try:
        entry = parse(rooms, head.code, row.entry, row.hash)
        said = (entry.seq, entry.at, entry.day, entry.half_hour, entry.event.kind)
        if said != (row.seq, row.at, row.day, row.half_hour, row.kind):
            fault = fault or f"entry {row.seq}: its columns differ from its text"
        if not replaying.lost:
            replaying.add(entry)
    except (BrokenEntry, LookupError, ValueError, TypeError) as broken:
        fault = fault or f"entry {row.seq} cannot be replayed: {broken}"
        replaying.lost = True
    return fault


def _rows(connection: Connection, hall_id: int) -> Iterator[Any]:
    after = 0
    while True:
        batch = connection.execute(
            select(journal)
            .where(journal.c.hall_id == hall_id, journal.c.seq > after)
            .order_by(journal.c.seq)
            .limit(store.BATCH)
        ).all()
        if not batch:
            return
        yield from batch
        after = batch[-1].seq


def _row_of(head: store.Head) -> dict[str, Any]:
    return {
        "id": head.hall_id,
        "code": head.code,
        "epoch": head.epoch,
        "head_seq": 0,
        "head_hash": GENESIS,
        "head_at": 0,
    }


def _seal_faults(
    sealed: list[seals.Seal], hashes: dict[int, str], signer: seals.Signer | None
) -> list[str]:
    faults = []
    for each in sealed:
        if hashes.get(each.seq) != each.hash:
            faults.append(f"the seal of day {each.day} does not fit entry {each.seq}")
        elif signer is not None:
            what = seals.message(each.hall, each.epoch, each.day, each.seq, each.at, each.hash)
            if each.key_id != signer.key_id:
                faults.append(f"the seal of day {each.day} is of the unknown key {each.key_id}")
            elif not signer.verify(what, each.signature):
                faults.append(f"the seal of day {each.day} has a false signature")
    return faults


def _table_faults(real: Connection, memory: Connection, table: Any, hall_id: int) -> Iterator[str]:
    names = [each.name for each in table.columns if each.name != "token_hash"]
    keys = list(table.primary_key.columns)
    rows = select(*(table.c[name] for name in names)).where(table.c.hall_id == hall_id)
    there = iter(real.execute(rows.order_by(*keys)))
    again = iter(memory.execute(rows.order_by(*keys)))
    for mine, theirs in _side_by_side(there, again):
        if mine is None or theirs is None or tuple(mine) != tuple(theirs):
            row = mine if mine is not None else theirs
            what = "is missing" if mine is None else "is extra" if theirs is None else "differs"
            yield f"{table.name}: the row {tuple(row)[1:4]} {what} when the journal is refolded"
            return


def _side_by_side(one: Iterator[Any], other: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    while True:
        pair = (next(one, None), next(other, None))
        if pair == (None, None):
            return
        yield pair
