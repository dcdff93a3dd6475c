"""What a process does by itself: some of it in every process, some in one of them at a time.

Every process follows the journal and knows the staff. The duty `halls` lets happen what falls due
there; the duty `housekeeping` forgets old answers and exports seals.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tinghao.app import seals
from tinghao.app.database import Database
from tinghao.app.serving.duties import Duties, Duty
from tinghao.queue.desk import Desk
from tinghao.queue.journal.seals import Seal, every_saved, how_many

log = logging.getLogger(__name__)

TICK_EVERY = 0.5
"""Seconds between two looks at what has fallen due."""

PEOPLE_EVERY = 5.0
"""Seconds until somebody who was added to the staff by the command line is known here."""

SEALS_EVERY = 10.0
"""Seconds until a seal that another process has made stands in our file."""

FORGET_EVERY = 600.0
"""Seconds between clearings of old answers."""


class Exporting:
    """Keeps the seals' files complete while this process holds the duty.

    A seal of its own is there before the command that made it is answered; those of other
    processes, and those that a killed one has left behind, follow.
    """

    def __init__(self, database: Database, data: Path, duty: Duty) -> None:
        self._database = database
        self._data = data
        self._duty = duty
        self._exported = -1

    def sealed(self, seal: Seal) -> None:
        """A seal was made here."""
        if self._duty.held:
            seals.export(self._data, [seal])

    async def look(self) -> None:
        """Export what others have sealed."""
        if not self._duty.held:
            self._exported = -1  # whoever holds it meanwhile has another folder perhaps
            return
        number = await self._database.read(how_many)
        if number != self._exported:
            made = await self._database.read(every_saved)
            await asyncio.to_thread(seals.export, self._data, made)
            self._exported = number


@asynccontextmanager
async def at_work(desk: Desk, duties: Duties, exporting: Exporting) -> AsyncIterator[None]:
    """Follow the journal and do what is due until the block is left, or `Duties.resign`."""

    async def refresh_people() -> None:
        for hall in desk.halls:
            await desk.refresh_people(hall.code)

    halls, housekeeping = duties.hold("halls"), duties.hold("housekeeping")
    await duties.ask()
    keeping = asyncio.create_task(duties.keep())
    tasks = [
        asyncio.create_task(desk.follow()),
        asyncio.create_task(_every(TICK_EVERY, desk.tick, halls)),
        asyncio.create_task(_every(FORGET_EVERY, desk.forget, housekeeping)),
        asyncio.create_task(_every(SEALS_EVERY, exporting.look)),
        asyncio.create_task(_every(PEOPLE_EVERY, refresh_people)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        duties.resign()
        await keeping


async def _every(
    seconds: float, do: Callable[[], Awaitable[None]], duty: Duty | None = None
) -> None:
    """Do it again and again until cancelled, whatever becomes of one time.

    With a duty only while this process holds it.
    """
    failing = False
    while True:
        await asyncio.sleep(seconds)
        if duty is not None and not duty.held:
            continue
        try:
            await do()
            failing = False
        except Exception as fault:  # noqa: BLE001 - it must go on, whatever one hall has
            if not failing:
                log.warning("%s failed and is tried again: %s", do.__name__, fault)
            failing = True
