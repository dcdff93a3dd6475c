"""The schema and its changes, run by the program itself: nobody calls Alembic by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from tinghao.app.auth import tables as _accounts  # noqa: F401 - registers its tables
from tinghao.app.database import Database
from tinghao.queue.tables import metadata

Schema: TypeAlias = Literal["empty", "behind", "current"]

FOLDER = Path(__file__).parent

# Any number that nobody else uses: processes that start together migrate one after the other.
_POSTGRESQL_LOCK = 7_446_110_820


class SchemaTooNewError(Exception):
    """The database was written by a newer program than this one."""


def every_table() -> MetaData:
    """The tables as the code knows them."""
    return metadata


def upgrade(database: Database) -> None:
    """Bring the schema to this program's version, in one transaction: all of it or nothing.

    Raises SchemaTooNewError or DatabaseUnavailable.
    """

    def migrate(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK}
            )
        if _state(connection) == "current":
            return
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    database.write_sync(migrate)


def schema(database: Database) -> Schema:
    """How the database's schema stands to this program's; raises SchemaTooNewError."""
    return database.read_sync(_state)


def newest() -> str:
    """The revision this program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _state(connection: Connection) -> Schema:
    present = MigrationContext.configure(connection).get_current_revision()
    if present is None:
        return "empty"
    scripts = ScriptDirectory.from_config(_config())
    known = {script.revision for script in scripts.walk_revisions()}
    if present not in known:
        raise SchemaTooNewError(
            f"The database has schema {present}; this program knows up to {newest()}. "
            "It was last used by a newer Tinghao: install that version or restore a backup."
        )
    return "current" if present == scripts.get_current_head() else "behind"


def _config() -> Config:
    config = Config()
    # "%" would start an interpolation of the configuration's format.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
