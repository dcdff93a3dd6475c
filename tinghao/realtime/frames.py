"""Frames: an envelope written as JSON once, framed once, shared by all who get it.

What a server sends is not masked (RFC 6455 §5.1), so one frame's bytes serve every socket.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from tinghao.realtime.deflate import MIN_BYTES, deflate

FrameType = Literal["snapshot", "update", "beat"]

PING = b"\x89\x00"
PONG_HEAD = b"\x8a\x80"  # of the answer to PING: an empty payload, masked
PONG_BYTES = 6

_TEXT = 0x81
_COMPRESSED_TEXT = 0xC1

_encoder = msgspec.json.Encoder()


class Envelope(Struct, frozen=True):
    """What every frame of every topic says. The fields are described in docs/websocket.md."""

    topic: str
    epoch: str
    prev: int | None
    seq: int
    type: FrameType
    at: str
    speed: float
    data: Raw | UnsetType = UNSET
    content: str | UnsetType = UNSET


class Frame:
    """The bytes to write for one envelope, plain and compressed; `seq` is what it brings one to."""

    __slots__ = ("_deflated", "_payload", "plain", "seq", "type")

    def __init__(self, envelope: Envelope) -> None:
        self.seq = envelope.seq
        self.type = envelope.type
        self._payload = _encoder.encode(envelope)
        self.plain = framed(_TEXT, self._payload)
        self._deflated: bytes | None = None

    @property
    def deflated(self) -> bytes:
        """The compressed frame, made when the first subscriber wants it."""
        if self._deflated is None:
            worth = len(self._payload) >= MIN_BYTES
            self._deflated = (
                framed(_COMPRESSED_TEXT, deflate(self._payload)) if worth else self.plain
            )
        return self._deflated


def encoded(value: object) -> Raw:
    """A part of an envelope as JSON, to be put into several."""
    return Raw(_encoder.encode(value))


def framed(head: int, payload: bytes) -> bytes:
    """A whole unmasked WebSocket frame (RFC 6455 §5.2); `head` holds FIN, RSV and opcode."""
    length = len(payload)
    if length < 126:
        return bytes((head, length)) + payload
    if length < 65_536:
        return bytes((head, 126)) + length.to_bytes(2, "big") + payload
    return bytes((head, 127)) + length.to_bytes(8, "big") + payload
