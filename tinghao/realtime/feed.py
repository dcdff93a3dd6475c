"""A feed: one hall as the sockets of this process see it.

It listens to the live state, keeps the latest calls, and lets the hall's channels share what
they have in common: a topic's view is built once for all its formats and languages.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeGuard

from msgspec import Struct

from tinghao.queue.clock import Clock, hall_time, iso
from tinghao.queue.events import Entry
from tinghao.queue.model import Call, HallState, Micros
from tinghao.realtime.calls import LIMIT, CallLog, made
from tinghao.realtime.channel import NOTHING, Channel
from tinghao.realtime.pump import Pump
from tinghao.realtime.topics import Since, Topic, Wish
from tinghao.realtime.views import Data, Views

BEHIND = 1.5  # seconds to wait for what a client has seen at another process already
NEAR = 2_000  # entries that this process may be behind by; nobody writes more in that time

logger = logging.getLogger(__name__)

Listener = Callable[[HallState, HallState, tuple[Entry, ...]], None]


class Live(Protocol):
    """A hall's state as it is now; `tinghao.queue.live.LiveHall` is one."""

    @property
    def state(self) -> HallState:
        """The present state, replaced by the next one when the hall moves."""

    def listen(self, heard: Listener, /) -> Callable[[], None]:
        """Call `heard(before, after, entries)` on the loop after each advance."""


LoadCalls = Callable[[str, int, int, int], Awaitable[Sequence[Call] | None]]
"""`await load(hall, after, upto, limit)`: the calls in (after, upto] of the journal, ascending,
or None when they cannot be told or are more than `limit`."""


class Counts(Struct):
    """What the hub has done since the start, for the metrics. Each only grows."""

    frames: int = 0  # snapshots and updates written, once per socket
    bytes: int = 0  # of them
    beats: int = 0
    renderings: int = 0
    skipped: int = 0  # updates not written because the socket could not take them
    snapshots: int = 0  # subscriptions answered by a snapshot
    resumes: int = 0  # subscriptions continued from `since`
    unconfirmed: int = 0  # beats withheld because the journal's head was not confirmed
    slow: int = 0  # sockets dropped with 4408
    lost: int = 0  # sockets dropped because they answered no ping
    revoked: int = 0  # sockets closed because their rights had ended
    opened: int = 0
    refused: int = 0  # requests answered without a socket


class Feed:
    """One hall's channels and what they share."""

    __slots__ = (
        "_channels",
        "_clock",
        "_load_calls",
        "_loading",
        "_moved",
        "_screens",
        "_unlisten",
        "_unreachable",
        "_viewed",
        "_views",
        "counts",
        "live",
        "log",
        "pump",
    )

    def __init__(
        self,
        live: Live,
        screens: Views,
        *,
        counts: Counts,
        pump: Pump,
        clock: Clock,
        load_calls: LoadCalls,
    ) -> None:
        self.live = live
        self.log = CallLog(live.state)
        self.counts = counts
        self.pump = pump
        self._screens = screens
        self._channels: dict[Wish, Channel] = {}
        self._clock = clock
        self._load_calls = load_calls
        self._loading = asyncio.Lock()
        self._moved = asyncio.Event()  # set, and replaced, whenever the hall moves
        self._unreachable = NOTHING  # from here on back the journal could not tell the calls
        self._views: dict[Topic, Data] = {}
        self._viewed = live.state  # what the views are of
        self._unlisten = live.listen(self._advanced)

    def close(self) -> None:
        """Stop listening."""
        self._unlisten()

    def _advanced(self, before: HallState, after: HallState, entries: tuple[Entry, ...]) -> None:
        if before.epoch == after.epoch and len(entries) == after.seq - before.seq:
            self.log.add(made(before, after, entries), after.seq)
        else:
            self.log = CallLog(after)
            self._unreachable = NOTHING
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        for channel in self._channels.values():
            channel.mark()

    def look_again(self) -> None:
        """Time has passed, and that alone can change what is shown: a hall opens or closes."""
        self._views.clear()
        for channel in self._channels.values():
            channel.mark()

    # -- following

    def find(self, topic: Topic) -> Topic | None:
        """The topic as this hall has it, or None when it has none such."""
        screen = self._screens.get(topic.kind)
        return None if screen is None else screen.find(self.live.state, topic)

    async def reach(self, since: Since | None) -> int:
        """The seq from which a client that has `since` can be continued, or NOTHING.

        Reads the journal when the calls since then are not in memory: once, however many
        clients come back together. Waits a moment when the client was told more by another
        process than is known here; a snapshot would take it back.
        """
        if since is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._catches_up_with(since), BEHIND)
        if not self._continues(since):
            return NOTHING
        if since.seq < self.log.since and since.seq > self._unreachable:
            async with self._loading:
                await self._load(since.seq)
        return since.seq if self._continues(since) and since.seq >= self.log.since else NOTHING

    async def _catches_up_with(self, since: Since) -> None:
        while since.epoch == self.live.state.epoch and 0 < since.seq - self.live.state.seq <= NEAR:
            await self._moved.wait()

    def _continues(self, since: Since | None) -> TypeGuard[Since]:
        state = self.live.state
        return since is not None and since.epoch == state.epoch and since.seq <= state.seq

    async def _load(self, after: int) -> None:
        log = self.log
        upto = log.since
        if after >= upto or after <= self._unreachable:
            return  # somebody else's load has answered this while we waited
        try:
            calls = await self._load_calls(self.live.state.code, after, upto, LIMIT)
        except Exception:
            logger.exception("the calls of hall %s could not be read", self.live.state.code)
            return
        if log is not self.log or log.since != upto:
            return
        if calls is None or len(calls) > LIMIT:
            self._unreachable = after
        else:
            log.prepend(calls, after)

    def channel(self, wish: Wish) -> Channel:
        """The channel of that wish, new if nobody follows it yet."""
        channel = self._channels.get(wish)
        if channel is None:
            channel = self._channels[wish] = Channel(self, wish)
        return channel

    def drop(self, channel: Channel) -> None:
        """Forget a channel that nobody follows any more."""
        if self._channels.get(channel.wish) is channel:
            del self._channels[channel.wish]
        if not self._channels:
            self._views.clear()

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those that somebody follows."""
        return tuple(self._channels.values())

    # -- what the channels show

    def view(self, topic: Topic) -> Data:
        """The topic's view of the present state, built once."""
        state = self.live.state
        if state is not self._viewed:
            self._viewed = state
            self._views.clear()
        view = self._views.get(topic)
        if view is None:
            view = self._views[topic] = self._screens[topic.kind].build(state, topic)
        return view

    def content(self, wish: Wish, data: Data) -> str:
        """The HTML of a view."""
        return self._screens[wish.topic.kind].content(wish.topic, data, wish.language)

    def shown_calls(self, topic: Topic, calls: Sequence[Call]) -> list[dict[str, Any]]:
        """Those of the calls that belong to the topic, as they stand in a frame."""
        return self._screens[topic.kind].calls(self.live.state, topic, calls) if calls else []

    def now(self) -> Micros:
        """Hall time."""
        state = self.live.state
        return hall_time(state.clock, self._clock(), state.at)

    def shown_time(self) -> str:
        """Hall time as it stands in a frame."""
        return iso(self.now(), self.live.state.setup.timezone)
