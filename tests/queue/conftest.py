"""A hall for the tests of its rules, and one at a database for those of its journal."""

import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.queue.hall import Hall
from tests.queue.office import Office, office, prepare
from tests.servers import Postgres
from tinghao.app.database import Database

NUMBERS = count(1)
"""For the names of databases."""


@pytest.fixture
def hall() -> Hall:
    """On a Tuesday at nine, all windows closed, nobody there."""
    return Hall()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The database with a founded hall, made once for each kind and copied for each test."""
    path = tmp_path_factory.mktemp("templates") / "hall.db"
    founded(f"sqlite:///{path}")
    return {"sqlite": str(path)}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def prepared(
    request: pytest.FixtureRequest, templates: dict[str, str], tmp_path: Path
) -> Iterator[str]:
    """The URL of a database with a hall that has just been founded, on each kind."""
    if request.param == "sqlite":
        shutil.copy(templates["sqlite"], tmp_path / "hall.db")
        yield f"sqlite:///{tmp_path / 'hall.db'}"
    else:
        yield request.getfixturevalue("prepared_postgresql")


@pytest.fixture
def prepared_postgresql(postgresql_server: Postgres, templates: dict[str, str]) -> Iterator[str]:
    """The URL of such a PostgreSQL database, for what only PostgreSQL can do."""
    if "postgresql" not in templates:
        postgresql_server.create("founded")
        founded(postgresql_server.url("founded"))
        templates["postgresql"] = "founded"
    name = f"queue_{next(NUMBERS)}"
    postgresql_server.create(name, template=templates["postgresql"])
    yield postgresql_server.url(name)
    postgresql_server.drop(name)


@pytest.fixture
async def at_desk(prepared: str) -> AsyncIterator[Office]:
    """That hall, behind a desk, on each kind of database."""
    async with office(prepared) as made:
        yield made


def founded(url: str) -> None:
    """Make the tables and the hall in a new database."""
    database = Database(url)
    prepare(database)
    database.close()
