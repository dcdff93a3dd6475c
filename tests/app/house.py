"""A deployment with its server running in the loop of the test: real HTTP, real database.

Two halls, one token of each role, people with accounts. The halls' clock stands at nine on a
workday until the test lets time pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx
from msgspec.structs import replace
from sqlalchemy import Connection

from tinghao.app import keys, migrations
from tinghao.app.auth import accounts, csrf, sessions, tokens
from tinghao.app.auth.caller import TOKEN_ROLES
from tinghao.app.auth.gate import SESSION_COOKIE
from tinghao.app.database import Database
from tinghao.app.rooms import all_rooms
from tinghao.app.serving.server import Served, serving
from tinghao.app.settings import Settings
from tinghao.queue.clock import at_time, machine_clock
from tinghao.queue.founding import PUYANG, found
from tinghao.queue.model import MINUTE, SECOND, HallConfig, Micros, Policy

T = TypeVar("T")

DAY = 2025_11_25  # a Tuesday; before today, as the database's clock wants it
SHANGHAI = "Asia/Shanghai"
HOUR = 60 * MINUTE

PUBLIC = replace(PUYANG, policy=Policy(public_take=True))
"""The template's hall, where citizens may take numbers by themselves."""

STAFF = (("001", "王建国"), ("002", "李秀英"), ("003", "张伟"))
PEOPLE = {
    "wang": ("clerk", "001"),
    "li": ("clerk", "002"),
    "nobadge": ("clerk", None),
    "boss": ("manager", None),
    "inspector": ("inspector", None),
    "root": ("administrator", None),
}
"""Accounts by user name: role, and the badge of the person behind it."""


class HallClock:
    """The machine's clock of the halls, which moves only when it is told to."""

    def __init__(self) -> None:
        self.now: Micros = at_time(DAY, "09:00", SHANGHAI)

    def __call__(self) -> Micros:
        return self.now

    def wait(self, *, seconds: float = 0, minutes: float = 0, days: float = 0) -> None:
        """Let time pass."""
        self.now += round(seconds * SECOND + minutes * MINUTE + days * 24 * HOUR)

    def shows(self, clock: str, day: int = DAY) -> None:
        """Set it to a time of a day, forward or back."""
        self.now = at_time(day, clock, SHANGHAI)


@dataclass
class House:
    """The running deployment as a test sees it."""

    served: Served
    clock: HallClock
    tokens: dict[str, str]
    """The bearer token of each role, and of the test's own making."""
    sessions: dict[str, str]
    """The session of each account by user name."""
    clients: dict[tuple[tuple[str, str], ...], httpx.AsyncClient] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.served.url

    def bearer(self, role: str | None, language: str = "en") -> httpx.AsyncClient:
        """A device or integration of that role; None is somebody unknown."""
        headers = {"Accept-Language": language}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return self._client(headers)

    def person(
        self, name: str, language: str = "en", *, csrf_token: bool = True
    ) -> httpx.AsyncClient:
        """A signed-in person, whose scripts send the page's token."""
        secret = self.sessions[name]
        headers = {
            "Accept-Language": language,
            "Cookie": f"{SESSION_COOKIE}={secret}",
            "Origin": self.url,
        }
        if csrf_token:
            headers["x-csrftoken"] = csrf.token_for(self.served.service.gate.secret, secret)
        return self._client(headers)

    def state(self, hall: str = "puyang") -> Any:
        """The live state of a hall."""
        return self.served.service.desk.live(hall).state

    async def change(self, fn: Callable[[Connection], Any]) -> Any:
        """Change accounts or tokens as the command line does."""
        return await self.served.service.gate.change(fn)

    async def token(self, name: str, **of: Any) -> str:
        """Make one more token under a name for `bearer`."""
        made = await self.change(lambda c: tokens.create(c, now=machine_clock(), **of))
        self.tokens[name] = str(made)
        return str(made)

    def _client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        known = tuple(sorted(headers.items()))
        if known not in self.clients:
            # Plain HTTP: without certificates to load a client is made in no time.
            self.clients[known] = httpx.AsyncClient(
                base_url=self.url, headers=headers, timeout=30, verify=False
            )
        return self.clients[known]


@asynccontextmanager
async def open_house(
    folder: Path,
    database_url: str | None = None,
    config: HallConfig = PUBLIC,
    clock: HallClock | None = None,
    more_halls: Sequence[str] = (),
    at_port: int = 0,
    **settings: Any,
) -> AsyncIterator[House]:
    """Serve until the block is left. The same folder once more is a restart.

    `more_halls` stand beside puyang and fanxian, each for a scene of its own.
    """
    url = database_url or f"sqlite:///{folder / 'hall.db'}"
    chosen = Settings(data_directory=str(folder), database_url=url, port=at_port, **settings)
    if not (folder / "keys").exists():
        _put_keys(folder / "keys")
    tokens_of, sessions_of = _furnished(chosen.database_url, config, more_halls)
    clock = clock or HallClock()
    async with in_one_task(serving(chosen, clock=clock)) as served:
        house = House(served, clock, dict(tokens_of), dict(sessions_of))
        try:
            yield house
        finally:
            for client in house.clients.values():
                await client.aclose()


@asynccontextmanager
async def in_one_task(context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave a context in one task: a fixture is set up and taken down in two."""
    ready: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    leave = asyncio.Event()

    async def hold() -> None:
        async with context as value:
            ready.set_result(value)
            await leave.wait()

    task = asyncio.create_task(hold())
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        await task  # raises what went wrong
    try:
        yield ready.result()
    finally:
        leave.set()
        await task


@cache
def _keys() -> dict[str, bytes]:
    """Key files by name, made once: they cost more than all the rest of a start."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "keys"
        keys.create_secret(folder / "secret.key")
        keys.create_journal_key(folder / "journal.pem")
        return {each.name: each.read_bytes() for each in folder.iterdir()}


def _put_keys(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for name, content in _keys().items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)


_FURNISHED: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
"""By the database's address: what is in it already."""


def _furnished(
    url: str, config: HallConfig, more_halls: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    if url in _FURNISHED:
        return _FURNISHED[url]
    database = Database(url)
    try:
        migrations.upgrade(database)
        made = database.write_sync(lambda c: _furnish(c, config, more_halls))
    finally:
        database.close()
    _FURNISHED[url] = made
    return made


def _furnish(
    connection: Connection, config: HallConfig, more_halls: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    now = machine_clock()
    for code in ("puyang", "fanxian", *more_halls):
        hall = found(connection, all_rooms(), code, config, STAFF if code == "puyang" else ())
        assert hall.code == code
    made: dict[str, str] = {
        role: tokens.create(connection, role=role, now=now, hall="puyang", label=f"{role}-label")
        for role in TOKEN_ROLES
    }
    began = {}
    badges = {badge: number for number, (badge, _) in enumerate(STAFF, start=1)}
    for name, (role, badge) in PEOPLE.items():
        account = accounts.create(
            connection,
            username=name,
            name=f"{name}-name",
            role=role,
            password_hash="no password opens this",
            now=now,
            hall=None if role == "administrator" else "puyang",
            staff_id=badges[badge] if badge else None,
        )
        began[name] = sessions.start(connection, now=now, lifetime=12 * HOUR, account_id=account)
    return made, began
