"""Windows and kiosks at work through the public client, whatever becomes of the servers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from msgspec import Struct

from tests.queue.office import CODE
from tinghao.client import Client

AHEAD = 20  # numbers that kiosks give out before they are called
RECALLED = 4  # one in so many citizens does not hear the first call


class Called(Struct, frozen=True):
    """A call that was acknowledged to the window that made it."""

    number: str
    attempt: int
    window: int


@dataclass
class Ledger:
    """What was acknowledged, in all the work of a hall."""

    taken: list[str] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)
    commands: int = 0
    retries: int = 0
    """How often somebody got no answer and asked again."""


class Person:
    """At a kiosk or window, asking over a connection that others may share."""

    def __init__(self, ledger: Ledger, client: Client, line: asyncio.Lock, pause: float) -> None:
        self.ended = False
        self._ledger = ledger
        self._client = client
        self._line = line
        self._pause = pause
        self._random = Random(pause)

    async def give_out(self) -> None:
        """A kiosk: numbers, always some ahead of the calls."""
        ledger = self._ledger
        while not self.ended:
            if len(ledger.taken) < len(ledger.called) + AHEAD:
                async with self._line:
                    taken = await self._client.take(CODE, "social")
                ledger.taken.append(taken["number"])
                ledger.commands += 1
            await self._rest()

    async def serve(self, window: int) -> None:
        """A window: the next citizen, sometimes called twice, is served."""
        await self._does(window, "open")
        while not self.ended:
            if await self._does(window, "call-next"):
                if self._random.randrange(RECALLED) == 0:
                    await self._rest()
                    await self._does(window, "recall")
                for command in ("start", "finish"):
                    await self._rest()
                    await self._does(window, command)
            await self._rest()
        await self._does(window, "close")

    async def _does(self, window: int, command: str) -> bool:
        async with self._line:
            answer = await self._client.at_window(CODE, window, command)
        self._ledger.commands += 1
        if answer is not None and command in ("call-next", "recall"):
            called = Called(answer["number"], answer["attempts"], window)
            self._ledger.called.append(called)
        return answer is not None

    async def _rest(self) -> None:
        await asyncio.sleep(self._pause * self._random.uniform(0.5, 1.5))


@asynccontextmanager
async def at_work(
    url: str,
    tokens: Sequence[str],
    ledger: Ledger,
    pause: float,
    *,
    one_line: bool = False,
) -> AsyncIterator[None]:
    """Two kiosks and a window for each further token, with `pause` seconds between two commands.

    Each has a connection of its own, so that all processes get some; or all have `one_line`, so
    that one process gets everything and the others hear of it. A refusal, or a server that stays
    away, is raised.
    """
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(Client(url, token))
            for token in (tokens[:1] if one_line else tokens)
        ]
        common = asyncio.Lock()
        people = [
            Person(
                ledger,
                clients[0 if one_line else place],
                common if one_line else asyncio.Lock(),
                pause,
            )
            for place in range(len(tokens))
        ]
        async with asyncio.TaskGroup() as group:
            for kiosk in people[:2]:
                group.create_task(kiosk.give_out())
            for window, clerk in enumerate(people[2:], start=1):
                group.create_task(clerk.serve(window))
            yield
            for each in people:
                each.ended = True
        ledger.retries += sum(each.retries for each in clients)
