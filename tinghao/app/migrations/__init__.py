"""The schema and its changes, run by the program itself: nobody calls Alembic by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from sqlalchemy import Connection, MetaData, inspect, text

from tinghao.app.auth import tables as _accounts  # noqa: F401 - registers its tables
from tinghao.app.database import Database
from tinghao.app.serving import duties as _duties  # noqa: F401 - registers its table
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
        _to_newest(connection)

    database.write_sync(migrate)


def schema(database: Database) -> Schema:
    """How the database's schema stands to this program's; raises SchemaTooNewError."""
    return database.read_sync(_state)


def newest() -> str:
    """The revision this program needs: migrations are numbered, one after the other."""
    return _revisions()[-1]


def _revisions() -> list[str]:
    return sorted(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def _state(connection: Connection) -> Schema:
    if not inspect(connection).has_table("alembic_version"):
        return "empty"
    present = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if present is None:
        return "empty"
    if present not in _revisions():
        raise SchemaTooNewError(
            f"The database has schema {present}; this program knows up to {newest()}. "
            "It was last used by a newer Tinghao: install that version or restore a backup."
        )
    return "current" if present == newest() else "behind"


def _to_newest(connection: Connection) -> None:
    # Nearly every start finds the schema current and does without Alembic's quarter of a second.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # "%" would start an interpolation of the configuration's format.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
