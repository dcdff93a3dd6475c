"""A real browser before a running hall.

Whatever a test looks at, no page may report an error, break its own content policy, or ask
another host for anything: that is checked for every page at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest_asyncio
from playwright.async_api import Browser, Page, Response, async_playwright

from tests import servers
from tests.app.house import House, open_house
from tests.browser.line import Line, open_line
from tinghao.app.auth.gate import SESSION_COOKIE
from tinghao.queue import commands
from tinghao.queue.commands import Command
from tinghao.queue.desk import Result
from tinghao.queue.model import HallConfig

WALL = 1920, 1080
DESK = 1366, 768
KIOSK = 1080, 1920
PHONE = 390, 844

EXPECTED = ("Failed to load resource", "WebSocket", "htmx:ws:error", "Failed to fetch")
"""What a browser says of a refused command or a broken line."""


@dataclass
class Hall:
    """A hall with its screens."""

    house: House
    line: Line
    browser: Browser
    stack: AsyncExitStack
    pages: list[Page] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.line.port}"

    async def do(self, command: Command) -> Result:
        """Something happens in the hall, and a second passes."""
        self.house.clock.wait(seconds=1)
        return await self.house.served.service.desk.execute("puyang", command)

    async def take(self, category: str = "social", count: int = 1) -> None:
        """Citizens take numbers."""
        for _ in range(count):
            await self.do(commands.Take(category=category))

    async def open(self, *windows: int) -> None:
        """Windows open."""
        for window in windows:
            await self.do(commands.Open(window=window))

    async def screen(
        self,
        path: str,
        size: tuple[int, int] = WALL,
        who: str | None = None,
        language: str = "zh",
        **options: Any,
    ) -> Page:
        """A screen of that size in the hall, signed in if somebody is named."""
        width, height = size
        context = await self.browser.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN" if language == "zh" else "en-GB",
            **options,
        )
        self.stack.push_async_callback(context.close)
        if who:
            cookie = {"name": SESSION_COOKIE, "value": self.house.sessions[who], "url": self.url}
            await context.add_cookies([cookie])  # type: ignore[list-item]
        page = await context.new_page()
        self.watch(page)
        await page.goto(f"{self.url}{path}")
        self.pages.append(page)
        return page

    def watch(self, page: Page) -> None:
        """Keep what the page complains about and what it asks for."""
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("response", self._keep)

    def _keep(self, answer: Response) -> None:
        self.answers.append(answer)

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and not any(known in text for known in EXPECTED):
            self.complaints.append(text)


@asynccontextmanager
async def open_hall(
    folder: Path, chromium: Path, config: HallConfig | None = None
) -> AsyncIterator[Hall]:
    """A running hall and a browser in front of it."""
    more = {} if config is None else {"config": config}
    async with (
        open_house(folder, **more) as house,  # type: ignore[arg-type]
        open_line(urlsplit(house.url).port or 0) as line,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=list(servers.CHROMIUM_FLAGS)
        )
        async with AsyncExitStack() as stack:
            hall = Hall(house, line, browser, stack)
            yield hall
            hosts = {urlsplit(answer.url).netloc for answer in hall.answers}
            assert hosts <= {urlsplit(hall.url).netloc}
            assert hall.complaints == []
        await browser.close()


@pytest_asyncio.fixture
async def hall(tmp_path: Path, chromium: Path) -> AsyncIterator[Hall]:
    """The hall at nine on a workday, nobody there yet."""
    async with open_hall(tmp_path, chromium) as hall:
        yield hall
