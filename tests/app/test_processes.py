"""Two processes' worth of servers on one PostgreSQL, with and without their Redis."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.app.house import HallClock, House, open_house
from tests.realtime.test_redis_bus import OwnRedis, own_redis, until
from tinghao.realtime.redis_bus import RedisBus

__all__ = ["own_redis"]
pytestmark = [pytest.mark.redis, pytest.mark.postgresql]


@asynccontextmanager
async def two(folder: Path, database: str, redis: str) -> AsyncIterator[tuple[House, House]]:
    clock = HallClock()
    async with (
        open_house(folder, database, clock=clock, redis_url=redis) as one,
        open_house(folder, database, clock=clock, redis_url=redis) as other,
    ):
        await until(lambda: all(_bus(house).up for house in (one, other)))
        yield one, other


def _bus(house: House) -> RedisBus:
    bus = house.served.service.bus
    assert isinstance(bus, RedisBus)
    return bus


async def _call(house: House, number: int) -> None:
    client = house.bearer("integration")
    await client.post("/api/v1/halls/puyang/tickets", json={"category": "social"})
    if number == 1:
        await client.post("/api/v1/halls/puyang/windows/1/open", json={})
    else:
        await client.post("/api/v1/halls/puyang/windows/1/start")
        await client.post("/api/v1/halls/puyang/windows/1/finish")
    answer = await client.post("/api/v1/halls/puyang/windows/1/call-next")
    assert answer.json()["number"] == f"A{number:03d}"


async def _sees(socket: ClientConnection, number: str) -> list[str]:
    """All numbers called in the frames up to that one."""
    seen: list[str] = []
    async with asyncio.timeout(10):
        while number not in seen:
            frame: dict[str, Any] = json.loads(await socket.recv())
            seen += [call["number"] for call in frame.get("data", {}).get("calls", ())]
    return seen


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_screens_of_one_process_show_what_another_did(
    tmp_path: Path, database_url: str, own_redis: OwnRedis
) -> None:
    """At once while Redis answers; within 1.5 s when it stalls or is gone; nothing twice."""
    async with (
        two(tmp_path, database_url, own_redis.url) as (one, other),
        connect(f"{other.url.replace('http', 'ws')}/ws/halls/puyang/lobby") as socket,
    ):
        await _call(one, 1)
        assert await _sees(socket, "A001") == ["A001"]

        own_redis.signal(signal.SIGSTOP)
        began = time.monotonic()
        await _call(one, 2)
        assert await _sees(socket, "A002") == ["A002"]
        assert time.monotonic() - began < 5  # 1.5 s on a machine that has nothing else to do
        own_redis.signal(signal.SIGCONT)

        own_redis.kill()
        await _call(one, 3)
        assert await _sees(socket, "A003") == ["A003"]
        own_redis.start()
        await until(lambda: _bus(one).up and _bus(other).up, 15)
        await _call(one, 4)
        assert await _sees(socket, "A004") == ["A004"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_manager_sees_the_consoles_of_all_processes(
    tmp_path: Path, database_url: str, own_redis: OwnRedis
) -> None:
    """Whichever process he asks."""
    async with two(tmp_path, database_url, own_redis.url) as (one, other):
        address = f"{other.url.replace('http', 'ws')}/ws/halls/puyang/window-3"
        key = {"Authorization": f"Bearer {other.tokens['integration']}"}
        async with connect(address, additional_headers=key):
            async with asyncio.timeout(10):
                while True:
                    answer = await one.bearer("manager").get("/api/v1/halls/puyang/presence")
                    if answer.json()["topics"]:
                        break
                    await asyncio.sleep(0.05)
            assert answer.json() == {"processes": 2, "topics": {"window-3": 1}}
