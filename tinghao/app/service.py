"""Everything one process runs, put together: database, desk, live state, sockets, gate."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress

from sqlalchemy import Connection, text

from tinghao.app.auth.gate import Gate
from tinghao.app.database import Database, DatabaseUnavailable
from tinghao.app.keys import load_journal_key, load_secret
from tinghao.app.rooms import all_rooms
from tinghao.app.serving.background import Exporting, at_work
from tinghao.app.serving.duties import Duties
from tinghao.app.settings import Settings
from tinghao.app.sockets import rights_of_sockets
from tinghao.queue.clock import Clock, machine_clock
from tinghao.queue.desk import Desk
from tinghao.queue.live import LiveHall
from tinghao.queue.model import HallState
from tinghao.queue.refusals import Refusal
from tinghao.realtime import gateway
from tinghao.realtime.bus import MemoryBus
from tinghao.realtime.hub import Hub
from tinghao.realtime.missed import journal_calls
from tinghao.realtime.redis_bus import RedisBus
from tinghao.realtime.views import hall_views

log = logging.getLogger(__name__)


class Service:
    """The parts of a running Tinghao. ``running`` starts and ends what moves by itself."""

    def __init__(self, settings: Settings, *, clock: Clock = machine_clock) -> None:
        self.settings = settings
        self.draining = False
        self.replaced = False
        """Whether another process goes on at this address while this one ends."""
        journal_key = load_journal_key(settings.journal_key_path)
        secret = load_secret(settings.secret_path)
        self.database = Database(settings.database_url)
        self.duties = Duties(self.database)
        self._exporting = Exporting(
            self.database, settings.data_path, self.duties.hold("housekeeping")
        )
        self.rooms = all_rooms()
        self.bus: MemoryBus | RedisBus = MemoryBus()
        if settings.redis_url:
            name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
            self.bus = RedisBus(settings.redis_url, name, self._topics, self._look)
        self.desk = Desk(
            self.database,
            self.rooms,
            clock=clock,
            announce=self.bus.publish,
            signer=journal_key,
            sealed=self._exporting.sealed,
        )
        self.gate = Gate(self.database, settings, secret)
        self.hub = Hub(
            self._live,
            hall_views(self.desk.people, clock),
            load_calls=journal_calls(self.database.read, self.rooms),
            confirmed_at=lambda: self.desk.confirmed_at,
            clock=clock,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    def sockets(self) -> type[asyncio.Protocol]:
        """The protocol class for uvicorn's ``ws=``."""
        authorise, recheck = rights_of_sockets(self.gate, self._hall_now)
        public = {self.settings.public_url} if self.settings.public_url else set()
        return gateway.bind(
            self.hub,
            authorise,
            recheck,
            origins=frozenset(public | set(self.settings.allowed_origins)),
            trusted_proxies=frozenset(self.settings.trusted_proxies),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the halls, then keep following the journal and let happen what falls due."""
        unsubscribe = self.bus.subscribe(self._heard)
        try:
            await self.desk.start()
            if isinstance(self.bus, RedisBus):
                bus = self.bus
                self.desk.on_hall(lambda hall: bus.follow(hall.code))
                self._in_background(bus.run())
            async with at_work(self.desk, self.duties, self._exporting):
                yield
        finally:
            unsubscribe()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.desk.drain()
            self.hub.close()
            self.gate.close()
            await asyncio.to_thread(self.database.close)

    def presence(self) -> list[dict[str, int]]:
        """The sockets by "hall/topic" of each process that is heard of, this one first."""
        here = self.hub.topics()
        others = self.bus.elsewhere() if isinstance(self.bus, RedisBus) else {}
        return [here, *(dict(sockets) for sockets in others.values())]

    def drain(self) -> None:
        """Begin to end: others take over the duties at once, and proxies send nothing more."""
        self.draining = True
        self.duties.resign()

    async def ready(self) -> str | None:
        """Why this process should get no requests now, or None when it should."""
        if self.draining and not self.replaced:
            return "stopping"
        try:
            await self.database.read(_answers)
        except DatabaseUnavailable as unavailable:
            return f"database {unavailable.cause}"
        return None

    def _live(self, code: str) -> LiveHall | None:
        with suppress(Refusal):
            return self.desk.live(code)
        return None

    def _hall_now(self, code: str) -> HallState | None:
        live = self._live(code)
        return None if live is None else live.state

    def _heard(self, hall: str, seq: int) -> None:
        state = self._hall_now(hall)
        if state is None or state.seq < seq:  # another process's word
            self._in_background(self.desk.heard(hall, seq))

    def _look(self) -> None:
        """Words may have been missed: see in the database what they would have said."""
        self._in_background(self.desk.confirm())

    def _topics(self) -> dict[str, int]:
        return self.hub.topics()

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.warning("the journal could not be read: %s; it is tried again", fault)


def _answers(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
