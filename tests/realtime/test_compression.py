"""Compressed frames: agreed on as browsers do, made once, read as they are."""

import json

import pytest
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.realtime.follower import following
from tests.realtime.house import open_house

BROWSER = [ClientPerMessageDeflateFactory(client_max_window_bits=True)]
SMALL_WINDOW = [ClientPerMessageDeflateFactory(server_max_window_bits=10)]


async def test_who_asks_for_compression_reads_the_same_as_who_does_not() -> None:
    async with (
        open_house() as house,
        connect(house.url(), compression=None, extensions=BROWSER) as one,
        connect(house.url(), compression=None, extensions=BROWSER) as two,
        following(house.url()) as plain,
    ):
        assert one.response is not None
        agreed = one.response.headers["Sec-WebSocket-Extensions"]
        assert "server_no_context_takeover" in agreed
        assert "client_no_context_takeover" in agreed
        for _ in range(3):
            house.hall.call()
            frame = await plain.reach(house.hall.state.seq)
            for socket in (one, two):
                while (read := json.loads(await socket.recv()))["seq"] < frame["seq"]:
                    pass
                assert read["data"]["recent"] == frame["data"]["recent"]


async def test_compressed_messages_of_a_client_are_read_and_their_size_is_bounded() -> None:
    async with (
        open_house() as house,
        connect(house.url(), compression=None, extensions=BROWSER) as socket,
    ):
        await socket.send("small " * 100)
        await (await socket.ping())
        await socket.send("large " * 100_000)
        await socket.wait_closed()
        assert socket.close_code == 1009


@pytest.mark.parametrize("compress", [True, False])
async def test_a_window_that_cannot_be_shared_is_declined(compress: bool) -> None:
    extensions = SMALL_WINDOW if compress else BROWSER
    async with (
        open_house(compress=compress) as house,
        connect(house.url(), compression=None, extensions=extensions) as socket,
    ):
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers
        assert json.loads(await socket.recv())["type"] == "snapshot"
