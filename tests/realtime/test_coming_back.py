"""A screen that comes back says what it has, and can tell whether it missed anything."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.realtime.follower import Follower, calls_of, following
from tests.realtime.hall import PEOPLE, Hall
from tests.realtime.house import open_house, until
from tinghao.queue.model import Call, HallState
from tinghao.realtime.topics import Topic
from tinghao.realtime.views import Data, Views, hall_views


async def test_a_screen_cut_ten_times_sees_every_call_exactly_once() -> None:
    hall = Hall()
    hall.take(times=60)
    async with open_house(hall) as house:
        screen = Follower()
        async with following(house.url(), screen):
            await screen.next()
        for cut in range(10):
            hall.call()
            async with following(house.url(since=screen.since), screen):
                if cut % 2:
                    hall.call()
                await screen.reach(hall.state.seq)
                hall.call()
                if cut % 3:
                    await screen.next()
        async with following(house.url(since=screen.since), screen):
            await screen.reach(hall.state.seq)
        assert screen.calls == [call.id for call in hall.calls]
        assert [frame["type"] for frame in screen.frames].count("snapshot") == 1


async def test_who_missed_nothing_gets_the_present_state_and_no_call_again() -> None:
    async with open_house() as house:
        house.hall.call()
        screen = Follower()
        async with following(house.url(), screen):
            await screen.next()
        async with following(house.url(since=screen.since), screen):
            frame = await screen.next()
        assert (frame["type"], frame["prev"], frame["seq"]) == ("update", screen.seq, screen.seq)
        assert calls_of(frame) == []
        assert frame["data"]["hall"]["code"] == "puyang"


async def test_a_page_that_was_drawn_after_the_last_frame_goes_on_from_where_it_is() -> None:
    """Its topic did not change meanwhile, so the channel's last frame is older than the page."""
    async with open_house() as house, following(house.url("category-project")) as early:
        await early.next()
        house.hall.take("social")
        page = Follower()
        page.epoch, page.seq = "e1", house.hall.state.seq
        async with following(house.url("category-project", since=page.since), page):
            assert (await page.next())["type"] == "update"
            house.hall.take("project")
            assert (await page.next())["data"] == (await early.next())["data"]


async def test_newcomers_between_two_updates_get_what_comes_with_the_next_one() -> None:
    async with open_house() as house, following(house.url()) as old:
        await old.next()
        house.hall.take()
        await old.next()
        house.hall.call()  # within the tenth of a second: it waits
        async with following(house.url()) as newcomer, following(house.url()) as other:
            for screen in (newcomer, other, old):
                await screen.reach(house.hall.state.seq)
            assert newcomer.frames[0]["type"] == "snapshot"
            house.hall.take()
            frames = [await screen.next() for screen in (newcomer, other, old)]
            assert frames[0]["seq"] == frames[1]["seq"] == frames[2]["seq"]


async def test_who_was_told_more_by_another_process_waits_until_this_one_knows_it() -> None:
    """A snapshot of what is known here would take the screen back."""
    async with open_house() as house:
        feed = house.hub.feed("puyang")
        assert feed is not None
        screen = Follower()
        screen.epoch, screen.seq = "e1", house.hall.state.seq + 1

        async def coming_back() -> str:
            async with following(house.url(since=screen.since), screen):
                return str((await screen.next())["type"])

        first = asyncio.create_task(coming_back())
        await until(lambda: bool(feed._moved._waiters))
        house.hall.take()
        assert await first == "update"


async def test_who_says_to_be_ahead_of_a_hall_that_stands_still_gets_a_snapshot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tinghao.realtime.feed.BEHIND", 0.05)
    async with open_house() as house:
        ahead = f"e1:{house.hall.state.seq + 1}"
        async with following(house.url(since=ahead)) as screen:
            assert (await screen.next())["type"] == "snapshot"


@pytest.mark.parametrize("since", ["e0:3", "e1:999999", "nonsense", "e1:-4", ":", "e1:x"])
async def test_who_comes_from_elsewhere_gets_a_snapshot_and_can_tell(since: str) -> None:
    async with open_house() as house, following(house.url(since=since)) as screen:
        assert (await screen.next())["type"] == "snapshot"
        assert house.hub.counts.snapshots == 1


async def test_a_restored_journal_starts_every_screen_again() -> None:
    async with open_house() as house, following(house.url()) as screen:
        await screen.next()
        house.hall.restore("e2")
        frame = await screen.next()
        assert (frame["type"], frame["epoch"]) == ("snapshot", "e2")
        house.hall.take()
        assert (await screen.next())["type"] == "update"


async def test_calls_from_before_the_server_started_are_read_from_the_journal_once() -> None:
    hall = Hall()
    hall.take(times=80)
    start = hall.state.seq
    for _ in range(60):
        hall.let_pass(60)
        hall.call()
    asked: list[int] = []

    async def load(code: str, after: int, upto: int, limit: int) -> list[Call] | None:
        asked.append(after)
        return await hall.missed(code, after, upto, limit)

    async with open_house(hall, load_calls=load) as house:

        async def come_back() -> Follower:
            screen = Follower()
            screen.epoch, screen.seq = "e1", start
            async with following(house.url(since=screen.since), screen):
                await screen.next()
            return screen

        screens = await asyncio.gather(*(come_back() for _ in range(20)))
        assert all(s.calls == [call.id for call in hall.calls] for s in screens)
        assert asked == [start]
        assert house.hub.counts.resumes == 20


async def test_calls_that_nobody_can_tell_any_more_mean_a_snapshot() -> None:
    hall = Hall()
    hall.take(times=40)
    for _ in range(30):
        hall.let_pass(60)
        hall.call()
    asked: list[int] = []

    async def load(code: str, after: int, upto: int, limit: int) -> list[Call] | None:
        asked.append(after)
        return None

    async with open_house(hall, load_calls=load) as house:
        for _ in range(3):
            async with following(house.url(since="e1:3")) as screen:
                assert (await screen.next())["type"] == "snapshot"
        assert asked == [3]


async def test_a_journal_that_cannot_be_read_means_a_snapshot() -> None:
    hall = Hall()
    hall.take(times=40)
    for _ in range(30):
        hall.let_pass(60)
        hall.call()

    async def load(code: str, after: int, upto: int, limit: int) -> list[Call] | None:
        raise OSError("the database is away")

    async with (
        open_house(hall, load_calls=load) as house,
        following(house.url(since="e1:3")) as screen,
    ):
        assert (await screen.next())["type"] == "snapshot"


async def test_a_screen_that_fails_falls_silent_and_then_shows_the_truth_again() -> None:
    broken = False
    views = hall_views(lambda code: PEOPLE)

    def build(state: HallState, topic: Topic) -> Data:
        if broken:
            raise ZeroDivisionError
        return views["lobby"].build(state, topic)

    faulty: Views = {**views, "lobby": replace(views["lobby"], build=build)}
    hall = Hall()
    async with (
        open_house(hall, views=faulty, beat_seconds=0.02) as house,
        following(house.url()) as screen,
    ):
        await screen.next()
        await until(lambda: house.hub.counts.beats > 0)
        broken = True
        call = hall.call()
        await until(lambda: house.hub.counts.unconfirmed > 0)
        beats = house.hub.counts.beats
        broken = False
        await screen.reach(call.id)
        assert screen.calls == [call.id]
        await until(lambda: house.hub.counts.beats > beats)
