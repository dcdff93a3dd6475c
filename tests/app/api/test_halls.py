"""Halls as they are set up, their state, journal, clock and configuration."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any

from tests.app.api.scenes import Scene, problem
from tests.app.house import House

HALL = "/api/v1/halls/puyang"


async def test_a_hall_says_how_it_is_set_up(house: House) -> None:
    """Categories with their items, windows with what they serve now."""
    nobody = house.bearer(None)
    halls = (await nobody.get("/api/v1/halls")).json()["halls"]
    assert [each["code"] for each in halls] == ["fanxian", "puyang"]
    hall = (await nobody.get(HALL)).json()
    assert hall["name"] == "濮阳市行政服务中心"
    prefixes = {each["code"]: each["prefix"] for each in hall["categories"]}
    assert prefixes == {"social": "A", "estate": "B", "business": "C", "project": "D"}
    assert hall["windows"][0]["categories"] == ["social"]
    await Scene(house).play("categories 1 categories=social,project")
    hall = (await nobody.get(HALL)).json()
    assert hall["windows"][0]["categories"] == ["social", "project"]
    assert problem(await nobody.get("/api/v1/halls/nowhere")) == (404, "unknown-hall")
    assert problem(await nobody.get("/api/v1/nowhere")) == (404, "not-found")


async def test_the_state_is_what_the_lobby_shows(house: House) -> None:
    """Who waits, who is called where, and the place in the journal; never a name by default."""
    scene = Scene(house)
    await scene.play("take", "take", "take estate", "open 1 staff=001", "call-next 1")
    state = (await house.bearer(None).get(f"{HALL}/state")).json()
    assert (state["epoch"], state["seq"]) == (house.state().epoch, house.state().seq)
    assert (state["at"], state["speed"]) == ("2025-11-25T09:00:00.000+08:00", 1.0)
    waiting = {each["code"]: each["waiting"] for each in state["categories"]}
    assert waiting == {"social": 1, "estate": 1, "business": 0, "project": 0}
    window = state["windows"][0]
    assert (window["state"], window["ticket"], window["staff"]) == (
        "called",
        "A001",
        {"badge": "001"},
    )
    [call] = state["calls"]
    assert (call["number"], call["window"], call["attempt"]) == ("A001", 1, 1)


async def test_the_journal_is_read_page_by_page(house: House) -> None:
    """Without gap or double, and each page proves itself by its hashes."""
    await Scene(house).play(*["take"] * 7, "open 1", "call-next 1")
    reader = house.bearer("inspector")
    entries: list[dict[str, Any]] = []
    while True:
        after = entries[-1]["seq"] if entries else 0
        page = (await reader.get(f"{HALL}/journal?after={after}&limit=4")).json()["entries"]
        entries += page
        if len(page) < 4:
            break
    assert [each["seq"] for each in entries] == list(range(1, house.state().seq + 1))
    for before, entry in pairwise(entries):
        chained = hashlib.sha256((before["hash"] + entry["entry"]).encode()).hexdigest()
        assert chained == entry["hash"]
    assert (await reader.get(f"{HALL}/journal?after=999")).json() == {"entries": []}
    for query in ("after=-1", "limit=0", "limit=1001", "after=x", f"after={2**63}"):
        assert problem(await reader.get(f"{HALL}/journal?{query}")) == (400, "invalid-input")


async def test_the_journal_names_nobody(house: House) -> None:
    """Staff by id, citizens not at all; words stand elsewhere."""
    wang = house.person("wang")
    await wang.post(f"{HALL}/windows/1/open")
    await wang.post(f"{HALL}/windows/1/pause", json={"reason": "家里有急事"})
    text = (await house.bearer("manager").get(f"{HALL}/journal")).text
    assert '"staff:1"' in text
    assert [each for each in ("王建国", "wang", "家里有急事") if each in text] == []


async def test_a_replay_sets_the_clock(house: House) -> None:
    """Stated: hall time stands where it was put. Scaled: it runs so much faster."""
    replay = house.bearer("replay")
    set_to = {"mode": "stated", "at": "2025-11-26T08:00:00+08:00"}
    answer = await replay.post(f"{HALL}/clock", json=set_to)
    assert answer.json() == {"mode": "stated", "speed": 1.0, "at": "2025-11-26T08:00:00.000+08:00"}
    house.clock.wait(minutes=5)
    taken = await replay.post(
        f"{HALL}/tickets", json={"category": "social", "at": "2025-11-26T08:01:02+08:00"}
    )
    assert taken.json()["taken_at"] == "2025-11-26T08:01:02.000+08:00"
    await replay.post(f"{HALL}/clock", json={"mode": "scaled", "speed": 60})
    house.clock.wait(seconds=10)
    state = (await house.bearer(None).get(f"{HALL}/state")).json()
    assert (state["at"], state["speed"]) == ("2025-11-26T08:11:02.000+08:00", 60.0)
    for speed in (0, -1, 2e6):
        wrong = await replay.post(f"{HALL}/clock", json={"mode": "scaled", "speed": speed})
        assert problem(wrong) == (422, "speed")
    kinds = [each["kind"] for each in await entries_of(house)]
    assert kinds.count("clock-set") == 2


async def test_a_configuration_is_read_changed_and_put_back(house: House) -> None:
    """It is in force at once, stands in the journal, and is refused when it cannot work."""
    root = house.bearer("administrator")
    setup = (await root.get(f"{HALL}/configuration")).json()
    setup["categories"][0]["daily_cap"] = 1
    setup["policy"]["show_staff"] = "name"
    put = await root.put(f"{HALL}/configuration", json=setup)
    assert put.json() == setup
    assert (await root.get(f"{HALL}/configuration")).json() == setup
    scene = Scene(house)
    await scene.play("take", "open 1 staff=003")
    assert problem(await scene.ask("take")) == (409, "day-full")
    state = (await house.bearer(None).get(f"{HALL}/state")).json()
    assert state["windows"][0]["staff"] == {"badge": "003", "name": "张伟"}
    assert (await entries_of(house))[-1]["kind"] == "window-opened"

    broken = setup | {"opens": "18:00"}
    refused = await root.put(f"{HALL}/configuration", json=broken)
    assert problem(refused) == (422, "configuration")
    assert "the hall closes before it opens" in refused.json()["detail"]
    zone = await root.put(f"{HALL}/configuration", json=setup | {"timezone": "Asia/Urumqi"})
    assert problem(zone) == (409, "day-open")
    in_use = setup | {"windows": setup["windows"][1:]}
    assert problem(await root.put(f"{HALL}/configuration", json=in_use)) == (409, "window-in-use")
    fewer = setup | {"categories": setup["categories"][1:], "windows": []}
    answer = await root.put(f"{HALL}/configuration", json=fewer)
    assert problem(answer) == (409, "category-in-use")
    assert answer.json()["detail"] == "Social security still has open tickets."
    assert (await root.get(f"{HALL}/configuration")).json() == setup


async def entries_of(house: House) -> list[dict[str, Any]]:
    """The journal."""
    found = (await house.bearer("manager").get(f"{HALL}/journal?limit=1000")).json()
    entries: list[dict[str, Any]] = found["entries"]
    return entries
