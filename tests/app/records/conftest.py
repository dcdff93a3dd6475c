"""A real server with the demonstration's hall and a token that may state times."""

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvloop
from msgspec import Struct
from msgspec.structs import replace

from tests.app.house import in_one_task
from tinghao.app import migrations
from tinghao.app.auth import tokens
from tinghao.app.database import Database
from tinghao.app.keys import create_journal_key, create_secret
from tinghao.app.rooms import all_rooms
from tinghao.app.serving.server import Served, serving
from tinghao.app.settings import Settings
from tinghao.queue.founding import DEMO, DEMO_STAFF, found

HALL = "puyang"


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], Any]]:
    """The loop that the service itself runs on: these tests send thousands of requests."""
    return {"uvloop": uvloop.new_event_loop}


class Place(Struct, frozen=True):
    """A deployment: its settings, its configuration file, and a token of each role it needs."""

    settings: Settings
    config: Path
    token: str
    integration: str

    def served(self, **changed: Any) -> Any:
        """The deployment's server, as a context."""
        return in_one_task(serving(replace(self.settings, **changed)))


def new_place(folder: Path, opens: str = "09:00", closes: str = "17:00") -> Place:
    """A new deployment on SQLite."""
    config = folder / "tinghao.toml"
    config.write_text("port = 0\n", encoding="utf-8")
    settings = Settings(data_directory=str(folder), port=0)
    create_secret(settings.secret_path)
    create_journal_key(settings.journal_key_path)
    hall = replace(DEMO, opens=opens, closes=closes)
    database = Database(settings.database_url)
    try:
        migrations.upgrade(database)
        database.write_sync(lambda c: found(c, all_rooms(), HALL, hall, DEMO_STAFF))
        made = [
            database.write_sync(lambda c, r=role: tokens.create(c, role=r, now=0, hall=HALL))  # type: ignore[misc]
            for role in ("replay", "integration")
        ]
    finally:
        database.close()
    return Place(settings, config, *made)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A new deployment."""
    return new_place(tmp_path)


@pytest_asyncio.fixture
async def served(place: Place) -> AsyncIterator[Served]:
    """The deployment's server, answering."""
    async with place.served() as answering:
        yield answering
