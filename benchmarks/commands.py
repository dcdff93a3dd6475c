"""CPU of a command over HTTP, beside the same SQL statements in an empty POST on the same server.

    python -m benchmarks.commands [--database URL] [--rounds N]

The reference is a route of the same server that runs, in one transaction through SQLAlchemy Core,
as many statements of the same kinds as a command does, and nothing else. Both are asked in turn,
in rounds, from the same connections; the figure is the ratio of the server's CPU.
"""

import argparse
import asyncio
import itertools
import json
import multiprocessing
import tempfile
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from litestar import Response, post
from litestar.di import NamedDependency
from sqlalchemy import Connection, bindparam, event, insert, select

from benchmarks.measuring import Http, cpu_seconds, percentile, table
from tinghao.app import keys, migrations
from tinghao.app.auth import tokens
from tinghao.app.database import Database
from tinghao.app.rooms import all_rooms
from tinghao.app.serving.server import serving
from tinghao.app.settings import Settings
from tinghao.queue import tables
from tinghao.queue.founding import PUYANG, found
from tinghao.queue.journal import rows, store

HALL = "puyang"
CONNECTIONS = 8
TICKETS = 200  # of each round; three commands a ticket
REFERENCE = "/reference"
TEXT = "x" * 180  # about as long as the entry of a call

_numbers = itertools.count(1)
_head = {"hash": ""}


_known = select(tables.answers.c.fingerprint, tables.answers.c.answer, tables.answers.c.at).where(
    tables.answers.c.hall_id == bindparam("hall"),
    tables.answers.c.caller == bindparam("whose"),
    tables.answers.c.key == bindparam("named"),
)
_append = insert(tables.journal)
_remember = insert(tables.answers)


def statements(connection: Connection) -> None:
    """What a command runs: lock, known answer, entry, head, three rows, answer."""
    number = next(_numbers)
    dialect = connection.dialect.name
    lock = store._lock_sqlite if dialect == "sqlite" else store._lock_postgresql
    connection.execute(lock, {"hall": 2}).one()
    connection.execute(_known, {"hall": 2, "whose": "ref", "named": str(number)}).one_or_none()
    connection.execute(_append, _entry(number))
    # The head is set to what it is: the server must not go and read these entries.
    head = {"hall": 2, "from_seq": 1, "to_seq": 1, "to_hash": _head["hash"], "to_at": number}
    connection.execute(store._move_head, head)
    connection.execute(rows._upsert(tables.tickets, dialect, ("token_hash",)), _ticket(number))
    connection.execute(rows._upsert(tables.stages, dialect, ()), _stage(number))
    connection.execute(rows._upsert(tables.windows, dialect, ()), _window(number))
    connection.execute(_remember, _answer(number))


def _entry(number: int) -> dict[str, Any]:
    return {
        "hall_id": 2,
        "seq": 1_000 + number,
        "at": number,
        "day": 20261124,
        "half_hour": 18,
        "kind": "ticket-called",
        "entry": TEXT,
        "hash": TEXT[:64],
    }


def _ticket(number: int) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(column.name for column in tables.tickets.columns)
    return {
        **row,
        "hall_id": 2,
        "id": number // 3,
        "day": 20261124,
        "half_hour": 18,
        "number": f"A{number // 3:05d}",
        "category": "social",
        "channel": "kiosk",
        "state": "called",
        "stage": 1,
        "window": 1,
        "taken_at": number,
        "life": TEXT * 4,
    }


def _stage(number: int) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(column.name for column in tables.stages.columns)
    return {
        **row,
        "hall_id": 2,
        "ticket_id": number // 3,
        "no": 1,
        "day": 20261124,
        "half_hour": 18,
        "category": "social",
        "entered_at": number,
        "due": number,
        "calls": 1,
        "held_us": 0,
    }


def _window(number: int) -> dict[str, Any]:
    return {
        "hall_id": 2,
        "number": number % CONNECTIONS,
        "state": "open",
        "staff_id": None,
        "since": number,
        "ticket_id": number,
        "pause_reason": None,
        "categories": "social",
    }


def _answer(number: int) -> dict[str, Any]:
    return {
        "hall_id": 2,
        "caller": "ref",
        "key": str(number),
        "fingerprint": TEXT[:64],
        "answer": TEXT * 2,
        "at": number,
    }


@post(REFERENCE, status_code=200)
async def reference(database: NamedDependency[Database]) -> Response[bytes]:
    """The same statements, and nothing else."""
    await database.write(statements)
    return Response(b"{}", media_type="application/json")


def serve(folder: str, database_url: str, pipe: Any) -> None:
    """The server process: says its port, its token and what a command costs in statements."""
    settings = Settings(data_directory=folder, database_url=database_url, port=0, access_log=False)
    keys.create_secret(settings.secret_path)
    keys.create_journal_key(settings.journal_key_path)
    database = Database(settings.database_url)
    migrations.upgrade(database)
    for code in (HALL, "reference"):
        founded = database.write_sync(partial(found, rooms=all_rooms(), code=code, config=PUYANG))
        _head["hash"] = founded.hash
    now = time.time_ns() // 1000
    token = database.write_sync(
        lambda c: tokens.create(c, role="administrator", now=now, hall=HALL)
    )
    database.close()

    async def main() -> None:
        async with serving(settings) as served:
            served.app.register(reference)
            counts = {"statements": 0}

            def count(*_: Any) -> None:
                counts["statements"] += 1

            engine = served.service.database._write_engine
            event.listen(engine, "before_cursor_execute", count)
            pipe.send((served.port, token))
            while (word := await asyncio.to_thread(pipe.recv)) != "stop":
                if word == "count":
                    pipe.send(counts["statements"])
                elif word == "quiet":
                    event.remove(engine, "before_cursor_execute", count)
                    pipe.send(None)

    uvloop.run(main())


async def measure(port: int, token: str, pid: int, rounds: int, pipe: Any) -> None:
    """Ask in turn, print the table."""
    async with AsyncExitStack() as stack:
        lines = [await Http.open(port) for _ in range(CONNECTIONS)]
        for line in lines:
            stack.callback(line.close)
        keys_ = itertools.count()

        async def command(line: Http, path: str, body: dict[str, Any]) -> Any:
            status, answer = await line.ask(
                "POST",
                f"/api/v1/halls/{HALL}/{path}",
                json.dumps(body).encode(),
                Authorization=f"Bearer {token}",
                Content_Type="application/json",
                Idempotency_Key=f"bench-{next(keys_)}",
            )
            assert status in (200, 201, 204), (path, status, answer)
            return answer

        async def window(line: Http, number: int, spent: list[float]) -> None:
            while True:
                began = time.perf_counter()
                called = await command(line, f"windows/{number}/call-next", {})
                if called is None:
                    return
                spent.append(time.perf_counter() - began)
                await command(line, f"windows/{number}/start", {})
                await command(line, f"windows/{number}/finish", {})

        async def statements_only(line: Http, times: int) -> None:
            for _ in range(times):
                status, _ = await line.ask("POST", REFERENCE)
                assert status == 200

        for number in range(1, CONNECTIONS + 1):
            await command(lines[0], f"windows/{number}/categories", {"categories": ["social"]})
            await command(lines[0], f"windows/{number}/open", {})
        await _same_statements(lines[0], command, pipe)
        spent: list[float] = []
        ours, theirs, rates = [], [], []
        for _ in range(rounds):
            for number in range(TICKETS):
                await command(lines[number % CONNECTIONS], "tickets", {"category": "social"})
            cpu, began = cpu_seconds(pid), time.perf_counter()
            await asyncio.gather(*(window(lines[n], n + 1, spent) for n in range(CONNECTIONS)))
            done = 3 * TICKETS + CONNECTIONS
            ours.append((cpu_seconds(pid) - cpu) / done)
            rates.append(done / (time.perf_counter() - began))
            cpu = cpu_seconds(pid)
            await asyncio.gather(*(statements_only(each, done // CONNECTIONS) for each in lines))
            theirs.append((cpu_seconds(pid) - cpu) / (done // CONNECTIONS * CONNECTIONS))
    ratios = [mine / reference_ for mine, reference_ in zip(ours, theirs, strict=True)]
    print(
        table(
            ("", "median", "min", "max"),
            [
                _row("command, server CPU µs", [each * 1e6 for each in ours]),
                _row("same statements in an empty POST, µs", [each * 1e6 for each in theirs]),
                _row("ratio", ratios, 2),
                _row("commands a second (one hall)", rates),
            ],
        )
    )
    print(
        f"\ncall-next: p50 {percentile(spent, 0.5) * 1e3:.1f} ms, "
        f"p99 {percentile(spent, 0.99) * 1e3:.1f} ms, {CONNECTIONS} windows at once"
    )


async def _same_statements(line: Http, command: Any, pipe: Any) -> None:
    """The reference must do as many statements as a command; else it measures something else."""

    def counted() -> int:
        pipe.send("count")
        return int(pipe.recv())

    await command(line, "tickets", {"category": "social"})
    before = counted()
    await command(line, "windows/1/call-next", {})
    of_command = counted() - before
    await line.ask("POST", REFERENCE)
    of_reference = counted() - before - of_command
    assert of_command == of_reference, f"{of_command} statements against {of_reference}"
    await command(line, "windows/1/start", {})
    await command(line, "windows/1/finish", {})
    pipe.send("quiet")
    pipe.recv()
    print(f"{of_command} statements a command\n")


def _row(name: str, values: list[float], digits: int = 0) -> tuple[str, ...]:
    figures = (percentile(values, 0.5), min(values), max(values))
    return (name, *(f"{each:.{digits}f}" for each in figures))


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--database", help="an empty PostgreSQL database; else SQLite in a temporary file"
    )
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "keys").mkdir(mode=0o700)
        url = chosen.database or f"sqlite:///{folder}/bench.sqlite3"
        here, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        server = context.Process(target=serve, args=(folder, url, there))
        server.start()
        port, token = here.recv()
        assert server.pid is not None
        try:
            asyncio.run(measure(port, token, server.pid, chosen.rounds, here))
        finally:
            here.send("stop")
            server.join(10)


if __name__ == "__main__":
    main()
