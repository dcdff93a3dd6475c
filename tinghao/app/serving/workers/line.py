"""The line between the launcher and one worker: what is said on it, and how.

A message is its length in four bytes and then msgpack. The two ends may be of different versions
while an upgrade is under way: what one does not understand it passes over.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec
from msgspec import Struct

from tinghao.monitoring.figures import Figures

log = logging.getLogger(__name__)

LONGEST_UNSENT = 1 << 20
"""Bytes that may wait for an end that does not read; beyond, it is told nothing more."""

_LENGTH = 4


class Ready(Struct, frozen=True, tag=True):
    """Worker: /health/ready would say ok."""


class Counted(Struct, frozen=True, tag=True):
    """Worker: my figures. Said from time to time, as a sign of life, and as the last word."""

    figures: Figures


class Busy(Struct, frozen=True, tag=True):
    """Worker: so many connections are open here. Said twice a second."""

    connections: int


class Polite(Struct, frozen=True, tag=True):
    """Launcher: whether you have more connections than your share."""

    ahead: bool


class Ask(Struct, frozen=True, tag=True):
    """Worker: here are my figures; what is the sum over all of us?"""

    number: int
    figures: Figures


class Sum(Struct, frozen=True, tag=True):
    """Launcher: the sum that was asked for."""

    number: int
    figures: Figures


class Tell(Struct, frozen=True, tag=True):
    """Launcher: what are your figures now?"""

    number: int


class Told(Struct, frozen=True, tag=True):
    """Worker: these."""

    number: int
    figures: Figures


class Replaced(Struct, frozen=True, tag=True):
    """Launcher: you will be told to end, and another worker has your place already."""


Message = Ready | Counted | Busy | Polite | Ask | Sum | Tell | Told | Replaced

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


class Line:
    """One end of the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def on(cls, end: socket.socket) -> Line:
        """The line on one of a pair of sockets."""
        return cls(*await asyncio.open_connection(sock=end))

    def say(self, message: Message) -> None:
        """Send it; nothing happens when the other end is gone or does not read."""
        unsent = self._writer.transport.get_write_buffer_size()
        if self._writer.is_closing() or unsent > LONGEST_UNSENT:
            return
        body = _encoder.encode(message)
        self._writer.write(len(body).to_bytes(_LENGTH, "big") + body)

    async def heard(self) -> AsyncIterator[Message]:
        """What the other end says, until it is gone."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int.from_bytes(await self._reader.readexactly(_LENGTH), "big")
                body = await self._reader.readexactly(length)
                try:
                    message = _decoder.decode(body)
                except msgspec.DecodeError as error:
                    log.debug("passed over what is not understood: %s", error)
                    continue
                yield message

    async def close(self) -> None:
        """Send what is unsent and hang up."""
        with suppress(ConnectionError):
            await self._writer.drain()
            self._writer.close()
            await self._writer.wait_closed()
