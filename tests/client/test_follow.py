"""Following with our own client: each call once, through whatever the line and the server do."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.app.house import HallClock, House, open_house
from tinghao.client import Client, Frame, NoRight, follow


class AtOnce(Random):
    """Comes back without waiting."""

    def random(self) -> float:
        return 0.0


async def _until_call(frames: AsyncGenerator[Frame, None], number: str) -> list[str]:
    """The numbers called until this one, that one included."""
    seen: list[str] = []
    async with asyncio.timeout(20):
        async for frame in frames:
            seen += [call["number"] for call in frame.calls]
            if number in seen:
                return seen
    raise AssertionError(f"{number} was never called")


async def _call(client: Client, *windows: int) -> None:
    for window in windows:
        await client.take("puyang", "social")
        await client.at_window("puyang", window, "open", staff=f"00{window}")
        await client.at_window("puyang", window, "call-next")


async def test_a_follower_sees_a_call_and_the_state_that_goes_with_it(tmp_path: Path) -> None:
    """The frame that announces A001 shows it at window 1."""
    async with (
        open_house(tmp_path) as house,
        Client(house.url, house.tokens["integration"]) as client,
        aclosing(follow(house.url, "puyang", "lobby")) as frames,
    ):
        first = await anext(frames)
        assert (first.type, first.resumed, first.calls) == ("snapshot", False, [])
        await _call(client, 1)
        async with asyncio.timeout(10):
            async for frame in frames:
                if frame.calls:
                    break
        assert [call["number"] for call in frame.calls] == ["A001"]
        assert frame.resumed
        assert frame.data["windows"][0]["ticket"] == "A001"


async def test_over_a_restart_each_call_comes_once(tmp_path: Path) -> None:
    """The follower that was there before hears only what it had not heard."""
    clock = HallClock()
    async with open_house(tmp_path, clock=clock) as house:
        port = house.served.port
        told: list[bool] = []
        frames = follow(house.url, "puyang", "lobby", spread=AtOnce(), connected=told.append)
        async with Client(house.url, house.tokens["integration"]) as client:
            waiting = asyncio.create_task(_until_call(frames, "A001"))
            await _call(client, 1)
            assert await waiting == ["A001"]
    async with _again(tmp_path, clock, port) as house:
        async with Client(house.url, house.tokens["integration"]) as client:
            await _call(client, 2)
        assert await _until_call(frames, "A002") == ["A002"]
        await frames.aclose()
    assert False in told
    assert told[-1]


def _again(folder: Path, clock: HallClock, port: int) -> Any:
    return open_house(folder, clock=clock, at_port=port)


async def test_who_returns_later_goes_on_from_where_he_was(tmp_path: Path) -> None:
    """`since` of an earlier run brings the calls made meanwhile, and says that none is missing."""
    async with (
        open_house(tmp_path) as house,
        Client(house.url, house.tokens["integration"]) as client,
    ):
        async with aclosing(follow(house.url, "puyang", "lobby")) as frames:
            first = await anext(frames)
        await _call(client, 1, 2)
        since = f"{first.epoch}:{first.seq}"
        async with aclosing(follow(house.url, "puyang", "lobby", since=since)) as frames:
            later = await anext(frames)
        assert later.resumed
        assert [call["number"] for call in later.calls] == ["A001", "A002"]


@pytest.mark.parametrize(
    ("topic", "role", "code"),
    [("manager", None, 4401), ("manager", "clerk", 4403), ("no-such", None, 404)],
)
async def test_without_the_right_it_gives_up(
    house: House, topic: str, role: str | None, code: int
) -> None:
    """Trying again would be no use."""
    token = house.tokens[role] if role else None
    with pytest.raises(NoRight) as refused:
        await anext(follow(house.url, "puyang", topic, token=token))
    assert refused.value.code == code


async def test_a_server_that_falls_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without beats the line counts as dead, and the follower connects once more."""
    monkeypatch.setattr("tinghao.client.following.BEATS", 0.2)
    from websockets.asyncio.server import ServerConnection, serve

    visits = asyncio.Queue[str]()

    async def silent(socket: ServerConnection) -> None:
        visits.put_nowait(socket.request.path if socket.request else "")
        await socket.wait_closed()

    async with serve(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        frames = follow(f"http://127.0.0.1:{port}", "puyang", "lobby", spread=AtOnce())
        waiting = asyncio.create_task(anext(frames))
        async with asyncio.timeout(10):
            assert await visits.get() == await visits.get()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await frames.aclose()


async def test_a_frame_that_does_not_follow_makes_it_come_back_with_since() -> None:
    """A gap is never shown: the follower asks for what it missed."""
    from websockets.asyncio.server import ServerConnection, serve

    paths: list[str] = []

    def frame(kind: str, prev: int | None, seq: int) -> str:
        shown = "null" if prev is None else str(prev)
        return (
            f'{{"topic":"lobby","epoch":"e","prev":{shown},"seq":{seq},"type":"{kind}",'
            f'"at":"2026-01-01T09:00:00+08:00","speed":1,"data":{{"calls":[{{"id":{seq}}}]}}}}'
        )

    async def gappy(socket: ServerConnection) -> None:
        paths.append(socket.request.path if socket.request else "")
        if len(paths) == 1:
            await socket.send(frame("snapshot", None, 5))
            await socket.send(frame("update", 7, 8))
        else:
            await socket.send(frame("update", 5, 8))
        await socket.wait_closed()

    async with serve(gappy, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with (
            asyncio.timeout(10),
            aclosing(
                follow(f"http://127.0.0.1:{port}", "puyang", "lobby", spread=AtOnce())
            ) as frames,
        ):
            assert [call["id"] for call in (await anext(frames)).calls] == [5]
            after = await anext(frames)
    assert [call["id"] for call in after.calls] == [8]
    assert after.resumed
    assert paths[1].endswith("&since=e:5")
