"""The rights of sockets: who may follow what, and for how long."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.app.house import PUBLIC, House, open_house
from tinghao.app import service
from tinghao.app.auth import accounts, tokens
from tinghao.app.auth.gate import SESSION_COOKIE
from tinghao.queue.clock import machine_clock
from tinghao.realtime import gateway
from tinghao.realtime.gate import Limits


@asynccontextmanager
async def following(
    house: House, topic: str, headers: Mapping[str, str]
) -> AsyncIterator[ClientConnection]:
    address = f"{house.url.replace('http', 'ws', 1)}/ws/halls/puyang/{topic}"
    async with connect(address, additional_headers=headers) as socket:
        yield socket


async def outcome(house: House, topic: str, headers: Mapping[str, str]) -> str | int:
    """``snapshot``, or the code that the socket was closed with."""
    async with following(house, topic, headers) as socket:
        try:
            first = await asyncio.wait_for(socket.recv(), 10)
        except ConnectionClosed:
            return socket.close_code or 0
        return "snapshot" if '"snapshot"' in str(first) else str(first)


def token(house: House, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.tokens[role]}"}


def session(house: House, name: str) -> dict[str, str]:
    return {"Cookie": f"{SESSION_COOKIE}={house.sessions[name]}", "Origin": house.url}


@pytest.mark.parametrize("topic", ["lobby", "category-social"])
async def test_everybody_may_follow_what_hangs_on_the_wall(house: House, topic: str) -> None:
    assert await outcome(house, topic, {}) == "snapshot"


@pytest.mark.parametrize("topic", ["window-1", "manager"])
async def test_an_unknown_visitor_is_asked_to_sign_in(house: House, topic: str) -> None:
    assert await outcome(house, topic, {}) == 4401


@pytest.mark.parametrize(
    ("topic", "role", "result"),
    [
        ("window-1", "clerk", "snapshot"),
        ("window-1", "inspector", "snapshot"),
        ("window-1", "kiosk", 4403),
        ("manager", "manager", "snapshot"),
        ("manager", "inspector", "snapshot"),
        ("manager", "clerk", 4403),
        ("manager", "display", 4403),
        ("lobby", "display", "snapshot"),
    ],
)
async def test_a_role_follows_its_own_screens(
    house: House, topic: str, role: str, result: str | int
) -> None:
    assert await outcome(house, topic, token(house, role)) == result


async def test_a_person_follows_with_the_session_of_the_page(house: House) -> None:
    assert await outcome(house, "window-1", session(house, "wang")) == "snapshot"
    assert await outcome(house, "manager", session(house, "wang")) == 4403


async def test_a_cookie_without_the_page_is_nobody(house: House) -> None:
    headers = session(house, "wang")
    del headers["Origin"]
    assert await outcome(house, "window-1", headers) == 4401


async def test_a_wrong_token_is_told_so_even_at_the_wall(house: House) -> None:
    assert await outcome(house, "lobby", {"Authorization": "Bearer th_wrong"}) == 4401


async def test_a_token_of_one_window_sees_no_other(house: House) -> None:
    await house.token("one", role="clerk", hall="puyang", window=2)
    assert await outcome(house, "window-2", token(house, "one")) == "snapshot"
    assert await outcome(house, "window-1", token(house, "one")) == 4403


async def test_a_token_of_another_hall_sees_nothing_here(house: House) -> None:
    await house.token("other", role="manager", hall="fanxian")
    assert await outcome(house, "manager", token(house, "other")) == 4403


async def test_a_hall_may_keep_its_wall_to_itself(tmp_path: Path) -> None:
    private = replace(PUBLIC, policy=replace(PUBLIC.policy, public_read=False))
    async with open_house(tmp_path, config=private) as house:
        assert await outcome(house, "lobby", {}) == 4401
        assert await outcome(house, "lobby", token(house, "display")) == "snapshot"
        assert await outcome(house, "lobby", session(house, "wang")) == "snapshot"


@pytest.mark.parametrize(
    ("ended", "code"), [("token", 4401), ("account", 4401), ("role", 4403), ("nothing", None)]
)
async def test_an_open_socket_is_closed_when_its_right_ends(
    tmp_path: Path, ended: str, code: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = partial(gateway.bind, limits=Limits(recheck=0.1, sweep=0.1))
    monkeypatch.setattr(service.gateway, "bind", impatient)
    async with open_house(tmp_path) as house:
        headers = token(house, "clerk") if ended == "token" else session(house, "wang")
        async with following(house, "window-1", headers) as socket:
            await socket.recv()
            await END[ended](house)
            if code is None:
                beats = [await asyncio.wait_for(socket.recv(), 10) for _ in range(2)]
                assert all('"beat"' in str(beat) for beat in beats)
            else:
                await asyncio.wait_for(drained(socket), 10)
                assert socket.close_code == code


async def drained(socket: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        while True:
            await socket.recv()


async def revoke(house: House) -> None:
    every = await house.served.service.database.read(tokens.every)
    number = next(one.id for one in every if one.role == "clerk")
    await house.change(lambda c: tokens.revoke(c, number, machine_clock()))


async def disable(house: House) -> None:
    await house.change(lambda c: accounts.set_active(c, "wang", active=False))


async def move_to_another_hall(house: House) -> None:
    moved = accounts.accounts.update().values(hall="fanxian")
    await house.change(lambda c: c.execute(moved))


async def nothing(house: House) -> None:
    """The right holds."""


END = {"token": revoke, "account": disable, "role": move_to_another_hall, "nothing": nothing}
