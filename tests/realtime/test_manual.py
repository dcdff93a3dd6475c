"""docs/websocket.md says everything, and its example works."""

import asyncio
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from tests.realtime.hall import Hall
from tests.realtime.house import open_house, until
from tinghao.realtime import channel, connection, deflate, gate, hub
from tinghao.realtime.frames import Envelope, FrameType
from tinghao.realtime.gate import Limits
from tinghao.realtime.topics import Kind

MANUAL = (Path(__file__).parents[2] / "docs" / "websocket.md").read_text()


@pytest.mark.parametrize("field", [each.name for each in msgspec.structs.fields(Envelope)])
def test_every_field_of_a_frame_is_described(field: str) -> None:
    assert f"| `{field}` |" in MANUAL


@pytest.mark.parametrize("word", [*get_args(Kind), *get_args(FrameType)])
def test_every_topic_and_type_is_described(word: str) -> None:
    assert re.search(rf"`{word}[`-]", MANUAL)


@pytest.mark.parametrize("limit", msgspec.structs.fields(Limits), ids=lambda each: each.name)
def test_every_limit_is_described_with_its_default(limit: Any) -> None:
    assert f"| `{limit.name}` | {limit.default} |" in MANUAL


@pytest.mark.parametrize(
    "code",
    [connection.RESTART, connection.FLOODING, connection.FAILED, gate.TOO_SLOW, 4401, 4403],
)
def test_every_code_of_a_close_is_described(code: int) -> None:
    assert f"\n| {code} |" in MANUAL


def test_the_figures_in_the_text_are_those_of_the_code() -> None:
    assert f"every {hub.BEAT:.0f} s" in MANUAL
    assert f"last {channel.CALLS_SHOWN // 1_000_000} s of hall time" in MANUAL
    assert f"below {deflate.MIN_BYTES} bytes" in MANUAL


async def test_the_example_announces_every_call_once_over_a_cut() -> None:
    code = re.search(r"```python\n(.*?)```", MANUAL, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1].replace("uniform(0, 2)", "uniform(0, 0.1)"), names)
    hall = Hall()
    shown: list[Any] = []
    announced: list[int] = []
    async with open_house(hall, beat_seconds=0.05) as house:
        url = house.url().rstrip("?")
        client = asyncio.create_task(
            names["follow"](url, shown.append, lambda call: announced.append(call["id"]))
        )
        await until(lambda: len(shown) == 1)
        hall.call()
        await until(lambda: len(announced) == len(hall.calls))
        for each in list(house.server.server_state.connections):
            each.transport.abort()
        hall.call()
        await until(lambda: len(announced) == len(hall.calls))
        client.cancel()
        await asyncio.gather(client, return_exceptions=True)
    assert announced == [call.id for call in hall.calls]
