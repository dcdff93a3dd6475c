"""Two workers and a Redis: what one does the other's screens show at once."""

import asyncio
import json
import time

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.app.workers.launched import launched
from tests.load.deployment import Deployment
from tests.queue.office import CODE

CALLS = 20


async def seconds_until_seen(screen: ClientConnection, number: str) -> float:
    """From now until a frame with that call."""
    began = time.monotonic()
    async with asyncio.timeout(10):
        while True:
            frame = json.loads(await screen.recv())
            if number in [call["number"] for call in frame.get("data", {}).get("calls", ())]:
                return time.monotonic() - began


@pytest.mark.redis
async def test_every_screen_sees_a_call_at_once_whichever_worker_it_is_at(
    deployment: Deployment, redis_url: str
) -> None:
    topic = f"/ws/halls/{CODE}/lobby"
    token = {"Authorization": f"Bearer {deployment.windows}"}
    took: list[float] = []
    async with launched(deployment, TINGHAO_REDIS_URL=redis_url) as service:
        assert "no Redis is set" not in service.said
        async with asyncio.timeout(20):
            while (await service.figures())["tinghao_bus_up_processes"] != 2:
                pass
        screens = [
            await connect(f"{service.url.replace('http', 'ws', 1)}{topic}") for _ in range(8)
        ]
        async with httpx.AsyncClient(base_url=service.url, headers=token) as client:
            hall = f"/api/v1/halls/{CODE}"
            await client.post(f"{hall}/windows/1/open", json={})
            for _ in range(CALLS):
                await client.post(f"{hall}/tickets", json={"category": "social"})
            for _ in range(CALLS):
                called = await client.post(f"{hall}/windows/1/call-next", json={})
                number = called.json()["number"]
                seen = [seconds_until_seen(screen, number) for screen in screens]
                took += await asyncio.gather(*seen)
                for command in ("start", "finish"):
                    await client.post(f"{hall}/windows/1/{command}", json={})
        for screen in screens:
            await screen.close()
    took.sort()
    # By the journal alone those of the other worker would see it half a second later on average.
    assert took[len(took) * 9 // 10] < 0.5
