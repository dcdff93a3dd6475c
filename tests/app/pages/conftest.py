"""Browsers before a running deployment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from tests.app.house import House
from tests.app.pages.browsing import Browser

Open = Callable[..., Browser]


@pytest_asyncio.fixture
async def browser(house: House) -> AsyncIterator[Open]:
    """Opens browsers: `browser()` for a visitor, `browser("wang")` for who has signed in."""
    opened: list[Browser] = []

    def start(who: str | None = None, language: str = "zh") -> Browser:
        opened.append(Browser(house, who, language))
        return opened[-1]

    yield start
    for each in opened:
        await each.client.aclose()
