"""The AsyncAPI description names all that the sockets have, and real frames fit it."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from typing import Any, get_args

import msgspec
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from tests.app.api.scenes import Scene
from tests.app.house import House
from tests.realtime.test_manual import MANUAL
from tinghao.app.asyncapi.document import CLOSES, REFUSALS, TOPICS, frame_of
from tinghao.app.asyncapi.shapes import Beat, Snapshot, Update
from tinghao.realtime import topics
from tinghao.realtime.frames import Envelope, FrameType
from tinghao.realtime.topics import Kind

SHOWN = [kind for kind in TOPICS if kind != "supervision"]
"""Kinds of topics that have a screen."""


@pytest_asyncio.fixture
async def described(house: House) -> Any:
    """The description, as a program gets it."""
    return (await house.bearer(None).get("/schema/asyncapi.json")).json()


def query_of(channel: Any) -> Any:
    """The parameters that stand in the query of a topic's address."""
    return channel["bindings"]["ws"]["query"]["properties"]


async def test_it_names_every_kind_of_topic_with_its_address(described: Any) -> None:
    """And nothing else."""
    assert described["asyncapi"] == "3.0.0"
    assert set(described["channels"]) == set(get_args(Kind))
    for channel in described["channels"].values():
        example = channel["address"].format(hall="puyang", code="social", number=3)
        wish, _ = topics.parse(example)
        assert wish.topic.kind == channel["title"]
        assert set(channel["parameters"]) == set(re.findall(r"{(\w+)}", channel["address"]))


async def test_it_names_every_parameter_with_what_it_may_be(described: Any) -> None:
    """Those that the code reads."""
    read = set(re.findall(r'asked\.get\("(\w+)"', inspect.getsource(topics.parse)))
    for channel in described["channels"].values():
        parameters = query_of(channel)
        assert set(parameters) == read
        assert re.fullmatch(parameters["since"]["pattern"], "5f0c9a1e:812")
        for name in ("format", "lang"):
            for value in parameters[name]["enum"]:
                topics.parse(f"/ws/halls/puyang/lobby?{name}={value}")
            with pytest.raises(topics.TopicError):
                topics.parse(f"/ws/halls/puyang/lobby?{name}=other")


async def test_it_names_every_type_of_frame_with_all_fields(described: Any) -> None:
    """As the envelope in the code has them."""
    fields = {each.name for each in msgspec.structs.fields(Envelope)}
    for kind in SHOWN:
        assert set(described["channels"][kind]["messages"]) == set(get_args(FrameType))
    for shape in (Snapshot, Update):
        assert {each.name for each in msgspec.structs.fields(shape)} == fields
    told = {each.name for each in msgspec.structs.fields(Beat)}
    assert told == fields - {"data", "content"}


async def test_every_reference_leads_somewhere(described: Any) -> None:
    """A program can follow all of them."""
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(described)):
        place = described
        for part in reference.split("/"):
            place = place[part]


async def test_it_names_every_code_of_a_close_and_every_refusal(described: Any) -> None:
    """In the words of the manual."""
    codes = {each["code"]: (each["why"], each["then"]) for each in described["x-close-codes"]}
    assert codes == CLOSES
    for code, (why, then) in codes.items():
        assert f"\n| {code} | {why} | {then} |" in MANUAL
    assert re.findall(r"^\| ([1-4]\d{3}) \|", MANUAL, re.MULTILINE) == [str(code) for code in codes]
    for status, why in REFUSALS.items():
        assert f"\n| {status} | {why} |" in MANUAL


async def test_it_tells_how_to_reach_this_server(house: House, described: Any) -> None:
    """Whoever reads it has the address already."""
    server = described["servers"]["hall"]
    assert f"{server['protocol']}://{server['host']}" == house.url.replace("http", "ws")


@pytest.mark.parametrize("kind", SHOWN)
async def test_real_frames_fit_what_is_described(house: House, kind: Kind) -> None:
    """While a window works, and when nothing happens: no field too few, none too many."""
    scene = Scene(house)
    await scene.play("open 1 staff=001", "take priority=elderly", "take")
    name = {"category": "category-social", "window": "window-1"}.get(kind, kind)
    address = f"{house.url.replace('http', 'ws')}/ws/halls/puyang/{name}?format=html"
    key = {"Authorization": f"Bearer {house.tokens['administrator']}"}
    async with connect(address, additional_headers=key) as socket, asyncio.timeout(20):

        async def next_frame() -> Any:
            frame = json.loads(await socket.recv())
            shape = frame_of(kind, frame["type"])
            assert json.loads(msgspec.json.encode(msgspec.convert(frame, shape))) == frame
            return frame

        frame = await next_frame()
        assert frame["type"] == "snapshot"
        for line in ("call-next 1", "recall 1", "start 1", "hold 1 reason=form", "call-next 1"):
            await scene.play(line)
            while frame["seq"] < house.state().seq:
                frame = await next_frame()
            assert frame["type"] == "update"
        while frame["type"] != "beat":
            frame = await next_frame()


async def test_the_page_for_people_says_it_all(house: House, described: Any) -> None:
    """Every topic, parameter, code and field; the API's manual leads to it."""
    page = (await house.bearer(None).get("/docs/websocket")).text
    for name in (
        *get_args(FrameType),
        *query_of(described["channels"]["lobby"]),
        *map(str, CLOSES),
    ):
        assert name in page
    for channel in described["channels"].values():
        assert channel["address"].rpartition("/")[2] in page
    for schema in described["components"]["schemas"].values():
        for field in schema["properties"]:
            assert f"<code>{field}</code>" in page
    api = (await house.bearer(None).get("/schema/openapi.json")).json()
    assert "(/docs/websocket)" in api["info"]["description"]
