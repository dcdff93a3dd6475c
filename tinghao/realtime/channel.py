"""A channel: one topic in one format and language, and everybody who follows it.

Each change is rendered once and framed once, and the same bytes are written to all. What a
subscriber gets depends on nothing but the `seq` it has: the update from there to here with all
calls in between, or a snapshot. Those who have the same share the same frame, so that a return
of thousands, or a subscriber who skipped what it could not take in, costs one more rendering.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import replace

from tinghao.queue.model import SECOND, Call, Micros
from tinghao.realtime.frames import Envelope, Frame, FrameType, encoded
from tinghao.realtime.topics import Wish

if TYPE_CHECKING:
    from tinghao.realtime.feed import Feed

INTERVAL = 0.1  # seconds between two updates of a channel, at least
RETRY = 1.0  # seconds until a rendering that failed is tried again
SHARED = 0.05  # seconds for which a frame made for one newcomer serves the next
CALLS_SHOWN: Micros = 120 * SECOND  # of hall time, in a snapshot
STEP = 64  # writes between two looks at the clock
KEPT = 32  # frames for those who are behind, at most

NOTHING = -1  # the seq of a subscriber that has nothing yet: it needs a snapshot

logger = logging.getLogger(__name__)


class Subscriber(Protocol):
    """A socket as its channel sees it; only the channel sets `seq` and `owed` once attached."""

    transport: asyncio.Transport
    seq: int  # of the last frame written to it, or NOTHING
    ready: bool  # may be written to: open, and what was written before has left
    owed: bool  # the channel shows something that has not been written to it
    deflate: bool


class Channel:
    """Everybody who gets the same frames."""

    __slots__ = (
        "_bodies",
        "_busy",
        "_checked",
        "_clock",
        "_dirty",
        "_epoch",
        "_feed",
        "_frames",
        "_next",
        "_timer",
        "_view",
        "_waiting",
        "failed",
        "seq",
        "subscribers",
        "wish",
    )

    def __init__(self, feed: "Feed", wish: Wish) -> None:
        state = feed.live.state
        self.wish = wish
        self.subscribers: dict[Subscriber, None] = {}
        self.seq = state.seq
        self.failed = False
        self._feed = feed
        self._epoch = state.epoch
        self._view = feed.view(wish.topic)
        self._clock = state.clock
        self._checked = state.seq  # up to here the view is known to be the same as at `seq`
        self._dirty = False
        self._busy = False
        self._next = 0.0  # monotonic: when the next update may go
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: dict[Subscriber, None] = {}
        self._frames: dict[int, tuple[Frame, float]] = {}
        self._bodies: dict[tuple[int, ...], tuple[Raw, str | UnsetType]] = {}

    # -- who follows

    def attach(self, subscriber: Subscriber) -> None:
        """Let it follow: its first frame goes out soon, the next ones as the hall moves.

        Its `seq` is what it has already and can go on from (see `Feed.reach`), or NOTHING.
        """
        self.subscribers[subscriber] = None
        subscriber.owed = True
        self.resume(subscriber)

    def detach(self, subscriber: Subscriber) -> None:
        """Forget it at once."""
        subscriber.ready = False
        self.subscribers.pop(subscriber, None)
        self._waiting.pop(subscriber, None)
        if not self.subscribers:
            if self._timer is not None:
                self._timer.cancel()
            self._feed.drop(self)

    def resume(self, subscriber: Subscriber) -> None:
        """It can be written to, perhaps again: bring it up to date if it skipped anything."""
        subscriber.ready = True
        if subscriber.owed:
            self._waiting[subscriber] = None
            self._wake()

    # -- when something is to be done

    @property
    def busy(self) -> bool:
        """Whether frames are on their way, or soon will be."""
        return self._busy or self._dirty or bool(self._waiting)

    def mark(self) -> None:
        """The hall has moved. The first change goes at once, later ones are merged."""
        self._dirty = True
        self._wake()

    def _wake(self) -> None:
        if not self._busy:
            self._busy = True
            self._feed.pump.submit(self._work())

    def _work(self) -> Iterator[None]:
        """One of these runs at a time, so `seq` stands still while frames go out."""
        try:
            while self.subscribers:
                if self._dirty:
                    # Who waits for a frame gets the one that is about to be made.
                    if self._too_early():
                        return
                    if self._update():
                        self._waiting = {}
                        yield from self._send(list(self.subscribers))
                elif self._waiting:
                    waiting, self._waiting = self._waiting, {}
                    yield from self._send([each for each in waiting if each.owed])
                else:
                    return
        except Exception:
            # No beat until it works again: the pages then say that they are not live.
            logger.exception("topic %s cannot be shown", self.wish.topic.name)
            self.failed = self._dirty = True
            self._next = time.monotonic() + RETRY
            self._too_early()
        finally:
            self._busy = False

    def _too_early(self) -> bool:
        wait = self._next - time.monotonic()
        if wait > 0 and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait, self._due)
        return wait > 0

    def _due(self) -> None:
        self._timer = None
        self._wake()

    # -- what is sent to whom

    def _update(self) -> bool:
        """Look at the hall. False when what is shown is still the same."""
        self._next = time.monotonic() + INTERVAL
        state = self._feed.live.state
        view = self._feed.view(self.wish.topic)
        if state.epoch != self._epoch:
            self._epoch = state.epoch
            self.seq = NOTHING
            for each in self.subscribers:
                each.seq = NOTHING
        changed = (
            view != self._view
            or state.clock != self._clock
            or self._calls(self.seq, state.seq) != []
        )
        self._checked = state.seq
        self._dirty = False
        if changed:
            self._view = view
            self._clock = state.clock
            self.seq = state.seq
            self._frames.clear()
            self._bodies.clear()
        again, self.failed = self.failed, False
        return changed or again

    def _send(self, subscribers: list[Subscriber]) -> Iterator[None]:
        """Bring each from the seq it has to ours. The hot loop of the house.

        Whoever cannot be written to is skipped: when its buffer has drained it gets one frame
        for all that it missed.
        """
        counts = self._feed.counts
        for start in range(0, len(subscribers), STEP):
            if start:
                yield
            frame: Frame | None = None
            key = NOTHING
            written = size = 0
            for each in subscribers[start : start + STEP]:
                if not each.ready:
                    each.owed = True
                    counts.skipped += 1
                    continue
                if frame is None or each.seq != key:
                    key = each.seq
                    frame = self.frame(key)
                each.seq = frame.seq
                each.owed = False
                data = frame.deflated if each.deflate else frame.plain
                each.transport.write(data)
                written += 1
                size += len(data)
            counts.frames += written
            counts.bytes += size

    def beat(self) -> Iterator[None]:
        """Tell everybody that what they have is the present."""
        counts = self._feed.counts
        subscribers = tuple(self.subscribers)
        for start in range(0, len(subscribers), STEP):
            if start:
                yield
            key = NOTHING
            data = b""
            for each in subscribers[start : start + STEP]:
                if each.ready and not each.owed:
                    if each.seq != key:
                        key = each.seq
                        data = Frame(self._envelope("beat", key, key)).plain
                    each.transport.write(data)
                    counts.beats += 1

    # -- frames

    def frame(self, prev: int) -> Frame:
        """From what a subscriber has (or NOTHING) to what this channel shows now."""
        known = self._frames.get(prev)
        now = time.monotonic()
        if known is not None and now - known[1] < SHARED:
            return known[0]
        frame = self._snapshot() if prev == NOTHING else self._continuation(prev)
        if len(self._frames) >= KEPT:
            self._frames.clear()
        self._frames[prev] = frame, now
        return frame

    def _continuation(self, prev: int) -> Frame:
        calls = self._calls(prev, self.seq) if prev < self.seq else []
        if calls is None:
            return self._snapshot()
        # Somebody may come from a seq after ours at which nothing of this topic had changed.
        seq = self.seq if prev <= self.seq else self._checked
        return self._made(self._envelope("update", prev, seq), calls)

    def _snapshot(self) -> Frame:
        recent = self._feed.log.recent(self.seq, self._feed.now() - CALLS_SHOWN)
        return self._made(self._envelope("snapshot", None, self.seq), self._shown(recent))

    def _envelope(self, type_: FrameType, prev: int | None, seq: int) -> Envelope:
        feed = self._feed
        return Envelope(
            topic=self.wish.topic.name,
            epoch=self._epoch,
            prev=prev,
            seq=seq,
            type=type_,
            at=feed.shown_time(),
            speed=feed.live.state.clock.speed,
        )

    def _made(self, envelope: Envelope, calls: list[dict[str, Any]]) -> Frame:
        key = tuple(call["id"] for call in calls)
        body = self._bodies.get(key)
        if body is None:
            data = {**self._view, "calls": calls}
            content = self._feed.content(self.wish, data) if self.wish.format == "html" else UNSET
            if len(self._bodies) >= KEPT:
                self._bodies.clear()
            body = self._bodies[key] = encoded(data), content
            self._feed.counts.renderings += 1
        return Frame(replace(envelope, data=body[0], content=body[1]))

    def _calls(self, after: int, upto: int) -> list[dict[str, Any]] | None:
        calls = self._feed.log.between(after, upto)
        return None if calls is None else self._shown(calls)

    def _shown(self, calls: list[Call]) -> list[dict[str, Any]]:
        return self._feed.shown_calls(self.wish.topic, calls)
