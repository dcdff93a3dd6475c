"""The manager's screen: the hall as it is."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import WALL, Hall
from tinghao.queue import commands

PATH = "/halls/puyang/manager"


async def test_every_waiting_citizen_is_a_dot_and_late_ones_stand_out(hall: Hall) -> None:
    """One sees a breach of the target coming."""
    await hall.take("estate", 2)
    hall.house.clock.wait(minutes=14)
    await hall.take("social", 3)
    page = await hall.screen(PATH, WALL, "boss")
    dots = page.locator('[data-category="estate"] .dot')
    await expect(dots).to_have_count(2)
    await expect(page.locator('[data-category="social"] .dot')).to_have_count(3)
    await expect(page.locator(".dot.late")).to_have_count(0)
    hall.house.clock.wait(minutes=3)
    await hall.take("social")
    await expect(page.locator('[data-category="estate"] .dot.late')).to_have_count(2)
    target = await page.locator('[data-category="estate"] .target').get_attribute("x1")
    placed = await dots.evaluate_all("all => all.map((e) => Number(e.getAttribute('cx')))")
    assert all(x > float(target or 0) for x in placed)


async def test_a_window_is_opened_and_given_other_work(hall: Hall) -> None:
    """From its tile, with the answer on the tile."""
    page = await hall.screen(PATH, WALL, "boss")
    tile = page.locator('[data-manage="7"]')
    await tile.click()
    await page.get_by_role("button", name="开窗", exact=True).click()
    await expect(tile).to_have_attribute("data-state", "free")
    await tile.click()
    await page.get_by_role("checkbox", name="A 社保民生").check()
    await page.get_by_role("button", name="调整", exact=True).click()
    await expect(tile).to_have_attribute("data-categories", "social business project")
    await expect(page.locator("#feed li").first).to_contain_text("7 号窗口")


async def test_a_stuck_number_is_released(hall: Hall) -> None:
    """Its clerk has gone home."""
    await hall.open(1)
    await hall.take("social")
    await hall.do(commands.CallNext(window=1))
    page = await hall.screen(PATH, WALL, "boss")
    tile = page.locator('[data-manage="1"]')
    await expect(tile).to_have_attribute("data-ticket", "A001")
    await tile.click()
    await page.get_by_role("button", name="释放", exact=True).click()
    await expect(tile).to_have_attribute("data-ticket", "")


async def test_an_inspector_looks_and_touches_nothing(hall: Hall) -> None:
    """No panel, no button that would be refused."""
    page = await hall.screen(PATH, WALL, "inspector")
    await page.locator('[data-manage="1"]').click()
    await expect(page.locator("dialog")).to_have_count(0)


async def test_the_figures_move_with_the_hall(hall: Hall) -> None:
    """Without a touch."""
    await hall.open(1)
    page = await hall.screen(PATH, WALL, "boss")
    waiting = page.locator("#figures div").first.locator("b")
    await expect(waiting).to_have_text("0")
    await hall.take("social", 3)
    await expect(waiting).to_have_text("3")
    await hall.do(commands.CallNext(window=1))
    await expect(waiting).to_have_text("2")
    await expect(page.locator("#chart .called")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollHeight - innerHeight") == 0
