"""No other site can make a browser press our buttons, and no form breaks the service."""

from __future__ import annotations

from typing import Any

import httpx
import pytest_asyncio

from tests.app.api.scenes import Scene
from tests.app.house import House
from tests.app.pages.browsing import Browser
from tests.app.pages.conftest import Open
from tinghao.app.api.window_commands import WINDOW_COMMANDS

HALL = "/halls/puyang"
NONSENSE: tuple[Any, ...] = (
    "", " ", "x" * 5000, "x" * 100_000, "\x00", "-1", "1e9", "9" * 5000, "٣", "🀄", "on",
    ["social", "tea"], "2025-11-25T09:00:00+08:00", "'; DROP TABLE halls --", "<script>",
)  # fmt: skip
OTHERS = {
    "take": ("category", "ground", "item"),
    "defer": ("places",),
    "rating": ("grade", "reasons", "text"),
}


def fields_of(path: str) -> tuple[str, ...]:
    """The fields of the form at an address, and one that no form has."""
    command = path.rpartition("/")[2]
    bodies = {each.name: each.body.__struct_fields__ for each in WINDOW_COMMANDS}
    return (*bodies.get(command, ()), *OTHERS.get(command, ()), "staff")


@pytest_asyncio.fixture
async def addresses(house: House) -> list[tuple[str, str | None]]:
    """Every address that takes a form, and who may send it."""
    scene = Scene(house)
    await scene.play("take", "take", "open 2 staff=001", "call-next 2", "start 2")
    ticket = f"/t/{scene.tokens[1]}"
    commands = [each.name for each in WINDOW_COMMANDS]
    return [
        *((f"{HALL}/console/2/{each}", "wang") for each in commands),
        *((f"{HALL}/manager/windows/2/{each}", "boss") for each in commands),
        (f"{HALL}/kiosk/take", None),
        *((f"{ticket}/{each}", None) for each in ("defer", "rating", "cancel")),
    ]


async def test_every_form_wants_the_token_of_its_page(
    house: House, browser: Open, addresses: list[tuple[str, str | None]]
) -> None:
    """With a cookie but without the token, or from another site: refused, nothing is done."""
    before = house.state()
    for path, who in addresses:
        visitor = browser(who)
        await visitor.get(f"{HALL}/kiosk")  # a visitor's cookie
        token, visitor.token = visitor.token, ""
        assert (await visitor.press(path)).status_code == 403, path
        assert (await visitor.submit(path)).status_code == 403, path
        visitor.token = f"{token[:-1]}!"
        assert (await visitor.press(path)).status_code == 403, path
        visitor.token = token
        visitor.client.headers["Origin"] = "https://elsewhere.example"
        assert (await visitor.press(path)).status_code == 403, path
        del visitor.client.headers["Origin"]
        visitor.client.headers["Sec-Fetch-Site"] = "cross-site"
        assert (await visitor.submit(path)).status_code == 403, path
    assert house.state() is before


async def test_a_token_of_another_visitor_is_none(house: House, browser: Open) -> None:
    """Each browser has its own."""
    one, other = browser("wang"), browser("li")
    await one.get(f"{HALL}/console/1")
    await other.get(f"{HALL}/console/1")
    one.token, other.token = other.token, one.token
    assert (await one.press(f"{HALL}/console/1/open")).status_code == 403
    assert house.state().windows[1].state == "closed"


async def test_no_form_breaks_the_service(
    browser: Open, addresses: list[tuple[str, str | None]]
) -> None:
    """Every field of every form with every kind of nonsense: an answer below 500."""
    wrong = []
    for who in ("wang", "boss", None):
        visitor = browser(who)
        await visitor.get(f"{HALL}/kiosk")
        for path in (each for each, sender in addresses if sender == who):
            for field in fields_of(path):
                for value in NONSENSE:
                    answer = await visitor.press(path, **{"category": "social", field: value})
                    if answer.status_code >= 500:
                        wrong.append((path, field, str(value)[:20], answer.text[:200]))
    assert wrong == []


async def test_a_body_that_is_no_form_breaks_nothing(
    browser: Open, addresses: list[tuple[str, str | None]]
) -> None:
    """JSON, files, broken multipart, bytes of any kind."""
    bodies: tuple[tuple[str, bytes], ...] = (
        ("application/json", b'{"category": "social"}'),
        ("text/plain", b"category=social"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("multipart/form-data; boundary=x", _files("category", "ground", "item", "reason")),
        ("multipart/form-data; boundary=x", _files("grade", "places", "text", "reasons")),
        ("multipart/form-data; boundary=x", _files("number", "minutes", "complex", "window")),
        ("application/x-www-form-urlencoded", b"%ff%fe=%00&category=%ff&grade=%ff&places=%00"),
        ("application/x-www-form-urlencoded", b"&&&===&"),
        ("application/msgpack", b"\x81"),
        ("", b"\xff" * 100),
    )
    for path, who in addresses:
        visitor = browser(who)
        await visitor.get(f"{HALL}/kiosk")
        for kind, content in bodies:
            answer = await sent(visitor, path, kind, content)
            assert answer.status_code < 500, (path, kind, answer.text)


def _files(*names: str) -> bytes:
    """A form whose fields are files."""
    parts = (
        f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n\x00\x01\r\n"
        for name in names
    )
    return "".join(parts).encode() + b"--x--\r\n"


async def sent(visitor: Browser, path: str, kind: str, content: bytes) -> httpx.Response:
    """The answer to a body as it stands."""
    headers = {"Content-Type": kind, "x-csrftoken": visitor.token, "HX-Request": "true"}
    return await visitor.client.post(path, content=content, headers=headers)
