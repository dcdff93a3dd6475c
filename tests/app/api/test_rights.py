"""Who may do what: each role asks for each action, and the answers are put into one table."""

from __future__ import annotations

from typing import Any

import httpx
from msgspec.structs import replace

from tests.app.api.scenes import Scene, problem
from tests.app.house import PUBLIC, House, open_house
from tinghao.app.auth import tokens
from tinghao.app.auth.caller import TOKEN_ROLES
from tinghao.queue.model import Policy

HALL = "/api/v1/halls/puyang"
AT_WINDOW = (
    "open", "pause", "resume", "close", "call-next", "call", "recall", "start", "no-show",
    "finish", "hold", "resume-ticket", "transfer", "undo", "paper",
)  # fmt: skip
CLERKS = {"clerk", "manager", "administrator", "integration", "replay"}

WHO: dict[str, set[str]] = {
    "POST tickets": {*CLERKS, "kiosk", "guide"},
    **{f"POST windows/1/{command}": CLERKS for command in AT_WINDOW},
    "POST windows/1/return": {*CLERKS, "guide"},
    "POST windows/1/release": {"manager", "administrator"},
    "POST windows/1/categories": {"manager", "administrator", "replay"},
    "POST windows/1/rating": {"evaluator"},
    "GET journal": {"manager", "inspector", "administrator", "integration", "replay"},
    "GET configuration": {"manager", "inspector", "administrator"},
    "PUT configuration": {"administrator"},
    "POST clock": {"replay"},
}
"""By action, the roles that the public contract gives it to."""

BODIES: dict[str, Any] = {
    "POST tickets": {"category": "social"},
    "POST windows/1/categories": {"categories": ["social"]},
    "POST windows/1/call": {"number": "A001", "reason": "vip"},
    "POST windows/1/resume-ticket": {"number": "A001"},
    "POST windows/1/release": {"outcome": "waiting", "reason": "system"},
    "POST windows/1/rating": {"grade": 5},
    "POST windows/1/paper": {
        "category": "social", "taken_at": "2025-11-25T09:00:00+08:00",
        "called_at": "2025-11-25T09:00:00+08:00", "finished_at": "2025-11-25T09:00:00+08:00",
    },
    "POST clock": {"mode": "machine"},
}  # fmt: skip

PRIVATE = replace(PUBLIC, policy=Policy(public_take=False, public_read=False))


async def ask(client: httpx.AsyncClient, action: str, hall: str = HALL) -> httpx.Response:
    """Ask for the action with a body that fits it."""
    method, path = action.split()
    body = BODIES.get(action)
    if action == "PUT configuration":
        body = {"name": "?", "categories": [], "windows": []}  # allowed or not, never done
    return await client.request(method, f"{hall}/{path}", json=body)


async def allowed(client: httpx.AsyncClient) -> set[str]:
    """The actions that are not answered with 401 or 403."""
    answers = {action: await ask(client, action) for action in WHO}
    for answer in answers.values():
        if answer.is_error:
            problem(answer)
    return {action for action, answer in answers.items() if answer.status_code not in {401, 403}}


async def test_each_token_may_what_its_role_may(house: House) -> None:
    """All roles against all actions; nobody else gets anything."""
    got = {role: await allowed(house.bearer(role)) for role in TOKEN_ROLES}
    assert got == {role: {a for a, who in WHO.items() if role in who} for role in TOKEN_ROLES}


async def test_each_account_may_what_its_role_may(house: House) -> None:
    """The same for people; a clerk at the window that he has opened."""
    await house.person("wang").post(f"{HALL}/windows/1/open")
    people = {"wang": "clerk", "boss": "manager", "inspector": "inspector"}
    got = {name: await allowed(house.person(name)) for name in people}
    wanted = {name: {a for a, who in WHO.items() if r in who} for name, r in people.items()}
    assert got == wanted


async def test_somebody_unknown_may_take_and_read_as_the_hall_says(tmp_path: Any) -> None:
    """Taking and reading are public if the hall says so; the rest asks to sign in, with 401."""
    async with open_house(tmp_path, config=PUBLIC) as house:
        nobody = house.bearer(None)
        answers = {action: (await ask(nobody, action)).status_code for action in WHO}
        assert {a for a, status in answers.items() if status != 401} == {"POST tickets"}
        taken = (await ask(nobody, "POST tickets")).json()
        refused = await ask(nobody, "GET journal")
        assert problem(refused) == (401, "not-signed-in")
        assert refused.headers["www-authenticate"] == "Bearer"
        # The same deployment, but the hall now hides what it shows.
        setup = (await house.bearer("administrator").get(f"{HALL}/configuration")).json()
        setup["policy"] |= {"public_read": False, "public_take": False}
        put = await house.bearer("administrator").put(f"{HALL}/configuration", json=setup)
        assert put.status_code == 200
        own = f"/api/v1/tickets/{taken['token']}"
        for method, path in (
            ("GET", HALL),
            ("GET", f"{HALL}/state"),
            ("GET", own),
            ("POST", f"{HALL}/tickets"),
        ):
            answer = await nobody.request(method, path, json={"category": "social"})
            assert problem(answer) == (401, "not-signed-in"), path
        codes = {each["code"] for each in (await nobody.get("/api/v1/halls")).json()["halls"]}
        assert codes == {"fanxian"}
        display = house.bearer("display")
        assert (await display.get(f"{HALL}/state")).status_code == 200
        assert (await display.get(own)).status_code == 200
        # The holder of a ticket may still give it back.
        assert (await nobody.post(f"{own}/cancel")).status_code == 200


async def test_a_token_acts_in_its_own_hall_only(house: House) -> None:
    """Another hall is refused, whatever the role may at home; its public face can be read."""
    for role in ("integration", "manager", "clerk"):
        answer = await ask(house.bearer(role), "POST windows/1/open", "/api/v1/halls/fanxian")
        assert problem(answer) == (403, "other-hall")
        assert answer.json()["detail"] == "You may act in the hall puyang only."
    assert (await house.bearer("integration").get("/api/v1/halls/fanxian")).status_code == 200
    everywhere = await house.token("everywhere", role="integration")
    assert everywhere.startswith("th_")
    answer = await ask(house.bearer("everywhere"), "POST windows/1/open", "/api/v1/halls/fanxian")
    assert answer.status_code == 200


async def test_an_integration_acts_at_any_window(house: House) -> None:
    """It may do what its role may, at each window of its hall."""
    scene = Scene(house, role="integration")
    await scene.play("open 1", "open 2", "take", "take", "call-next 1", "call-next 2")
    await scene.play("recall 1", "start 2", "finish 2", "no-show 1")


async def test_a_token_of_one_window_stays_there(house: House) -> None:
    """An evaluator or a clerk's tablet that was made for window 2 is nothing at window 1."""
    await Scene(house).play("open 1", "open 2", "take", "take")
    await Scene(house).play("call-next 1", "start 1", "finish 1", "call-next 2", "start 2")
    await Scene(house).play("finish 2")
    for role, line in (("clerk", "pause"), ("evaluator", "rating")):
        await house.token(f"{role}-2", role=role, hall="puyang", window=2)
        bound = house.bearer(f"{role}-2")
        body = {"grade": 4} if line == "rating" else {}
        other = await bound.post(f"{HALL}/windows/1/{line}", json=body)
        assert problem(other) == (403, "other-window")
        assert (await bound.post(f"{HALL}/windows/2/{line}", json=body)).status_code == 200


async def test_nobody_but_the_citizen_rates_a_service(house: House) -> None:
    """Neither the clerk who served nor a manager nor a passer-by can praise a window."""
    await Scene(house).play("open 1", "take", "call-next 1", "start 1", "finish 1")
    callers = [
        house.bearer(None), house.bearer("clerk"), house.bearer("manager"),
        house.bearer("administrator"), house.bearer("integration"), house.person("boss"),
    ]  # fmt: skip
    for caller in callers:
        answer = await caller.post(f"{HALL}/windows/1/rating", json={"grade": 5})
        assert answer.status_code in {401, 403}
    rated = await house.bearer("evaluator").post(f"{HALL}/windows/1/rating", json={"grade": 2})
    assert rated.json()["number"] == "A001"
    again = await house.bearer("evaluator").post(f"{HALL}/windows/1/rating", json={"grade": 5})
    assert problem(again) == (409, "already-rated")
    none = await house.bearer("evaluator").post(f"{HALL}/windows/2/rating", json={"grade": 5})
    assert problem(none) == (409, "nothing-to-rate")
    assert none.json()["state"] == {"window": 2, "state": "closed", "ticket": None}


async def test_a_clerk_acts_at_the_window_he_opened(house: House) -> None:
    """At a colleague's window every command is refused, and no one sits down as another."""
    wang, li = house.person("wang"), house.person("li")
    opened = await wang.post(f"{HALL}/windows/1/open")
    assert opened.json()["staff"] == {"badge": "001", "name": "王建国"}
    for command in ("close", "pause", "call-next", "undo"):
        answer = await li.post(f"{HALL}/windows/1/{command}")
        assert problem(answer) == (403, "other-window")
    assert problem(await li.post(f"{HALL}/windows/1/open")) == (409, "window-taken")
    as_wang = await li.post(f"{HALL}/windows/2/open", json={"staff": "001"})
    assert problem(as_wang) == (403, "not-yourself")
    as_himself = await li.post(f"{HALL}/windows/2/open", json={"staff": "002"})
    assert as_himself.json()["staff"]["badge"] == "002"
    # A closed window is nobody's: the hall itself says so.
    assert problem(await wang.post(f"{HALL}/windows/3/call-next")) == (409, "window-closed")
    # The manager may help out anywhere.
    assert (await house.person("boss").post(f"{HALL}/windows/2/pause")).status_code == 200


async def test_a_clerk_without_a_badge_cannot_sit_down(house: House) -> None:
    """Work without a name behind it could not be reviewed."""
    answer = await house.person("nobadge").post(f"{HALL}/windows/1/open")
    assert problem(answer) == (403, "no-badge")


async def test_a_session_proves_that_our_own_page_asks(house: House) -> None:
    """A cookie alone is no proof: another site could make the browser send it."""
    no_token = await house.person("wang", csrf_token=False).post(f"{HALL}/windows/1/open")
    assert problem(no_token) == (403, "page-outdated")
    foreign = await house.person("wang").post(
        f"{HALL}/windows/1/open", headers={"Origin": "https://elsewhere.example"}
    )
    assert problem(foreign) == (403, "foreign-origin")
    read = await house.person("boss", csrf_token=False).get(f"{HALL}/journal")
    assert read.status_code == 200


async def test_only_a_replay_states_times(house: House) -> None:
    """Everybody else acts now, whatever a body says."""
    at = "2025-11-25T08:30:00+08:00"
    for role in ("kiosk", "clerk", "manager", "administrator", "integration"):
        answer = await house.bearer(role).post(
            f"{HALL}/tickets", json={"category": "social", "at": at}
        )
        assert problem(answer) == (403, "forbidden"), role
    stated = await house.bearer("replay").post(
        f"{HALL}/tickets", json={"category": "social", "at": at}
    )
    assert stated.json()["taken_at"] == "2025-11-25T08:30:00.000+08:00"
    token = stated.json()["token"]
    holder = await house.bearer(None).post(f"/api/v1/tickets/{token}/cancel", json={"at": at})
    assert problem(holder) == (401, "not-signed-in")
    ahead = await house.bearer("replay").post(
        f"{HALL}/windows/1/open", json={"at": "2025-11-25T12:00:00+08:00"}
    )
    assert problem(ahead) == (422, "time-ahead")
    wrong = await house.bearer("replay").post(f"{HALL}/windows/1/open", json={"at": "noon"})
    assert problem(wrong) == (422, "time")


async def test_a_token_that_was_revoked_is_nobody(house: House) -> None:
    """At once, in this process; a wrong token is refused even where nobody need be known."""
    client = house.bearer("display")
    assert (await client.get(HALL)).status_code == 200
    listed = await house.change(tokens.every)
    display = next(each for each in listed if each.role == "display")
    await house.change(lambda c: tokens.revoke(c, display.id, 1))
    answer = await client.get(HALL)
    assert problem(answer) == (401, "token-invalid")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
