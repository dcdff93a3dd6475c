"""Several processes take connections from one socket; here several takers in one loop."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager

import pytest

from tests.realtime.house import until
from tinghao.app.serving.listening import bound
from tinghao.app.serving.workers import accepting
from tinghao.app.serving.workers.accepting import Acceptor


class Taker:
    """One process's share of the connections."""

    def __init__(self, listener: socket.socket) -> None:
        self.taken: list[asyncio.BaseTransport] = []
        self.acceptor = Acceptor(listener, self._protocol)

    def _protocol(self) -> asyncio.Protocol:
        taken = self.taken

        class Taken(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                taken.append(transport)

        return Taken()


@asynccontextmanager
async def takers(count: int, waiting: int = 0) -> AsyncIterator[tuple[int, list[Taker]]]:
    """The port, and so many that take from it; each has its descriptor, as a process has.

    So many clients are ``waiting`` when they begin.
    """
    with bound("127.0.0.1", 0) as listener, ExitStack() as stack:
        listener.listen(100)
        for _ in range(waiting):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        made = [Taker(listener.dup()) for _ in range(count)]
        try:
            yield listener.getsockname()[1], made
        finally:
            for taker in made:
                taker.acceptor.close()
                await taker.acceptor.wait_closed()
                taker.acceptor._listener.close()
                for transport in taker.taken:
                    transport.close()


@asynccontextmanager
async def clients(port: int, count: int) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for _ in range(count):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
        yield


async def test_a_burst_is_shared() -> None:
    async with takers(2, waiting=60) as (_, (one, other)):
        await until(lambda: len(one.taken) + len(other.taken) == 60)
        assert min(len(one.taken), len(other.taken)) >= 15


async def test_one_that_is_ahead_lets_the_others_go_first() -> None:
    async with takers(2) as (port, (ahead, other)):
        ahead.acceptor.polite = True
        async with clients(port, 40):
            await until(lambda: len(ahead.taken) + len(other.taken) == 40)
            assert len(other.taken) >= 35


async def test_one_that_is_ahead_takes_what_the_others_leave() -> None:
    async with takers(2) as (port, (ahead, stuck)):
        ahead.acceptor.polite = True
        stuck.acceptor.close()
        async with clients(port, 10):
            await until(lambda: len(ahead.taken) == 10)


async def test_one_that_is_closed_keeps_what_it_has_and_takes_no_more() -> None:
    async with takers(1) as (port, (only,)), clients(port, 3):
        await until(lambda: len(only.taken) == 3)
        only.acceptor.close()
        async with clients(port, 1):
            assert [transport.is_closing() for transport in only.taken] == [False] * 3
            assert len(only.taken) == 3


async def test_without_descriptors_it_waits_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Exhausted:
        """A listening socket in a process that may open no more files."""

        def __init__(self, listener: socket.socket) -> None:
            self.fileno = listener.fileno

        def accept(self) -> object:
            raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(accepting, "EXHAUSTED_SECONDS", 0.05)
    async with takers(1) as (port, (only,)):
        plenty = only.acceptor._listener
        only.acceptor._listener = Exhausted(plenty)  # type: ignore[assignment]
        async with clients(port, 1):
            await until(lambda: "Too many open files" in caplog.text)
            only.acceptor._listener = plenty
            await until(lambda: len(only.taken) == 1)
