"""``tinghao demo``: a hall that lives, for whoever wants to see one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import uvloop
from msgspec import Struct
from sqlalchemy import Connection, select

from tinghao.app import keys, log, migrations
from tinghao.app.auth import accounts, tokens
from tinghao.app.auth.passwords import hash_password, new_password
from tinghao.app.cli.deployment import hall_codes
from tinghao.app.database import Database
from tinghao.app.database.serving_lock import sole_server
from tinghao.app.records.demo import live_through
from tinghao.app.rooms import all_rooms
from tinghao.app.serving.server import Served, serving
from tinghao.app.settings import Settings
from tinghao.queue.clock import machine_clock
from tinghao.queue.founding import DEMO, DEMO_STAFF, found
from tinghao.queue.tables import halls, staff

HALL = "puyang"

# User name, role, badge: the demonstration's own staff sit at the other windows.
PEOPLE = (
    ("admin", "administrator", None),
    ("manager", "manager", None),
    ("inspector", "inspector", None),
    ("clerk", "clerk", "009"),
    ("clerk2", "clerk", "010"),
)


class Way(Struct, frozen=True):
    """How to get in."""

    passwords: dict[str, str]
    replay_token: str
    kiosk_token: str


@click.command()
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--host", metavar="H", default="127.0.0.1", show_default=True)
@click.option(
    "--speed",
    metavar="N",
    type=click.FloatRange(min=0.1, max=1000),
    default=30.0,
    show_default=True,
    help="How many times faster than the clock the hall lives.",
)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the hall is kept; without it, it is gone when the demo ends.",
)
def demo(port: int, host: str, speed: float, data: Path | None) -> None:
    """Run a demonstration hall, 濮阳市行政服务中心, living through recorded days."""
    with _folder(data) as folder:
        settings = Settings(
            data_directory=str(folder), host=host, port=port, log_level="warning", access_log=False
        )
        log.configure(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_live(settings, speed))


async def _live(settings: Settings, speed: float) -> None:
    way = await asyncio.to_thread(_prepare, settings)
    async with serving(settings, signals=True) as served:
        life = asyncio.create_task(
            live_through(
                HALL,
                served.url,
                way.replay_token,
                speed,
                ready=lambda: click.echo("The hall is full of life now."),
            )
        )
        served.on_stop(life.cancel)
        _tell(served, way, speed)


def _prepare(settings: Settings) -> Way:
    """The demonstration's files, hall and accounts; each start gives new passwords."""
    if not settings.secret_path.exists():
        keys.create_secret(settings.secret_path)
    if not settings.journal_key_path.exists():
        keys.create_journal_key(settings.journal_key_path)
    database = Database(settings.database_url)
    try:
        with sole_server(database.path):
            migrations.upgrade(database)
            return database.write_sync(_fill)
    finally:
        database.close()


def _fill(connection: Connection) -> Way:
    if HALL not in hall_codes(connection):
        found(connection, all_rooms(), HALL, DEMO, DEMO_STAFF)
    passwords = {}
    for username, role, badge in PEOPLE:
        passwords[username] = new_password()
        password_hash = hash_password(passwords[username])
        if accounts.find(connection, username) is not None:
            accounts.set_password(connection, username, password_hash)
            continue
        accounts.create(
            connection,
            username=username,
            name=username,
            role=role,
            password_hash=password_hash,
            now=machine_clock(),
            hall=None if role == "administrator" else HALL,
            staff_id=None if badge is None else _staff_id(connection, badge),
        )
    for old in tokens.every(connection):
        if old.revoked_at is None:
            tokens.revoke(connection, old.id, machine_clock())
    return Way(
        passwords,
        tokens.create(
            connection, role="replay", now=machine_clock(), hall=HALL, label="the demo itself"
        ),
        tokens.create(connection, role="kiosk", now=machine_clock(), hall=HALL, label="for you"),
    )


def _staff_id(connection: Connection, badge: str) -> int | None:
    query = select(staff.c.id).join(halls, halls.c.id == staff.c.hall_id)
    return connection.scalar(query.where(halls.c.code == HALL, staff.c.badge == badge))


def _tell(served: Served, way: Way, speed: float) -> None:
    here = f"{served.url}/halls/{HALL}"
    click.echo(f"{DEMO.name} ({DEMO.name_en}) lives at {speed:g} times the clock's speed.\n")
    for what, address in (
        ("all screens", served.url),
        ("lobby wall", f"{here}/lobby"),
        ("kiosk", f"{here}/kiosk"),
        ("window console", f"{here}/console"),
        ("manager", f"{here}/manager"),
        ("API", f"{served.url}/docs"),
        ("metrics", f"{served.url}/metrics"),
    ):
        click.echo(f"  {what:15} {address}")
    click.echo("\nTo sign in (made for this start):")
    for username, role, badge in PEOPLE:
        sits = f", badge {badge}" if badge else ""
        click.echo(f"  {username:15} {way.passwords[username]}   {role}{sits}")
    click.echo(f"\nA device is paired at {served.url}/device with its token:")
    click.echo(f"  {'kiosk':15} {way.kiosk_token}")
    click.echo("\nStop with Ctrl-C.")


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="tinghao-demo-") as folder:
        yield Path(folder)
