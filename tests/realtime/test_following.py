"""What a screen gets: a snapshot, then updates, and no call ever merged away."""

from tests.realtime.follower import calls_of, following
from tests.realtime.hall import Hall, moment
from tests.realtime.house import open_house
from tinghao.queue.commands import Close


async def test_a_screen_gets_the_hall_as_it_is_when_it_opens() -> None:
    async with open_house() as house:
        call = house.hall.call()
        async with following(house.url()) as screen:
            frame = await screen.next()
            assert frame["type"] == "snapshot"
            assert frame["topic"] == "lobby"
            assert frame["seq"] == house.hall.state.seq
            assert frame["data"]["hall"]["name"] == "濮阳市行政服务中心"
            assert [each["id"] for each in calls_of(frame)] == [call.id]


async def test_a_call_is_on_the_screen_at_once() -> None:
    async with open_house() as house, following(house.url()) as screen:
        await screen.next()
        call = house.hall.call()
        frame = await screen.reach(call.id)
        assert calls_of(frame)[-1]["number"] == call.number
        assert frame["data"]["recent"][0]["number"] == call.number


async def test_changes_within_a_tenth_of_a_second_are_merged_but_every_call_arrives() -> None:
    async with open_house() as house, following(house.url()) as screen:
        await screen.next()
        for _ in range(30):
            house.hall.call()
        await screen.reach(house.hall.state.seq)
        assert screen.calls == [call.id for call in house.hall.calls]
        assert len(screen.frames) <= 4


async def test_calls_of_one_long_step_all_arrive_even_when_hall_time_flies() -> None:
    async with open_house() as house, following(house.url()) as screen:
        await screen.next()
        house.hall.take(times=40)
        # Far apart in hall time: the state itself keeps only the latest of them.
        for _ in range(40):
            house.hall.let_pass(60)
            house.hall.call()
        await screen.reach(house.hall.state.seq)
        assert screen.calls == [call.id for call in house.hall.calls]


async def test_a_snapshot_carries_the_calls_of_the_last_two_minutes_of_hall_time() -> None:
    async with open_house() as house:
        house.hall.call(window=1)
        house.hall.let_pass(119)
        late = house.hall.call(window=2)
        async with following(house.url()) as screen:
            assert [each["id"] for each in calls_of(await screen.next())] == [late.id]


async def test_frames_tell_hall_time_and_how_fast_it_goes() -> None:
    async with open_house() as house, following(house.url()) as screen:
        await screen.next()
        house.hall.run_fast(30)
        frame = await screen.next()
        assert frame["speed"] == 30
        assert frame["at"].endswith("+08:00")
        assert moment(frame["at"]).total_seconds() >= 0


async def test_a_topic_in_which_nothing_changed_sends_nothing() -> None:
    async with open_house() as house, following(house.url("category-project")) as quiet:
        start = await quiet.next()
        async with following(house.url("category-social")) as busy:
            await busy.next()
            house.hall.take("social")
            await busy.next()
            house.hall.take("project")
            frame = await quiet.next()
        assert frame["prev"] == start["seq"]
        assert frame["seq"] == house.hall.state.seq
        assert frame["data"]["category"]["waiting"] == 1


async def test_each_topic_has_its_own_calls() -> None:
    async with open_house() as house:
        call = house.hall.call(window=1)
        rights = {"additional_headers": {"Authorization": "Bearer manager"}}
        seen = {}
        for topic in ("category-social", "category-estate", "window-1", "window-2", "manager"):
            async with following(house.url(topic), **rights) as screen:
                seen[topic] = [each["id"] for each in calls_of(await screen.next())]
        assert seen == {
            "category-social": [call.id],
            "category-estate": [],
            "window-1": [call.id],
            "window-2": [],
            "manager": [call.id],
        }


async def test_one_rendering_serves_all_who_follow_a_topic() -> None:
    async with (
        open_house() as house,
        following(house.url()) as one,
        following(house.url()) as two,
    ):
        await one.next()
        await two.next()
        before = house.hub.counts.renderings
        house.hall.take()
        assert await one.next() == await two.next()
        assert house.hub.counts.renderings == before + 1


async def test_html_brings_the_fragments_beside_the_data() -> None:
    async with open_house() as house:
        call = house.hall.call()
        async with (
            following(house.url(format="html", lang="zh")) as chinese,
            following(house.url(format="html", lang="en")) as english,
        ):
            frames = [await chinese.next(), await english.next()]
        assert frames[0]["data"] == frames[1]["data"]
        assert all(call.number in frame["content"] for frame in frames)
        assert "社保民生" in frames[0]["content"]
        assert "Social security" in frames[1]["content"]


async def test_a_topic_that_nobody_follows_costs_nothing() -> None:
    hall = Hall()
    async with open_house(hall) as house:
        async with following(house.url()) as screen:
            await screen.next()
        before = house.hub.counts.renderings
        hall.call()
        async with following(house.url("category-estate")) as other:
            await other.next()
        assert house.hub.counts.renderings == before + 1


async def test_a_beat_says_that_what_the_screen_has_is_the_present() -> None:
    async with open_house(beat_seconds=0.05) as house, following(house.url()) as screen:
        start = await screen.next()
        beat = await screen.socket.recv()
        assert f'"seq":{start["seq"]},"type":"beat"' in str(beat)
        house.hall.take()
        await screen.next()


async def test_there_is_no_beat_while_the_journals_head_is_not_confirmed() -> None:
    async with open_house(beat_seconds=0.02, confirmed_at=lambda: -100.0) as house:
        async with following(house.url()) as screen:
            await screen.next()
            while house.hub.counts.unconfirmed < 3:
                house.hall.take()
                assert (await screen.next())["type"] == "update"
        assert house.hub.counts.beats == 0


async def test_a_hall_that_closes_by_the_clock_alone_is_shown_as_closed() -> None:
    hall = Hall()
    hall.run(Close(window=1), Close(window=2))
    async with open_house(hall, beat_seconds=0.02) as house, following(house.url()) as screen:
        start = await screen.next()
        assert start["data"]["open"]
        hall.let_pass(8 * 3600)
        frame = await screen.next()
        assert not frame["data"]["open"]
        assert (frame["prev"], frame["seq"]) == (start["seq"], start["seq"])
