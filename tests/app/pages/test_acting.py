"""The buttons of console, manager and kiosk: forms that become commands."""

from __future__ import annotations

import re
from typing import Any

import pytest_asyncio

from tests.app.api.scenes import Scene
from tests.app.house import House
from tests.app.pages.browsing import Browser, notice
from tests.app.pages.conftest import Open

CONSOLE = "/halls/puyang/console/1"
MANAGER = "/halls/puyang/manager"
KIOSK = "/halls/puyang/kiosk"


@pytest_asyncio.fixture
async def clerk(browser: Open) -> Browser:
    """A clerk before the console of window 1."""
    clerk = browser("wang")
    await clerk.get(CONSOLE)
    return clerk


async def test_a_clerk_works_a_morning_by_keys(house: House, clerk: Browser) -> None:
    """Every key of the console, each answered with the console as it is then."""
    scene = Scene(house)
    await scene.play("take", "take", "take", "open 2")
    shown = []
    presses: list[tuple[str, dict[str, Any]]] = [
        ("open", {}), ("pause", {"reason": "meal", "minutes": "30"}), ("resume", {}),
        ("call-next", {}), ("recall", {}), ("start", {}), ("hold", {"reason": "copies"}),
        ("resume-ticket", {"number": "A001"}),
        ("finish", {"result": "not-done", "reason": "materials", "complex": "on"}), ("undo", {}),
        ("finish", {"result": "done"}), ("call", {"number": "A003", "reason": "urgent"}),
        ("return", {"reason": "mistake"}), ("call-next", {}), ("no-show", {}),
        ("call-next", {}), ("transfer", {"window": "2", "note": "请带复印件"}), ("close", {}),
    ]  # fmt: skip
    for command, fields in presses:
        answer = await clerk.press(f"{CONSOLE}/{command}", **fields)
        assert answer.status_code == 200, f"{command}: {notice(answer)}"
        assert 'hx-target="#console"' in answer.text
        assert notice(answer) == ""
        state = re.search(r'data-state="([\w-]+)"', answer.text)
        number = re.search(r'person-number num">(\w+)<', answer.text)
        shown.append((state[1] if state else "", number[1] if number else ""))
    assert shown == [
        ("free", ""), ("paused", ""), ("free", ""), ("called", "A001"), ("called", "A001"),
        ("serving", "A001"), ("free", ""), ("serving", "A001"), ("free", ""),
        ("serving", "A001"), ("free", ""), ("called", "A003"), ("free", ""), ("called", "A002"),
        ("free", ""), ("called", "A003"), ("free", ""), ("closed", ""),
    ]  # fmt: skip
    kinds = [each.kind for each in house.state().feed]
    assert "ticket-transferred" in kinds


async def test_nobody_waiting_is_said_quietly(clerk: Browser) -> None:
    """No error: the console stays as it is, with one sentence."""
    await clerk.press(f"{CONSOLE}/open")
    answer = await clerk.press(f"{CONSOLE}/call-next")
    assert answer.status_code == 200
    assert notice(answer) == "没有人在等这个窗口。"
    assert 'data-tone="quiet"' in answer.text


async def test_a_refusal_says_why_and_what_to_do(clerk: Browser) -> None:
    """One sentence for the notice line, in the clerk's language, and nothing else."""
    answer = await clerk.press(f"{CONSOLE}/call-next")
    assert answer.status_code == 409
    assert notice(answer) == "1 号窗口未开，请先开窗。"
    assert "#console" not in answer.text
    await clerk.press(f"{CONSOLE}/open")
    for command, fields, status in (
        ("start", {}, 409),
        ("call", {"number": "A777", "reason": "urgent"}, 404),
        ("call", {"number": "A777"}, 422),
        ("call", {}, 400),
        ("pause", {"reason": "meal", "minutes": "soon"}, 400),
        ("finish", {"result": "perhaps"}, 400),
        ("dance", {}, 404),
        ("rating", {"grade": "5"}, 404),
    ):
        refused = await clerk.press(f"{CONSOLE}/{command}", **fields)
        assert refused.status_code == status, command
        assert notice(refused) != ""


async def test_a_key_pressed_twice_calls_one(house: House, clerk: Browser) -> None:
    """The same press, sent again by the page, is answered again; a new press is a new wish."""
    await Scene(house).play("take", "take")
    await clerk.press(f"{CONSOLE}/open")
    first = await clerk.press(f"{CONSOLE}/call-next", key="one")
    again = await clerk.press(f"{CONSOLE}/call-next", key="one")
    assert "A001" in first.text
    assert again.status_code == 200
    assert len(house.state().calls) == 1
    new = await clerk.press(f"{CONSOLE}/call-next")
    assert new.status_code == 409


async def test_a_colleagues_window_and_another_hall_are_not_his(
    clerk: Browser, browser: Open
) -> None:
    """The console of another window can be looked at, not used."""
    li = browser("li")
    await li.get("/halls/puyang/console/2")
    await li.press("/halls/puyang/console/2/open")
    assert (await clerk.get("/halls/puyang/console/2")).status_code == 200
    other = await clerk.press("/halls/puyang/console/2/call-next")
    assert (other.status_code, notice(other)) == (403, "2 号窗口不是你开的窗。")
    hall = await clerk.press("/halls/fanxian/console/1/open")
    assert hall.status_code == 403
    chosen = (await li.get("/halls/puyang/console")).text
    assert 'class="own"' in chosen


async def test_a_manager_moves_windows(house: House, browser: Open) -> None:
    """Opens, pauses, changes what they serve, frees a stuck number: the hall's picture answers."""
    boss = browser("boss")
    await boss.get(MANAGER)
    await Scene(house).play("take", "open 2")
    for path, fields in (
        ("windows/1/open", {}),
        ("windows/1/categories", {"categories": ["social", "project"]}),
        ("windows/2/pause", {"reason": "manager"}),
        ("windows/2/resume", {}),
        ("windows/2/close", {}),
    ):
        answer = await boss.press(f"{MANAGER}/{path}", **fields)
        assert answer.status_code == 200, f"{path}: {notice(answer)}"
        assert 'hx-target="#map"' in answer.text
    assert house.state().windows[1].categories == ("social", "project")
    assert house.state().windows[2].state == "closed"
    await Scene(house).play("call-next 1")
    freed = await boss.press(f"{MANAGER}/windows/1/release", outcome="no-show", reason="system")
    assert freed.status_code == 200
    assert house.state().windows[1].ticket is None
    for command in ("call-next", "finish", "dance"):
        assert (await boss.press(f"{MANAGER}/windows/1/{command}")).status_code == 404
    nothing = await boss.press(f"{MANAGER}/windows/1/categories")
    assert nothing.status_code == 200
    assert house.state().windows[1].categories == ()


async def test_only_a_manager_manages(browser: Open) -> None:
    """Neither a clerk nor an inspector nor a visitor."""
    for who, status in (("wang", 403), ("inspector", 403), (None, 401)):
        visitor = browser(who)
        await visitor.get("/")
        answer = await visitor.press(f"{MANAGER}/windows/1/open")
        assert answer.status_code == status, who
        assert notice(answer) != ""


async def test_a_number_from_the_kiosk(house: House, browser: Open) -> None:
    """Number, how many are ahead, the code for the phone, the paper; priority if there is one."""
    kiosk = browser()
    await kiosk.get(KIOSK)
    plain = await kiosk.press(f"{KIOSK}/take", key="touch", category="social", ground="")
    assert plain.status_code == 200
    assert 'data-number="A001"' in plain.text
    assert "<svg" in plain.text
    assert "优先" not in plain.text
    again = await kiosk.press(f"{KIOSK}/take", key="touch", category="social", ground="")
    assert 'data-number="A001"' in again.text
    elderly = await kiosk.press(f"{KIOSK}/take", category="social", ground="elderly")
    assert "优先" in elderly.text
    assert [each.channel for each in house.state().tickets.values()] == ["kiosk", "kiosk"]
    english = browser(language="en")
    await english.get(KIOSK)
    assert "Social security" in (await english.press(f"{KIOSK}/take", category="social")).text
    for fields, status in (
        ({"category": "tea"}, 422),
        ({}, 422),
        ({"category": "social", "ground": "vip"}, 422),
        ({"category": "social", "item": "tea"}, 422),
    ):
        refused = await kiosk.press(f"{KIOSK}/take", **fields)
        assert (refused.status_code, bool(notice(refused))) == (status, True)
