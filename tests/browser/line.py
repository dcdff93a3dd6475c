"""The line between a screen and the server, which a test can cut or let fall silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Line:
    """A TCP port that passes everything on to another one, as long as it is whole."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._passes = asyncio.Event()
        self._passes.set()
        self._refuses = False
        self._writers: set[asyncio.StreamWriter] = set()

    def fall_silent(self) -> None:
        """Nothing comes through any more and nobody is told: a pulled cable."""
        self._passes.clear()

    def cut(self) -> None:
        """Every connection ends and new ones are refused: a server that is down."""
        self._refuses = True
        for writer in list(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        """All is well again."""
        self._refuses = False
        self._passes.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until either end leaves."""
        if self._refuses:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        finally:
            self._writers -= {writer, back}

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                await self._passes.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def open_line(target: int) -> AsyncIterator[Line]:
    """A whole line to a port of this machine."""
    line = Line(target)
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        line.cut()
