"""A backup: one archive with the database as of one moment, the configuration, keys and seals."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, select, update

from tinghao import __version__
from tinghao.app import migrations, seals
from tinghao.app.auth.tables import sessions
from tinghao.app.database import Database
from tinghao.app.settings import Settings
from tinghao.app.settings.sources import FILE_NAME
from tinghao.queue.tables import halls

MANIFEST = "manifest.json"
DATABASE = "tinghao.sqlite3"
SECRET = "keys/secret.key"  # noqa: S105 - a path
JOURNAL_KEY = "keys/journal.pem"
FORMAT = 1


class ArchiveError(Exception):
    """A backup cannot be written or restored; the message says why."""


class HallHead(Struct, frozen=True):
    """Where a hall's journal stood."""

    code: str
    epoch: str
    seq: int
    hash: str


class Manifest(Struct, frozen=True):
    """What is in the archive. ``made_at`` in microseconds."""

    format: int
    version: str
    schema: str
    made_at: int
    halls: tuple[HallHead, ...]


def write(settings: Settings, config: Path | None, target: Path) -> Manifest:
    """Back up a deployment on SQLite into ``target``, beside a running server.

    The archive appears whole or not at all, readable by its owner only: it holds the keys. Raises
    ArchiveError, DatabaseUnavailable, KeyFileError or OSError.
    """
    if target.exists():
        raise ArchiveError(f"{target} exists already and is not overwritten.")
    database = Database(settings.database_url)
    assert database.path is not None
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.absolute().parent) as folder:
        copy = Path(folder) / DATABASE
        _copy_database(database.path, copy)
        database.close()
        manifest = _manifest_of(copy)
        archive = Path(folder) / "archive"
        with (
            open(archive, "wb", opener=_private) as file,
            tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar,
        ):
            _add_bytes(tar, MANIFEST, msgspec.json.encode(manifest))
            tar.add(copy, DATABASE)
            tar.add(settings.secret_path, SECRET)
            tar.add(settings.journal_key_path, JOURNAL_KEY)
            if config is not None:
                tar.add(config, FILE_NAME)
            if (settings.data_path / seals.FOLDER).is_dir():
                tar.add(settings.data_path / seals.FOLDER, seals.FOLDER)
            tar.close()
            file.flush()
            os.fsync(file.fileno())
        archive.rename(target)
    return manifest


@contextmanager
def unpacked(source: Path) -> Iterator[tuple[Path, Manifest]]:
    """The archive's files in a temporary folder, and what it says it holds; raises ArchiveError."""
    with tempfile.TemporaryDirectory(prefix="tinghao-restore-") as name:
        folder = Path(name)
        try:
            with tarfile.open(source) as tar:
                _extract(tar, folder)
            manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
        except (tarfile.TarError, OSError, EOFError, msgspec.MsgspecError) as error:
            raise ArchiveError(f"{source} is no backup of Tinghao: {error}.") from None
        if manifest.format != FORMAT or not (folder / DATABASE).is_file():
            raise ArchiveError(f"{source} is a backup of another version of the program.")
        if _manifest_of(folder / DATABASE).halls != manifest.halls:
            raise ArchiveError(f"{source} is damaged: the database is not what was backed up.")
        yield folder, manifest


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    """Write the plain files of the archive, private, and only inside the folder.

    tarfile's own "data" filter came with Python 3.11.4, which is newer than Debian 12's.
    """
    for member in tar:
        target = (folder / member.name).resolve()
        content = tar.extractfile(member) if member.isfile() else None
        if content is None and not member.isdir():
            raise tarfile.TarError(f"{member.name} is no plain file")
        if not target.is_relative_to(folder.resolve()):
            raise tarfile.TarError(f"{member.name} lies outside")
        if content is not None:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with content, open(target, "wb", opener=_private) as file:
                shutil.copyfileobj(content, file)


def begin_new_epochs(database: Database) -> dict[str, str]:
    """After a restore: every hall's journal is another incarnation; everybody signs in again.

    Whoever has seen entries that the restored journal lacks learns from the epoch that it must
    start from a snapshot. Returns the new epochs by hall.
    """
    migrations.upgrade(database)

    def change(connection: Connection) -> dict[str, str]:
        connection.execute(delete(sessions))
        epochs = {}
        for code in connection.scalars(select(halls.c.code)).all():
            epochs[code] = secrets.token_hex(4)
            connection.execute(update(halls).where(halls.c.code == code).values(epoch=epochs[code]))
        return epochs

    return database.write_sync(change)


def _copy_database(source: Path, target: Path) -> None:
    """SQLite's online backup: one consistent moment, while others read and write."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.close(descriptor)
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as there,
            closing(sqlite3.connect(target)) as here,
        ):
            there.backup(here)
            here.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise ArchiveError(f"The database {source} cannot be copied: {error}.") from None


def _manifest_of(copy: Path) -> Manifest:
    database = Database(f"sqlite:///{copy}")
    try:
        migrations.schema(database)

        def look(connection: Connection) -> tuple[HallHead, ...]:
            columns = (halls.c.code, halls.c.epoch, halls.c.head_seq, halls.c.head_hash)
            rows = connection.execute(select(*columns).order_by(halls.c.code))
            return tuple(HallHead(*row) for row in rows)

        return Manifest(
            FORMAT,
            __version__,
            migrations.newest(),
            time.time_ns() // 1000,
            database.read_sync(look),
        )
    finally:
        database.close()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), 0o600, int(time.time())
    tar.addfile(info, io.BytesIO(content))
