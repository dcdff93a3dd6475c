"""``tinghao doctor``: what could keep a deployment from serving well, before it does."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click
from msgspec import Struct
from sqlalchemy import Connection, text

from tinghao.app import keys, migrations
from tinghao.app.cli.deployment import config_option, hall_codes
from tinghao.app.cli.sentences import sentence_of
from tinghao.app.database import Database, database_now
from tinghao.app.database.serving_lock import AlreadyServedError, sole_server
from tinghao.app.rooms import all_rooms
from tinghao.app.settings import Settings
from tinghao.app.settings.sources import find_file, load_settings
from tinghao.queue.calendar import covered_until
from tinghao.queue.journal.store import load_state

MIB = 1024 * 1024
DISK_WARN, DISK_FAIL = 1024 * MIB, 100 * MIB
CLOCK_WARN, CLOCK_FAIL = 2, 300
"""Seconds between this machine's clock and the database's; from 300 on commands are refused."""

CALENDAR_EXPECTED_FROM = 12
"""The month by which the State Council has published the next year's holidays."""


class Finding(Struct, frozen=True):
    """One thing looked at."""

    level: Literal["ok", "warning", "FAULT"]
    what: str
    sentence: str


@click.command()
@config_option
@click.pass_context
def doctor(ctx: click.Context, config: Path | None) -> None:
    """Look at settings, database, schema, disk, clock, calendar and keys. Exit code 1 on a fault.

    Works beside a running server and changes nothing.
    """
    faults = 0
    for finding in _examine(config):
        faults += finding.level == "FAULT"
        click.echo(f"{finding.level:8} {finding.what:10} {finding.sentence}")
    if faults:
        ctx.exit(1)


def _examine(config: Path | None) -> Iterator[Finding]:
    try:
        file = find_file(config, os.environ)
        settings = load_settings(file, os.environ)
    except Exception as error:  # noqa: BLE001 - every part is looked at, whatever another one has
        yield Finding("FAULT", "settings", sentence_of(error))
        return
    yield Finding("ok", "settings", f"{file or 'no file, the defaults'}.")
    yield from _looked("keys", lambda: _keys(settings))
    yield from _looked("disk", lambda: _disk(settings.data_path))
    yield from _looked("calendar", lambda: _calendar(datetime.now(UTC)))
    yield from _looked("address", lambda: _address(settings))
    database = Database(settings.database_url)
    try:
        if database.path is not None and not database.path.exists():
            yield Finding("FAULT", "database", f"There is no {database.path}: `tinghao init`.")
            return
        yield from _looked("database", lambda: _database(database))
        yield from _looked("schema", lambda: _schema(database))
        yield from _looked("clock", lambda: _clock(database))
        yield from _looked("halls", lambda: _halls(database))
        yield from _looked("server", lambda: _server(database))
    finally:
        database.close()


def _looked(what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except Exception as error:  # noqa: BLE001 - a part that cannot be looked at is a finding
        yield Finding("FAULT", what, sentence_of(error))


def _keys(settings: Settings) -> Iterator[Finding]:
    for path, load in (
        (settings.secret_path, keys.load_secret),
        (settings.journal_key_path, keys.load_journal_key),
    ):
        load(path)
        if keys.open_to_others(path):
            yield Finding("FAULT", "keys", f"{path} can be read by others: chmod 600 {path}")
        else:
            yield Finding("ok", "keys", f"{path}.")


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    level: Literal["ok", "warning", "FAULT"] = "ok"
    if free < DISK_WARN:
        level = "FAULT" if free < DISK_FAIL else "warning"
    yield Finding(level, "disk", f"{free // MIB} MiB are free in {folder}.")
    if not os.access(folder, os.W_OK):
        yield Finding("FAULT", "disk", f"{folder} may not be written.")


def _calendar(now: datetime) -> Iterator[Finding]:
    known = covered_until()
    if known < now.year:
        yield Finding(
            "FAULT",
            "calendar",
            f"Holidays are known up to {known} only: update the package chinesecalendar.",
        )
    elif known == now.year and now.month >= CALENDAR_EXPECTED_FROM:
        yield Finding(
            "warning",
            "calendar",
            f"The holidays of {known + 1} are not known yet: update the package chinesecalendar.",
        )
    else:
        yield Finding("ok", "calendar", f"Holidays are known up to {known}.")


def _address(settings: Settings) -> Iterator[Finding]:
    if settings.public_url:
        yield Finding("ok", "address", f"QR codes lead to {settings.public_url}.")
    else:
        yield Finding(
            "warning",
            "address",
            "public_url is not set: QR codes lead to whatever address the kiosk uses.",
        )


def _database(database: Database) -> Iterator[Finding]:
    def look(connection: Connection) -> str:
        if database.kind == "sqlite":
            found = str(connection.scalar(text("PRAGMA quick_check(1)")))
            return "sound" if found == "ok" else found
        return str(connection.scalar(text("SHOW server_version")))

    found = database.read_sync(look)
    if database.kind == "sqlite":
        level: Literal["ok", "FAULT"] = "ok" if found == "sound" else "FAULT"
        yield Finding(level, "database", f"SQLite file {database.path}: {found}.")
    else:
        yield Finding("ok", "database", f"PostgreSQL {found} at {database.url.host}.")


def _schema(database: Database) -> Iterator[Finding]:
    state = migrations.schema(database)
    if state == "current":
        yield Finding("ok", "schema", f"{migrations.newest()}, as this version needs it.")
    elif state == "behind":
        yield Finding("warning", "schema", "Older than this version; the next start migrates it.")
    else:
        yield Finding("FAULT", "schema", "The database is empty: `tinghao init` makes one.")


def _clock(database: Database) -> Iterator[Finding]:
    before = time.time()
    there = database.read_sync(database_now) / 1_000_000
    apart = abs(there - (before + time.time()) / 2)
    if apart >= CLOCK_FAIL:
        yield Finding("FAULT", "clock", f"{apart:.0f} s off the database's: commands are refused.")
    elif apart >= CLOCK_WARN:
        yield Finding("warning", "clock", f"{apart:.1f} s off the database's clock: set up NTP.")
    else:
        yield Finding("ok", "clock", f"{datetime.now().astimezone().isoformat('T', 'seconds')}.")


def _halls(database: Database) -> Iterator[Finding]:
    codes = database.read_sync(hall_codes)
    if not codes:
        yield Finding("warning", "halls", "There is no hall.")
    for code in codes:
        state = database.read_sync(
            lambda connection, code=code: load_state(connection, all_rooms(), code)  # type: ignore[misc]
        )
        yield Finding("ok", "halls", f"{code} loads, {state.seq} entries.")


def _server(database: Database) -> Iterator[Finding]:
    try:
        with sole_server(database.path):
            yield Finding("ok", "server", "None is running on this database file.")
    except AlreadyServedError as served:
        yield Finding("ok", "server", str(served).split(". ", maxsplit=1)[0] + ".")
