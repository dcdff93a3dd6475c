"""A connection that breaks at the worst moment: the command is done, its answer is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def cutting(host: str, port: int, every: int) -> AsyncIterator[str]:
    """The URL of a relay to a server that hangs up instead of every so-many-th answer."""
    answers = 0

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answers
        to_server, from_server = None, None
        try:
            while True:
                request = await _message(reader)
                if to_server is None or from_server is None:
                    from_server, to_server = await asyncio.open_connection(host, port)
                to_server.write(request)
                answer = await _message(from_server)
                answers += 1
                if answers % every == 0:
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            if to_server is not None:
                to_server.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One HTTP/1.1 request or answer, with a body of known length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return head + await reader.readexactly(length)
