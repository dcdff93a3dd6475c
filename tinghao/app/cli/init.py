"""``tinghao init``: a new deployment, whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import click
from msgspec import Struct
from sqlalchemy import Connection

from tinghao.app import keys, migrations
from tinghao.app.auth import accounts, tokens
from tinghao.app.auth.passwords import hash_password, new_password
from tinghao.app.cli.deployment import hall_codes
from tinghao.app.cli.sentences import CommandError
from tinghao.app.database import Database
from tinghao.app.rooms import all_rooms
from tinghao.app.settings import Settings, table
from tinghao.app.settings.page import default_text
from tinghao.app.settings.sources import FILE_NAME, load_settings, source_of
from tinghao.queue.clock import machine_clock
from tinghao.queue.founding import TEMPLATES, found

ADMINISTRATOR = "admin"
_CODE = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Made(Struct, frozen=True):
    """What is told once."""

    password: str
    token: str


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--template",
    type=click.Choice(sorted(TEMPLATES)),
    default="puyang",
    show_default=True,
    help="What the hall begins with: categories, windows, hours.",
)
@click.option("--hall", metavar="CODE", help="The hall's code in addresses; else the template's.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def init(folder: Path, template: str, hall: str | None, yes: bool) -> None:
    """Make a new deployment in DIR.

    A configuration file, the keys, the database (SQLite in DIR, or the one of
    TINGHAO_DATABASE_URL), a hall, the first administrator and an API token. Password and token are
    printed this once.
    """
    code = hall or template
    if not _CODE.fullmatch(code):
        raise CommandError(
            f"{code!r} cannot be a hall's code: small letters, digits and hyphens, like puyang."
        )
    folder = folder.absolute()
    settings = _settings_in(folder, os.environ)
    _refuse_existing(folder, settings)
    name = TEMPLATES[template].name
    if not yes:
        click.confirm(f"Make a deployment in {folder} with the hall {name} ({code})?", abort=True)
    made = make_deployment(folder, settings, template, code, os.environ)
    file = folder / FILE_NAME
    click.echo(f"The deployment is in {folder}, the hall {name} at /halls/{code}/lobby.")
    click.echo(f"  settings       {file}")
    click.echo(f"  administrator  {ADMINISTRATOR}")
    click.echo(f"  password       {made.password}")
    click.echo(f"  API token      {made.token}")
    click.echo("Password and token are not shown again. Start the service with:")
    click.echo(f"  tinghao serve --config {file}")


def make_deployment(
    folder: Path, settings: Settings, template: str, code: str, environ: Mapping[str, str]
) -> Made:
    """Everything of a new deployment; on an error what was begun is taken away again.

    Raises CommandError, KeyFileError, DatabaseUnavailable, SchemaTooNewError or Refusal.
    """
    database = Database(settings.database_url)
    new = [settings.secret_path, settings.journal_key_path, folder / FILE_NAME]
    if database.path is not None:
        new += [Path(f"{database.path}{suffix}") for suffix in ("", "-wal", "-shm")]
    folder.mkdir(parents=True, exist_ok=True)
    settings.data_path.mkdir(parents=True, exist_ok=True)
    try:
        keys.create_secret(settings.secret_path)
        keys.create_journal_key(settings.journal_key_path)
        if database.path is not None:
            database.path.touch(mode=0o600)  # it will hold hashes of passwords
        if migrations.schema(database) != "empty" and database.read_sync(hall_codes):
            raise CommandError(
                "The database holds a deployment already. To serve it from here, copy its "
                "configuration and key files instead."
            )
        migrations.upgrade(database)
        made = database.write_sync(lambda connection: _fill(connection, template, code))
        _write_configuration(folder / FILE_NAME, environ)
    except BaseException:
        database.close()
        for path in new:
            path.unlink(missing_ok=True)
        raise
    database.close()
    return made


def _settings_in(folder: Path, environ: Mapping[str, str]) -> Settings:
    """The settings a configuration file in ``folder`` will give."""
    inside = dict(environ)
    inside["TINGHAO_DATA_DIRECTORY"] = str(
        folder / Path(environ.get("TINGHAO_DATA_DIRECTORY", ".")).expanduser()
    )
    return load_settings(None, inside)


def _refuse_existing(folder: Path, settings: Settings) -> None:
    present = [
        path
        for path in (
            folder / FILE_NAME,
            Database(settings.database_url).path,
            settings.secret_path,
            settings.journal_key_path,
        )
        if path is not None and path.exists()
    ]
    if present:
        raise CommandError(
            f"{folder} holds a deployment already ({present[0].name}); nothing was changed. "
            "Choose another folder, or start this one with `tinghao serve`."
        )


def _fill(connection: Connection, template: str, code: str) -> Made:
    now = machine_clock()
    password = new_password()
    found(connection, all_rooms(), code, TEMPLATES[template])
    accounts.create(
        connection,
        username=ADMINISTRATOR,
        name=ADMINISTRATOR,
        role="administrator",
        password_hash=hash_password(password),
        now=now,
    )
    token = tokens.create(connection, role="administrator", now=now, label="made by init")
    return Made(password, token)


_LISTED = ("host", "port", "public_url")
"""What most deployments change; the rest is in the manual."""


def _write_configuration(file: Path, environ: Mapping[str, str]) -> None:
    lines = [
        "# The settings of this deployment. `tinghao settings` lists all of them with their",
        "# defaults; TINGHAO_… variables of the environment win over this file.",
    ]
    for row in table():
        chosen = source_of(row.name, None, environ) == "environment"
        if chosen and row.name in {"database_url", "data_directory"}:
            value = environ[row.variable]
            lines += ["", f"# {row.doc}", f"{row.name} = {json.dumps(value)}"]
        elif row.name in _LISTED:
            lines += ["", f"# {row.doc}", f"# {row.name} = {default_text(row)}"]
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
