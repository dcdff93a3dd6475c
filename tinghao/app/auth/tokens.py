"""Bearer tokens of devices and integrations, as functions of a connection."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select, update

from tinghao.app.auth.accounts import AccountRefusedError, check_hall
from tinghao.app.auth.caller import TOKEN_ROLES
from tinghao.app.auth.tables import sessions, tokens

PREFIX = "th_"
HOUR = 3_600_000_000


class Token(Struct, frozen=True):
    """A token without its secret. Times in microseconds."""

    id: int
    role: str
    hall: str | None
    window: int | None
    label: str
    created_at: int
    used_at: int | None
    revoked_at: int | None


def hashed(secret: str) -> str:
    """What is stored of a token or session id: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create(
    connection: Connection,
    *,
    role: str,
    now: int,
    hall: str | None = None,
    window: int | None = None,
    label: str = "",
) -> str:
    """Make a token and return its secret, the only time it can be seen.

    Raises AccountRefusedError.
    """
    if role not in TOKEN_ROLES:
        raise AccountRefusedError(f"A token's role is one of {', '.join(TOKEN_ROLES)}.")
    if len(label) > 80:
        raise AccountRefusedError("A token's label has at most 80 characters.")
    check_hall(connection, hall)
    secret = PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        insert(tokens).values(
            hash=hashed(secret), role=role, hall=hall, window=window, label=label, created_at=now
        )
    )
    return secret


def every(connection: Connection) -> Sequence[Token]:
    """All tokens, the revoked ones too, oldest first."""
    columns = [tokens.c[name] for name in Token.__struct_fields__]
    return [Token(*row) for row in connection.execute(select(*columns).order_by(tokens.c.id))]


def revoke(connection: Connection, token_id: int, now: int) -> None:
    """End a token and the sessions of the devices paired by it. Raises AccountRefusedError."""
    alive = (tokens.c.id == token_id) & tokens.c.revoked_at.is_(None)
    if connection.execute(update(tokens).where(alive).values(revoked_at=now)).rowcount != 1:
        raise AccountRefusedError(f"There is no token {token_id} that could be revoked.")
    connection.execute(delete(sessions).where(sessions.c.token_id == token_id))


def touch(connection: Connection, token_id: int, now: int) -> None:
    """Note that the token was used, to the hour."""
    hour = now - now % HOUR
    connection.execute(update(tokens).where(tokens.c.id == token_id).values(used_at=hour))
