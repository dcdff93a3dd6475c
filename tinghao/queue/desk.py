"""The desk: every command of every hall goes through here, and every reader finds a hall here.

A command takes the hall's in-process lock, runs as one transaction in a database thread, then
advances the live state and tells the bus. Nothing is published before the commit; a caller who
goes away meanwhile changes nothing of it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from tinghao.queue.clock import Clock, hall_time, machine_clock
from tinghao.queue.commands import Command, Tick
from tinghao.queue.events import Entry
from tinghao.queue.journal import answers, store
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.journal.seals import Seal, Signer
from tinghao.queue.journal.work import Answer, Outcome, Work, transact
from tinghao.queue.live import LiveHall
from tinghao.queue.model import HallState, Micros, Ticket
from tinghao.queue.people import Directory, directory
from tinghao.queue.refusals import unknown

T = TypeVar("T")

log = logging.getLogger(__name__)

FOLLOW_EVERY = 1.0  # seconds between looks at the database's heads


class Transactions(Protocol):
    """What the desk needs of a database."""

    def write(self, fn: Callable[[Connection], T]) -> Awaitable[T]:
        """Run in one transaction and commit; the only commit there is."""

    def read(self, fn: Callable[[Connection], T]) -> Awaitable[T]:
        """Run on one snapshot, read-only."""


class Result:
    """What a command came to: `answer` as JSON bytes, or None when there was nothing to do."""

    __slots__ = ("answer", "replayed", "state")

    def __init__(self, answer: bytes | None, state: HallState, replayed: bool) -> None:
        self.answer = answer
        self.state = state
        self.replayed = replayed


class Desk:
    """The halls of this process."""

    def __init__(
        self,
        database: Transactions,
        rooms: Rooms | None = None,
        clock: Clock = machine_clock,
        announce: Callable[[str, int], None] = lambda hall, seq: None,
        signer: Signer | None = None,
        sealed: Callable[[Seal], None] = lambda seal: None,
    ) -> None:
        self._database = database
        self.rooms = rooms or Rooms()
        self.clock = clock
        self._announce = announce
        self._signer = signer
        self._sealed = sealed
        self._halls: dict[str, LiveHall] = {}
        self._directories: dict[str, Directory] = {}
        self._new_hall: list[Callable[[LiveHall], None]] = []
        self._tasks: set[asyncio.Task[Result]] = set()
        self.confirmed_at = float("-inf")  # monotonic seconds: when the heads were last seen

    # -- readers

    @property
    def halls(self) -> tuple[LiveHall, ...]:
        """All halls, by code."""
        return tuple(self._halls[code] for code in sorted(self._halls))

    def live(self, code: str) -> LiveHall:
        """The hall of that code. Raises Refusal `unknown-hall`."""
        hall = self._halls.get(code)
        if hall is None:
            raise unknown("unknown-hall", "There is no hall {hall}.", hall=code)
        return hall

    def people(self, code: str) -> Directory:
        """The staff of a hall by id."""
        return self._directories.get(code, {})

    def now(self, code: str) -> Micros:
        """The hall's own time."""
        state = self.live(code).state
        return hall_time(state.clock, self.clock(), state.at)

    def on_hall(self, found: Callable[[LiveHall], None]) -> None:
        """Call `found` for every hall, those known now and those to come."""
        self._new_hall.append(found)
        for hall in self.halls:
            found(hall)

    async def ticket_by_token(self, token_hash: str) -> tuple[str, Ticket] | None:
        """The hall's code and the ticket behind a token; the live one while it is open."""
        found = await self._database.read(partial(store.ticket_by_token, token_hash=token_hash))
        if found is None:
            return None
        code, ticket = found
        return code, self.live(code).state.tickets.get(ticket.id, ticket)

    # -- commands

    async def execute(
        self,
        code: str,
        command: Command,
        *,
        by: str = "hall",
        caller: str = "hall",
        key: str | None = None,
        fingerprint: str = "",
        stated: Micros | None = None,
        answer: Answer | None = None,
    ) -> Result:
        """Do what the command asks.

        `by` goes into the journal ("staff:3", "token:7", "citizen", "hall"); `caller` and `key`
        are the scope of a remembered answer, `fingerprint` stands for the request's body.

        Raises Refusal, and whatever the database raises; then nothing of the command is done.
        """
        hall = self.live(code)
        work = Work(command, by, caller, key, fingerprint, stated, answer)
        # The task is ours: a caller who is cancelled leaves the work itself untouched.
        task = asyncio.get_running_loop().create_task(self._work(hall, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _work(self, hall: LiveHall, work: Work) -> Result:
        async with hall.lock:
            outcome: Outcome = await self._database.write(
                partial(
                    transact,
                    rooms=self.rooms,
                    hall_id=hall.hall_id,
                    seen=hall.state,
                    work=work,
                    machine=self.clock(),
                    signer=self._signer,
                )
            )
            if outcome.reloaded is not None:
                hall.reload(outcome.reloaded)
            hall.advance(outcome.entries)
        if outcome.entries:
            self._announce(hall.code, hall.state.seq)
        for seal in outcome.seals:
            self._sealed(seal)
        if outcome.refusal is not None:
            raise outcome.refusal
        return Result(outcome.answer, hall.state, outcome.replayed)

    # -- following the journal

    async def start(self) -> None:
        """Load every hall."""
        await self.confirm()

    async def catch_up(self, code: str) -> None:
        """Read what the journal has beyond the live state; the bus says when to."""
        hall = self._halls.get(code)
        if hall is None:
            await self.confirm()
            return
        async with hall.lock:
            fresh = await self._database.read(partial(self._behind, hall=hall))
            if isinstance(fresh, HallState):
                hall.reload(fresh)
            else:
                hall.advance(fresh)

    async def heard(self, code: str, seq: int) -> None:
        """The bus says that the hall reached `seq`; what is known already costs nothing."""
        hall = self._halls.get(code)
        if hall is None or hall.state.seq < seq:
            await self.catch_up(code)

    async def confirm(self) -> None:
        """Look at the database's heads; load what is new, catch up with what is behind."""
        began = time.monotonic()
        for head in await self._database.read(store.heads):
            hall = self._halls.get(head.code)
            if hall is None:
                await self._load(head)
            elif (hall.state.epoch, hall.state.seq, hall.state.hash) != (
                head.epoch,
                head.seq,
                head.hash,
            ):
                await self.catch_up(head.code)
        self.confirmed_at = began

    async def follow(self) -> None:
        """Keep confirming, until cancelled; a database that is away is waited for."""
        away = False
        while True:
            await asyncio.sleep(FOLLOW_EVERY)
            try:
                await self.confirm()
                if away:
                    log.warning("the database answers again")
                away = False
            except Exception as fault:  # noqa: BLE001  # whatever it is, following goes on
                if not away:
                    log.warning("the database does not answer: %s", fault)
                away = True

    async def tick(self) -> None:
        """Let happen in each hall what has fallen due; costs nothing where nothing has."""
        for hall in self.halls:
            moment = self.rooms.next_due(hall.state)
            if moment is not None and moment <= self.now(hall.code):
                await self.execute(hall.code, Tick())

    async def forget(self) -> None:
        """Drop remembered answers that are past their time."""
        await self._database.write(partial(answers.forget_old, machine=self.clock()))

    async def drain(self) -> None:
        """Wait for commands on their way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def refresh_people(self, code: str) -> None:
        """Read the hall's staff again."""
        hall_id = self.live(code).hall_id
        self._directories[code] = await self._database.read(partial(directory, hall_id=hall_id))

    async def _load(self, head: store.Head) -> None:
        state = await self._database.read(
            partial(store.load_state, rooms=self.rooms, code=head.code)
        )
        if head.code in self._halls:  # somebody else loaded it meanwhile
            return
        hall = LiveHall(self.rooms, head.hall_id, state)
        self._halls[head.code] = hall
        await self.refresh_people(head.code)
        for found in self._new_hall:
            found(hall)

    def _behind(self, connection: Connection, hall: LiveHall) -> HallState | tuple[Entry, ...]:
        """The entries that the live state lacks, or another incarnation's whole state."""
        head = store.head_of(connection, hall.code)
        return store.behind(connection, self.rooms, head, hall.state)
