"""Accounts of people, as functions of a connection."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from msgspec import Struct
from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tinghao.app.auth.caller import ACCOUNT_ROLES, AccountRole
from tinghao.app.auth.tables import accounts, sessions
from tinghao.app.auth.throttle import SECOND, account_delay
from tinghao.queue.tables import halls, staff


class AccountRefusedError(ValueError):
    """An account cannot be made or changed so; the message says why."""


class Account(Struct, frozen=True):
    """An account without its password."""

    id: int
    username: str
    name: str
    role: AccountRole
    hall: str | None
    staff_id: int | None
    active: bool


class Attempt(Struct, frozen=True):
    """A sign-in that has begun: it counts as failed until ``succeeded`` says otherwise."""

    account_id: int
    password: str
    active: bool
    wait: int
    """Seconds until a try is allowed; 0: this one is, and has been counted."""


def folded(username: str) -> str:
    """The one spelling a user name is stored and looked up by."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def create(
    connection: Connection,
    *,
    username: str,
    name: str,
    role: str,
    password_hash: str,
    now: int,
    hall: str | None = None,
    staff_id: int | None = None,
) -> int:
    """Make an account and return its id; ``now`` in microseconds. Raises AccountRefusedError."""
    key = folded(username)
    if not key or len(key) > 64 or not key.isprintable() or " " in key:
        raise AccountRefusedError("A user name has 1 to 64 characters and no space.")
    if role not in ACCOUNT_ROLES:
        raise AccountRefusedError(f"An account's role is one of {', '.join(ACCOUNT_ROLES)}.")
    if not name.strip() or len(name) > 64:
        raise AccountRefusedError("The displayed name has 1 to 64 characters.")
    check_hall(connection, hall)
    if staff_id is not None:
        of = select(halls.c.code).join(staff, staff.c.hall_id == halls.c.id)
        works_in = connection.scalar(of.where(staff.c.id == staff_id))
        if works_in is None or hall not in {None, works_in}:
            raise AccountRefusedError("There is no such person on the staff of the hall.")
    row = {
        "username": key,
        "name": name.strip(),
        "role": role,
        "hall": hall,
        "staff_id": staff_id,
        "password": password_hash,
        "active": True,
        "failures": 0,
        "blocked_until": 0,
        "created_at": now,
    }
    if connection.scalar(select(accounts.c.id).where(accounts.c.username == key)) is not None:
        raise AccountRefusedError(f"There is an account {key} already.")
    try:
        with connection.begin_nested():
            made = connection.execute(insert(accounts).values(row).returning(accounts.c.id))
            return int(made.scalar_one())
    except IntegrityError:
        raise AccountRefusedError(f"There is an account {key} already.") from None


def check_hall(connection: Connection, hall: str | None) -> None:
    """Raise AccountRefusedError when ``hall`` is not the code of a hall here."""
    known: list[str] = list(connection.scalars(select(halls.c.code).order_by(halls.c.code)))
    if hall is not None and hall not in known:
        listed = f"known are {', '.join(known)}" if known else "there is none yet"
        raise AccountRefusedError(f"There is no hall {hall}; {listed}.")


def find(connection: Connection, username: str) -> Account | None:
    """The account of that name, or None."""
    query = select(accounts).where(accounts.c.username == folded(username))
    row = connection.execute(query).one_or_none()
    return None if row is None else _account(row)


def every(connection: Connection) -> Iterable[Account]:
    """All accounts by name."""
    return [_account(row) for row in connection.execute(select(accounts).order_by("username"))]


def begin_attempt(connection: Connection, username: str, now: int) -> Attempt | None:
    """Begin a sign-in: count it as failed BEFORE the slow check, so that many at once cannot
    all be tried for the price of one. None when nobody has that name.
    """
    key = folded(username)
    if not key.isprintable():  # PostgreSQL would refuse the query
        return None
    query = select(accounts).where(accounts.c.username == key).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    wait = max(0, -((now - row.blocked_until) // SECOND))
    if wait == 0:
        failures = row.failures + 1
        connection.execute(
            update(accounts)
            .where(accounts.c.id == row.id)
            .values(failures=failures, blocked_until=now + account_delay(failures) * SECOND)
        )
    return Attempt(row.id, row.password, row.active, wait)


def attempt_succeeded(
    connection: Connection, account_id: int, now: int, new_hash: str | None
) -> None:
    """Forget the failures; store ``new_hash`` when the old one was made with weaker parameters."""
    values: dict[str, object] = {"failures": 0, "blocked_until": 0, "signed_in_at": now}
    if new_hash is not None:
        values["password"] = new_hash
    connection.execute(update(accounts).where(accounts.c.id == account_id).values(values))


def set_password(connection: Connection, username: str, password_hash: str) -> None:
    """Change the password and end every session of the account. Raises AccountRefusedError."""
    account = _wanted(connection, username)
    connection.execute(
        update(accounts)
        .where(accounts.c.id == account.id)
        .values(password=password_hash, failures=0, blocked_until=0)
    )
    connection.execute(delete(sessions).where(sessions.c.account_id == account.id))


def set_active(connection: Connection, username: str, *, active: bool) -> None:
    """Disable or enable an account; disabling ends its sessions. Raises AccountRefusedError."""
    account = _wanted(connection, username)
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(active=active))
    if not active:
        connection.execute(delete(sessions).where(sessions.c.account_id == account.id))


def _wanted(connection: Connection, username: str) -> Account:
    account = find(connection, username)
    if account is None:
        raise AccountRefusedError(f"There is no account {folded(username)}.")
    return account


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(row.id, row.username, row.name, row.role, row.hall, row.staff_id, row.active)
