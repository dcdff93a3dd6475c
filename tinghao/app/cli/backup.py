"""``tinghao backup`` and ``tinghao restore``."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import click

from tinghao.app import archive, seals
from tinghao.app.cli.deployment import config_option, open_database
from tinghao.app.cli.sentences import CommandError
from tinghao.app.database import Database
from tinghao.app.serving_lock import sole_server
from tinghao.app.settings import Settings
from tinghao.app.settings_sources import FILE_NAME, find_file, load_settings


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
def restore(file: Path, into: Path, replace: bool) -> None:
    """Bring back the deployment that FILE holds.

    Journals get a new epoch, so that every screen starts anew; everybody signs in again. Nothing
    is deleted: with --replace, what was there is kept in a folder beside.
    """
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
    url = database.url
    address = url.set(drivername="postgresql", password=None).render_as_string()
    words = ["pg_dump", "--format=custom", f"--file={file}", f"--dbname={address}"]
    copied = f"{settings.secret_path} and {settings.journal_key_path}"
    if shutil.which("pg_dump") is None:
        raise CommandError(
            f"PostgreSQL is backed up by its own program: {' '.join(words)}. Copy {copied} too."
        )
    environ = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise CommandError(f"pg_dump failed: {done.stderr.strip().splitlines()[-1]}")
    file.chmod(0o600)
    click.echo(f"{file} holds the database. Copy {copied} as well.")
