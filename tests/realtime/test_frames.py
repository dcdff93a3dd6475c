"""Bytes of frames, read by another implementation of the protocol."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as ReadFrame
from websockets.frames import Opcode
from websockets.streams import StreamReader

from tinghao.realtime.deflate import deflate
from tinghao.realtime.frames import PING, Envelope, Frame, encoded, framed


def read(data: bytes, *, compressed: bool = False) -> ReadFrame:
    """The frame that a client reads from these bytes, which it must use up."""
    reader = StreamReader()
    reader.feed_data(data)
    extensions = [PerMessageDeflate(True, True, 15, 15)] if compressed else []
    parser = ReadFrame.parse(reader.read_exact, mask=False, extensions=extensions)
    try:
        while True:
            next(parser)
    except StopIteration as done:
        assert not reader.buffer
        frame: ReadFrame = done.value
        return frame


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_payload_of_any_length_is_framed(length: int) -> None:
    frame = read(framed(0x81, b"x" * length))
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, b"x" * length)


@given(st.binary(max_size=5_000))
def test_what_is_deflated_once_is_inflated_the_same_by_everybody(payload: bytes) -> None:
    data = framed(0xC1, deflate(payload))
    for _ in range(2):
        assert bytes(read(data, compressed=True).data) == payload


@pytest.mark.parametrize("notice", ["", "停车场今日关闭。" * 100])
def test_both_forms_of_a_frame_say_the_same(notice: str) -> None:
    frame = Frame(
        Envelope(
            topic="lobby",
            epoch="e1",
            prev=3,
            seq=4,
            type="update",
            at="2026-11-24T09:30:00.000+08:00",
            speed=1.0,
            data=encoded({"notice": notice}),
        )
    )
    plain = bytes(read(frame.plain).data)
    assert bytes(read(frame.deflated, compressed=True).data) == plain
    assert len(frame.deflated) <= len(frame.plain)
    assert json.loads(plain) == {
        "topic": "lobby",
        "epoch": "e1",
        "prev": 3,
        "seq": 4,
        "type": "update",
        "at": "2026-11-24T09:30:00.000+08:00",
        "speed": 1.0,
        "data": {"notice": notice},
    }


def test_the_ping_that_all_share_is_a_ping() -> None:
    assert read(PING).opcode is Opcode.PING
