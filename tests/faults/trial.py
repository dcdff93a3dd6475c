"""A trial: a hall on two workers, PostgreSQL and Redis, at work while one part after another fails.

Witnesses follow every topic on several connections. In the end the journal is read back: each
call must have reached each witness of its topic, once and in order.
"""

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from msgspec import Struct

from tests.app.workers.launched import Launched, kill, launched
from tests.faults.witnesses import Witness, watching
from tests.faults.work import Ledger, at_work
from tests.load.deployment import Deployment
from tests.queue.office import CODE
from tests.realtime.test_redis_bus import OwnRedis
from tests.servers import free_port
from tinghao.client import Client

WINDOWS = 6
TWICE = ("lobby", "lobby", "category-social", "category-social", "manager", "manager")
TOPICS = (*TWICE, *TWICE, *(f"window-{number}" for number in range(1, WINDOWS + 1)))
READY = r"worker \d+ is ready"
BUS_UP = "the bus is up"
PATIENCE = 30.0  # seconds for every witness to be told of what was acknowledged


class Phase(Struct, frozen=True):
    """What happened while something was wrong. Lateness is from call to frame, seconds."""

    name: str
    seconds: float
    commands: int
    calls: int
    latest: float  # at witnesses whose line stood
    latest_back: float  # at those who had to come back; 0 if nobody had
    cuts: int
    snapshots: int


class Trial:
    """The running deployment, and what can be done to it."""

    def __init__(self, deployment: Deployment, redis: OwnRedis) -> None:
        self.deployment = deployment
        self.redis = redis
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.service: Launched
        self.ledger = Ledger()
        self.tokens = [deployment.kiosk] * 2 + [deployment.windows] * WINDOWS
        self.witnesses: list[Witness]
        self.serving = AsyncExitStack()

    async def start(self) -> None:
        """Start the service."""
        self.service = await self.serving.enter_async_context(
            launched(self.deployment, port=self.port, TINGHAO_REDIS_URL=self.redis.url)
        )

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        code, _ = await self.service.stop()
        await self.serving.aclose()
        return code

    @asynccontextmanager
    async def working(self, pause: float, *, one_line: bool = False) -> AsyncIterator[None]:
        """Windows and kiosks are at work until the block is left; then everybody is told."""
        tokens = [self.deployment.windows] * len(self.tokens) if one_line else self.tokens
        async with at_work(self.url, tokens, self.ledger, pause, one_line=one_line):
            yield
        await self._everybody_was_told(len(self.ledger.called))

    async def phase(
        self, name: str, fault: Callable[..., Awaitable[None]], *arguments: float
    ) -> Phase:
        """Let something happen, and wait until everybody has heard of what was called meanwhile."""
        began, ledger = time.time(), self.ledger
        commands, calls = ledger.commands, len(ledger.called)
        told = [len(each.told) for each in self.witnesses]
        cuts, snapshots = self._sum("cuts"), self._sum("snapshots")
        await fault(*arguments)
        upto = len(ledger.called)
        await self._everybody_was_told(upto)
        late = [
            (each.arrived - each.at, each.held)
            for witness, first in zip(self.witnesses, told, strict=True)
            for each in witness.told[first:]
        ]
        return Phase(
            name=name,
            seconds=time.time() - began,
            commands=ledger.commands - commands,
            calls=upto - calls,
            latest=max((seconds for seconds, held in late if held), default=0.0),
            latest_back=max((seconds for seconds, held in late if not held), default=0.0),
            cuts=self._sum("cuts") - cuts,
            snapshots=self._sum("snapshots") - snapshots,
        )

    async def _everybody_was_told(self, upto: int) -> None:
        calls = list(self.ledger.called[:upto])
        async with asyncio.timeout(PATIENCE):
            for witness in self.witnesses:
                wanted = {
                    (each.number, each.attempt)
                    for each in calls
                    if witness.topic in (f"window-{each.window}", "category-social", *TWICE)
                }
                while not wanted <= witness.told_of:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)

    def _sum(self, what: str) -> int:
        return sum(getattr(each, what) for each in self.witnesses)

    # -- faults

    async def nothing(self, seconds: float) -> None:
        """Ordinary work."""
        await asyncio.sleep(seconds)

    async def kill_a_worker(self, seconds: float) -> None:
        """`kill -9`; the launcher starts another."""
        oldest, *_ = await self.service.workers()
        ready = len(re.findall(READY, self.service.said))
        kill(oldest)
        await asyncio.sleep(seconds)
        await self.service.says(READY, times=ready + 1)

    async def kill_redis(self, seconds: float) -> None:
        """`kill -9`, and after some seconds a new one, which all workers find."""
        found = self._found_redis()
        self.redis.kill()
        await asyncio.sleep(seconds)
        self.redis.start()
        await self.service.says(BUS_UP, times=found + 2)

    async def stop_redis(self, seconds: float) -> None:
        """It takes connections and answers nothing, for more than 3 s; then it goes on."""
        found = self._found_redis()
        self.redis.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.redis.signal(signal.SIGCONT)
        await self.service.says(BUS_UP, times=found + 2)

    def _found_redis(self) -> int:
        return self.service.said.count(BUS_UP)

    async def replace_workers(self) -> None:
        """A rolling restart."""
        old = await self.service.workers()
        self.service.tell(signal.SIGHUP)
        await self.service.has_replaced(old)

    async def restart(self) -> None:
        """The whole service goes, in order, and comes again."""
        found = self._found_redis()
        assert await self.stop() == 0
        await self.start()
        await self.service.says(BUS_UP, times=found + 2)

    # -- the proof

    async def prove(self) -> int:
        """Hold what everybody was told against the journal; how many calls it has."""
        entries = await self._journal()
        assert [each["seq"] for each in entries] == list(range(1, len(entries) + 1))
        calls = [each for each in entries if each["kind"] in ("ticket-called", "ticket-recalled")]
        first = [each["data"]["number"] for each in calls if each["kind"] == "ticket-called"]
        assert len(set(first)) == len(first), "a number was called by two"
        assert sorted(first) == sorted(
            each.number for each in self.ledger.called if each.attempt == 1
        )
        assert len(calls) == len(self.ledger.called)
        taken = [each["data"]["number"] for each in entries if each["kind"] == "ticket-taken"]
        assert sorted(taken) == sorted(self.ledger.taken)
        for witness in self.witnesses:
            kind, _, key = witness.topic.partition("-")
            its = [
                each["seq"]
                for each in calls
                if kind != "window" or each["data"]["window"] == int(key)
            ]
            assert [each.id for each in witness.told] == its, f"{witness.topic} missed something"
        code, said, errors = await self.deployment.command("journal", "verify")
        assert (code, errors) == (0, ""), said
        return len(calls)

    async def _journal(self) -> list[Any]:
        entries: list[Any] = []
        async with Client(self.url, self.deployment.windows) as client:
            while True:
                after = entries[-1]["seq"] if entries else 0
                page = await client.get(f"/halls/{CODE}/journal", after=after, limit=500)
                if not page["entries"]:
                    return entries
                entries += page["entries"]


@asynccontextmanager
async def trial(deployment: Deployment, redis: OwnRedis) -> AsyncIterator[Trial]:
    """The hall with two workers, watched until the block is left."""
    made = Trial(deployment, redis)
    async with made.serving:
        await made.start()
        await made.service.says(BUS_UP, times=2)
        async with watching(made.url, CODE, await _token(deployment), TOPICS) as made.witnesses:
            yield made


async def _token(deployment: Deployment) -> str:
    """Of somebody who may see everything in the hall."""
    words = ("token", "create", "--role", "manager", "--hall", CODE)
    code, said, errors = await deployment.command(*words)
    assert code == 0, errors
    return said.split()[-1]
