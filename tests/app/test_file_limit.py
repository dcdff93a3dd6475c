"""A service takes as many screens as the system allows, not as few as a shell gives by default."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from tests.load.deployment import deploy, served

FILES = 256
SCREENS = 400


@contextmanager
def few_files() -> Iterator[None]:
    """What is started now inherits a low limit, which it may raise."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard <= SCREENS * 2:
        pytest.skip("this system allows too few files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, SCREENS * 2), hard))


async def test_more_screens_than_the_shells_limit_are_served(tmp_path: Path) -> None:
    deployment = deploy(tmp_path, f"sqlite:///{tmp_path / 'hall.db'}")
    async with AsyncExitStack() as stack:
        with few_files():
            server = await stack.enter_async_context(served(deployment))
        host, _, port = server.url.removeprefix("http://").partition(":")
        for _ in range(SCREENS):
            reader, writer = await asyncio.open_connection(host, int(port))
            stack.callback(writer.close)
            writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(10):
                assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
