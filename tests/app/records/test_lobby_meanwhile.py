"""A lobby wall during a replay, on a network that keeps failing."""

import asyncio
import json
from collections import Counter
from typing import Any

from websockets.asyncio.client import connect

from tests.app.records.conftest import HALL, Place
from tests.app.records.test_replay import FAST, RECORD
from tinghao.app.records.replay import Replayed, journal, replay
from tinghao.app.serving.server import Served
from tinghao.client import Client

CUTS = 10


async def test_a_wall_that_is_cut_ten_times_misses_no_call(place: Place, served: Served) -> None:
    """Each call of the replayed day reaches the wall exactly once, whatever the line does."""
    async with Client(served.url, place.token) as client:
        living = asyncio.create_task(replay(client, HALL, RECORD, FAST))
        seen, cuts, resumed = await _watch(served.url.replace("http", "ws"), living)
        done = await living
        entries = [each async for each in journal(client, HALL, 0)]

    assert done.clean
    assert cuts == CUTS
    assert resumed > 0
    made = [e["seq"] for e in entries if e["kind"] in {"ticket-called", "ticket-recalled"}]
    assert len(made) > 335
    assert seen == Counter(made)


async def _watch(url: str, living: "asyncio.Task[Replayed]") -> tuple[Counter[int], int, int]:
    """Every call shown, by id and how often; how often we were cut off; how often it went on
    where it had stopped instead of with a whole picture."""
    seen: Counter[int] = Counter()
    since, cuts, resumed = "", 0, 0
    while True:
        address = f"{url}/ws/halls/{HALL}/lobby?format=json{since}"
        async with connect(address, proxy=None) as socket:
            frames = 0
            async for text in socket:
                frame: dict[str, Any] = json.loads(text)
                if frame["type"] == "beat":
                    if living.done() and frame["seq"] == frame["prev"]:
                        return seen, cuts, resumed
                    continue
                if since and frames == 0 and frame["type"] == "update":
                    resumed += 1
                frames += 1
                fresh = {each["id"] for each in frame["data"]["calls"]}
                if frame["type"] == "snapshot":
                    fresh -= set(seen)
                seen.update(fresh)
                since = f"&since={frame['epoch']}:{frame['seq']}"
                if cuts < CUTS and frames >= 3:
                    cuts += 1
                    socket.transport.abort()
                    break
