"""Whatever comes in whichever order, no follower misses a call, and each ends with the truth."""

import asyncio
import json
import time
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.realtime.hall import PEOPLE, Hall, finder
from tests.realtime.house import until
from tinghao.realtime import channel, pump
from tinghao.realtime.feed import Feed
from tinghao.realtime.hub import Hub
from tinghao.realtime.topics import Since, Topic, Wish
from tinghao.realtime.views import hall_views

TOPICS = [
    Topic("puyang", "lobby"),
    Topic("puyang", "category", "social"),
    Topic("puyang", "category", "estate"),
    Topic("puyang", "window", "2"),
]


class Seat:
    """One connection of a screen, with a transport that keeps what is written."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.ready = self.owed = self.deflate = False
        self.transport = cast(asyncio.Transport, self)
        self.frames: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        start = {126: 4, 127: 10}.get(data[1], 2)
        self.frames.append(json.loads(data[start:]))


class Screen:
    """A follower that can stall and come back; it checks each frame as it reads it."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.have: Since | None = None
        self.first = 0
        self.calls: list[int] = []
        self.data: dict[str, Any] = {}
        self.channel: channel.Channel | None = None
        self.seat: Seat

    async def come(self, hub: Hub, *, drawn: bool = False) -> None:
        """Follow, from what it has; or as a page that the server has just drawn."""
        feed = the_feed(hub)
        if drawn:
            state = feed.live.state
            self.have = Since(state.epoch, state.seq)
            self.first = state.seq
            self.calls.clear()
        self.seat = Seat(await feed.reach(self.have))
        self.channel = hub.attach(feed, Wish(self.topic), self.seat)

    def go(self) -> None:
        if self.channel is not None:
            self.channel.detach(self.seat)
            self.channel = None
            self.read()

    def stall_or_drain(self) -> None:
        if self.channel is not None and not self.seat.ready:
            self.channel.resume(self.seat)
        else:
            self.seat.ready = False

    def read(self) -> None:
        for frame in self.seat.frames:
            calls = [call["id"] for call in frame["data"]["calls"]]
            if frame["type"] == "snapshot":
                assert self.have is None, "nothing was lost, so nothing is begun again"
                self.first = frame["seq"]
            else:
                assert self.have is not None
                assert frame["prev"] == self.have.seq <= frame["seq"]
                assert all(self.have.seq < each <= frame["seq"] for each in calls)
                self.calls += calls
            self.have = Since(frame["epoch"], frame["seq"])
            self.data = frame["data"]
        self.seat.frames.clear()


WHO = st.integers(0, 5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from(["social", "estate", "project"])),
        st.tuples(st.just("call"), st.sampled_from([1, 2])),
        st.tuples(st.sampled_from(["come", "go", "draw", "stall or drain"]), WHO),
        st.tuples(st.just("turns"), st.integers(1, 4)),
        st.tuples(st.sampled_from(["wait", "look"]), st.just(0)),
    ),
    min_size=10,
    max_size=60,
)


@given(steps=STEPS, topics=st.lists(st.sampled_from(TOPICS), min_size=6, max_size=6))
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
def test_no_follower_misses_a_call_and_each_ends_with_the_truth(
    steps: list[tuple[str, Any]], topics: list[Topic]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channel, "INTERVAL", 0.002)
        patch.setattr(channel, "SHARED", 0.001)
        patch.setattr(channel, "STEP", 1)
        patch.setattr(pump, "SLICE", 0.0)
        asyncio.run(play(steps, [Screen(topic) for topic in topics]))


async def play(steps: list[tuple[str, Any]], screens: list[Screen]) -> None:
    hall = Hall()
    views = hall_views(lambda code: PEOPLE, lambda: hall.at)
    hub = Hub(
        finder(hall), views, load_calls=hall.missed, confirmed_at=time.monotonic, beat_seconds=9
    )
    for screen in screens:
        await screen.come(hub)
    for what, which in steps:
        if what in ("come", "go", "draw", "stall or drain"):
            await act(screens[which], what, hub)
        else:
            await happen(what, which, hall, hub)
    for screen in screens:
        if screen.channel is None:
            await screen.come(hub)
        elif not screen.seat.ready:
            screen.stall_or_drain()
    feed = the_feed(hub)
    await until(lambda: not any(each.busy for each in feed.channels))
    for screen in screens:
        screen.read()
        view = views[screen.topic.kind]
        del screen.data["calls"]
        assert screen.data == json.loads(json.dumps(view.build(hall.state, screen.topic)))
        after = [call for call in hall.calls if call.id > screen.first]
        assert screen.calls == [each["id"] for each in view.calls(hall.state, screen.topic, after)]
        screen.go()
    hub.close()


async def act(screen: Screen, what: str, hub: Hub) -> None:
    if what == "stall or drain":
        screen.stall_or_drain()
    elif what == "draw":
        screen.go()
        await screen.come(hub, drawn=True)
    elif what == "go":
        screen.go()
    elif screen.channel is None:
        await screen.come(hub)


async def happen(what: str, which: Any, hall: Hall, hub: Hub) -> None:
    if what == "take":
        hall.take(which)
    elif what == "call":
        hall.call(which)
    elif what == "turns":
        for _ in range(which):
            await asyncio.sleep(0)
    elif what == "wait":
        await asyncio.sleep(0.003)
    else:
        the_feed(hub).look_again()


def the_feed(hub: Hub) -> Feed:
    feed = hub.feed("puyang")
    assert feed is not None
    return feed
