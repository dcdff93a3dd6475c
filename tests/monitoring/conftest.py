"""A running deployment to scrape."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.app.house import House, open_house


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The server of a deployment with two halls, on SQLite."""
    async with open_house(tmp_path) as house:
        yield house
