"""The bus through a real Redis: words, silence, and the way back."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests import servers
from tinghao.realtime.redis_bus import RedisBus
from tinghao.realtime.redis_link import check_url

pytestmark = pytest.mark.redis


class OwnRedis:
    """A Redis that a test may stop, kill and start again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = servers.free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = servers.executable("redis-server", package="redis-server")
        words = [str(program), "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        log = self.folder / "redis.log"
        log.touch()
        servers.wait_for_server(self.process, lambda: servers.answers_ping(self.port), log)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    server.start()
    yield server
    server.kill()


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - of parts that tell nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(*buses: RedisBus) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(bus.run()) for bus in buses]
    try:
        await until(lambda: all(bus.up for bus in buses))
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_word_reaches_the_other_process_and_not_its_own(own_redis: OwnRedis) -> None:
    """Who has done it knows already."""
    one, two = RedisBus(own_redis.url, "one"), RedisBus(own_redis.url, "two")
    heard: list[tuple[str, str, int]] = []
    for name, bus in (("one", one), ("two", two)):
        bus.follow("puyang")
        bus.subscribe(lambda hall, seq, name=name: heard.append((name, hall, seq)))
    async with running(one, two):
        one.publish("puyang", 7)
        await until(lambda: bool(heard))
        two.publish("puyang", 8)
        await until(lambda: len(heard) == 2)
    assert heard == [("two", "puyang", 7), ("one", "puyang", 8)]


async def test_a_hall_founded_later_is_heard_as_well(own_redis: OwnRedis) -> None:
    """Nobody has to start again for it."""
    one, two = RedisBus(own_redis.url, "one"), RedisBus(own_redis.url, "two")
    heard: list[int] = []
    two.subscribe(lambda hall, seq: heard.append(seq))
    async with running(one, two):
        two.follow("fanxian")
        async with asyncio.timeout(10):
            while not heard:
                one.publish("fanxian", 3)
                await asyncio.sleep(0.05)
    assert set(heard) == {3}


async def test_each_process_knows_the_others_sockets(own_redis: OwnRedis) -> None:
    """A console open at another process is there for this one too, and goes with it."""
    one = RedisBus(own_redis.url, "one")
    two = RedisBus(own_redis.url, "two", lambda: {"puyang/window-3": 1})
    async with running(one):
        async with running(two):
            await until(lambda: one.elsewhere() == {"two": {"puyang/window-3": 1}})
        await until(lambda: one.elsewhere() == {})


@pytest.mark.parametrize("how", ["killed", "stalled"])
async def test_an_outage_is_noticed_said_once_and_overcome(
    own_redis: OwnRedis, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    """Down and up again, one line each, and then somebody must look at the journal."""
    again: list[str] = []
    bus = RedisBus(own_redis.url, "one", reachable_again=lambda: again.append("look"))
    with caplog.at_level("INFO", logger="tinghao.realtime.redis_bus"):
        async with running(bus):
            if how == "killed":
                own_redis.kill()
            else:
                own_redis.signal(signal.SIGSTOP)
            await until(lambda: not bus.up)
            for seq in range(1_000):
                bus.publish("puyang", seq)  # returns at once, whatever is down
            if how == "killed":
                own_redis.start()
            else:
                own_redis.signal(signal.SIGCONT)
            await until(lambda: bus.up)
    assert bus.outages == 1
    assert again == ["look", "look"]
    said = [record.message.split(":")[0] for record in caplog.records]
    assert said == ["the bus is up", "the bus is down", "the bus is up"]


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost/0",
        "rediss://user:secret@redis.example:6380/1",
        "unix:///run/redis.sock",
        "redis+sentinel://one:26379,two/mymaster/2",
        "redis+cluster://one:7000",
    ],
)
def test_these_urls_name_a_redis(url: str) -> None:
    """One server, a socket, Sentinels, a cluster."""
    check_url(url)


@pytest.mark.parametrize(
    "url", ["localhost:6379", "http://x", "redis://", "redis+sentinel://one", "unix://"]
)
def test_other_urls_are_refused(url: str) -> None:
    """Before anything is started."""
    with pytest.raises(ValueError, match=r"."):
        check_url(url)
