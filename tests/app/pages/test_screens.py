"""Every page answers, in the visitor's language, under rules that keep others out."""

from __future__ import annotations

import re

from tests.app.api.scenes import Scene
from tests.app.house import House
from tests.app.pages.conftest import Open
from tinghao.realtime.render import SCREEN_CSP

HALL = "/halls/puyang"
SCREENS = {
    "/": None,
    f"{HALL}/lobby": None,
    f"{HALL}/kiosk": None,
    f"{HALL}/console": "wang",
    f"{HALL}/console/1": "wang",
    f"{HALL}/manager": "boss",
    "/sign-in": None,
    "/device": None,
    "/docs": None,
}
"""Pages, and who is shown them."""


async def test_each_page_speaks_the_visitors_language(house: House, browser: Open) -> None:
    """Of an empty hall and of one at work; Chinese unless English is wanted."""
    scene = Scene(house)
    for lines in ((), ("open 1 staff=001", "take", "take", "call-next 1", "open 2", "pause 2")):
        await scene.play(*lines)
        pages = {**SCREENS, **({f"/t/{t}": None for t in scene.tokens}),
                 **({f"/t/{t}/paper": None for t in scene.tokens})}  # fmt: skip
        for path, who in pages.items():
            for language, tag in (("zh", "zh-CN"), ("en", "en")):
                answer = await browser(who, language).get(path)
                assert answer.status_code == 200, path
                assert answer.headers["content-type"] == "text/html; charset=utf-8"
                assert re.search(r'<html lang="([^"]*)"', answer.text)[1] == tag, path  # type: ignore[index]


async def test_each_page_is_under_our_rules(house: House, browser: Open) -> None:
    """Nothing from elsewhere runs in it, nobody frames it, no cache keeps it."""
    for path, who in SCREENS.items():
        headers = (await browser(who).get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"]
        assert policy == SCREEN_CSP or path == "/docs"
        assert "frame-ancestors 'self'" in policy
        for cookie in headers.get_list("set-cookie"):
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie


async def test_a_chosen_language_is_remembered(browser: Open) -> None:
    """The link is followed once; afterwards every page speaks it, whatever the browser prefers."""
    visitor = browser(language="zh")
    first = await visitor.get(f"{HALL}/lobby?lang=en")
    assert first.headers["content-language"] == "en"
    assert (await visitor.get("/")).headers["content-language"] == "en"
    back = await visitor.get("/?lang=zh")
    assert back.headers["content-language"] == "zh"
    assert (await visitor.get(f"{HALL}/kiosk")).headers["content-language"] == "zh"
    assert (await visitor.get("/?lang=de")).headers["content-language"] == "zh"


async def test_staff_pages_ask_to_sign_in(browser: Open) -> None:
    """And lead back afterwards; a wrong role is told so."""
    for path in (f"{HALL}/console", f"{HALL}/console/1", f"{HALL}/manager"):
        answer = await browser().get(path)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/sign-in?next={path}"
    refused = await browser("wang").get(f"{HALL}/manager")
    assert refused.status_code == 403
    assert "你没有这项权限。" in refused.text
    assert (await browser("inspector").get(f"{HALL}/manager")).status_code == 200
    assert (await browser("boss").get("/halls/fanxian/manager")).status_code == 403
    assert (await browser("root").get("/halls/fanxian/manager")).status_code == 200


async def test_an_inspector_sees_the_hall_without_buttons(browser: Open) -> None:
    """Read-only."""
    manager = (await browser("boss").get(f"{HALL}/manager")).text
    inspector = (await browser("inspector").get(f"{HALL}/manager")).text
    assert 'data-may-act="yes"' in manager
    assert 'data-may-act="no"' in inspector
    assert "panel-window" not in inspector


async def test_what_does_not_exist_is_a_page_that_says_so(browser: Open) -> None:
    """For a browser in words, with a way on."""
    paths = {
        "/halls/nowhere/lobby": "没有大厅 nowhere。",
        f"{HALL}/console/99": "没有 99 号窗口。",
        "/t/unknown": "没有这张号票。",
        "/t/unknown/paper": "没有这张号票。",
        "/nowhere": "这个地址没有内容。",
    }
    for path, said in paths.items():
        answer = await browser("wang").get(path)
        assert answer.status_code == 404, path
        assert said in answer.text
        assert answer.headers["content-security-policy"] == SCREEN_CSP


async def test_pages_of_a_hall_that_hides_them(house: House, browser: Open) -> None:
    """Neither the wall nor the tickets are for everybody then; a display may still show them."""
    scene = Scene(house)
    await scene.play("take")
    root = house.bearer("administrator")
    setup = (await root.get("/api/v1/halls/puyang/configuration")).json()
    setup["policy"]["public_read"] = False
    await root.put("/api/v1/halls/puyang/configuration", json=setup)
    ticket = f"/t/{scene.tokens[0]}"
    for path in (f"{HALL}/lobby", f"{HALL}/kiosk", ticket, f"{ticket}/paper"):
        assert (await browser().get(path)).status_code == 303, path
        assert (await browser("wang").get(path)).status_code == 200, path
    home = (await browser().get("/")).text
    assert "/halls/fanxian/lobby" in home
    assert "/halls/puyang/lobby" not in home


async def test_a_page_goes_on_where_its_socket_begins(house: House, browser: Open) -> None:
    """It carries the place in the journal that it shows."""
    await Scene(house).play("take", "take")
    state = house.state()
    text = (await browser().get(f"{HALL}/lobby")).text
    assert str(state.seq) in text
    assert state.epoch in text
    assert "A001" in text


async def test_a_paper_ticket_fits_its_printer(house: House, browser: Open) -> None:
    """58 or 80 mm, with a code that leads to the ticket's page."""
    scene = Scene(house)
    await scene.play("take estate priority=elderly")
    paper = f"/t/{scene.tokens[0]}/paper"
    wide, narrow = [(await browser().get(f"{paper}?width={w}")).text for w in (80, 58)]
    assert wide != narrow
    assert "B001" in wide
    assert "<svg" in wide
    assert "print.js" not in wide
    assert "print.js" in (await browser().get(f"{paper}?print=1")).text
    assert (await browser().get(f"{paper}?width=300")).status_code == 400


async def test_no_page_names_a_citizen_or_shows_a_colleagues_secret(
    house: House, browser: Open
) -> None:
    """Public screens show the badge only; a ticket's token is on no page but its own."""
    scene = Scene(house)
    await scene.play("open 1 staff=001", "take", "call-next 1")
    for path in ("/", f"{HALL}/lobby", f"{HALL}/kiosk"):
        text = (await browser().get(path)).text
        assert "王建国" not in text
        assert scene.tokens[0] not in text
    for path, who in ((f"{HALL}/console/1", "wang"), (f"{HALL}/manager", "boss")):
        assert scene.tokens[0] not in (await browser(who).get(path)).text
