"""A deployment on disk, served and looked after by the command line in processes of their own."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from tests.load.halls import CROWDED
from tests.queue.office import CODE, Office
from tinghao.app import keys, migrations
from tinghao.app.auth import tokens
from tinghao.app.database import Database
from tinghao.app.keys import load_journal_key
from tinghao.app.rooms import all_rooms
from tinghao.queue.clock import machine_clock
from tinghao.queue.desk import Desk
from tinghao.queue.founding import found

ROOT = Path(__file__).parents[2]


@dataclass
class Deployment:
    """A folder with configuration and keys, a database with one hall, and a token for each door."""

    folder: Path
    url: str
    kiosk: str
    windows: str

    @property
    def environ(self) -> dict[str, str]:
        """What its processes are started with."""
        own = {key: value for key, value in os.environ.items() if not key.startswith("TINGHAO_")}
        return {**own, "PYTHONPATH": str(ROOT), "TINGHAO_CONFIG": str(self.folder / "tinghao.toml")}

    async def command(self, *words: str) -> tuple[int, str, str]:
        """Run `tinghao` to its end: exit code, output, errors."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tinghao", *words),
            stdout=PIPE,
            stderr=PIPE,
            cwd=self.folder,
            env=self.environ,
        )
        output, errors = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode(), errors.decode()

    @asynccontextmanager
    async def office(self) -> AsyncIterator[Office]:
        """Beside or after the server: a desk of the test's own at the same database."""
        database = Database(self.url)
        try:
            key = load_journal_key(self.folder / "keys" / "journal.pem")
            desk = Desk(database, all_rooms(), signer=key)
            await desk.start()
            yield Office(database, machine_clock, desk)
            await desk.drain()
        finally:
            database.close()


class Server:
    """A server process that answers at `url`."""

    def __init__(self, process: Process, url: str) -> None:
        self._process = process
        self.url = url

    async def kill(self) -> None:
        """Like a power cut to the process: it gets no chance to finish anything."""
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end, and wait until it has; its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return await self._process.wait()


@asynccontextmanager
async def served(deployment: Deployment) -> AsyncIterator[Server]:
    """`tinghao serve`, until the block is left or it was killed inside."""
    errors = deployment.folder / "server.log"
    with errors.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tinghao", "serve", "--port", "0"),
            stdout=PIPE,
            stderr=log,
            cwd=deployment.folder,
            env={**deployment.environ, "TINGHAO_ACCESS_LOG": "false"},
        )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        address = re.search(r"http://[\d.:]+", line)
        assert address is not None, f"{line}\n{errors.read_text()}"
        yield Server(process, address[0])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def deploy(folder: Path, url: str) -> Deployment:
    """Make it: a hall with sixteen windows for one category, where it is about noon."""
    keys.create_secret(folder / "keys" / "secret.key")
    keys.create_journal_key(folder / "keys" / "journal.pem")
    (folder / "tinghao.toml").write_text(f'database_url = "{url}"\n')
    database = Database(url)
    config = replace(CROWDED, timezone=where_it_is_noon())
    try:
        migrations.upgrade(database)
        database.write_sync(
            lambda connection: found(connection, all_rooms(), CODE, config) and None
        )
        kiosk, windows = (
            database.write_sync(partial(tokens.create, role=role, now=machine_clock(), hall=CODE))
            for role in ("kiosk", "integration")
        )
    finally:
        database.close()
    return Deployment(folder, url, kiosk, windows)


def where_it_is_noon() -> str:
    """A time zone in which no midnight comes while a test runs, whenever it runs."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
