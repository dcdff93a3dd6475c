"""The background duties of a service with two workers: done once, by whichever is alive.

The sign is a no-show whose grace is over at once: nobody but the duty's holder looks.
"""

import asyncio
import signal
import time

import httpx
import pytest
from msgspec.structs import replace

from tests.app.workers.launched import Launched, kill, launched
from tests.load.deployment import Deployment
from tests.queue.office import CODE, Office
from tests.realtime.house import until
from tinghao.queue.commands import Configure


@pytest.fixture
async def impatient(deployment: Deployment) -> Deployment:
    """A hall without a grace for those who do not come."""
    async with deployment.office() as before:
        setup = before.state.setup
        policy = replace(setup.policy, grace_minutes=0)
        await before.do(Configure(config=replace(setup, policy=policy)))
    return deployment


def holders(office: Office) -> dict[str, int]:
    """The process that holds each duty."""
    rows = office.sql("SELECT name, holder FROM duties WHERE until > 0")
    return {name: int(holder.split(":")[1]) for name, holder in rows}


def ended(office: Office) -> int:
    """How many graces have ended."""
    [(count,)] = office.sql("SELECT count(*) FROM journal WHERE kind = 'grace-ended'")
    return int(count)


async def nobody_comes(deployment: Deployment, service: Launched) -> None:
    """One more takes a number and is a no-show, through whichever worker answers."""
    async with httpx.AsyncClient(base_url=f"{service.url}/api/v1/halls/{CODE}") as client:
        for path, body in (
            ("tickets", {"category": "social"}),
            ("windows/1/call-next", {}),
            ("windows/1/recall", {}),
            ("windows/1/no-show", {}),
        ):
            token = deployment.kiosk if path == "tickets" else deployment.windows
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.post(f"/{path}", json=body, headers=headers)
            assert answer.is_success, answer.text


async def opened(deployment: Deployment, service: Launched) -> None:
    headers = {"Authorization": f"Bearer {deployment.windows}"}
    async with httpx.AsyncClient(base_url=service.url, headers=headers) as client:
        answer = await client.post(f"/api/v1/halls/{CODE}/windows/1/open", json={})
        assert answer.is_success, answer.text


async def test_the_duties_move_within_five_seconds_when_their_holder_is_killed(
    impatient: Deployment,
) -> None:
    async with launched(impatient) as service, impatient.office() as office:
        await opened(impatient, service)
        await nobody_comes(impatient, service)
        await until(lambda: ended(office) == 1)
        held = holders(office)
        [holder] = set(held.values())
        assert set(held) == {"halls", "housekeeping"}
        kill(holder)
        began = time.monotonic()
        await until(lambda: holder not in holders(office).values())
        assert time.monotonic() - began <= 5
        await nobody_comes(impatient, service)
        await until(lambda: ended(office) == 2)
        assert office.verify().faults == ()


async def test_the_duties_move_at_once_when_their_holder_is_replaced(
    impatient: Deployment,
) -> None:
    async with launched(impatient) as service, impatient.office() as office:
        await opened(impatient, service)
        [holder] = set(holders(office).values())
        kill(holder, signal.SIGTERM)
        began = time.monotonic()
        await until(lambda: set(holders(office).values()) not in ({holder}, set()))
        assert time.monotonic() - began <= 2
        await nobody_comes(impatient, service)
        await until(lambda: ended(office) == 1)


async def test_a_holder_that_was_paused_and_wakes_up_does_no_harm(impatient: Deployment) -> None:
    async with launched(impatient) as service, impatient.office() as office:
        await opened(impatient, service)
        [paused] = set(holders(office).values())
        [other] = set(await service.workers()) - {paused}
        kill(paused, signal.SIGSTOP)
        try:
            await until(lambda: set(holders(office).values()) == {other})
            for _ in range(2):
                await nobody_comes(impatient, service)
        finally:
            kill(paused, signal.SIGCONT)
        await until(lambda: ended(office) == 2)
        async with asyncio.timeout(20):
            while (await service.figures())["tinghao_workers"] != 2:
                pass
        await nobody_comes(impatient, service)
        await until(lambda: ended(office) == 3)
        assert set(holders(office).values()) == {other}
        assert office.verify().faults == ()
        rows = office.sql("SELECT count(*), count(DISTINCT number) FROM tickets")
        assert rows == [(3, 3)]
