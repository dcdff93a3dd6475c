"""A hall for the tests of its rules."""

import pytest

from tests.queue.hall import Hall


@pytest.fixture
def hall() -> Hall:
    """On a Tuesday at nine, all windows closed, nobody there."""
    return Hall()
