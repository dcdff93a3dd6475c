"""The gate on both databases: signing in, its limits, and what ends a session or token."""

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import Connection, select

from tests.app.house import HallClock
from tinghao.app import migrations
from tinghao.app.auth import accounts, passwords, sessions, tokens
from tinghao.app.auth.gate import (
    SESSION_COOKIE,
    Gate,
    NotAuthenticatedError,
    SignInRefusedError,
    SignInWaitError,
)
from tinghao.app.auth.headers import RawHeaders
from tinghao.app.auth.passwords import TooManyChecksError, hash_password
from tinghao.app.auth.tables import accounts as accounts_table
from tinghao.app.auth.tables import sessions as sessions_table
from tinghao.app.auth.tables import tokens as tokens_table
from tinghao.app.database import Database
from tinghao.app.settings import Settings

SECRET = b"s" * 32
PASSWORD = "correct horse"
HERE = "192.0.2.1"


@cache
def stored_password() -> str:
    return QUICK.hash(PASSWORD)


class Door:
    """A gate, its database and its clock."""

    def __init__(self, url: str, folder: Path, remember: float = 0.0) -> None:
        self.database = Database(url)
        self.clock = HallClock()
        settings = Settings(data_directory=str(folder))
        self.gate = Gate(self.database, settings, SECRET, clock=self.clock, remember=remember)

    def account(self, username: str = "wang", role: str = "clerk") -> int:
        def make(connection: Connection) -> int:
            return accounts.create(
                connection,
                username=username,
                name=username,
                role=role,
                password_hash=stored_password(),
                now=self.clock(),
            )

        return self.database.write_sync(make)

    def token(self, role: str = "kiosk") -> str:
        return self.database.write_sync(
            lambda connection: tokens.create(connection, role=role, now=self.clock())
        )

    async def sign_in(self, username: str = "wang", password: str = PASSWORD) -> RawHeaders:
        signed_in = await self.gate.sign_in(username, password, address=HERE)
        return cookie(signed_in.secret)

    async def kind(self, headers: RawHeaders) -> str:
        return (await self.gate.authenticate(headers, address=HERE)).kind

    def close(self) -> None:
        self.gate.close()
        self.database.close()


QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""The same algorithm at a cost that a test can pay hundreds of times."""


@pytest.fixture
async def door(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Door]:
    monkeypatch.setattr(passwords, "_hasher", QUICK)
    door = Door(database_url, tmp_path)
    await asyncio.to_thread(migrations.upgrade, door.database)
    yield door
    door.close()


def cookie(secret: str) -> RawHeaders:
    return [(b"cookie", f"{SESSION_COOKIE}={secret}".encode())]


def bearer(token: str) -> RawHeaders:
    return [(b"authorization", f"Bearer {token}".encode())]


async def test_the_right_password_opens_a_session(door: Door) -> None:
    door.account()
    caller = await door.gate.authenticate(await door.sign_in())
    assert (caller.kind, caller.role, caller.name) == ("person", "clerk", "wang")


async def test_a_user_name_is_the_same_however_it_is_typed(door: Door) -> None:
    door.account("Wang")
    assert await door.kind(await door.sign_in("ＷＡＮＧ ")) == "person"


@pytest.mark.parametrize("name", ["wang", "nobody", "", "wa\x00ng", "x" * 10_000])
async def test_whatever_is_wrong_the_answer_is_the_same(door: Door, name: str) -> None:
    door.account()
    with pytest.raises(SignInRefusedError):
        await door.sign_in(name, "wrong" * 3)


async def test_a_disabled_account_comes_in_no_more_and_is_put_out(door: Door) -> None:
    door.account()
    headers = await door.sign_in()
    await door.gate.change(lambda c: accounts.set_active(c, "wang", active=False))
    assert await door.kind(headers) == "citizen"
    with pytest.raises(SignInRefusedError):
        await door.sign_in()


async def test_a_new_password_ends_every_session(door: Door) -> None:
    door.account()
    headers = await door.sign_in()
    new = hash_password("another password")
    await door.gate.change(lambda c: accounts.set_password(c, "wang", new))
    assert await door.kind(headers) == "citizen"
    assert await door.kind(await door.sign_in("wang", "another password")) == "person"


async def test_signing_in_again_ends_the_browsers_old_session(door: Door) -> None:
    door.account()
    first = await door.gate.sign_in("wang", PASSWORD, address=HERE)
    second = await door.gate.sign_in("wang", PASSWORD, address=HERE, before=first.secret)
    assert second.secret != first.secret
    assert await door.kind(cookie(first.secret)) == "citizen"
    assert await door.kind(cookie(second.secret)) == "person"


async def test_an_id_that_the_client_made_up_is_never_adopted(door: Door) -> None:
    door.account()
    signed_in = await door.gate.sign_in("wang", PASSWORD, address=HERE, before="mine" * 8)
    assert signed_in.secret != "mine" * 8
    assert await door.kind(cookie("mine" * 8)) == "citizen"


async def test_signing_out_ends_the_session_for_whoever_copied_it(door: Door) -> None:
    door.account()
    signed_in = await door.gate.sign_in("wang", PASSWORD, address=HERE)
    await door.gate.sign_out(signed_in.secret)
    assert await door.kind(cookie(signed_in.secret)) == "citizen"


async def test_an_idle_session_ends_and_a_used_one_goes_on(door: Door) -> None:
    door.account()
    headers = await door.sign_in()
    for _ in range(3):
        door.clock.wait(minutes=100)
        assert await door.kind(headers) == "person"
    door.clock.wait(minutes=121)
    assert await door.kind(headers) == "citizen"


async def test_a_session_ends_after_its_hours_however_much_it_is_used(door: Door) -> None:
    door.account()
    headers = await door.sign_in()
    for _ in range(7):
        door.clock.wait(minutes=100)
        assert await door.kind(headers) == "person"
    door.clock.wait(minutes=21)
    assert await door.kind(headers) == "citizen"


async def test_wrong_passwords_cost_a_growing_wait_that_ends(door: Door) -> None:
    door.account()
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            await door.sign_in(password="wrong password")
    with pytest.raises(SignInWaitError) as first:
        await door.sign_in()
    door.clock.wait(seconds=first.value.seconds)
    with pytest.raises(SignInRefusedError):
        await door.sign_in(password="wrong password")
    with pytest.raises(SignInWaitError) as second:
        await door.sign_in()
    assert second.value.seconds > first.value.seconds
    door.clock.wait(seconds=second.value.seconds)
    assert await door.kind(await door.sign_in()) == "person"
    with pytest.raises(SignInRefusedError):  # forgiven: a slip costs nothing again
        await door.sign_in(password="wrong password")
    assert await door.kind(await door.sign_in()) == "person"


async def test_a_name_that_does_not_exist_waits_as_one_that_does(door: Door) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            await door.sign_in("nobody", "wrong password")
    with pytest.raises(SignInWaitError):
        await door.sign_in("nobody", "wrong password")


async def test_many_guesses_at_once_are_not_cheaper_than_one_after_the_other(door: Door) -> None:
    door.account()
    guesses = (door.sign_in(password=f"wrong password {n}") for n in range(20))
    results = await asyncio.gather(*guesses, return_exceptions=True)
    checked = [one for one in results if isinstance(one, SignInRefusedError)]
    assert len(checked) <= 5
    assert all(isinstance(one, SignInRefusedError | SignInWaitError) for one in results)


async def test_a_crowd_at_the_door_is_turned_away_before_it_takes_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "LINE", 2)
    checks = passwords.PasswordChecks()
    tries = (checks.check(stored_password(), PASSWORD) for _ in range(3))
    first, second, third = await asyncio.gather(*tries, return_exceptions=True)
    assert (first, second) == (True, True)
    assert isinstance(third, TooManyChecksError)
    assert await checks.check(stored_password(), PASSWORD)
    checks.close()


async def test_an_old_hash_is_renewed_at_the_next_sign_in(door: Door) -> None:
    account = door.account()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    change = accounts_table.update().values(password=weak)
    door.database.write_sync(lambda connection: connection.execute(change))
    await door.sign_in()
    row = select(accounts_table.c.password).where(accounts_table.c.id == account)
    renewed = door.database.read_sync(lambda connection: connection.scalar(row))
    assert renewed != weak
    assert not passwords.outdated(str(renewed))
    assert await door.kind(await door.sign_in()) == "person"


async def test_a_token_speaks_until_it_is_revoked(door: Door) -> None:
    headers = bearer(door.token())
    caller = await door.gate.authenticate(headers)
    assert (caller.kind, caller.role) == ("token", "kiosk")
    assert await door.gate.still_valid(caller)
    await door.gate.change(lambda c: tokens.revoke(c, 1, door.clock()))
    with pytest.raises(NotAuthenticatedError):
        await door.gate.authenticate(headers)
    assert not await door.gate.still_valid(caller)


async def test_a_wrong_token_is_refused_and_not_taken_for_a_citizen(door: Door) -> None:
    for headers in (bearer("th_wrong"), bearer("wrong"), [(b"authorization", b"Basic x")]):
        with pytest.raises(NotAuthenticatedError):
            await door.gate.authenticate(headers)


async def test_a_device_is_paired_by_its_token_and_ends_with_it(door: Door) -> None:
    token = door.token("display")
    paired = await door.gate.pair(token)
    door.clock.wait(days=300)
    caller = await door.gate.authenticate(cookie(paired.secret))
    assert (caller.kind, caller.role) == ("token", "display")
    await door.gate.change(lambda c: tokens.revoke(c, 1, door.clock()))
    assert await door.kind(cookie(paired.secret)) == "citizen"
    assert not await door.gate.still_valid(caller)
    with pytest.raises(SignInRefusedError):
        await door.gate.pair(token)


async def test_an_open_socket_learns_that_its_session_ended_or_changed(door: Door) -> None:
    account = door.account()
    caller = await door.gate.authenticate(await door.sign_in())
    assert await door.gate.still_valid(caller)
    demote = accounts_table.update().where(accounts_table.c.id == account).values(role="inspector")
    await door.gate.change(lambda c: c.execute(demote))
    assert not await door.gate.still_valid(caller)


async def test_a_citizens_socket_has_nothing_that_could_be_revoked(door: Door) -> None:
    citizen = await door.gate.authenticate([], address=HERE)
    assert citizen.kind == "citizen"
    assert await door.gate.still_valid(citizen)


async def test_citizens_are_told_apart_without_keeping_their_address(door: Door) -> None:
    one = await door.gate.authenticate([], address="192.0.2.1")
    again = await door.gate.authenticate([], address="192.0.2.1")
    other = await door.gate.authenticate([], address="192.0.2.2")
    assert one.id == again.id != other.id
    assert "192.0.2" not in one.id


async def test_of_every_secret_only_a_hash_is_stored(door: Door) -> None:
    door.account()
    token = door.token()
    signed_in = await door.gate.sign_in("wang", PASSWORD, address=HERE)

    def everything(connection: Connection) -> str:
        tables = (accounts_table, sessions_table, tokens_table)
        return repr([connection.execute(select(table)).all() for table in tables])

    stored = door.database.read_sync(everything)
    assert sessions.hashed(signed_in.secret) in stored
    for secret in (PASSWORD, token, signed_in.secret):
        assert secret not in stored


async def test_an_expired_session_is_cleared_away(door: Door) -> None:
    door.account()
    await door.sign_in()
    door.clock.wait(days=2)
    await door.sign_in()
    rows = door.database.read_sync(lambda c: c.execute(select(sessions_table)).all())
    assert len(rows) == 1


async def test_another_process_revoking_is_seen_within_five_seconds(
    database_url: str, tmp_path: Path
) -> None:
    door = Door(database_url, tmp_path, remember=3.0)
    await asyncio.to_thread(migrations.upgrade, door.database)
    headers = bearer(door.token())
    await door.gate.authenticate(headers)
    other = Database(database_url)
    other.write_sync(lambda c: tokens.revoke(c, 1, door.clock()))
    other.close()
    async with asyncio.timeout(5):
        while await still_in(door, headers):  # noqa: ASYNC110 - the other process cannot tell us
            await asyncio.sleep(0.05)
    door.close()


async def still_in(door: Door, headers: RawHeaders) -> bool:
    try:
        await door.gate.authenticate(headers)
    except NotAuthenticatedError:
        return False
    return True


async def test_a_crowd_with_one_token_asks_the_database_once(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer(door.token("display"))
    asked = 0
    read = door.database.read

    async def counting(fn):  # type: ignore[no-untyped-def]
        nonlocal asked
        asked += 1
        return await read(fn)

    monkeypatch.setattr(door.database, "read", counting)
    await asyncio.gather(*(door.gate.authenticate(headers) for _ in range(100)))
    assert asked == 1


def test_passwords_are_hashed_as_the_rfc_says() -> None:
    hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
    assert not hasher.check_needs_rehash(hash_password(PASSWORD))


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_a_password_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(passwords.PasswordRefusedError, match="10 to 256"):
        hash_password(password)


def test_a_made_password_is_strong_and_easy_to_read_aloud() -> None:
    made = {passwords.new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one.replace("-", "")) == 16 and not set(one) & set("0Oo1lI5S8B") for one in made)
