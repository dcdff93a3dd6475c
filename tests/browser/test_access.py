"""Screens that everybody can use: checked with axe-core."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.conftest import DESK, KIOSK, PHONE, WALL, Hall
from tinghao.queue import commands

AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
TOKEN = "token-of-a-citizen-on-the-square"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ENHANCED = ["color-contrast-enhanced"]  # 7:1, and 4.5:1 for large type


async def faults(page: Page, *, enhanced: bool) -> list[str]:
    """What axe-core finds, one line each."""
    await page.evaluate(AXE.read_text("utf-8"))
    rules = {rule: {"enabled": enhanced} for rule in ENHANCED}
    found = await page.evaluate(
        "options => axe.run(document, options)",
        {"runOnly": {"type": "tag", "values": RULES}, "rules": rules},
    )
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


async def busy(hall: Hall) -> None:
    """Every state of a window, people waiting, one being called."""
    await hall.open(1, 2, 3, 4, 5)
    await hall.take("social", 6)
    await hall.take("estate", 3)
    await hall.do(commands.CallNext(window=1))
    await hall.do(commands.Start(window=1))
    await hall.do(commands.CallNext(window=4))
    await hall.do(commands.Pause(window=5, reason="meal"))
    await hall.do(commands.CallNext(window=2))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [WALL, KIOSK])
async def test_the_wall(hall: Hall, size: tuple[int, int], language: str) -> None:
    """Read from afar, so with the higher contrast."""
    await busy(hall)
    page = await hall.screen(f"/halls/puyang/lobby?lang={language}", size)
    assert await faults(page, enhanced=True) == []


async def test_the_kiosk_at_each_step(hall: Hall) -> None:
    """Category, priority, ticket."""
    await busy(hall)
    page = await hall.screen("/halls/puyang/kiosk", KIOSK)
    assert await faults(page, enhanced=True) == []
    await page.get_by_role("button", name="社保民生").click()
    assert await faults(page, enhanced=True) == []
    await page.get_by_role("button", name="取号", exact=True).click()
    await page.locator(".issued").wait_for()
    assert await faults(page, enhanced=True) == []


async def test_the_phone_in_each_state(hall: Hall) -> None:
    """Waiting, called, being served, done."""
    await hall.open(1)
    stored = hashlib.sha256(TOKEN.encode()).hexdigest()
    await hall.do(commands.Take(category="social", token_hash=stored))
    page = await hall.screen(f"/t/{TOKEN}", PHONE)
    card = page.locator("#card")
    assert await faults(page, enhanced=True) == []
    for command, state in (
        (commands.CallNext, "called"),
        (commands.Start, "serving"),
        (commands.Finish, "finished"),
    ):
        await hall.do(command(window=1))
        await page.locator(f"#card[data-state={state}]").wait_for()
        await page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")
        assert await faults(page, enhanced=True) == [], await card.get_attribute("data-state")


async def test_the_desks(hall: Hall) -> None:
    """Console, its panels, manager, and the ways in."""
    await busy(hall)
    for path, who in (
        ("/halls/puyang/console/1", "root"),
        ("/halls/puyang/console/4", "root"),
        ("/halls/puyang/console/3", "root"),
        ("/halls/puyang/console", "root"),
        ("/halls/puyang/manager", "boss"),
        ("/", None),
        ("/sign-in", None),
        ("/device", None),
        ("/halls/nowhere/lobby", None),
    ):
        page = await hall.screen(path, DESK, who)
        assert await faults(page, enhanced=False) == [], path
        if path.endswith("console/1"):
            await page.keyboard.press("t")
            await page.locator("#panel-transfer").wait_for()
            assert await faults(page, enhanced=False) == [], "panel"
        if path.endswith("manager"):
            await page.locator("[data-manage]").first.click()
            assert await faults(page, enhanced=False) == [], "panel"
        await page.close()
