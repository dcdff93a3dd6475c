"""Two workers at one address: they share the work, and one that goes is not missed."""

import asyncio
import os
import re
import signal
from contextlib import AsyncExitStack

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.app.workers.launched import kill, launched
from tests.app.workers.persistent import Persistent
from tests.load.deployment import Deployment
from tests.queue.office import CODE
from tests.realtime.house import until


async def test_both_workers_answer_and_each_sees_what_the_other_did(
    deployment: Deployment,
) -> None:
    async with launched(deployment, TINGHAO_ACCESS_LOG="true") as service:
        kiosk = {"Authorization": f"Bearer {deployment.kiosk}"}
        for place in range(1, 41):
            async with httpx.AsyncClient(base_url=service.url, headers=kiosk) as client:
                answer = await client.post(
                    f"/api/v1/halls/{CODE}/tickets", json={"category": "social"}
                )
                assert answer.json()["number"] == f"A{place:03d}"
        answered = set(re.findall(r"\[(\d+)\] access: request method=POST", service.said))
        assert answered == {str(pid) for pid in await service.workers()}
        assert "no Redis is set" in service.said
    async with deployment.office() as after:
        assert after.verify().faults == ()


async def test_no_worker_gets_nearly_all_of_the_screens(deployment: Deployment) -> None:
    async with launched(deployment) as service, AsyncExitStack() as screens:
        topic = f"{service.url.replace('http', 'ws', 1)}/ws/halls/{CODE}/lobby"
        opened = []
        for _ in range(30):
            burst = [screens.enter_async_context(connect(topic)) for _ in range(2)]
            opened += await asyncio.gather(*burst)
            await service.figures()  # some time passes
        kill((await service.workers())[0], signal.SIGTERM)
        closing = [asyncio.create_task(screen.wait_closed()) for screen in opened]
        await service.says("ended with code 0")
        share = sum(task.done() for task in closing)
        for task in closing:
            task.cancel()
        assert 15 <= share <= 45


async def test_a_killed_worker_takes_no_acknowledged_command_with_it_and_is_replaced(
    deployment: Deployment,
) -> None:
    load = Persistent(deployment)
    async with launched(deployment) as service:
        old = await service.workers()
        async with load.asking(service.url):
            for ready, pid in enumerate(old, start=3):
                await load.more()
                kill(pid)
                await load.more()
                await service.says(r"worker \d+ is ready", times=ready)
        assert service.said.count("was ended by SIGKILL; a new one starts") == 2
        assert len(await service.workers()) == 2
    assert load.cut_off > 0
    await load.nothing_is_lost_or_double(deployment)


async def test_a_rolling_restart_under_load_shows_no_error_to_whoever_asks_again(
    deployment: Deployment,
) -> None:
    load = Persistent(deployment)
    async with launched(deployment) as service:
        old = await service.workers()
        async with load.asking(service.url):
            await load.more()
            service.tell(signal.SIGHUP)
            await service.has_replaced(old)
            await service.says("all workers are new")
            await load.more()
        # Those who are replaced take leave in order: nobody notices.
        assert load.cut_off == 0
        assert "error" not in service.said
        assert (await service.stop())[0] == 0
    await load.nothing_is_lost_or_double(deployment)


async def test_screens_of_a_worker_that_is_replaced_are_told_to_come_back(
    deployment: Deployment,
) -> None:
    async with launched(deployment) as service, AsyncExitStack() as screens:
        topic = f"{service.url.replace('http', 'ws', 1)}/ws/halls/{CODE}/lobby"
        opened = [await screens.enter_async_context(connect(topic)) for _ in range(8)]
        for screen in opened:
            await screen.recv()
        old = await service.workers()
        service.tell(signal.SIGHUP)
        assert {await code_of(screen) for screen in opened} == {1012}
        again = await screens.enter_async_context(connect(topic))
        await again.recv()
        await service.has_replaced(old)


async def code_of(screen: ClientConnection) -> int | None:
    await asyncio.wait_for(screen.wait_closed(), 20)
    return screen.close_code


async def test_sigterm_ends_all_in_order_and_drops_no_request(deployment: Deployment) -> None:
    async with launched(deployment) as service, AsyncExitStack() as screens:
        host, _, port = service.url.removeprefix("http://").partition(":")
        topic = f"{service.url.replace('http', 'ws', 1)}/ws/halls/{CODE}/lobby"
        screen = await screens.enter_async_context(connect(topic))
        await screen.recv()
        body = b'{"category": "social"}'
        begun = []
        for _ in range(12):
            reader, writer = await asyncio.open_connection(host, int(port))
            screens.callback(writer.close)
            writer.write(
                f"POST /api/v1/halls/{CODE}/tickets HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {deployment.kiosk}\r\n"
                f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode()
            )
            assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"  # it has been read
            await reader.readline()
            begun.append((reader, writer))
        ending = asyncio.create_task(service.stop())
        assert await code_of(screen) == 1012  # it is on its way
        for _, writer in begun:
            writer.write(body)
        answers = [await asyncio.wait_for(reader.readline(), 10) for reader, _ in begun]
        assert answers == [b"HTTP/1.1 201 Created\r\n"] * 12
        code, seconds = await ending
        assert code == 0
        assert seconds <= 5
        assert await service.workers() == []
    async with deployment.office() as after:
        assert len(after.waiting()) == 12


async def test_a_worker_that_does_not_end_in_time_is_killed(deployment: Deployment) -> None:
    async with launched(deployment, TINGHAO_DRAIN_SECONDS="1") as service:
        stuck, _ = await service.workers()
        os.kill(stuck, signal.SIGSTOP)
        code, seconds = await service.stop()
        assert (code, seconds < 5) == (0, True)
        assert f"worker {stuck} did not end in 2 s" in service.said


async def test_workers_do_not_outlive_their_launcher(deployment: Deployment) -> None:
    async with launched(deployment) as service:
        left = await service.workers()
        await service.stop(signal.SIGKILL)
        await until(lambda: not any(is_there(pid) for pid in left))
        assert service.said.count("the launcher is gone") == 2


def is_there(pid: int) -> bool:
    """Whether a process, which is not a child of ours, is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
