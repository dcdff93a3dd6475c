"""The end of a server: whoever is being served is served, and is told to come anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.app.house import House, open_house
from tests.realtime.house import until


class Kept:
    """A connection that a client keeps open, to the byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    def ask(self, path: str = "/health/live") -> None:
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    async def answer(self) -> tuple[int, bool]:
        """The status, and whether the server says that it closes; the body is read too."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(each for each in head.splitlines() if each.startswith("content-length:"))
        await self._reader.readexactly(int(length.partition(":")[2]))
        return int(head.split()[1]), "connection: close" in head

    async def ended(self) -> bool:
        return await self._reader.read() == b""


@asynccontextmanager
async def kept_by(house: House) -> AsyncIterator[Kept]:
    reader, writer = await asyncio.open_connection(house.served.host, house.served.port)
    try:
        yield Kept(reader, writer)
    finally:
        writer.close()


async def refused(house: House) -> None:
    """Return as soon as nobody is let in any more."""
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection(house.served.host, house.served.port)
            except ConnectionError:
                return
            writer.close()


async def test_a_request_on_its_way_over_a_kept_connection_is_answered_and_told_to_close(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as house, kept_by(house) as kept, kept_by(house) as silent:
        kept.ask()
        assert await kept.answer() == (200, False)
        house.served.replaced()
        house.served.stop()
        await refused(house)
        kept.ask()
        assert await kept.answer() == (200, True)
        assert await kept.ended()
        assert await silent.ended()


async def test_a_proxy_is_not_turned_away_from_an_address_where_another_process_goes_on(
    tmp_path: Path,
) -> None:
    for replaced, status in ((True, 200), (False, 503)):
        async with open_house(tmp_path) as house, kept_by(house) as kept:
            kept.ask("/health/ready")
            assert (await kept.answer())[0] == 200
            if replaced:
                house.served.replaced()
            house.served.stop()
            kept.ask("/health/ready")
            assert (await kept.answer())[0] == status


async def test_one_that_ends_gives_its_duties_back_before_its_last_answer(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        service = house.served.service
        assert service.duties.held() == {"halls": True, "housekeeping": True}
        house.served.stop()
        assert service.duties.held() == {"halls": False, "housekeeping": False}


@pytest.mark.parametrize("comes", [True, False])
async def test_the_rest_of_a_request_is_waited_for_but_not_for_ever(
    tmp_path: Path, *, comes: bool
) -> None:
    clock = asyncio.get_running_loop().time
    patience = 30 if comes else 1
    async with open_house(tmp_path, drain_seconds=patience) as house, kept_by(house) as kept:
        body = b'{"category": "social"}'
        head = "POST /api/v1/halls/puyang/tickets HTTP/1.1\r\nHost: x\r\n"
        kept.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        await until(lambda: bool(house.served._server.server_state.tasks))
        house.served.stop()
        began = clock()
        await refused(house)
        if comes:
            kept.writer.write(body)
        assert await kept.answer() == (201 if comes else 503, True)
        assert await kept.ended()
        assert clock() - began < 10
