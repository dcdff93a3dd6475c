"""Sessions in the database, and what a secret in a request says about its sender.

The browser holds a random id, the database its SHA-256. A person's session ends after idleness
and in any case after some hours; a device's lasts as long as the token it was paired by.
"""

from __future__ import annotations

import secrets
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from tinghao.app.auth.caller import Caller
from tinghao.app.auth.tables import accounts, sessions, tokens
from tinghao.app.auth.tokens import hashed

MINUTE = 60_000_000
DEVICE_LIFETIME = 400 * 24 * 60 * MINUTE
"""Browsers keep no cookie longer than 400 days."""


class Found(Struct, frozen=True):
    """A valid secret's caller, and when its row was last touched (microseconds, None: never)."""

    caller: Caller
    touched_at: int | None


def start(
    connection: Connection,
    *,
    now: int,
    lifetime: int,
    account_id: int | None = None,
    token_id: int | None = None,
) -> str:
    """Begin a session that ends ``lifetime`` microseconds from ``now``; returns its secret."""
    connection.execute(delete(sessions).where(sessions.c.expires_at < now))
    secret = secrets.token_urlsafe(32)
    connection.execute(
        insert(sessions).values(
            hash=hashed(secret),
            account_id=account_id,
            token_id=token_id,
            created_at=now,
            seen_at=now,
            expires_at=now + lifetime,
        )
    )
    return secret


def end(connection: Connection, session_hash: str) -> None:
    """End a session; nothing happens when it has ended already."""
    connection.execute(delete(sessions).where(sessions.c.hash == session_hash))


def touch(connection: Connection, session_hash: str, now: int) -> None:
    """Note that the session was used."""
    connection.execute(update(sessions).where(sessions.c.hash == session_hash).values(seen_at=now))


def by_session(connection: Connection, session_hash: str, now: int, idle: int) -> Found | None:
    """Whose session it is; None when it has ended or its owner may come in no more.

    ``now`` and ``idle`` (how long a person may rest) in microseconds.
    """
    query = (
        select(
            sessions.c.seen_at,
            sessions.c.account_id,
            *(accounts.c[name].label(f"account_{name}") for name in _OF_ACCOUNT),
            *(tokens.c[name].label(f"token_{name}") for name in _OF_TOKEN),
        )
        .outerjoin(accounts, accounts.c.id == sessions.c.account_id)
        .outerjoin(tokens, tokens.c.id == sessions.c.token_id)
        .where(sessions.c.hash == session_hash, sessions.c.expires_at > now)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.account_id is None:
        if row.token_id is None or row.token_revoked_at is not None:
            return None
        return Found(_device(row, session_hash), row.seen_at)
    if not row.account_active or row.seen_at + idle <= now:
        return None
    return Found(
        Caller(
            kind="person",
            id=f"account:{row.account_id}",
            role=row.account_role,
            hall=row.account_hall,
            staff_id=row.account_staff_id,
            name=row.account_name,
            session=session_hash,
        ),
        row.seen_at,
    )


def by_token(connection: Connection, token_hash: str) -> Found | None:
    """Whose token it is; None when there is no such token or it was revoked."""
    return _token(connection, tokens.c.hash == token_hash)


def by_token_id(connection: Connection, token_id: int) -> Found | None:
    """The same for a token that was seen before."""
    return _token(connection, tokens.c.id == token_id)


def _token(connection: Connection, which: ColumnElement[bool]) -> Found | None:
    query = select(
        tokens.c.used_at, *(tokens.c[name].label(f"token_{name}") for name in _OF_TOKEN)
    ).where(which, tokens.c.revoked_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else Found(_device(row, None), row.used_at)


_OF_ACCOUNT = ("role", "hall", "staff_id", "name", "active")
_OF_TOKEN = ("id", "role", "hall", "window", "label", "revoked_at")


def _device(row: Row[Any], session_hash: str | None) -> Caller:
    return Caller(
        kind="token",
        id=f"token:{row.token_id}",
        role=row.token_role,
        hall=row.token_hall,
        window=row.token_window,
        name=row.token_label,
        session=session_hash,
        token_id=row.token_id,
    )
