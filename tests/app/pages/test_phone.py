"""The ticket's page on a phone, with and without scripts."""

from __future__ import annotations

import pytest_asyncio

from tests.app.api.scenes import Scene
from tests.app.house import House
from tests.app.pages.browsing import Browser, notice
from tests.app.pages.conftest import Open


@pytest_asyncio.fixture
async def scene(house: House) -> Scene:
    """Three citizens wait."""
    scene = Scene(house)
    await scene.play("take", "take", "take")
    return scene


@pytest_asyncio.fixture
async def phone(scene: Scene, browser: Open) -> Browser:
    """The phone of the first of them, in English."""
    phone = browser(language="en")
    await phone.get(page(scene))
    return phone


def page(scene: Scene, place: int = 0) -> str:
    """The address behind the code of the citizen at that place."""
    return f"/t/{scene.tokens[place]}"


async def test_it_shows_what_becomes_of_the_number(scene: Scene, phone: Browser) -> None:
    """Waiting, called to a window, being served, done: the page that is loaded anew says it."""
    states = []
    for lines in ((), ("open 1", "call-next 1"), ("start 1",), ("finish 1",)):
        await scene.play(*lines)
        text = (await phone.get(page(scene))).text
        assert "A001" in text
        states.append(text.partition('data-state="')[2].partition('"')[0])
    assert states == ["waiting", "called", "serving", "finished"]


async def test_a_button_answers_with_the_card(scene: Scene, phone: Browser) -> None:
    """Let others go first, then give the number back."""
    deferred = await phone.press(f"{page(scene)}/defer", places="1")
    assert deferred.status_code == 200
    assert "1 ahead of you" in deferred.text.replace('<b class="num">', "").replace("</b>", "")
    assert "<html" not in deferred.text
    gone = await phone.press(f"{page(scene)}/cancel")
    assert 'data-state="cancelled"' in gone.text
    refused = await phone.press(f"{page(scene)}/cancel")
    assert refused.status_code == 409
    assert notice(refused) == "A001 is cancelled: nothing more can be done with it."


async def test_without_scripts_the_forms_still_work(scene: Scene, phone: Browser) -> None:
    """They lead back to the page; a refusal is a page of its own."""
    deferred = await phone.submit(f"{page(scene)}/defer", places="2")
    assert (deferred.status_code, deferred.headers["location"]) == (303, page(scene))
    assert scene.house.state().queues["social"][-1].ticket == 3
    gone = await phone.submit(f"{page(scene)}/cancel")
    assert gone.status_code == 303
    refused = await phone.submit(f"{page(scene)}/cancel")
    assert refused.status_code == 409
    assert "<html" in refused.text
    assert "A001 is cancelled" in refused.text


async def test_a_service_is_rated_once(scene: Scene, phone: Browser) -> None:
    """Grade, reasons and words; afterwards the card thanks."""
    await scene.play("open 1", "call-next 1", "start 1", "finish 1")
    for fields, status in (
        ({}, 400),
        ({"grade": "six"}, 400),
        ({"grade": "6"}, 422),
        ({"grade": "1", "reasons": "Slow!"}, 422),
    ):
        wrong = await phone.press(f"{page(scene)}/rating", **fields)
        assert (wrong.status_code, bool(notice(wrong))) == (status, True), fields
    rated = await phone.press(
        f"{page(scene)}/rating", grade="2", reasons=["slow", "attitude"], text="等了一个小时"
    )
    assert rated.status_code == 200
    assert "Thank you for your rating." in rated.text
    again = await phone.press(f"{page(scene)}/rating", grade="5")
    assert again.status_code == 409


async def test_nobody_else_can_give_a_number_back(scene: Scene, browser: Open) -> None:
    """The address is the right: a wrong one is no ticket."""
    other = browser()
    await other.get(page(scene, 1))
    answer = await other.press(f"{page(scene)[:-1]}_/cancel")
    assert answer.status_code == 404
    unknown = await other.press(f"{page(scene)}/dance")
    assert unknown.status_code == 404
