"""What is seen to before anything serves. The launcher needs no more of the application."""

from __future__ import annotations

from pathlib import Path

from tinghao.app import migrations
from tinghao.app.database import Database, normal_url
from tinghao.app.database.serving_lock import ServeError
from tinghao.app.settings import Settings


def database_file(settings: Settings) -> Path | None:
    """The SQLite file to lock; None on PostgreSQL. Raises ServeError when there is none."""
    url = normal_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        return None
    file = Path(url.database or "")
    if not file.exists():
        raise ServeError(
            f"There is no database {file}. `tinghao init DIR` makes a deployment; start "
            "`tinghao serve` in that folder, or name its file with --config."
        )
    return file


def migrate(settings: Settings) -> None:
    """Bring the schema up to date; raises SchemaTooNewError or DatabaseUnavailable."""
    database = Database(settings.database_url)
    try:
        migrations.upgrade(database)
    finally:
        database.close()
