"""The kiosk: somebody who has never used one, in front of a queue of others."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from playwright.async_api import expect

from tests.app.house import PUBLIC
from tests.browser.conftest import KIOSK, Hall, open_hall
from tinghao.queue.model import Policy

PATH = "/halls/puyang/kiosk"


async def test_two_touches_give_a_number(hall: Hall) -> None:
    """Category, take; then the number, how many are ahead, and a code to scan."""
    await hall.open(1)
    await hall.take("social", 2)
    page = await hall.screen(PATH, KIOSK)
    await page.get_by_role("button", name="社保民生").click()
    await page.get_by_role("button", name="取号", exact=True).click()
    await expect(page.locator(".issued-number")).to_have_text("A003")
    await expect(page.locator(".issued-ahead")).to_have_text("前面 2 人")
    await expect(page.locator(".issued-qr svg")).to_be_visible()
    assert len(hall.house.state().queues["social"]) == 3


async def test_priority_is_chosen_by_its_ground(hall: Hall) -> None:
    """An elderly citizen touches one thing more."""
    page = await hall.screen(PATH, KIOSK)
    await page.get_by_role("button", name="不动产").click()
    await page.get_by_role("button", name="老年人").click()
    await expect(page.locator(".issued-number")).to_have_text("B001")
    ticket = next(iter(hall.house.state().tickets.values()))
    assert (ticket.cls, ticket.ground) == ("priority", "elderly")


async def test_it_goes_home_by_itself_and_leaves_nothing(hall: Hall) -> None:
    """Fifteen seconds after the ticket; large type is for one citizen only."""
    page = await hall.screen(PATH, KIOSK)
    await page.clock.install()
    await page.reload()
    await page.get_by_role("button", name="大字").click()
    await page.get_by_role("button", name="商事登记").click()
    await page.get_by_role("button", name="取号", exact=True).click()
    await expect(page.locator(".issued-number")).to_have_text("C001")
    await page.clock.run_for(16_000)
    await expect(page.locator("#kiosk")).to_have_attribute("data-step", "category")
    await expect(page.locator(".issued")).to_have_count(0)
    assert "large" not in (await page.locator("html").get_attribute("class") or "")


async def test_somebody_who_walks_away_is_forgotten(hall: Hall) -> None:
    """Thirty seconds without a touch."""
    page = await hall.screen(PATH, KIOSK)
    await page.clock.install()
    await page.reload()
    await page.get_by_role("button", name="商事登记").click()
    await expect(page.locator("#kiosk")).to_have_attribute("data-step", "priority")
    await page.clock.run_for(31_000)
    await expect(page.locator("#kiosk")).to_have_attribute("data-step", "category")
    assert not hall.house.state().tickets


async def test_the_tiles_count_with_the_hall(hall: Hall) -> None:
    """Who waits is true at the moment one chooses."""
    await hall.open(1)
    page = await hall.screen(PATH, KIOSK)
    tile = page.get_by_role("button", name="社保民生")
    await expect(tile).to_contain_text("0 人等候")
    await hall.take("social", 4)
    await expect(tile).to_contain_text("4 人等候")


async def test_low_reach_brings_everything_into_the_lower_half(hall: Hall) -> None:
    """For somebody in a wheelchair."""
    page = await hall.screen(PATH, KIOSK)
    await page.get_by_role("button", name="低位操作").click()
    tops = await page.evaluate(
        """() => [...document.querySelectorAll("button, a")].filter((e) => e.checkVisibility())
             .map((e) => e.getBoundingClientRect().top)"""
    )
    assert min(tops) >= KIOSK[1] / 2
    heights = await page.evaluate(
        """() => [...document.querySelectorAll("button, a")].filter((e) => e.checkVisibility())
             .map((e) => e.getBoundingClientRect().height)"""
    )
    assert min(heights) >= 44


async def test_a_refusal_is_said_on_the_machine(tmp_path: Path, chromium: Path) -> None:
    """The hall closed between looking and touching."""
    config = replace(PUBLIC, policy=Policy(public_take=True, refuse_outside_hours=True))
    async with open_hall(tmp_path, chromium, config) as hall:
        page = await hall.screen(PATH, KIOSK)
        await page.get_by_role("button", name="社保民生").click()
        hall.house.clock.shows("18:30")
        await page.get_by_role("button", name="取号", exact=True).click()
        await expect(page.locator("#notice")).to_contain_text("09:00–17:00")


async def test_both_ways_up_everything_is_on_the_screen(hall: Hall) -> None:
    """Portrait and landscape, each step."""
    for size in (KIOSK, (1920, 1080), (1366, 768)):
        page = await hall.screen(PATH, size)
        for step in ("category", "priority", "ticket"):
            await expect(page.locator("#kiosk")).to_have_attribute("data-step", step)
            outside = await page.evaluate(
                """() => [...document.querySelectorAll("button, a, .issued p, .issued svg")]
                     .filter((e) => e.checkVisibility())
                     .filter((e) => {
                       const box = e.getBoundingClientRect();
                       return box.bottom > innerHeight + 1 || box.right > innerWidth + 1;
                     }).map((e) => e.textContent.trim())"""
            )
            assert outside == []
            if step == "category":
                await page.get_by_role("button", name="投资项目").click()
            elif step == "priority":
                await page.get_by_role("button", name="取号", exact=True).click()
        await page.close()
