"""The wall in the lobby: what somebody sees who waits fifteen metres away."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.async_api import expect

from tests.app.house import PUBLIC
from tests.browser.conftest import WALL, Hall, open_hall
from tinghao.queue import commands

LOBBY = "/halls/puyang/lobby"
LONGEST = 150_000  # bytes transferred for the page with all it needs

CUT_OFF = """() => {
  const inside = (e) => {
    const box = e.getBoundingClientRect();
    return box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1;
  };
  const whole = (e) => e.scrollWidth <= e.clientWidth + 1;
  const numbers = document.querySelectorAll(
    "#hero-number, #hero-window, #recent .num, .window-number, .window-ticket," +
    ".queue-waiting, .window, .queue-letter, .board");
  return [...numbers].filter((e) => e.checkVisibility()).filter((e) => !inside(e) || !whole(e))
    .map((e) => `${e.className} ${e.textContent.trim()}`);
}"""
"""The numbers on the wall that somebody cannot read whole."""


async def test_a_call_stands_in_the_first_place_of_the_wall(hall: Hall) -> None:
    """Number, window and "now calling", at more than a fifth of the screen's height."""
    await hall.open(3)
    await hall.take()
    page = await hall.screen(LOBBY)
    await expect(page.locator("#hero")).to_have_attribute("data-mode", "quiet")
    await hall.do(commands.CallNext(window=3))
    hero = page.locator("#hero")
    await expect(hero).to_have_attribute("data-calling", "yes")
    await expect(page.locator("#hero-number")).to_have_text("A001")
    await expect(page.locator("#hero-window")).to_have_text("3")
    await expect(page.get_by_text("正在呼叫", exact=True)).to_be_visible()
    size = await page.locator("#hero-number").evaluate(
        "e => parseFloat(getComputedStyle(e).fontSize)"
    )
    assert size * 0.7 >= 0.22 * WALL[1]  # capitals are 0.7 of the type size
    await hall.do(commands.Start(window=3))
    await expect(hero).to_have_attribute("data-calling", "no")
    await expect(page.locator('#windows [data-window="3"]')).to_have_attribute(
        "data-state", "serving"
    )


async def test_calls_of_one_second_take_turns_and_stand_in_the_row_at_once(hall: Hall) -> None:
    """Nobody's number is passed over because two others were called with it."""
    await hall.open(1, 2, 4, 6)
    await hall.take("social", 2)
    await hall.take("estate")
    await hall.take("business")
    page = await hall.screen(LOBBY)
    await expect(page.locator("html")).to_have_class("ink wall is-live")
    await page.evaluate(
        """() => {
          window.turns = [];
          const place = document.getElementById("hero");
          const note = () => window.turns.push([place.dataset.number, performance.now()]);
          new MutationObserver(note).observe(place, {attributeFilter: ["data-call"]});
        }"""
    )
    for window in (1, 2, 4, 6):
        await hall.do(commands.CallNext(window=window))
    shown = page.locator("#recent li:visible")
    await expect(shown).to_have_count(3)
    await expect(page.locator("#hero-number")).to_have_text("C001", timeout=15_000)
    turns = await page.evaluate("window.turns")
    assert [number for number, _ in turns] == ["A001", "A002", "B001", "C001"]
    gaps = [later[1] - earlier[1] for earlier, later in pairwise(turns)]
    assert min(gaps) >= 2_400


async def test_a_wall_without_news_says_so_within_six_seconds_and_comes_back(hall: Hall) -> None:
    """Old numbers never look like live ones: the pulled cable is the worst case."""
    await hall.open(1)
    await hall.take("social", 3)
    page = await hall.screen(LOBBY)
    await expect(page.locator("html")).to_have_class("ink wall is-live")
    hall.line.fall_silent()
    began = time.monotonic()
    await expect(page.locator("#band")).to_be_visible(timeout=8_000)
    assert time.monotonic() - began <= 6.5
    await expect(page.locator("#band")).to_contain_text("09:00")
    await expect(page.locator("#band")).to_contain_text("正在重新连接")
    await expect(page.locator("html")).to_have_class("ink wall stale")
    hall.line.cut()
    await hall.do(commands.CallNext(window=1))
    hall.line.mend()
    await expect(page.locator("html")).to_have_class("ink wall is-live", timeout=20_000)
    await expect(page.locator("#band")).to_be_hidden()
    await expect(page.locator("#hero-number")).to_have_text("A001")


async def test_a_wall_that_was_cut_off_shows_every_call_it_missed(hall: Hall) -> None:
    """It comes back with `since` and gives each missed call its turn."""
    await hall.open(1, 2, 3)
    await hall.take("social", 3)
    page = await hall.screen(LOBBY)
    await expect(page.locator("html")).to_have_class("ink wall is-live")
    asked: list[str] = []
    page.on("websocket", lambda socket: asked.append(socket.url))
    hall.line.cut()
    for window in (1, 2, 3):
        await hall.do(commands.CallNext(window=window))
    hall.line.mend()
    for number in ("A001", "A002", "A003"):
        await expect(page.locator("#hero-number")).to_have_text(number, timeout=15_000)
    assert "since=" in asked[-1]


async def test_the_lobby_page_is_small_and_comes_from_this_host_alone(hall: Hall) -> None:
    """At most 150 KB on the line, everything counted."""
    await hall.open(1)
    await hall.screen(LOBBY)
    transferred = 0
    for answer in hall.answers:
        sizes = await answer.request.sizes()
        transferred += sizes["responseBodySize"] + sizes["responseHeadersSize"]
    assert 20_000 < transferred <= LONGEST


async def test_a_day_of_rest_and_the_hours_before_opening_are_said(hall: Hall) -> None:
    """An empty wall would look broken."""
    hall.house.clock.shows("08:10")
    page = await hall.screen(LOBBY)
    await expect(page.get_by_text("开始办理")).to_contain_text("09:00")
    await page.close()
    hall.house.clock.shows("18:00")
    page = await hall.screen(LOBBY)
    await expect(page.get_by_text("今天已结束办理")).to_be_visible()
    await page.close()
    hall.house.clock.shows("10:00", day=2025_11_29)
    page = await hall.screen(LOBBY)
    await expect(page.get_by_text("今天不办公")).to_be_visible()


@pytest.mark.parametrize("count", [1, 10, 20, 40])
async def test_the_wall_holds_any_number_of_windows_and_the_longest_names(
    tmp_path: Path, chromium: Path, count: int
) -> None:
    """Nothing runs out of the screen and no number is cut off, on any screen."""
    kinds = PUBLIC.windows
    config = replace(
        PUBLIC,
        name="濮阳市华龙区孟轲乡人民政府便民服务中心综合办事大厅",
        categories=tuple(
            replace(each, name=f"{each.name}与民生服务综合业务", name_en=f"{each.name_en} and more")
            for each in PUBLIC.categories
        ),
        windows=tuple(
            replace(kinds[number % len(kinds)], number=number + 1) for number in range(count)
        ),
        notices=("明日系统升级，不动产交易登记业务暂停一天，请合理安排时间。" * 3,),
    )
    async with open_hall(tmp_path, chromium, config) as hall:
        await hall.open(*range(1, count + 1))
        for each in PUBLIC.categories:
            await hall.take(each.code, 12)
        for window in range(1, count + 1):
            if window % 3:
                await hall.do(commands.CallNext(window=window))
        for size in [(1920, 1080), (3840, 2160), (1080, 1920), (1366, 768)]:
            page = await hall.screen(LOBBY, size)
            await expect(page.locator("#windows > li")).to_have_count(count)
            assert await page.evaluate(CUT_OFF) == [], size
            await page.close()


async def test_reduced_motion_is_respected(hall: Hall) -> None:
    """Nothing rolls or pulses for people who asked for none of it."""
    await hall.open(1)
    await hall.take()
    page = await hall.screen(LOBBY, reduced_motion="reduce")
    await expect(page.locator("html")).to_have_class("ink wall is-live")
    await hall.do(commands.CallNext(window=1))
    await expect(page.locator("#hero-number")).to_have_text("A001")
    assert await page.evaluate("document.getAnimations().length") == 0
