"""The life of tickets through the API, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.app.api.scenes import Scene, problem
from tests.app.house import House, open_house


@pytest_asyncio.fixture
async def house(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    """A deployment on each kind of database."""
    async with open_house(tmp_path, database_url) as house:
        yield house


async def test_the_life_of_a_ticket(house: House) -> None:
    """Taken at the kiosk, called, served, rated: what kiosk, clerk and citizen are told."""
    scene = Scene(house)
    citizen = house.bearer(None)
    taken = (await house.bearer("kiosk").post(
        "/api/v1/halls/puyang/tickets",
        json={"category": "social", "item": "pension", "priority": {"ground": "elderly"}},
    )).json()  # fmt: skip
    page = f"{house.url}/t/{taken['token']}"
    assert taken == {
        "id": taken["id"], "token": taken["token"], "number": "A001", "category": "social",
        "state": "waiting", "priority": {"class": "priority", "ground": "elderly"}, "ahead": 0,
        "estimate": None, "taken_at": "2025-11-25T09:00:00.000+08:00", "status_url": page,
    }  # fmt: skip
    own = f"/api/v1/tickets/{taken['token']}"

    await scene.play("open 1", "wait 120")
    called = (await scene.ask("call-next 1")).json()
    assert called == {
        "id": taken["id"], "number": "A001", "category": "social", "state": "called",
        "priority": {"class": "priority", "ground": "elderly"}, "channel": "kiosk",
        "item": "pension", "window": 1, "ahead": None,
        "taken_at": "2025-11-25T09:00:00.000+08:00",
        "called_at": "2025-11-25T09:02:00.000+08:00", "started_at": None, "finished_at": None,
        "attempts": 1, "note": False,
    }  # fmt: skip
    told = (await citizen.get(own)).json()
    assert (told["hall"], told["state"], told["window"]) == ("puyang", "called", 1)

    await scene.play("wait 30")
    assert (await scene.ask("recall 1")).json()["attempts"] == 2
    await scene.play("wait 30", "start 1", "wait 300")
    held = (await scene.ask("hold 1 reason=copies")).json()
    assert held["state"] == "held"
    await scene.play("wait 60", "resume-ticket 1 number=A001", "wait 240")
    finished = (await scene.ask("finish 1")).json()
    assert finished["state"] == "finished"
    assert finished["finished_at"] == "2025-11-25T09:13:00.000+08:00"

    rated = (await citizen.post(f"{own}/rating", json={"grade": 4, "text": "很好"})).json()
    assert rated["rated"] is True
    kinds = [each["kind"] for each in await journal(house)]
    assert kinds == [
        "hall-configured", "day-opened", "ticket-taken", "window-opened", "ticket-called",
        "ticket-recalled", "ticket-started", "ticket-held", "ticket-resumed", "ticket-finished",
        "ticket-rated",
    ]  # fmt: skip


async def test_a_ticket_that_goes_its_own_ways(house: House) -> None:
    """Deferred, missed, returned, transferred with a note, released, undone, given back."""
    scene = Scene(house)
    await scene.play("open 1", "open 4", "take", "take", "take", "take")
    first = scene.tokens[0]
    deferred = await house.bearer(None).post(f"/api/v1/tickets/{first}/defer", json={"places": 2})
    assert deferred.json()["ahead"] == 2

    assert (await scene.ask("call-next 1")).json()["number"] == "A002"
    await scene.play("no-show 1")
    returned = await scene.ask("return 1 number=A002 reason=mistake")
    assert returned.json()["state"] == "waiting"
    assert (await scene.ask("call-next 1")).json()["number"] == "A003"
    moved = (await scene.ask("transfer 1 category=estate", note="带了房产证")).json()
    assert (moved["state"], moved["category"], moved["note"]) == ("waiting", "estate", True)
    assert (await scene.ask("call-next 4")).json()["number"] == "A003"
    released = await scene.ask("release 4 outcome=waiting reason=staff-left")
    assert released.json()["state"] == "waiting"

    assert (await scene.ask("call-next 1")).json()["number"] == "A001"
    await scene.play("start 1", "finish 1 result=not-done reason=materials")
    assert (await scene.ask("undo 1")).json()["state"] == "serving"
    await scene.play("finish 1")
    chosen = await scene.ask("call 1 number=A002 reason=urgent")
    assert chosen.json()["state"] == "called"
    given_back = await house.bearer(None).post(f"/api/v1/tickets/{scene.tokens[3]}/cancel")
    assert given_back.json()["state"] == "cancelled"
    reasons = [each["data"].get("reason") for each in await journal(house)]
    assert {"mistake", "staff-left", "materials", "urgent"} <= set(reasons)


async def test_an_appointment_comes_when_its_time_has_come(house: House) -> None:
    """Its due time is the slot's, five minutes later; a stated slot without zone is the hall's."""
    scene = Scene(house)
    await scene.play("take")
    assert (await scene.ask("take", appointment={"slot": "2025-11-25T09:05:00"})).is_success
    assert (await scene.ask("take", appointment="2025-11-25T11:00:00+08:00")).is_success
    await scene.play("take", "open 1")
    order = []
    for _ in range(4):
        order.append((await scene.ask("call-next 1")).json()["number"])
        await scene.play("start 1", "finish 1")
    assert order == ["A002", "A001", "A004", "A003"]


async def test_paper_numbers_are_entered_afterwards(house: House) -> None:
    """With their own times and the next numbers, marked as paper."""
    scene = Scene(house)
    await scene.play("take", "open 1", "wait 3600")
    entered = await scene.ask(
        "paper 1",
        category="social",
        taken_at="2025-11-25T09:10:00+08:00",
        called_at="2025-11-25T09:20:00+08:00",
        finished_at="2025-11-25T09:31:00+08:00",
    )
    ticket = entered.json()
    assert (ticket["number"], ticket["state"], ticket["channel"]) == ("A002", "finished", "paper")
    assert ticket["called_at"] == "2025-11-25T09:20:00.000+08:00"
    assert ticket["finished_at"] == "2025-11-25T09:31:00.000+08:00"


async def test_the_night_ends_what_is_open(house: House) -> None:
    """The next day begins with number one; who still waited has expired."""
    scene = Scene(house)
    await scene.play("take", "open 1")
    late = scene.tokens[-1]
    house.clock.shows("08:30", 2025_11_26)
    taken = (await scene.ask("take")).json()
    assert taken["number"] == "A001"
    ticket = (await house.bearer(None).get(f"/api/v1/tickets/{late}")).json()
    assert ticket["state"] == "expired"
    state = (await house.bearer(None).get("/api/v1/halls/puyang/state")).json()
    assert state["day"] == "2025-11-26"
    assert {each["state"] for each in state["windows"]} == {"closed"}


async def test_windows_that_call_at_once_call_different_citizens(house: House) -> None:
    """And one of them nobody, when there is one citizen fewer than windows."""
    scene = Scene(house)
    await scene.play(*["take"] * 4, *(f"open {number}" for number in (1, 2, 3, 5, 10)))
    asked = (scene.ask(f"call-next {number}") for number in (1, 2, 3, 5, 10))
    answers = await asyncio.gather(*asked)
    called = [each.json()["number"] for each in answers if each.status_code == 200]
    assert sorted(called) == ["A001", "A002", "A003", "A004"]
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 200, 204]


async def test_a_settled_number_is_never_finished(house: House) -> None:
    """What was never called cannot be finished, and what is finished cannot be again."""
    scene = Scene(house)
    await scene.play("open 1", "take")
    assert problem(await scene.ask("finish 1")) == (409, "no-ticket")
    await scene.play("call-next 1")
    assert problem(await scene.ask("finish 1")) == (409, "wrong-state")
    await scene.play("start 1", "finish 1")
    assert problem(await scene.ask("finish 1")) == (409, "no-ticket")


async def test_nobody_eligible_is_no_content(house: House) -> None:
    """An empty queue is no error; nor is one that this window does not serve."""
    scene = Scene(house)
    await scene.play("open 1", "take estate")
    answer = await scene.ask("call-next 1")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_token_of_a_ticket_is_told_only_once(house: House) -> None:
    """In the answer to take, and nowhere else: no clerk, journal or screen ever holds it."""
    scene = Scene(house)
    told = []
    lines = (
        "open 1", "open 2", "call-next 1", "recall 1", "start 1", "hold 1 reason=form",
        "resume-ticket 1 number=A001", "transfer 1 window=2", "call-next 2", "no-show 2",
        "return 2 number=A001", "call 2 number=A001 reason=vip", "start 2", "finish 2",
        "undo 2", "finish 2 result=not-done reason=materials",
    )  # fmt: skip
    await scene.play("take")
    for line in lines:
        answer = await scene.ask(line)
        assert answer.is_success, answer.text
        told.append(answer.text)
    manager = house.bearer("manager")
    for path in ("", "/state", "/journal", "/configuration"):
        told.append((await manager.get(f"/api/v1/halls/puyang{path}")).text)
    own = f"/api/v1/tickets/{scene.tokens[0]}"
    told.append((await house.bearer(None).get(own)).text)
    told.append((await house.bearer(None).post(f"{own}/rating", json={"grade": 1})).text)
    assert [each for each in told if scene.tokens[0] in each] == []


async def journal(house: House) -> list[dict[str, Any]]:
    """The entries of the hall."""
    answer = await house.bearer("inspector").get("/api/v1/halls/puyang/journal?limit=1000")
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries
