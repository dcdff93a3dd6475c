"""Coming in and going out in a browser: the forms, the cookies, and what a forged page can do."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from tests.app.house import House, open_house
from tinghao.app.auth import accounts, csrf, passwords
from tinghao.app.auth.gate import HOST_PREFIX, SESSION_COOKIE, VISITOR_COOKIE
from tinghao.app.auth.tables import sessions

PASSWORD = "correct horse"


@pytest.fixture
async def browser(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser with a jar of cookies, of somebody whom nobody knows yet."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)
    new = passwords.hash_password(PASSWORD)
    await house.change(lambda c: accounts.set_password(c, "wang", new))
    headers = {"Accept": "text/html", "Accept-Language": "en", "Origin": house.url}
    async with httpx.AsyncClient(base_url=house.url, headers=headers) as client:
        yield client


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


async def fill_in(browser: httpx.AsyncClient, **fields: str) -> httpx.Response:
    page = await browser.get("/sign-in", params={"next": fields.get("next", "")})
    form = {"name": "wang", "password": PASSWORD, "_csrf_token": token_in(page), **fields}
    return await browser.post("/sign-in", data=form)


async def test_a_clerk_signs_in_and_comes_to_the_windows(browser: httpx.AsyncClient) -> None:
    answer = await fill_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/halls/puyang/console")
    assert (await browser.get("/halls/puyang/console")).status_code == 200


async def test_one_comes_back_to_the_page_that_was_asked_for(browser: httpx.AsyncClient) -> None:
    sent_away = await browser.get("/halls/puyang/console/2?lang=en")
    assert sent_away.status_code == 303
    wanted = httpx.URL(sent_away.headers["location"])
    assert wanted.path == "/sign-in"
    answer = await fill_in(browser, next=wanted.params["next"])
    assert answer.headers["location"] == "/halls/puyang/console/2?lang=en"


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_nobody_is_led_to_another_site(browser: httpx.AsyncClient, elsewhere: str) -> None:
    answer = await fill_in(browser, next=elsewhere)
    assert answer.headers["location"] == "/halls/puyang/console"


async def test_a_wrong_password_shows_the_form_with_one_sentence(
    browser: httpx.AsyncClient,
) -> None:
    answer = await fill_in(browser, password="wrong password")
    assert answer.status_code == 401
    assert "The user name or the password is not right." in answer.text
    assert 'value="wang"' in answer.text
    assert SESSION_COOKIE not in browser.cookies


async def test_too_many_wrong_passwords_say_how_long_to_wait(browser: httpx.AsyncClient) -> None:
    for _ in range(5):
        await fill_in(browser, password="wrong password")
    answer = await fill_in(browser)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert "Too many wrong tries" in answer.text


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    browser: httpx.AsyncClient,
) -> None:
    answer = await fill_in(browser)
    cookie = next(
        text for text in answer.headers.get_list("set-cookie") if text.startswith(SESSION_COOKIE)
    )
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "Max-Age" not in cookie


async def test_under_https_the_cookie_is_secure_and_bound_to_the_host(tmp_path: Path) -> None:
    async with (
        open_house(tmp_path, public_url="https://hall.example") as house,
        httpx.AsyncClient(base_url=house.url) as client,
    ):
        answer = await client.get("/sign-in")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(HOST_PREFIX + VISITOR_COOKIE)
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
        plain = house.person("wang")  # sends the name without the prefix
        assert (await plain.get("/halls/puyang/console")).status_code == 401


async def test_signing_in_changes_the_session_and_signing_out_ends_it(
    browser: httpx.AsyncClient,
) -> None:
    await fill_in(browser)
    first = browser.cookies[SESSION_COOKIE]
    page = await browser.get("/halls/puyang/console")
    await browser.post("/sign-out", data={"_csrf_token": token_in(page)})
    assert SESSION_COOKIE not in browser.cookies
    await fill_in(browser)
    assert browser.cookies[SESSION_COOKIE] != first
    stolen = {"Cookie": f"{SESSION_COOKIE}={first}", "Accept": "text/html"}
    async with httpx.AsyncClient(base_url=browser.base_url, headers=stolen) as thief:
        assert (await thief.get("/halls/puyang/console")).status_code == 303


async def test_looking_at_public_screens_writes_no_session_and_sets_no_cookie(
    house: House, browser: httpx.AsyncClient
) -> None:
    count = select(func.count()).select_from(sessions)
    before = await house.served.service.database.read(lambda c: c.scalar(count))
    for path in ("/", "/halls/puyang/lobby", "/static/css/base.css", "/health/live", "/metrics"):
        answer = await browser.get(path)
        assert answer.status_code == 200
        assert SESSION_COOKIE not in answer.headers.get("set-cookie", "")
    assert await house.served.service.database.read(lambda c: c.scalar(count)) == before


async def test_the_form_is_refused_without_its_token(browser: httpx.AsyncClient) -> None:
    await browser.get("/sign-in")
    answer = await browser.post("/sign-in", data={"name": "wang", "password": PASSWORD})
    assert answer.status_code == 403
    assert SESSION_COOKIE not in browser.cookies


async def test_the_form_is_refused_to_a_client_without_any_cookie(house: House) -> None:
    async with httpx.AsyncClient(base_url=house.url) as client:
        answer = await client.post("/sign-in", data={"name": "wang", "password": PASSWORD})
    assert answer.status_code == 403


async def test_a_cookie_from_before_the_secret_changed_is_replaced_and_locks_nobody_out(
    browser: httpx.AsyncClient,
) -> None:
    old = csrf.visitor_cookie(b"another secret", "visitor")
    browser.cookies.set(VISITOR_COOKIE, old, domain="127.0.0.1")
    refused = await browser.post("/sign-in", data={"name": "wang", "password": PASSWORD})
    assert refused.status_code == 403
    assert browser.cookies[VISITOR_COOKIE] != old
    assert (await fill_in(browser)).status_code == 303


async def test_a_dead_session_is_told_once_and_then_forgotten(
    house: House, browser: httpx.AsyncClient
) -> None:
    await fill_in(browser)
    await house.change(lambda c: accounts.set_active(c, "wang", active=False))
    path = "/api/v1/halls/puyang/windows/1/open"
    answer = await browser.post(path, json={})
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:tinghao:problem:session-ended")
    assert SESSION_COOKIE not in browser.cookies


async def test_a_device_is_paired_once_by_its_token(
    house: House, browser: httpx.AsyncClient
) -> None:
    page = await browser.get("/device")
    form = {"token": f" {house.tokens['kiosk']}\n", "_csrf_token": token_in(page)}
    answer = await browser.post("/device", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/halls/puyang/kiosk")
    cookie = next(
        text for text in answer.headers.get_list("set-cookie") if text.startswith(SESSION_COOKIE)
    )
    assert "HttpOnly" in cookie
    assert "Max-Age" in cookie
    assert house.tokens["kiosk"] not in cookie
    assert (await browser.get("/halls/puyang/kiosk")).status_code == 200


async def test_a_wrong_device_token_shows_the_form_again(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/device")
    form = {"token": "th_wrong", "_csrf_token": token_in(page)}
    answer = await browser.post("/device", data=form)
    assert answer.status_code == 401
    assert "This token is not valid" in answer.text


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"Origin": "https://evil.example"}, "foreign-origin"),
        ({"Origin": "null"}, "foreign-origin"),
        ({"Origin": "", "Sec-Fetch-Site": "cross-site"}, "foreign-origin"),
        ({}, "foreign-origin"),
        ({"Origin": "OWN"}, "page-outdated"),
        ({"Origin": "OWN", "x-csrftoken": "guessed"}, "page-outdated"),
    ],
)
async def test_a_forged_request_does_nothing(
    house: House, headers: dict[str, str], problem: str
) -> None:
    sent = {
        name: house.url if value == "OWN" else value for name, value in headers.items() if value
    }
    sent["Cookie"] = f"{SESSION_COOKIE}={house.sessions['boss']}"
    async with httpx.AsyncClient(base_url=house.url, headers=sent) as forger:
        answer = await forger.post("/api/v1/halls/puyang/windows/1/open", json={"staff": "001"})
    assert (answer.status_code, answer.json()["type"]) == (403, f"urn:tinghao:problem:{problem}")
    assert house.state().windows[1].state == "closed"


async def test_another_persons_token_is_not_ones_own(house: House) -> None:
    wang = house.person("wang")
    li = house.person("li")
    wang.headers["x-csrftoken"] = li.headers["x-csrftoken"]
    answer = await wang.post("/api/v1/halls/puyang/windows/1/open", json={})
    assert answer.json()["type"] == "urn:tinghao:problem:page-outdated"


async def test_the_token_may_come_in_a_header_or_in_a_field(house: House) -> None:
    path = "/api/v1/halls/puyang/windows/1/open"
    assert (await house.person("wang").post(path, json={})).status_code == 200
    in_field = house.person("wang", csrf_token=False)
    token = house.person("wang").headers["x-csrftoken"]
    assert (await in_field.post("/sign-out", data={"_csrf_token": token})).status_code == 303


async def test_pages_of_an_allowed_origin_may_send(tmp_path: Path) -> None:
    city = "https://city.example"
    async with open_house(tmp_path, allowed_origins=(city,)) as house:
        wang = house.person("wang")
        wang.headers["Origin"] = city
        answer = await wang.post("/api/v1/halls/puyang/windows/1/open", json={})
        assert answer.status_code == 200


async def test_a_bearer_token_needs_no_page(house: House) -> None:
    answer = await house.bearer("integration").post(
        "/api/v1/halls/puyang/windows/1/open", json={}, headers={"Origin": "https://else.example"}
    )
    assert answer.status_code == 200
