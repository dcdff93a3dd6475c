"""Who may follow what, from the request to the moment when the right ends."""

from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.realtime.follower import Follower, following
from tests.realtime.house import QUICK, House, open_house, until
from tinghao.realtime.gate import Limits

MANAGER = {"additional_headers": {"Authorization": "Bearer manager"}}


async def closed_with(screen: Follower) -> int:
    """The code with which the server closes it, whatever it sends before."""
    with suppress(ConnectionClosed):
        async for _ in screen.socket:
            pass
    assert screen.socket.close_code is not None
    return screen.socket.close_code


async def status(house: House, topic: str = "lobby", **options: object) -> int:
    """The HTTP status with which a request is refused."""
    with pytest.raises(InvalidStatus) as refused:
        async with following(house.url(topic), **options):
            pass
    return refused.value.response.status_code


@pytest.mark.parametrize(
    ("headers", "code"), [({}, 4401), ({"Authorization": "Bearer clerk"}, 4403)]
)
async def test_without_the_right_the_page_learns_why_from_the_close(
    headers: dict[str, str], code: int
) -> None:
    async with (
        open_house() as house,
        following(house.url("manager"), additional_headers=headers) as screen,
    ):
        assert await closed_with(screen) == code
        assert house.sockets == 0


async def test_with_the_right_the_topic_is_open() -> None:
    async with open_house() as house, following(house.url("manager"), **MANAGER) as screen:
        assert (await screen.next())["data"]["windows"][0]["staff"]["name"] == "王建国"


async def test_a_right_that_ends_closes_its_sockets_and_no_others() -> None:
    async with open_house(limits=QUICK) as house:
        inspector = {"additional_headers": {"Authorization": "Bearer manager-2"}}
        async with (
            following(house.url("manager"), **MANAGER) as screen,
            following(house.url("manager"), **inspector) as other,
            following(house.url()) as wall,
        ):
            for each in (screen, other, wall):
                await each.next()
            house.revoked["Bearer manager"] = 4401
            assert await closed_with(screen) == 4401
            house.hall.take()
            await other.next()
            await wall.next()
            assert house.hub.counts.revoked == 1


async def test_a_page_of_this_server_is_let_in_and_its_cookie_counts() -> None:
    async with open_house() as house:
        ours = f"http://127.0.0.1:{house.port}"
        cookie = {"Cookie": "session=manager"}
        async with following(
            house.url("manager"), origin=ours, additional_headers=cookie
        ) as screen:
            assert (await screen.next())["topic"] == "manager"


async def test_a_page_of_another_origin_is_refused() -> None:
    async with open_house() as house:
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{house.port + 1}"):
            assert await status(house, origin=origin) == 403
        await until(lambda: house.connections == 0)


async def test_a_page_of_an_allowed_origin_is_let_in() -> None:
    origin = "https://hall.example"
    async with (
        open_house(origins=frozenset({origin})) as house,
        following(house.url(), origin=origin) as screen,
    ):
        await screen.next()


async def test_a_cookie_without_an_origin_is_nobodys() -> None:
    cookie = {"Cookie": "session=manager"}
    async with (
        open_house() as house,
        following(house.url("manager"), additional_headers=cookie) as screen,
    ):
        assert await closed_with(screen) == 4401


@pytest.mark.parametrize(
    "topic", ["nothing", "category-none", "window-99", "window-0", "supervision", "lobby/more"]
)
async def test_what_the_hall_does_not_have_is_not_found(topic: str) -> None:
    async with open_house() as house:
        assert await status(house, topic) == 404


async def test_a_hall_that_does_not_exist_is_not_found() -> None:
    async with open_house() as house:
        with pytest.raises(InvalidStatus) as refused:
            async with following(house.url().replace("puyang", "nowhere")):
                pass
        assert refused.value.response.status_code == 404


async def test_no_more_sockets_than_allowed_and_a_place_that_is_left_is_free() -> None:
    async with open_house(limits=Limits(sockets=2)) as house:
        async with following(house.url()) as one, following(house.url()) as two:
            await one.next()
            await two.next()
            assert await status(house) == 503
        await until(lambda: house.connections == 0)
        async with following(house.url()) as three:
            await three.next()


async def test_one_address_cannot_take_all_places_and_a_proxy_is_looked_through() -> None:
    limits, proxies = Limits(per_address=1), frozenset({"127.0.0.1"})
    async with open_house(limits=limits, trusted_proxies=proxies) as house:

        def from_(address: str) -> dict[str, dict[str, str]]:
            return {"additional_headers": {"X-Forwarded-For": f"9.9.9.9, {address}"}}

        async with (
            following(house.url(), **from_("10.0.0.1")) as one,
            following(house.url(), **from_("10.0.0.2")) as two,
            following(house.url()) as local,
        ):
            for each in (one, two, local):
                await each.next()
            assert await status(house, **from_("10.0.0.1")) == 503
