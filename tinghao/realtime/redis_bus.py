"""The bus of many processes: a word through Redis, so that every process looks at once.

Redis may stall, lose what it was told or be gone: the journal is the truth, each process also
looks at it by itself every second, and here nothing waits for Redis. Channels are sharded
pub/sub, one a hall, so that in a cluster the words of different halls go through different nodes.

Whether Redis is heard is not believed but tried: each bus tells itself something every second
and expects to hear it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct
from redis.exceptions import RedisError

from tinghao.realtime.bus import Heard, MemoryBus, Unsubscribe
from tinghao.realtime.redis_link import connect, next_message

logger = logging.getLogger(__name__)

BEAT = 1.0  # seconds between two words to itself
SILENCE = 3.0  # seconds without hearing them after which Redis counts as away
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 1.0  # seconds between two tries to reach it


class Word(Struct, frozen=True, array_like=True):
    """What goes through Redis: a hall's journal reached a seq. Without a hall it is a beat."""

    sender: str
    hall: str
    seq: int


class RedisBus:
    """Tells and hears all processes. `run` moves it; until then words are only remembered."""

    def __init__(
        self, url: str, name: str, reachable_again: Callable[[], None] = lambda: None
    ) -> None:
        """`name` tells this process from the others; `reachable_again` is called when words may
        have been missed, so that somebody looks at the journal."""
        self._url = url
        self._name = name
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
                await client.spublish(self._own_channel, self._word("", 0))
            for hall, seq in list(self._untold.items()):
                await client.spublish(channel(hall), self._word(hall, seq))
                if self._untold.get(hall) == seq:
                    del self._untold[hall]
            if not self._untold:
                self._something.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._something.wait(), BEAT / 2)

    async def _hear(self, subscription: Any) -> None:
        await subscription.ssubscribe(self._own_channel)
        hearing: set[str] = set()
        last = time.monotonic()
        while True:
            for hall in self._halls - hearing:
                await subscription.ssubscribe(channel(hall))
                hearing.add(hall)
            message = await next_message(subscription, BEAT / 4)
            if message is not None:
                last = time.monotonic()
                self._heard(message["data"])
            elif time.monotonic() - last > SILENCE:
                raise TimeoutError(f"nothing heard for {SILENCE:.0f} s")

    def _heard(self, data: bytes) -> None:
        try:
            word = msgspec.json.decode(data, type=Word)
        except msgspec.DecodeError:
            logger.warning("a word on the bus cannot be read")
            return
        if word.sender == self._name:
            if not word.hall:
                self._found()
        elif word.hall:
            self._near.publish(word.hall, word.seq)

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

    @property
    def _own_channel(self) -> str:
        return f"tinghao:beat:{{{self._name}}}"

    def _word(self, hall: str, seq: int) -> bytes:
        return msgspec.json.encode(Word(self._name, hall, seq))


def channel(hall: str) -> str:
    """The sharded channel of a hall; the braces keep it on one node."""
    return f"tinghao:hall:{{{hall}}}"
