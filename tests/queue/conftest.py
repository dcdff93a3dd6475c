"""A hall for the tests of its rules, and one at a database for those of its journal."""

from collections.abc import AsyncIterator

import pytest

from tests.queue.hall import Hall
from tests.queue.office import Office, office


@pytest.fixture
def hall() -> Hall:
    """On a Tuesday at nine, all windows closed, nobody there."""
    return Hall()


@pytest.fixture
async def at_desk(prepared: str) -> AsyncIterator[Office]:
    """That hall, behind a desk, on each kind of database."""
    async with office(prepared) as made:
        yield made
