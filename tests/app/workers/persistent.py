"""Clients that do as they are told: whoever is cut off asks again under the same key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.load.asking import Asker, Load, clients, kiosks, windows
from tests.load.deployment import Deployment
from tests.realtime.house import until


class Persistent:
    """Kiosks and windows under which workers come and go."""

    def __init__(self, deployment: Deployment, *, anew: bool = False) -> None:
        """With ``anew`` each request comes over a connection of its own."""
        self.load = Load(
            kiosks(deployment, 3), windows(deployment, 3, "call-next", "start", "finish")
        )
        self.cut_off = 0
        """How often somebody was cut off and had to ask again."""
        self._enough = False
        self._anew = anew

    @property
    def answered(self) -> int:
        """How many requests were answered."""
        return self.load.answered

    async def ask(self, asker: Asker, client: httpx.AsyncClient) -> None:
        """Go on until it is enough. Any answer but success is an error."""
        while not self._enough:
            try:
                await asker.go_on(client, self._noted)
            except httpx.TransportError:
                self.cut_off += 1
            if asker.done:
                # Nobody waits at this window: it does not start and finish, it asks again.
                asker.done = False
                next(asker.steps)
                next(asker.steps)

    def _noted(self) -> bool:
        self.load.answered += 1
        return self._enough

    @asynccontextmanager
    async def asking(self, url: str) -> AsyncIterator[None]:
        """Ask while the block runs, then finish what is begun."""
        self._enough = False
        async with clients(url) as client:
            if self._anew:
                client.headers["Connection"] = "close"
            tasks = [
                asyncio.create_task(self.ask(each, client))
                for each in (*self.load.kiosks, *self.load.windows)
            ]
            try:
                yield
            finally:
                self._enough = True
                await asyncio.gather(*tasks)

    async def more(self, answers: int = 30) -> None:
        """Return when there were so many more answers."""
        wanted = self.answered + answers
        await until(lambda: self.answered >= wanted, seconds=60)

    async def nothing_is_lost_or_double(self, deployment: Deployment) -> None:
        """What was acknowledged is what the journal has, each once; and the journal is sound."""
        async with deployment.office() as after:
            assert after.verify().faults == ()
            taken = self.load.told(self.load.kiosks, "tickets")
            rows = after.sql("SELECT number FROM tickets")
            assert sorted(taken) == sorted(number for (number,) in rows)
            assert len(set(taken)) == len(taken)
            called = self.load.told(self.load.windows, "call-next")
            rows = after.sql("SELECT number FROM tickets WHERE called_at IS NOT NULL")
            assert sorted(called) == sorted(number for (number,) in rows)
