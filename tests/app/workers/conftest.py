"""A deployment on PostgreSQL, which several workers need."""

from pathlib import Path

import pytest

from tests.load.deployment import Deployment, deploy


@pytest.fixture
def deployment(postgresql_url: str, tmp_path: Path) -> Deployment:
    return deploy(tmp_path, postgresql_url)
