"""The ticket on a citizen's phone."""

from __future__ import annotations

import hashlib

from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, Hall
from tinghao.queue import commands

TOKEN = "token-of-a-citizen-on-the-square"


async def holder(hall: Hall, category: str = "social") -> None:
    """A citizen takes a number whose token the test knows."""
    stored = hashlib.sha256(TOKEN.encode()).hexdigest()
    await hall.do(commands.Take(category=category, token_hash=stored))


async def phone(hall: Hall, size: tuple[int, int] = PHONE, language: str = "zh") -> Page:
    return await hall.screen(f"/t/{TOKEN}", size, language=language)


async def test_it_counts_down_and_turns_vermilion_when_called(hall: Hall) -> None:
    """The same live truth as the wall."""
    await hall.open(1, 2)
    await hall.take("social", 5)
    await holder(hall)
    page = await phone(hall)
    await expect(page.locator(".card-ahead")).to_have_text("前面 5 人")
    await hall.do(commands.CallNext(window=1))
    await expect(page.locator(".card-ahead")).to_have_text("前面 4 人")
    await expect(page.locator("#others")).to_contain_text("A001")
    await hall.do(commands.CallNext(window=2))
    await expect(page.get_by_text("即将到号")).to_be_visible()
    for window in (1, 2, 1, 2):
        await hall.do(commands.Start(window=window))
        await hall.do(commands.Finish(window=window))
        await hall.do(commands.CallNext(window=window))
    await expect(page.locator("#card")).to_have_attribute("data-state", "called")
    await expect(page.locator(".card-window")).to_contain_text("2")
    await expect(page).to_have_title("请到 2 号窗口")
    await expect(page.locator("body")).to_have_css("background-color", "rgb(200, 54, 28)")
    await hall.do(commands.Start(window=2))
    await expect(page.locator("#card")).to_have_attribute("data-state", "serving")
    await hall.do(commands.Finish(window=2))
    await expect(page.get_by_text("已办结")).to_be_visible()


async def test_one_can_let_others_go_first_and_leave(hall: Hall) -> None:
    """Both are answered on the card; leaving is asked once more."""
    await hall.open(1)
    await hall.take("social", 2)
    await holder(hall)
    await hall.take("social", 4)
    page = await phone(hall)
    await expect(page.locator(".card-ahead")).to_have_text("前面 2 人")
    await page.get_by_role("button", name="让后面 3 人先办").click()
    await expect(page.locator(".card-ahead")).to_have_text("前面 5 人")
    await page.get_by_role("button", name="不办了，弃号").click()
    await page.get_by_role("button", name="继续等").click()
    await expect(page.locator("#card")).to_have_attribute("data-state", "waiting")
    await page.get_by_role("button", name="不办了，弃号").click()
    await page.locator("dialog").get_by_role("button", name="不办了，弃号").click()
    await expect(page.get_by_text("您已弃号")).to_be_visible()


async def test_the_service_can_be_rated_once_it_is_done(hall: Hall) -> None:
    """One touch; the page thanks and does not ask again."""
    await hall.open(1)
    await holder(hall)
    for command in (commands.CallNext, commands.Start, commands.Finish):
        await hall.do(command(window=1))
    page = await phone(hall)
    await page.get_by_role("button", name="非常满意").click()
    await expect(page.get_by_text("谢谢您的评价")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("谢谢您的评价")).to_be_visible()


async def test_a_missed_number_says_what_to_do(hall: Hall) -> None:
    """Thirty minutes, and where to go."""
    await hall.open(1)
    await holder(hall)
    page = await phone(hall)
    await hall.do(commands.CallNext(window=1))
    await expect(page.locator("#card")).to_have_attribute("data-state", "called")
    await hall.do(commands.Recall(window=1))
    await hall.do(commands.NoShow(window=1))
    await expect(page.get_by_text("您的号已过号")).to_be_visible()
    await expect(page.get_by_text("30 分钟内")).to_be_visible()


async def test_it_says_when_it_is_not_live(hall: Hall) -> None:
    """Numbers that are old are grey."""
    await holder(hall)
    page = await phone(hall)
    await expect(page.locator(".live .alive")).to_be_visible()
    hall.line.cut()
    await expect(page.locator("#band")).to_be_visible(timeout=8_000)
    hall.line.mend()
    await expect(page.locator("#band")).to_be_hidden(timeout=15_000)


async def test_it_fits_the_smallest_phone_with_large_type(hall: Hall) -> None:
    """320 points wide, text at 200 %, both languages, every state: no sideways scrolling."""
    await hall.open(1)
    await hall.take("social", 30)
    await holder(hall)
    for language in ("zh", "en"):
        page = await phone(hall, (320, 568), language)
        for state in ("waiting", "called", "serving", "no-show", "finished"):
            await page.evaluate(
                "s => { document.getElementById('card').dataset.state = s; }", state
            )
            await page.evaluate("document.documentElement.style.fontSize = '200%'")
            sideways = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert sideways <= 0, (language, state)
        await page.close()


async def test_it_works_without_scripts(hall: Hall) -> None:
    """An old phone reads the truth of this moment and can still leave the queue."""
    await hall.open(1)
    await hall.take("social", 2)
    await holder(hall)
    await hall.take("social", 4)
    page = await hall.screen(f"/t/{TOKEN}", PHONE, java_script_enabled=False)
    await expect(page.locator(".card-ahead")).to_have_text("前面 2 人")
    await page.get_by_role("button", name="让后面 3 人先办").click()
    await expect(page).to_have_url(f"{hall.url}/t/{TOKEN}")


async def test_the_paper_has_the_number_and_a_code(hall: Hall) -> None:
    """80 mm and 58 mm."""
    await hall.take("social")
    await holder(hall)
    for width in (80, 58):
        page = await hall.screen(f"/t/{TOKEN}/paper?width={width}", PHONE)
        await expect(page.locator(".paper-number")).to_have_text("A002")
        await expect(page.locator(".paper-qr svg")).to_be_visible()
        box = await page.locator(".paper").bounding_box()
        assert box is not None
        assert box["width"] <= width * 96 / 25.4
