"""A request that is repeated under its key is answered again, and done once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.app.api.scenes import Scene, problem
from tests.app.house import House, open_house

TICKETS = "/api/v1/halls/puyang/tickets"
NEXT = "/api/v1/halls/puyang/windows/1/call-next"


def key(name: str) -> dict[str, Any]:
    """The header."""
    return {"headers": {"Idempotency-Key": name}}


async def test_a_repeated_take_gives_the_same_number(house: House) -> None:
    """Token and all, and the answer says that it is a remembered one."""
    kiosk = house.bearer("kiosk")
    first = await kiosk.post(TICKETS, json={"category": "social"}, **key("one"))
    again = await kiosk.post(TICKETS, json={"category": "social"}, **key("one"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(house.state().tickets) == 1


async def test_a_retried_call_next_calls_nobody_else(house: House) -> None:
    """The clerk's network stuttered: the same citizen comes."""
    await Scene(house).play("open 1", "take", "take")
    clerk = house.bearer("clerk")
    answers = [await clerk.post(NEXT, **key("call")) for _ in range(3)]
    assert {each.json()["number"] for each in answers} == {"A001"}
    both = await asyncio.gather(*(clerk.post(TICKETS, json={"category": "estate"}, **key("at once"))
                                  for _ in range(8)))  # fmt: skip
    assert {each.json()["number"] for each in both} == {"B001"}


async def test_another_body_with_the_same_key_is_refused(house: House) -> None:
    """Whoever sends it has mixed up two requests."""
    kiosk = house.bearer("kiosk")
    await kiosk.post(TICKETS, json={"category": "social"}, **key("one"))
    other = await kiosk.post(TICKETS, json={"category": "estate"}, **key("one"))
    assert problem(other) == (409, "key-reused")
    await Scene(house).play("open 1")
    elsewhere = await house.bearer("clerk").post(NEXT, **key("call"))
    assert elsewhere.json()["number"] == "A001"
    address = await house.bearer("clerk").post(NEXT.replace("call-next", "recall"), **key("call"))
    assert problem(address) == (409, "key-reused")


async def test_keys_belong_to_their_caller_and_hall(house: House) -> None:
    """Two kiosks that count from one do not meet."""
    await house.token("kiosk 2", role="kiosk")
    body = {"category": "social"}
    first = await house.bearer("kiosk").post(TICKETS, json=body, **key("1"))
    second = await house.bearer("kiosk 2").post(TICKETS, json=body, **key("1"))
    other_hall = TICKETS.replace("puyang", "fanxian")
    third = await house.bearer("kiosk 2").post(other_hall, json=body, **key("1"))
    assert first.json()["number"] == third.json()["number"] == "A001"
    assert second.json()["number"] == "A002"


async def test_refusals_and_empty_answers_are_not_remembered(house: House) -> None:
    """What could not be done a moment ago may be possible now, under the same key."""
    clerk = house.bearer("clerk")
    assert problem(await clerk.post(NEXT, **key("k"))) == (409, "window-closed")
    await Scene(house).play("open 1")
    assert (await clerk.post(NEXT, **key("k"))).status_code == 204
    await Scene(house).play("take")
    assert (await clerk.post(NEXT, **key("k"))).json()["number"] == "A001"


async def test_a_key_is_kept_for_a_day_and_over_a_restart(tmp_path: Path) -> None:
    """24 hours; afterwards it is a new request."""
    async with open_house(tmp_path) as house:
        kiosk = house.bearer("kiosk")
        first = await kiosk.post(TICKETS, json={"category": "social"}, **key("one"))
        clock = house.clock
    clock.wait(minutes=23 * 60)
    async with open_house(tmp_path, clock=clock) as house:
        kiosk = house.bearer("kiosk")
        again = await kiosk.post(TICKETS, json={"category": "social"}, **key("one"))
        # The port is another one: what was answered is answered as it was.
        assert again.content == first.content
        clock.wait(minutes=61)
        later = await kiosk.post(TICKETS, json={"category": "social"}, **key("one"))
        assert later.status_code == 201
        assert later.json()["token"] != first.json()["token"]


async def test_a_key_has_its_length(house: House) -> None:
    """1 to 128 characters; anything else is refused before anything is done."""
    kiosk = house.bearer("kiosk")
    for name in ("", "k" * 129):
        answer = await kiosk.post(TICKETS, json={"category": "social"}, **key(name))
        assert problem(answer) == (422, "key-length")
    longest = await kiosk.post(TICKETS, json={"category": "social"}, **key("k" * 128))
    assert longest.json()["number"] == "A001"
