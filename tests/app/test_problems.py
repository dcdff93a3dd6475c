"""What a caller is told when something goes wrong: in words, in the right language and form."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

import tinghao
from tests.app.house import House
from tinghao.app.database.failures import DatabaseUnavailable, ValueRefused
from tinghao.app.web.languages import accepted
from tinghao.app.web.problems import (
    _PLAIN,
    EXCEPTION_HANDLERS,
    TITLES,
    ProblemError,
    in_words,
    problem_of,
)
from tinghao.queue.refusals import conflict
from tinghao.realtime.language import chinese

PATH = "/api/v1/halls/nowhere"


async def test_a_program_gets_problem_details(house: House) -> None:
    answer = await house.bearer(None).get(PATH)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:tinghao:problem:unknown-hall",
        "title": "Not found",
        "status": 404,
        "detail": "There is no hall nowhere.",
    }


async def test_a_browser_gets_a_page_and_a_part_of_a_page_one_sentence(house: House) -> None:
    client = house.bearer(None)
    page = await client.get("/halls/nowhere/lobby", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no hall nowhere." in page.text
    htmx = {"Accept": "text/html", "HX-Request": "true"}
    part = await client.get("/halls/nowhere/lobby", headers=htmx)
    assert part.status_code == 404
    assert "There is no hall nowhere." in part.text
    assert "<html" not in part.text


async def test_a_browser_that_must_sign_in_is_led_there(house: House) -> None:
    answer = await house.bearer(None).get("/halls/puyang/manager", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/halls/puyang/manager"


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "language"),
    [
        ("", None, "", "zh"),
        ("", None, "en-GB,en;q=0.9", "en"),
        ("", None, "fr", "zh"),
        ("", "en", "zh-CN", "en"),
        ("?lang=zh", "en", "en", "zh"),
        ("?lang=fr", None, "en", "en"),
        ("?lang=%ff", None, "en", "en"),
    ],
)
async def test_the_language_is_the_address_then_the_cookie_then_the_browsers(
    house: House, query: str, cookie: str | None, accept: str, language: str
) -> None:
    headers = {"Accept-Language": accept}
    if cookie:
        headers["Cookie"] = f"lang={cookie}"
    async with httpx.AsyncClient(base_url=house.url) as client:
        answer = await client.get(PATH + query, headers=headers)
    assert answer.headers["content-language"] == language
    assert ("没有大厅" in answer.text) == (language == "zh")


async def test_a_chosen_language_is_remembered(house: House) -> None:
    async with httpx.AsyncClient(base_url=house.url) as client:
        await client.get("/halls/puyang/lobby?lang=en")
        assert client.cookies["lang"] == "en"
        assert "There is no hall" in (await client.get(PATH)).text


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en;q=0.4, zh;q=0.9", "zh"),
        ("zh;q=0.4, en;q=0.9", "en"),
        ("de, en;q=0.5", "en"),
        ("*", "zh"),
        ("en;q=much", "zh"),
        (",;,", "zh"),
    ],
)
def test_the_browsers_preferences_are_weighed(header: str, language: str) -> None:
    assert accepted(header) == language


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "slug"),
    [
        ("POST", "/tickets", b"", 400, "invalid-input"),
        ("POST", "/tickets", b"{", 400, "bad-request"),
        ("POST", "/tickets", b"[]", 400, "invalid-input"),
        ("POST", "/tickets", b"\xff\xfe", 400, "bad-request"),
        ("POST", "/tickets", b'{"category": 5}', 400, "invalid-input"),
        ("POST", "/tickets", b'{"category": "\\ud800"}', 400, "bad-request"),
        ("POST", "/tickets", b'{"category": "nope"}', 422, "unknown-category"),
        ("POST", "/tickets", b'{"category": "' + b"x" * 300_000 + b'"}', 413, "too-large"),
        ("POST", "/windows/99999999999999999999/open", b"{}", 404, "unknown-window"),
        ("POST", "/windows/one/open", b"{}", 404, "not-found"),
        ("POST", "/windows/1/dance", b"{}", 404, "not-found"),
        ("POST", "/windows/1/recall", b"{}", 409, None),
        ("GET", "/journal?after=99999999999999999999", b"", 400, "invalid-input"),
        ("GET", "/journal?after=soon", b"", 400, "invalid-input"),
        ("DELETE", "", b"", 405, "method-not-allowed"),
        ("GET", "/state?at=%ff%00", b"", 200, None),
    ],
)
async def test_bad_input_is_never_our_failure(
    house: House, method: str, path: str, content: bytes, status: int, slug: str | None
) -> None:
    answer = await house.bearer("integration").request(
        method, f"/api/v1/halls/puyang{path}", content=content
    )
    assert answer.status_code == status
    if slug is not None:
        assert answer.json()["type"] == f"urn:tinghao:problem:{slug}"


async def test_a_conflict_tells_the_present_state(house: House) -> None:
    answer = await house.bearer("integration").post("/api/v1/halls/puyang/windows/1/recall")
    assert answer.json()["state"]["window"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"content": b"\xff" * 10, "content-type": "application/x-www-form-urlencoded"},
        {"content": b"x" * 10, "content-type": "multipart/form-data; boundary=abc"},
        {"content": b"x" * 10, "content-type": "multipart/form-data"},
        {"content": b"a=b&" * 100_000, "content-type": "application/x-www-form-urlencoded"},
        {"content": b"name=%00&password=%00", "content-type": "application/x-www-form-urlencoded"},
    ],
)
async def test_a_broken_form_is_refused_in_words(house: House, body: dict[str, Any]) -> None:
    headers = {"content-type": body["content-type"], "Origin": house.url}
    answer = await house.bearer(None).post("/sign-in", content=body["content"], headers=headers)
    assert answer.status_code in {400, 403, 413}
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_nobody_foresaw_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    @get("/boom")
    async def boom() -> None:
        raise RuntimeError("the secret of the house")

    app = Litestar([boom], exception_handlers=EXCEPTION_HANDLERS, logging_config=None)
    with TestClient(app) as client, caplog.at_level(logging.ERROR):
        answer = client.get("/boom", headers={"Accept-Language": "en"})
    told = answer.json()
    assert (answer.status_code, told["type"]) == (500, "urn:tinghao:problem:internal")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert told["incident"] in told["detail"]
    assert told["incident"] in caplog.text
    assert "the secret of the house" in caplog.text


def test_a_database_that_is_away_is_a_503_to_be_tried_again() -> None:
    problem = problem_of(DatabaseUnavailable("full", "The disk of /srv/hall is full."))
    assert (problem.status, problem.slug) == (503, "database-unavailable")
    assert problem.headers["Retry-After"]
    assert "/srv" not in problem.text


def test_a_value_without_room_is_the_callers_to_correct() -> None:
    assert problem_of(ValueRefused("NUL")).status == 422


def test_a_refusal_of_the_hall_keeps_its_slug_and_state() -> None:
    problem = problem_of(conflict("not-called", "{number} is {state}.", number="A1", state="held"))
    assert (problem.status, problem.slug, problem.members) == (409, "not-called", {"state": "held"})


def test_a_translation_that_does_not_fit_gives_way_to_the_english(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sentence = "Window {own} is not yours."
    monkeypatch.setattr("tinghao.app.web.problems.plain_text", lambda *_: "{nummer} 号")
    assert in_words("zh", sentence, {"own": 3}) == "Window 3 is not yours."


REFUSING = {"ProblemError", "Refusal", "Problem", "conflict", "invalid", "unknown"}


def sentences_of_refusals() -> Iterator[str]:
    """The sentence of every refusal in the package: the first text that is a sentence."""
    package = Path(tinghao.__file__).parent
    for file in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REFUSING:
                texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                yield from (text for text in texts if isinstance(text, str) and " " in text)


def test_every_refusal_and_title_can_be_said_in_chinese() -> None:
    said = [*TITLES.values(), *(text for _, text in _PLAIN.values()), *sentences_of_refusals()]
    assert len(said) > 50
    assert sorted({text for text in said if text not in chinese()}) == []


def test_a_problem_of_the_web_side_says_what_it_is() -> None:
    error = ProblemError(403, "other-hall", "You may act in the hall {own} only.", own="puyang")
    assert str(error) == "You may act in the hall puyang only."
