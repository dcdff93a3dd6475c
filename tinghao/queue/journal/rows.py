"""The tables beside the journal: each row is a function of a value of the state."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete
from sqlalchemy.dialects import postgresql, sqlite

from tinghao.queue.clock import day_and_half_hour
from tinghao.queue.model import Stage, Ticket, Window
from tinghao.queue.tables import stages, tickets, windows

Row = dict[str, Any]


def write_tickets(
    connection: Connection,
    hall_id: int,
    timezone: str,
    changed: Iterable[Ticket],
    tokens: Mapping[int, str],
) -> None:
    """Insert or replace the rows of tickets; a token's hash stays as the take wrote it."""
    rows = [ticket_row(hall_id, timezone, each, tokens.get(each.id)) for each in changed]
    _put(connection, tickets, rows, kept=("token_hash",))


def write_stages(
    connection: Connection,
    hall_id: int,
    timezone: str,
    changed: Mapping[tuple[int, int], Stage],
) -> None:
    """Insert or replace the rows of stages, keyed by ticket and number."""
    rows = [stage_row(hall_id, timezone, key[0], stage) for key, stage in changed.items()]
    _put(connection, stages, rows)


def write_windows(connection: Connection, hall_id: int, changed: Iterable[Window]) -> None:
    """Insert or replace the rows of windows."""
    _put(connection, windows, [window_row(hall_id, each) for each in changed])


def remove_windows(connection: Connection, hall_id: int, numbers: Collection[int]) -> None:
    """Delete the rows of windows that the hall no longer has."""
    if numbers:
        connection.execute(
            delete(windows).where(windows.c.hall_id == hall_id, windows.c.number.in_(numbers))
        )


def ticket_row(hall_id: int, timezone: str, ticket: Ticket, token_hash: str | None) -> Row:
    """A ticket as its row."""
    return {
        "hall_id": hall_id,
        "id": ticket.id,
        "day": ticket.day,
        "half_hour": day_and_half_hour(ticket.taken_at, timezone)[1],
        "number": ticket.number,
        "category": ticket.category,
        "item": ticket.item,
        "channel": ticket.channel,
        "priority": None if ticket.cls == "normal" else ticket.cls,
        "ground": ticket.ground,
        "state": ticket.state,
        "stage": ticket.stage.no,
        "window": ticket.stage.window,
        "taken_at": ticket.taken_at,
        "called_at": ticket.first_called_at,
        "started_at": ticket.stage.started_at,
        "finished_at": ticket.settled_at if ticket.state == "finished" else None,
        "settled_at": ticket.settled_at,
        "result": ticket.result,
        "reason": ticket.reason,
        "grade": ticket.grade,
        "life": msgspec.json.encode(ticket).decode(),
        "token_hash": token_hash,
    }


def stage_row(hall_id: int, timezone: str, ticket: int, stage: Stage) -> Row:
    """A stage as its row."""
    day, half_hour = day_and_half_hour(stage.entered_at, timezone)
    return {
        "hall_id": hall_id,
        "ticket_id": ticket,
        "no": stage.no,
        "day": day,
        "half_hour": half_hour,
        "category": stage.category,
        "window": stage.window,
        "staff_id": stage.staff,
        "entered_at": stage.entered_at,
        "due": stage.due,
        "called_at": stage.called_at,
        "calls": stage.calls,
        "started_at": stage.started_at,
        "held_us": stage.held,
        "ended_at": stage.ended_at,
        "outcome": stage.outcome,
    }


def window_row(hall_id: int, window: Window) -> Row:
    """A window as its row."""
    return {
        "hall_id": hall_id,
        "number": window.number,
        "state": window.state,
        "staff_id": window.staff,
        "since": window.since,
        "ticket_id": window.ticket,
        "pause_reason": window.pause_reason,
        "categories": " ".join(window.categories),
    }


def _put(connection: Connection, table: Table, rows: list[Row], kept: tuple[str, ...] = ()) -> None:
    if rows:
        statement = _upsert(table, connection.dialect.name, kept)
        connection.execute(statement, rows if len(rows) > 1 else rows[0])


@lru_cache(maxsize=32)
def _upsert(table: Table, dialect: str, kept: tuple[str, ...]) -> Any:
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = make(table)
    keys = [column.name for column in table.primary_key.columns]
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name not in keys and column.name not in kept
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)
