"""What every test can ask for: real servers, a fresh database, a browser.

A part that this machine lacks skips its tests and is named at the end of the run. Where nothing
may be left out (root can install it, CI must have it) the lack is a failure.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

from tests import servers
from tests.queue.office import prepare
from tinghao.app.database import Database

MISSING = "missing"
"""The property of a test's report that names the part it lacked: it also comes from a worker."""

# A slow minute of a busy machine is no failure of the code under test.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")

T = TypeVar("T")

NUMBERS = count(1)
"""For the names of databases."""

NEEDS = {"postgresql_server": "postgresql", "redis_url": "redis", "chromium": "browser"}
"""Fixtures and the marker that a test gets by asking for them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the servers they ask for, so that `-m "not browser"` leaves none behind."""
    for item in items:
        for fixture, marker in NEEDS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not run, and why."""
    missing: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", ()):
        for name, reason in report.user_properties:
            if name == MISSING:
                missing.setdefault(reason, []).append(report.nodeid)
    if not missing:
        return
    terminalreporter.section("not run on this machine")
    for reason, tests in missing.items():
        terminalreporter.line(f"{reason}: {len(tests)} test(s)")
        for test in tests:
            terminalreporter.line(f"    {test}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new and empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hall.db'}"
    else:
        yield request.getfixturevalue("postgresql_url")


@pytest.fixture
def postgresql_url(postgresql_server: servers.Postgres) -> Iterator[str]:
    """The URL of a new and empty PostgreSQL database, for what only PostgreSQL can do."""
    name = f"hall_{next(NUMBERS)}"
    postgresql_server.create(name)
    yield postgresql_server.url(name)
    postgresql_server.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def prepared(
    request: pytest.FixtureRequest, templates: dict[str, str], tmp_path: Path
) -> Iterator[str]:
    """The URL of a database with a hall that has just been founded; once on each kind."""
    if request.param == "sqlite":
        shutil.copy(templates["sqlite"], tmp_path / "hall.db")
        yield f"sqlite:///{tmp_path / 'hall.db'}"
    else:
        yield request.getfixturevalue("prepared_postgresql")


@pytest.fixture
def prepared_postgresql(
    postgresql_server: servers.Postgres, templates: dict[str, str]
) -> Iterator[str]:
    """The URL of such a PostgreSQL database, for what only PostgreSQL can do."""
    if "postgresql" not in templates:
        postgresql_server.create("founded")
        founded(postgresql_server.url("founded"))
        templates["postgresql"] = "founded"
    name = f"prepared_{next(NUMBERS)}"
    postgresql_server.create(name, template=templates["postgresql"])
    yield postgresql_server.url(name)
    postgresql_server.drop(name)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The database with a founded hall, made once for each kind and copied for each test."""
    path = tmp_path_factory.mktemp("templates") / "hall.db"
    founded(f"sqlite:///{path}")
    return {"sqlite": str(path)}


@pytest.fixture
def postgresql_server(
    request: pytest.FixtureRequest, session_postgresql: servers.Postgres | servers.MissingError
) -> servers.Postgres:
    """A PostgreSQL server of the session's own."""
    return present(request, session_postgresql)


@pytest.fixture
def redis_url(request: pytest.FixtureRequest, session_redis: str | servers.MissingError) -> str:
    """The URL of a Redis server of the session's own."""
    return present(request, session_redis)


@pytest.fixture
def chromium(request: pytest.FixtureRequest) -> Path:
    """The browser's executable; start it with `servers.CHROMIUM_FLAGS`."""
    return present(request, found(servers.chromium))


@pytest.fixture
def promtool(request: pytest.FixtureRequest) -> Path:
    """The program that checks metrics and rules as Prometheus reads them."""
    return present(request, found(partial(servers.executable, "promtool", package="prometheus")))


@pytest.fixture
def prometheus(request: pytest.FixtureRequest) -> Path:
    """Prometheus itself, to scrape what we expose."""
    return present(request, found(partial(servers.executable, "prometheus", package="prometheus")))


@pytest.fixture(scope="session")
def session_postgresql() -> Iterator[servers.Postgres | servers.MissingError]:
    """Started by the first test that wants it. Ask for `postgresql_server` instead."""
    yield from started(servers.postgres)


@pytest.fixture(scope="session")
def session_redis() -> Iterator[str | servers.MissingError]:
    """Started by the first test that wants it. Ask for `redis_url` instead."""
    yield from started(servers.redis)


def founded(url: str) -> None:
    """Make the tables and a hall in a new database."""
    database = Database(url)
    prepare(database)
    database.close()


def present(request: pytest.FixtureRequest, part: T | servers.MissingError) -> T:
    """The part, if there is one; else the test is skipped, or failed where none may be."""
    if not isinstance(part, servers.MissingError):
        return part
    reason = str(part)
    if nothing_may_be_left_out():
        pytest.fail(reason, pytrace=False)
    request.node.user_properties.append((MISSING, reason))
    pytest.skip(reason)


def nothing_may_be_left_out() -> bool:
    """Whether a missing part is a failure: CI must have it, and root can install it."""
    return os.environ.get("CI") == "true" or os.geteuid() == 0


def started(start: Callable[[], AbstractContextManager[T]]) -> Iterator[T | servers.MissingError]:
    """Run a server until the session ends, or tell why there is none."""
    with ExitStack() as stack:
        yield found(lambda: stack.enter_context(start()))


def found(look: Callable[[], T]) -> T | servers.MissingError:
    """What was looked for, or why it is missing: each test that wants it is told."""
    try:
        return look()
    except servers.MissingError as missing:
        return missing
