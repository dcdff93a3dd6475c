"""What most commands begin with: the settings, and the database of the deployment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection, select

from tinghao.app import migrations
from tinghao.app.cli.sentences import CommandError
from tinghao.app.database import Database
from tinghao.app.settings import Settings
from tinghao.app.settings.sources import find_file, load_settings
from tinghao.queue.tables import halls

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """``--config FILE``."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The configuration file; else $TINGHAO_CONFIG, else ./tinghao.toml.",
    )(command)


def settings_of(config: Path | None) -> Settings:
    """The settings in force; raises SettingsError."""
    return load_settings(find_file(config, os.environ), os.environ)


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The deployment's database, ready for this version. Raises CommandError, SchemaTooNewError
    or DatabaseUnavailable.
    """
    database = Database(settings.database_url)
    try:
        if database.path is not None and not database.path.exists():
            raise CommandError(
                f"There is no database {database.path}. `tinghao init DIR` makes a deployment; "
                "call this in that folder, or name its file with --config."
            )
        state = migrations.schema(database)
        if state == "empty":
            raise CommandError("The database is empty: `tinghao init DIR` makes a deployment.")
        if state == "behind":
            migrations.upgrade(database)
        yield database
    finally:
        database.close()


def hall_codes(connection: Connection) -> list[str]:
    """The codes of all halls."""
    return list(connection.scalars(select(halls.c.code).order_by(halls.c.code)))


def the_hall(database: Database, code: str | None) -> str:
    """``code``, or the only hall there is. Raises CommandError."""
    codes = database.read_sync(hall_codes)
    if code is None:
        if len(codes) == 1:
            return codes[0]
        raise CommandError(f"Say which hall with --hall: {', '.join(codes) or 'there is none'}.")
    if code not in codes:
        raise CommandError(f"There is no hall {code}; known are {', '.join(codes) or 'none'}.")
    return code
