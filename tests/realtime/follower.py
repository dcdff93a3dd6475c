"""A small client that follows a topic and holds the server to what the protocol promises."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

Frame = dict[str, Any]


class Follower:
    """One screen: what it has, and every call it was told of, repetitions included."""

    def __init__(self) -> None:
        self.socket: ClientConnection
        self.frames: list[Frame] = []
        self.epoch = ""
        self.seq = -1
        self.calls: list[int] = []

    @property
    def since(self) -> str:
        """What to come back with."""
        return f"{self.epoch}:{self.seq}"

    async def next(self, seconds: float = 5.0) -> Frame:
        """The next frame that is no beat; it must go on from the one before."""
        while True:
            async with asyncio.timeout(seconds):
                frame: Frame = json.loads(await self.socket.recv())
            if frame["type"] == "beat":
                assert frame["prev"] == frame["seq"] == self.seq
                continue
            if frame["type"] == "update":
                assert frame["prev"] == self.seq, "something was missed"
                assert frame["epoch"] == self.epoch
                assert frame["seq"] >= self.seq
                assert all(self.seq < call["id"] <= frame["seq"] for call in calls_of(frame))
            else:
                assert frame["type"] == "snapshot"
                assert frame["prev"] is None
            self.epoch, self.seq = frame["epoch"], frame["seq"]
            self.frames.append(frame)
            self.calls += [call["id"] for call in calls_of(frame)]
            return frame

    async def reach(self, seq: int) -> Frame:
        """The frame that brings it to `seq`."""
        while self.seq < seq:
            await self.next()
        return self.frames[-1]


@asynccontextmanager
async def following(
    url: str, screen: Follower | None = None, **options: Any
) -> AsyncIterator[Follower]:
    """Follow a topic; the same screen may come back as often as it likes."""
    screen = screen or Follower()
    options = {"compression": None, "ping_interval": None, "close_timeout": 1, **options}
    async with connect(url, **options) as screen.socket:
        yield screen


def calls_of(frame: Frame) -> list[dict[str, Any]]:
    """The calls in a frame."""
    calls: list[dict[str, Any]] = frame["data"]["calls"]
    return calls
