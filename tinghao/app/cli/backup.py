"""``tinghao backup`` and ``tinghao restore``."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import click
from sqlalchemy.engine import URL

from tinghao.app import archive, migrations, seals
from tinghao.app.cli.deployment import config_option, open_database
from tinghao.app.cli.sentences import CommandError
from tinghao.app.database import Database
from tinghao.app.database.serving_lock import sole_server
from tinghao.app.settings import Settings
from tinghao.app.settings.sources import FILE_NAME, find_file, load_settings

PG_DUMP = b"PGDMP"
"""How a dump of pg_dump's custom format begins."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option
def backup(file: Path, config: Path | None) -> None:
    """Write a backup to FILE, beside a running server.

    On SQLite one archive with database, configuration, keys and seals: keep it as safe as the
    keys. On PostgreSQL pg_dump writes the database; configuration and keys are yours to copy.
    """
    source = find_file(config, os.environ)
    settings = load_settings(source, os.environ)
    with open_database(settings) as database:
        if database.kind == "postgresql":
            _dump(database, settings, file)
            return
    manifest = archive.write(settings, source, file)
    held = ", ".join(f"{each.code} up to entry {each.seq}" for each in manifest.halls)
    click.echo(f"{file} holds {held or 'no hall'}, the configuration and the keys.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--into",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="Where the deployment goes; without it, the current folder.",
)
@click.option(
    "--replace", is_flag=True, help="Move what is there aside instead of refusing to touch it."
)
@config_option
def restore(file: Path, into: Path, replace: bool, config: Path | None) -> None:
    """Bring back the deployment that FILE holds.

    Journals get a new epoch, so that every screen starts anew; everybody signs in again. Nothing
    is deleted: with --replace, what was there is kept in a folder beside. A dump of PostgreSQL is
    restored into the empty database that the configuration file names.
    """
    if file.read_bytes()[:5] == PG_DUMP:
        _restore_dump(file, load_settings(find_file(config, os.environ), os.environ))
        return
    into = into.absolute()
    into.mkdir(parents=True, exist_ok=True)
    with archive.unpacked(file) as (unpacked, manifest):
        settings = _settings_of(unpacked, into)
        goes = _places(unpacked, into, settings)
        there = [target for _, target in goes if target.exists()]
        aside = into / time.strftime("before-restore-%Y%m%d-%H%M%S")
        database_file = Database(settings.database_url).path
        assert database_file is not None
        if there and not replace:
            raise CommandError(
                f"{there[0]} is there already; nothing was changed. With --replace it is kept "
                f"in {aside.name}."
            )
        database_file.parent.mkdir(parents=True, exist_ok=True)
        with sole_server(database_file):
            for target in [*there, *_beside(database_file)]:
                kept = (
                    aside / target.relative_to(into)
                    if target.is_relative_to(into)
                    else (aside / target.name)
                )
                kept.parent.mkdir(parents=True, exist_ok=True)
                target.rename(kept)
            for source, target in goes:
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.move(source, target)
            database = Database(settings.database_url)
            try:
                epochs = archive.begin_new_epochs(database)
            finally:
                database.close()
    for hall in manifest.halls:
        click.echo(f"{hall.code}: up to entry {hall.seq}, new epoch {epochs[hall.code]}.")
    if aside.exists():
        click.echo(f"What was there is in {aside}.")
    click.echo("Check it with `tinghao journal verify`, then start `tinghao serve`.")


def _restore_dump(file: Path, settings: Settings) -> None:
    database = Database(settings.database_url)
    try:
        if database.kind == "sqlite":
            raise CommandError(f"{file} is a dump of PostgreSQL, but the settings name SQLite.")
        if migrations.schema(database) != "empty":
            raise CommandError("The database is not empty; nothing was changed. Make a new one.")
        _run_postgresql(
            database.url,
            ["pg_restore", "--no-owner", "--exit-on-error", "--single-transaction"],
            [str(file)],
            "then call `tinghao journal new-epoch`",
        )
        for code, epoch in archive.begin_new_epochs(database).items():
            click.echo(f"{code}: new epoch {epoch}.")
    finally:
        database.close()


def _settings_of(unpacked: Path, into: Path) -> Settings:
    """The settings that the archive's configuration gives when it stands in ``into``."""
    file = unpacked / FILE_NAME
    environ = {name: value for name, value in os.environ.items() if name != "TINGHAO_CONFIG"}
    if not file.is_file():
        environ.setdefault("TINGHAO_DATA_DIRECTORY", str(into))
        return load_settings(None, environ)
    stands = into / f".{FILE_NAME}.restoring"
    try:
        shutil.copyfile(file, stands)
        return load_settings(stands, environ)
    finally:
        stands.unlink(missing_ok=True)


def _places(unpacked: Path, into: Path, settings: Settings) -> list[tuple[Path, Path]]:
    """Each file of the archive and where it belongs."""
    database_file = Database(settings.database_url).path
    if database_file is None:
        raise CommandError("This backup is of SQLite, but the settings here name PostgreSQL.")
    places = [
        (unpacked / archive.DATABASE, database_file),
        (unpacked / archive.SECRET, settings.secret_path),
        (unpacked / archive.JOURNAL_KEY, settings.journal_key_path),
        (unpacked / FILE_NAME, into / FILE_NAME),
        (unpacked / seals.FOLDER, settings.data_path / seals.FOLDER),
    ]
    return [(source, target) for source, target in places if source.exists()]


def _beside(database_file: Path) -> list[Path]:
    """What SQLite keeps beside a database; it must never meet another one."""
    beside = (Path(f"{database_file}{suffix}") for suffix in ("-wal", "-shm"))
    return [path for path in beside if path.exists()]


def _dump(database: Database, settings: Settings, file: Path) -> None:
    copied = f"{settings.secret_path} and {settings.journal_key_path}"
    _run_postgresql(
        database.url, ["pg_dump", "--format=custom", f"--file={file}"], [], f"and copy {copied}"
    )
    file.chmod(0o600)
    click.echo(f"{file} holds the database. Copy {copied} as well.")


def _run_postgresql(url: URL, words: list[str], files: list[str], besides: str) -> None:
    """Call a program of PostgreSQL's with our database; or tell the call, when it is not here."""
    address = url.set(drivername="postgresql", password=None).render_as_string()
    words = [*words, f"--dbname={address}", *files]
    if shutil.which(words[0]) is None:
        raise CommandError(
            f"PostgreSQL does this by its own program: {' '.join(words)}; {besides}."
        )
    # The password goes by the environment: arguments can be seen by everybody on the machine.
    environ = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise CommandError(f"{words[0]} failed: {said[-1]}")
