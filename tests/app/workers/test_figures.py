"""Whichever worker is scraped shows the whole service, and no counter ever runs back."""

import asyncio
import re
import signal
import subprocess
from pathlib import Path

import httpx

from tests.app.workers.launched import Launched, kill, launched
from tests.app.workers.persistent import Persistent
from tests.load.deployment import Deployment
from tests.queue.office import CODE

TAKES = "tinghao_http_requests_total POST /api/v1/halls/{hall}/tickets 201"
COUNTING = ("_total", "_count", "_bucket", "_sum")


async def scrapes(service: Launched, times: int = 10) -> list[dict[str, float]]:
    """One after the other, each over a connection of its own, so that both workers are asked."""
    return [await service.figures() for _ in range(times)]


def counters(figures: dict[str, float]) -> dict[str, float]:
    """Those that only grow."""
    return {name: value for name, value in figures.items() if name.split()[0].endswith(COUNTING)}


def ran_back(earlier: dict[str, float], later: dict[str, float]) -> dict[str, tuple[float, float]]:
    """The counters that are less than they were, or gone."""
    return {
        name: (value, later.get(name, -1.0))
        for name, value in counters(earlier).items()
        if later.get(name, -1.0) < value
    }


async def test_sums_are_exact_and_a_hall_is_counted_once_at_every_worker(
    deployment: Deployment,
) -> None:
    load = Persistent(deployment, anew=True)
    async with launched(deployment, TINGHAO_ACCESS_LOG="true") as service:
        async with load.asking(service.url):
            await load.more(200)
        given = len(load.load.told(load.load.kiosks, "tickets"))
        called = len(load.load.told(load.load.windows, "call-next"))
        took = TAKES.replace("requests_total", "request_duration_seconds_count").removesuffix(
            " 201"
        )
        for figures in await scrapes(service):
            assert [name for name in figures if name.endswith("/tickets 201")] == [TAKES]
            assert figures[TAKES] == figures[took] == given
            assert figures[f"tinghao_tickets_taken_total social {CODE}"] == given
            assert figures[f"tinghao_tickets_called_total social {CODE}"] == called
            assert figures["tinghao_workers"] == 2
            assert figures["tinghao_bus_up_processes"] == 0  # there is no Redis
            assert figures["tinghao_duty_holder halls"] == 1
        posts = re.findall(r"\[(\d+)\] access: request method=POST path=\S+/tickets", service.said)
        assert len(set(posts)) == 2  # both have had their share of it


async def test_counters_never_run_back_while_workers_are_replaced_and_killed(
    deployment: Deployment,
) -> None:
    load = Persistent(deployment)
    async with launched(deployment) as service:
        seen = [await service.figures()]
        backwards: list[object] = []
        enough = asyncio.Event()

        async def scrape() -> None:
            while not enough.is_set():
                try:
                    figures = await service.figures()
                except httpx.TransportError:  # that worker was killed
                    continue
                backwards.append(ran_back(seen[-1], figures))
                seen.append(figures)

        async with load.asking(service.url):
            scraping = asyncio.create_task(scrape())
            old = await service.workers()
            service.tell(signal.SIGHUP)
            await service.has_replaced(old)
            await service.says("all workers are new")
            kill((await service.workers())[0])
            await service.says(r"worker \d+ is ready", times=5)
            await load.more()
            enough.set()
            await scraping
        assert [each for each in backwards if each] == []
        assert len(backwards) > 10
        assert max(figures["tinghao_workers"] for figures in seen) == 3


async def test_a_replaced_worker_leaves_nothing_uncounted(deployment: Deployment) -> None:
    kiosk = {"Authorization": f"Bearer {deployment.kiosk}"}
    async with launched(deployment) as service:
        async with httpx.AsyncClient(base_url=service.url, headers=kiosk) as client:
            for _ in range(5):
                await client.post(f"/api/v1/halls/{CODE}/tickets", json={"category": "social"})
        old = await service.workers()
        service.tell(signal.SIGHUP)
        await service.has_replaced(old)
        for figures in await scrapes(service, 4):
            assert figures[TAKES] == 5


async def test_sockets_are_counted_over_all_workers(deployment: Deployment) -> None:
    async with launched(deployment) as service:
        host, _, port = service.url.removeprefix("http://").partition(":")
        writers = []
        for _ in range(12):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"GET /ws/halls/{CODE}/lobby HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n"
                "Sec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            writers.append(writer)
        name = f"tinghao_websocket_connections {CODE} lobby"
        async with asyncio.timeout(10):
            while {figures[name] for figures in await scrapes(service, 4)} != {12}:
                pass
        for writer in writers:
            writer.close()
        async with asyncio.timeout(10):
            while {figures[name] for figures in await scrapes(service, 4)} != {0}:
                pass
        assert {f["tinghao_websocket_opened_total"] for f in await scrapes(service, 4)} == {12}


async def test_a_worker_that_is_stuck_makes_no_scrape_fail_or_count_less(
    deployment: Deployment,
) -> None:
    async with launched(deployment) as service:
        before = await scrapes(service, 4)
        stuck, _ = await service.workers()
        kill(stuck, signal.SIGSTOP)
        try:
            # A connection may come to the stuck one, whose queue it waits in: ask until answered.
            figures = await answered(service)
        finally:
            kill(stuck, signal.SIGCONT)
        assert ran_back(before[-1], figures) == {}
        assert figures["tinghao_workers"] == 1


async def answered(service: Launched) -> dict[str, float]:
    for _ in range(10):
        try:
            async with httpx.AsyncClient(base_url=service.url, timeout=5) as client:
                return await service.figures(client)
        except httpx.TransportError:
            continue
    raise AssertionError("no worker answered")


async def test_metrics_have_their_own_address_with_several_workers_too(
    deployment: Deployment, promtool: Path
) -> None:
    async with launched(deployment, TINGHAO_METRICS_ADDRESS="127.0.0.1:0") as service:
        [port] = [
            int(each) for each in re.findall(r"metrics at http://127.0.0.1:(\d+)", service.said)
        ]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as scraper:
            text = (await scraper.get("/metrics")).text
        async with httpx.AsyncClient(base_url=service.url) as client:
            assert (await client.get("/metrics")).status_code == 404
    assert "tinghao_workers 2.0" in text
    checked = await asyncio.to_thread(
        subprocess.run,
        [promtool, "check", "metrics"],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
