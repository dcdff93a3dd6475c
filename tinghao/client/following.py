"""Following a topic for ever: through cuts, restarts and a server that is slow to come back.

The server promises (docs/websocket.md) that whoever returns with `since` gets every call he
missed or an explicit snapshot. This is the other half: it remembers where it was, comes back
spread, and gives each call out once.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from random import Random
from typing import Any, Literal

import msgspec
from msgspec import Struct
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

BEATS = 5.0
"""Seconds without any frame after which the connection counts as dead."""
FIRST_WAIT, LONGEST_WAIT = 2.0, 5.0
"""Seconds to wait before coming back, at the first and at later tries; a random part of it."""
REMEMBERED = 8_192
"""Ids of calls kept to tell a repeated one."""
BIGGEST_FRAME = 16 * 1024 * 1024

_RIGHTS = (4401, 4403)


class NoRight(Exception):
    """The topic may not be followed with this token, or does not exist; trying again is no use."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code


class Frame(Struct, frozen=True):
    """A state of the topic.

    `calls` are those never given out before, oldest first; `data` is the whole state as the
    server sends it, with its own `calls`. `resumed`: nothing is missing since the frame before;
    it is False in the first frame, and when the server could not tell what had been missed.
    """

    topic: str
    epoch: str
    seq: int
    type: Literal["snapshot", "update"]
    at: str
    speed: float
    data: dict[str, Any]
    calls: list[dict[str, Any]]
    resumed: bool


class _Wire(Struct):
    topic: str
    epoch: str
    prev: int | None
    seq: int
    type: Literal["snapshot", "update", "beat"]
    at: str
    speed: float
    data: dict[str, Any] = {}


_decode = msgspec.json.Decoder(_Wire).decode


async def follow(
    url: str,
    hall: str,
    topic: str,
    *,
    token: str | None = None,
    since: str | None = None,
    connected: Callable[[bool], None] = lambda live: None,
    spread: Random | None = None,
) -> AsyncGenerator[Frame, None]:
    """The frames of a topic, for ever.

    `url` is the server's http(s) address. `since` is EPOCH:SEQ of an earlier run. `connected`
    is told whenever the topic becomes live or ceases to be. Raises NoRight.
    """
    place = _Place(since)
    chance = spread or Random()  # noqa: S311 - it only spreads clients
    address = _address(url, hall, topic)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    wait = 0.0
    while True:
        await asyncio.sleep(wait * chance.random())
        wait = min(LONGEST_WAIT, max(FIRST_WAIT, wait * 1.5))
        try:
            async with (
                connect(
                    address + place.query,
                    additional_headers=headers,
                    ping_interval=None,
                    close_timeout=1,
                    max_size=BIGGEST_FRAME,
                    proxy=None,
                ) as socket,
                aclosing(_frames(socket, place)) as frames,
            ):
                async for frame in frames:
                    connected(True)
                    wait = FIRST_WAIT
                    yield frame
        except InvalidStatus as refused:
            if refused.response.status_code < 500 and refused.response.status_code != 429:
                raise NoRight(refused.response.status_code, "refused") from None
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code in _RIGHTS:
                raise NoRight(closed.rcvd.code, closed.rcvd.reason) from None
        except (WebSocketException, OSError, TimeoutError):
            pass  # cut, not there, or silent: come back
        connected(False)


class _Place:
    """Where a follower is, and which calls it has given out."""

    def __init__(self, since: str | None) -> None:
        epoch, _, seq = (since or "").rpartition(":")
        self.epoch = epoch
        self.seq = int(seq) if epoch and seq.isdecimal() else -1
        self._given: OrderedDict[int, None] = OrderedDict()

    @property
    def query(self) -> str:
        """What to add to the address to go on from here."""
        return f"&since={self.epoch}:{self.seq}" if self.epoch else ""

    def goes_on(self, wire: _Wire) -> bool:
        """Whether the frame follows on what is here; a snapshot always may."""
        return wire.prev is None or (wire.epoch, wire.prev) == (self.epoch, self.seq)

    def take(self, wire: _Wire) -> Frame:
        """The frame to give out; moves on to it."""
        if wire.epoch != self.epoch:
            self._given.clear()
        self.epoch, self.seq = wire.epoch, wire.seq
        return Frame(
            topic=wire.topic,
            epoch=wire.epoch,
            seq=wire.seq,
            type="update" if wire.type == "update" else "snapshot",
            at=wire.at,
            speed=wire.speed,
            data=wire.data,
            calls=[each for each in wire.data.get("calls", ()) if self._is_new(each["id"])],
            resumed=wire.prev is not None,
        )

    def _is_new(self, call: int) -> bool:
        if call in self._given:
            return False
        self._given[call] = None
        if len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        return True


async def _frames(socket: ClientConnection, place: _Place) -> AsyncGenerator[Frame, None]:
    """The frames of one connection; ends when it misses something or hears nothing."""
    while True:
        async with asyncio.timeout(BEATS):
            wire = _decode(await socket.recv())
        if wire.type == "beat":
            continue
        if not place.goes_on(wire):
            return
        yield place.take(wire)


def _address(url: str, hall: str, topic: str) -> str:
    scheme, _, rest = url.rstrip("/").partition("://")
    secure = {"http": "ws", "https": "wss"}.get(scheme, scheme)
    return f"{secure}://{rest}/ws/halls/{hall}/{topic}?format=json"
