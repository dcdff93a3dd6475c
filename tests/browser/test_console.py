"""The window console: a clerk with ten fingers and no time."""

from __future__ import annotations

import time

from playwright.async_api import Route, expect

from tests.browser.conftest import DESK, Hall
from tinghao.queue import commands

CONSOLE = "/halls/puyang/console/1"


async def test_a_whole_turn_without_the_mouse(hall: Hall) -> None:
    """K opens, space calls, S starts, F finishes; each key answers at once."""
    await hall.take("social", 2)
    page = await hall.screen(CONSOLE, DESK, "wang")
    await expect(page.get_by_text("窗口未开")).to_be_visible()
    state = page.locator(".person")
    number = page.locator(".person-number")
    await page.keyboard.press("k")
    await expect(state).to_have_attribute("data-state", "free")
    await page.keyboard.press("Space")
    await expect(number).to_have_text("A001")
    await expect(state).to_have_attribute("data-state", "called")
    await page.keyboard.press("s")
    await expect(state).to_have_attribute("data-state", "serving")
    await page.keyboard.press("f")
    await expect(state).to_have_attribute("data-state", "free")
    await expect(page.get_by_text("已办结 A001")).to_be_visible()
    await page.keyboard.press("u")
    await expect(number).to_have_text("A001")


async def test_a_key_answers_within_a_tenth_of_a_second(hall: Hall) -> None:
    """From the key to the number on the screen, with the server on the same machine."""
    await hall.open(1)
    await hall.take("social", 12)
    page = await hall.screen(CONSOLE, DESK, "root")
    await page.evaluate(
        """() => {
          window.answers = [];
          let pressed = 0;
          document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
          new MutationObserver(() => {
            const state = document.querySelector(".person").dataset.state;
            if (state !== window.last) window.answers.push(performance.now() - pressed);
            window.last = state;
          }).observe(document.getElementById("console"),
                     {subtree: true, attributes: true, childList: true});
        }"""
    )
    for key, state in [("Space", "called"), ("s", "serving"), ("f", "free")] * 4:
        await page.keyboard.press(key)
        await expect(page.locator(".person")).to_have_attribute("data-state", state)
    took = sorted(await page.evaluate("window.answers"))
    assert took[len(took) // 2] <= 100


async def test_what_cannot_be_done_now_is_said_with_its_reason(hall: Hall) -> None:
    """A dead key is worse than a refusal."""
    await hall.open(1)
    page = await hall.screen(CONSOLE, DESK, "root")
    await page.keyboard.press("n")
    await expect(page.locator("#notice")).to_have_text("叫了号才能过号。")
    await page.keyboard.press("Space")
    await expect(page.locator("#notice")).to_have_text("没有人在等这个窗口。")


async def test_the_servers_refusal_stands_on_the_screen(hall: Hall) -> None:
    """Here: another window's clerk, who may look but not touch."""
    await hall.open(2)
    await hall.take("social")
    page = await hall.screen("/halls/puyang/console/2", DESK, "nobadge")
    await page.keyboard.press("Space")
    notice = page.locator("#notice .notice-text")
    await expect(notice).to_have_attribute("data-tone", "refusal")
    await expect(notice).to_contain_text("工号")


async def test_reasons_are_chosen_by_digit(hall: Hall) -> None:
    """H 2 puts the citizen on hold for copies; Esc changes nothing."""
    await hall.open(1)
    await hall.take("social")
    await hall.do(commands.CallNext(window=1))
    await hall.do(commands.Start(window=1))
    page = await hall.screen(CONSOLE, DESK, "root")
    await page.keyboard.press("h")
    await expect(page.locator("#panel-hold")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#panel-hold")).to_be_hidden()
    await expect(page.locator(".person")).to_have_attribute("data-state", "serving")
    await page.keyboard.press("h")
    await page.keyboard.press("2")
    await expect(page.locator(".side-held")).to_contain_text("A001")
    await page.get_by_role("button", name="恢复").click()
    await expect(page.locator(".person-number")).to_have_text("A001")
    await page.keyboard.press("t")
    await page.keyboard.press("2")
    await expect(page.locator(".person")).to_have_attribute("data-state", "free")
    assert len(hall.house.state().queues["estate"]) == 1


async def test_a_call_whose_answer_was_lost_calls_nobody_twice(hall: Hall) -> None:
    """Pressed again, it is the same call: the first answer comes back."""
    await hall.open(1)
    await hall.take("social", 3)
    page = await hall.screen(CONSOLE, DESK, "root")
    await page.evaluate("htmx.trigger(document.body, 'noop')")
    keys: list[str | None] = []

    async def lose(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/call-next", lose)
    await page.keyboard.press("Space")
    await expect(page.locator("#notice")).to_contain_text("请再试一次")
    await page.keyboard.press("Space")
    await expect(page.locator(".person-number")).to_have_text("A001")
    assert keys[0] == keys[1] is not None
    assert len(hall.house.state().queues["social"]) == 2


async def test_two_fast_presses_are_one(hall: Hall) -> None:
    """A trembling finger calls one citizen."""
    await hall.open(1)
    await hall.take("social", 3)
    page = await hall.screen(CONSOLE, DESK, "root")
    await page.keyboard.press("Space")
    await page.keyboard.press("Space")
    await expect(page.locator(".person-number")).to_have_text("A001")
    assert len(hall.house.state().queues["social"]) == 2


async def test_what_happens_elsewhere_shows_without_a_touch(hall: Hall) -> None:
    """The queue beside the clerk moves by itself."""
    await hall.open(1)
    page = await hall.screen(CONSOLE, DESK, "root")
    await expect(page.locator(".side-next")).to_contain_text("没有人在等")
    await hall.take("social")
    began = time.monotonic()
    await expect(page.locator(".side-next")).to_contain_text("A001")
    assert time.monotonic() - began < 2


async def test_everything_fits_the_small_screen_of_an_old_machine(hall: Hall) -> None:
    """1366 × 768 without scrolling, also with the longest names and a note."""
    await hall.open(1)
    await hall.take("social", 8)
    await hall.do(commands.CallNext(window=1))
    await hall.do(commands.Start(window=1))
    page = await hall.screen(CONSOLE, DESK, "root")
    height = await page.evaluate("document.documentElement.scrollHeight - innerHeight")
    width = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert (height, width) == (0, 0)
    await expect(page.locator(".keys")).to_be_in_viewport(ratio=1)
    await expect(page.locator(".primary")).to_be_in_viewport(ratio=1)


async def test_a_clerk_is_led_to_the_window_that_is_his(hall: Hall) -> None:
    """The list of windows marks his own."""
    await hall.do(commands.Open(window=4, staff=1))
    page = await hall.screen("/halls/puyang/console", DESK, "wang")
    own = page.locator(".own")
    await expect(own).to_contain_text("我的")
    await own.click()
    await expect(page).to_have_url(f"{hall.url}/halls/puyang/console/4")
