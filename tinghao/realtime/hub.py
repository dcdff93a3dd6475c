"""The hub: everything between a hall's state and the sockets that follow it.

It runs as long as somebody follows: no task, timer or queue of its own otherwise, so there is
nothing to start and nothing to stop but `close`.
"""

import asyncio
import time
from collections.abc import Callable

from tinghao.queue.clock import Clock, machine_clock
from tinghao.realtime.channel import NOTHING, Channel, Subscriber
from tinghao.realtime.feed import Counts, Feed, Live, LoadCalls
from tinghao.realtime.pump import Pump
from tinghao.realtime.topics import Kind, Wish
from tinghao.realtime.views import Views

BEAT = 2.0  # seconds between two beats
LOOK_AGAIN = 10  # beats until the screens are looked at though nothing has happened
CONFIRMED = 2.0  # seconds for which a confirmed head counts as the present

FindHall = Callable[[str], Live | None]
"""The live hall of that code, or None when there is no such hall."""

ConfirmedAt = Callable[[], float]
"""When (time.monotonic) this process last knew that its live halls were at the heads of their
journals in the database."""


class Hub:
    """The halls that are followed from this process."""

    __slots__ = (
        "_beat_timer",
        "_beats",
        "_clock",
        "_confirmed_at",
        "_feeds",
        "_find_hall",
        "_load_calls",
        "_pump",
        "_screens",
        "beat_seconds",
        "counts",
    )

    def __init__(
        self,
        find_hall: FindHall,
        screens: Views,
        *,
        load_calls: LoadCalls,
        confirmed_at: ConfirmedAt,
        clock: Clock = machine_clock,
        beat_seconds: float = BEAT,
    ) -> None:
        self.counts = Counts()
        self.beat_seconds = beat_seconds
        self._find_hall = find_hall
        self._screens = screens
        self._load_calls = load_calls
        self._confirmed_at = confirmed_at
        self._clock = clock
        self._pump = Pump()
        self._feeds: dict[str, Feed] = {}
        self._beats = 0
        self._beat_timer: asyncio.TimerHandle | None = None

    def feed(self, code: str) -> Feed | None:
        """The feed of a hall, or None when there is no such hall."""
        feed = self._feeds.get(code)
        if feed is None and (live := self._find_hall(code)) is not None:
            feed = self._feeds[code] = Feed(
                live,
                self._screens,
                counts=self.counts,
                pump=self._pump,
                clock=self._clock,
                load_calls=self._load_calls,
            )
        return feed

    def attach(self, feed: Feed, wish: Wish, subscriber: Subscriber) -> Channel:
        """Let a subscriber follow. Its `seq` comes from `Feed.reach`. Leave by `detach`."""
        channel = feed.channel(wish)
        channel.attach(subscriber)
        if subscriber.seq == NOTHING:
            self.counts.snapshots += 1
        else:
            self.counts.resumes += 1
        if self._beat_timer is None:
            self._next_beat()
        return channel

    def sockets(self) -> dict[tuple[str, Kind], int]:
        """How many follow each hall and kind of topic now."""
        numbers: dict[tuple[str, Kind], int] = {}
        for code, feed in self._feeds.items():
            for channel in feed.channels:
                key = code, channel.wish.topic.kind
                numbers[key] = numbers.get(key, 0) + len(channel.subscribers)
        return numbers

    def topics(self) -> dict[str, int]:
        """How many follow each topic now, by "hall/topic"; window-3 is the console of window 3."""
        numbers: dict[str, int] = {}
        for code, feed in self._feeds.items():
            for channel in feed.channels:
                name = f"{code}/{channel.wish.topic.name}"
                numbers[name] = numbers.get(name, 0) + len(channel.subscribers)
        return numbers

    def close(self) -> None:
        """Let go of the halls. The sockets have been closed by then."""
        if self._beat_timer is not None:
            self._beat_timer.cancel()
            self._beat_timer = None
        for feed in self._feeds.values():
            feed.close()
        self._feeds.clear()

    # -- beats: one timer for all

    def _next_beat(self) -> None:
        loop = asyncio.get_running_loop()
        self._beat_timer = loop.call_later(self.beat_seconds, self._beat)

    def _beat(self) -> None:
        self._beat_timer = None
        self._beats += 1
        if self._beats % LOOK_AGAIN == 0:
            for feed in self._feeds.values():
                feed.look_again()
        channels = [each for feed in self._feeds.values() for each in feed.channels]
        if not channels:
            return
        self._next_beat()
        confirmed = time.monotonic() - self._confirmed_at() <= CONFIRMED
        for channel in channels:
            if confirmed and not channel.failed:
                self._pump.submit(channel.beat())
            else:
                self.counts.unconfirmed += len(channel.subscribers)
