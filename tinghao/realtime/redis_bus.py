"""The bus of many processes: a word through Redis, so that every process looks at once.

Redis may stall, lose what it was told or be gone: the journal is the truth, each process also
looks at it by itself every second, and here nothing waits for Redis. Channels are sharded
pub/sub, one a hall, so that in a cluster the words of different halls go through different nodes.

Whether Redis is heard is not believed but tried: each bus says every second what sockets it has,
and expects to hear itself say it. The same words make presence visible in every process.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct
from redis.exceptions import RedisError

from tinghao.realtime.bus import Heard, MemoryBus, Unsubscribe
from tinghao.realtime.redis_link import check_url, connect, next_message

logger = logging.getLogger(__name__)

BEAT = 1.0  # seconds between two words about itself
SILENCE = 3.0  # seconds without hearing them after which Redis, or another process, is away
PRESENCE = "tinghao:presence"
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 1.0  # seconds between two tries to reach it


Sockets = Mapping[str, int]
"""How many sockets follow each topic, by "hall/topic"."""


class Word(Struct, frozen=True, array_like=True, tag=True):
    """A hall's journal reached a seq."""

    sender: str
    hall: str
    seq: int


class Presence(Struct, frozen=True, array_like=True, tag=True):
    """A process is alive, and these are its sockets."""

    sender: str
    sockets: dict[str, int]


class RedisBus:
    """Tells and hears all processes. `run` moves it; until then words are only remembered."""

    def __init__(
        self,
        url: str,
        name: str,
        sockets: Callable[[], Sockets] = dict,
        reachable_again: Callable[[], None] = lambda: None,
    ) -> None:
        """`name` tells this process from the others, `sockets` says what it has open.

        `reachable_again` is called when words may have been missed, so that somebody looks at
        the journal. Raises ValueError for a URL that names no Redis.
        """
        check_url(url)
        self._url = url
        self._name = name
        self._sockets = sockets
        self._others: dict[str, tuple[float, Sockets]] = {}
        self._reachable_again = reachable_again
        self._near = MemoryBus()
        self._halls: set[str] = set()
        self._untold: dict[str, int] = {}
        self._something = asyncio.Event()
        self.up = False
        self.outages = 0

    def publish(self, hall: str, seq: int) -> None:
        """Tell all processes; only the newest word of a hall waits to be sent."""
        self._untold[hall] = max(seq, self._untold.get(hall, 0))
        self._something.set()

    def subscribe(self, heard: Heard) -> Unsubscribe:
        """Call `heard` for every word of another process from now on."""
        return self._near.subscribe(heard)

    def follow(self, hall: str) -> None:
        """Hear the words about this hall, too."""
        self._halls.add(hall)

    def elsewhere(self) -> dict[str, Sockets]:
        """The sockets of the other processes that have been heard of lately, by their names."""
        now = time.monotonic()
        self._others = {
            name: seen for name, seen in self._others.items() if now - seen[0] <= SILENCE
        }
        return {name: sockets for name, (_, sockets) in self._others.items()}

    async def run(self) -> None:
        """Send and hear until cancelled, through every outage."""
        pause = SHORTEST_PAUSE
        while True:
            try:
                await self._connected()
            except (RedisError, OSError, TimeoutError) as fault:
                pause = SHORTEST_PAUSE if self.up else min(LONGEST_PAUSE, pause * 2)
                self._lost(fault)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - to spread

    async def _connected(self) -> None:
        """Send and hear over one connection each, until one of them fails."""
        client: Any = connect(self._url)
        subscription = client.pubsub()
        tasks = {
            asyncio.create_task(self._send(client)),
            asyncio.create_task(self._hear(subscription)),
        }
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for close in (subscription.aclose, client.aclose):
                with suppress(RedisError, OSError, TimeoutError):
                    await close()

    async def _send(self, client: Any) -> None:
        beat_at = 0.0
        while True:
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + BEAT
                here = Presence(self._name, dict(self._sockets()))
                await client.spublish(PRESENCE, msgspec.json.encode(here))
            for hall, seq in list(self._untold.items()):
                word = Word(self._name, hall, seq)
                await client.spublish(channel(hall), msgspec.json.encode(word))
                if self._untold.get(hall) == seq:
                    del self._untold[hall]
            if not self._untold:
                self._something.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._something.wait(), BEAT / 2)

    async def _hear(self, subscription: Any) -> None:
        await subscription.ssubscribe(PRESENCE)
        hearing: set[str] = set()
        last = time.monotonic()  # when this process last heard itself
        while True:
            for hall in self._halls - hearing:
                await subscription.ssubscribe(channel(hall))
                hearing.add(hall)
            message = await next_message(subscription, BEAT / 4)
            if message is not None and self._heard(message["data"]):
                last = time.monotonic()
            if time.monotonic() - last > SILENCE:
                raise TimeoutError(f"nothing heard for {SILENCE:.0f} s")

    def _heard(self, data: bytes) -> bool:
        """Pass on what was heard; whether it was this process's own sign of life."""
        try:
            heard = msgspec.json.decode(data, type=Word | Presence)
        except msgspec.DecodeError:
            logger.warning("a word on the bus cannot be read")
            return False
        own = heard.sender == self._name
        if isinstance(heard, Presence):
            if own:
                self._found()
            else:
                self._others[heard.sender] = (time.monotonic(), heard.sockets)
            return own
        if not own:
            self._near.publish(heard.hall, heard.seq)
        return False

    def _found(self) -> None:
        if not self.up:
            self.up = True
            logger.info("the bus is up: Redis carries words between processes")
            self._reachable_again()

    def _lost(self, fault: BaseException) -> None:
        if self.up or not self.outages:
            self.outages += 1
            logger.warning(
                "the bus is down: Redis does not answer (%s); screens follow the journal", fault
            )
        self.up = False


def channel(hall: str) -> str:
    """The sharded channel of a hall; the braces keep it on one node."""
    return f"tinghao:hall:{{{hall}}}"
