"""Whatever is sent, the answer is an answer: bad input is 4xx with a problem, never 500."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from tests.app.api.scenes import Scene, problem
from tests.app.house import House, open_house

HALL = "/api/v1/halls/puyang"
TICKETS = f"{HALL}/tickets"
JSON = {"content-type": "application/json"}

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 3, 2**31, 2**63, 10**30, 1.5, 1e308, "", " ", "\x00", "x\x00y", "x" * 5000,
    "A001", "social", "done", "waiting", "２", "\u202e逆", "🀄", "'; DROP TABLE halls --", "-5",
    "2025-11-25T09:00:00+08:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
    "2025-11-25", "25:99", "Asia", "../../etc/passwd", "a" * 40, [], ["social"], ["tea"], [None],
    [["social"]], {}, {"class": 1}, {"slot": "x"}, {"class": "priority", "ground": "elderly"},
)  # fmt: skip

BODIES: tuple[bytes, ...] = (
    b"", b" ", b"null", b"[]", b"5", b'"text"', b"{", b'{"at":}', b"\xff\xfe\x00", b"{}" * 3,
    b'{"category":"\\ud800"}', b'{"a":' * 2000, b"[" * 100_000, b"1" * 5000,
    b'{"staff":1' + b"0" * 5000 + b"}",
)  # fmt: skip


@pytest_asyncio.fixture
async def anywhere(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    """A deployment on each kind of database: they differ in what they can store."""
    async with open_house(tmp_path, database_url) as house:
        await house.token("root", role="administrator")
        await house.token("times", role="replay")
        yield house


async def test_no_value_of_any_field_breaks_the_service(anywhere: House) -> None:
    """Every field of every command once with every kind of nonsense."""
    described = (await anywhere.bearer(None).get("/schema/openapi.json")).json()
    scene = Scene(anywhere, role="root")
    await scene.play("open 2", *["take"] * 30, "call-next 2", "start 2")
    wrong = []
    for path, route in described["paths"].items():
        for method in {"post", "put"} & route.keys():
            address = path.format(hall="puyang", number=2, token=scene.tokens[-1])
            for body in bodies_for(described, route[method]):
                answer = await anywhere.bearer(role_for(path)).request(method, address, json=body)
                if not is_proper(answer):
                    wrong.append((method, address, body, answer.status_code, answer.text))
    assert wrong == []


async def test_no_value_in_a_configuration_breaks_the_service(house: House) -> None:
    """It is in force, or it is refused; either way the hall still answers."""
    root = house.bearer("administrator")
    setup = (await root.get(f"{HALL}/configuration")).json()
    wrong = []
    for values in places_of(setup):
        for name in tuple(values):
            kept = values[name]
            for value in (None, -1, 0, 10**30, 1.5, "", "\x00", "x" * 5000, "²:00", [], {}, [{}]):
                values[name] = value
                answer = await root.put(f"{HALL}/configuration", json=setup)
                shown = await root.get(f"{HALL}/state")
                if not (is_proper(answer) and shown.status_code == 200):
                    wrong.append((name, value, answer.text, shown.text))
            values[name] = kept
    assert wrong == []
    assert (await root.put(f"{HALL}/configuration", json=setup)).json() == setup


def places_of(setup: Any) -> list[dict[str, Any]]:
    """Each kind of object in a configuration."""
    category, window = setup["categories"][0], setup["windows"][0]
    window["weights"] = {"social": -2.5}
    setup["closures"] = [{"day": 2026_01_01, "works": False, "name": "元旦"}]
    places: list[dict[str, Any]] = [
        setup, category, category["items"][0], window, window["weights"], setup["policy"],
        setup["closures"][0],
    ]  # fmt: skip
    return places


def role_for(path: str) -> str:
    """A role that may ask this, and state times where that is possible."""
    command = path.rpartition("/")[2]
    if command in {"configuration", "release"}:
        return "root"
    return "evaluator" if path.endswith("{number}/rating") else "times"


def bodies_for(described: Any, operation: Any) -> Iterator[Any]:
    """Bodies that fit, but for one field."""
    [content] = operation["requestBody"]["content"].values()
    name = content["schema"]["$ref"].rpartition("/")[2]
    fields = described["components"]["schemas"][name]["properties"]
    plausible = {field: plain(described, shape) for field, shape in fields.items()}
    yield plausible
    for field in fields:
        for value in VALUES:
            yield plausible | {field: value}


def plain(described: Any, shape: Any) -> Any:
    """A value that might do for a field."""
    if "enum" in shape:
        return shape["enum"][0]
    kind = shape.get("type", "null")
    return {"string": "social", "integer": 3, "boolean": True, "number": 1, "array": []}.get(kind)


def is_proper(answer: httpx.Response) -> bool:
    """Done, or a problem below 500."""
    if answer.is_success:
        return True
    problem(answer)
    return answer.status_code < 500


async def test_a_body_that_is_no_body_of_ours(house: House) -> None:
    """Broken, of another kind or far too deep: 400, and nothing is done."""
    before = house.state()
    kiosk, clerk = house.bearer("kiosk"), house.bearer("clerk")
    for content in BODIES:
        taking = await kiosk.post(TICKETS, content=content, headers=JSON)
        assert problem(taking)[0] == 400, content[:20]
        calling = await clerk.post(f"{HALL}/windows/1/call-next", content=content, headers=JSON)
        assert calling.status_code in {400, 409}, content[:20]
    assert house.state() is before


async def test_what_is_wrong_is_said_field_by_field(house: House) -> None:
    """A programmer reads which field it is, and what was expected."""
    kiosk = house.bearer("kiosk")
    answer = await kiosk.post(TICKETS, json={"category": 5})
    assert problem(answer) == (400, "invalid-input")
    assert answer.json()["errors"] == [
        {"field": "category", "message": "Expected `str`, got `int`"}
    ]
    missing = await kiosk.post(TICKETS, json={})
    assert "category" in missing.json()["detail"]
    unknown = await kiosk.post(TICKETS, json={"category": "social", "prioritty": "elderly"})
    assert problem(unknown) == (400, "invalid-input")
    assert "prioritty" in unknown.json()["detail"]
    nothing = await kiosk.post(TICKETS)
    assert problem(nothing) == (400, "invalid-input")
    chinese = await house.bearer("kiosk", "zh").post(TICKETS, json={"category": 5})
    assert chinese.json()["detail"].startswith("请求格式不对")
    clerk = house.bearer("clerk")
    wrong = await clerk.post(f"{HALL}/windows/1/finish", json={"result": "perhaps"})
    assert problem(wrong) == (400, "invalid-input")


async def test_a_command_that_needs_nothing_takes_an_empty_body(house: House) -> None:
    """None at all, an empty object, or null."""
    await Scene(house).play("open 1", "take")
    clerk = house.bearer("clerk")
    answer = await clerk.post(f"{HALL}/windows/1/call-next")
    assert answer.json()["number"] == "A001"
    for content in (b"", b"{}", b"null"):
        again = await clerk.post(f"{HALL}/windows/1/recall", content=content)
        assert again.status_code == 200
    needed = await clerk.post(f"{HALL}/windows/1/call")
    assert problem(needed) == (400, "invalid-input")
    assert "number" in needed.json()["detail"]


async def test_a_body_that_is_too_large_is_not_read(house: House) -> None:
    """The limit of the settings: 256 KiB."""
    body = json.dumps({"category": "social", "item": "x" * 300_000})
    answer = await house.bearer("kiosk").post(TICKETS, content=body, headers=JSON)
    assert problem(answer) == (413, "too-large")


ADDRESSES = (
    "halls/%00", "halls/%2e%2e/state", "halls/puyang%2fstate", "halls/" + "x" * 4000,
    "halls/%ff%fe", "halls/🀄/state", "tickets/%00", "tickets/%ff", "tickets/" + "y" * 4000,
    "halls/puyang/windows/0", "halls/puyang/windows/1/open", "halls/puyang/journal?after=%00",
    "halls/puyang/journal?limit=1e3", "halls/puyang/journal?after=" + "9" * 5000,
    "halls/puyang/state?lang=%ff", "halls/puyang/state?lang=de", "//halls", "halls//state",
)  # fmt: skip


async def test_an_address_that_does_not_exist(house: House) -> None:
    """Not found, or not so: a problem either way."""
    manager = house.bearer("manager")
    assert [a for a in ADDRESSES if not is_proper(await manager.get(f"/api/v1/{a}"))] == []


async def test_a_window_that_does_not_exist(house: House) -> None:
    """Whatever it is called."""
    for number in ("0", "-1", "99", "1" * 25, "1" * 5000, "1.5", "x", "1%00"):
        answer = await house.bearer("clerk").post(f"{HALL}/windows/{number}/open")
        assert problem(answer)[0] == 404, number


async def test_another_method_is_told_which_one_it_is(house: House) -> None:
    """405 with the methods that there are."""
    answer = await house.bearer("manager").delete(HALL)
    assert problem(answer) == (405, "method-not-allowed")
    assert "GET" in answer.headers["allow"]


async def test_answers_are_in_the_language_that_is_asked_for(house: House) -> None:
    """Chinese unless the caller wants English."""
    nobody = house.bearer(None)
    asked = {
        "": "zh", "en": "en", "zh-CN,zh;q=0.9,en;q=0.8": "zh", "de,en;q=0.5": "en", "fr": "zh",
        "en;q=0.2, zh;q=0.1": "en", "*": "zh", "en;q=x": "zh",
    }  # fmt: skip
    got = {}
    for wanted in asked:
        answer = await nobody.get("/api/v1/halls/nowhere", headers={"Accept-Language": wanted})
        got[wanted] = answer.headers["content-language"]
    assert got == asked
    by_address = await nobody.get("/api/v1/halls/nowhere?lang=zh")
    assert by_address.json()["detail"] == "没有大厅 nowhere。"
