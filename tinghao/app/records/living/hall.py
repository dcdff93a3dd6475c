"""The demonstration's hall on the other side of the API, on one of its days."""

import time
from collections.abc import Mapping
from datetime import date, datetime
from random import Random
from typing import Any

from tinghao.app.records.fitting import instant
from tinghao.app.records.living.agenda import Agenda, TimeOfDay
from tinghao.client import Answer, Client
from tinghao.queue.clock import iso, micros
from tinghao.queue.model import SECOND, Micros

FRESH = 0.05
"""Seconds of machine time for which a picture of the hall is good enough to act on."""
FRESH_STATED: Micros = 60 * SECOND
"""The same in hall time, while nobody else can be acting."""


class DayOver(Exception):
    """The hall has another date than the day that is being lived."""


class Hall:
    """Everything a clerk or a citizen of one day needs: the door, the agenda, the dice."""

    def __init__(
        self, client: Client, known: Mapping[str, Any], day: date, now: TimeOfDay, random: Random
    ) -> None:
        self.client = client
        self.code: str = known["code"]
        self.timezone: str = known["timezone"]
        self.day = day
        self.time = now
        self.agenda = Agenda()
        self.random = random
        self.mine: dict[str, str] = {}  # the tokens of our own tickets, by number
        self._state: dict[str, Any] = {}
        self._seen = float("-inf")
        self._seen_at: Micros = -FRESH_STATED

    def soon(self, least: float, most: float) -> Micros:
        """A moment between `least` and `most` seconds of hall time from now."""
        return self.time.now + round(self.random.uniform(least, most) * SECOND)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """A command, with its time while times are stated. Raises Refused or Unreachable."""
        said = dict(body or {})
        if self.time.stated:
            said["at"] = self.moment(self.time.now)
        return await self.client.post(path, said)

    async def at_window(
        self, window: int, command: str, body: Mapping[str, Any] | None = None
    ) -> Answer:
        """A command at a window."""
        return await self.post(f"/halls/{self.code}/windows/{window}/{command}", body)

    async def clock(self, mode: str, at: Micros, speed: float) -> None:
        """Set the hall's clock to a time of the day."""
        body = {"mode": mode, "at": self.moment(at), "speed": speed}
        await self.client.post(f"/halls/{self.code}/clock", body)

    async def state(self, fresh: bool = False) -> Mapping[str, Any]:
        """The hall as the lobby shows it, hardly older than now. Raises DayOver."""
        if fresh or not self._is_fresh():
            self._state = await self.client.get(f"/halls/{self.code}/state")
            self._seen, self._seen_at = time.monotonic(), self.time.now
            if not self.time.stated:
                self._keep_time()
        return self._state

    async def window(self, number: int, fresh: bool = False) -> Mapping[str, Any]:
        """One window as the lobby shows it."""
        state = await self.state(fresh)
        found: Mapping[str, Any] = next(
            each for each in state["windows"] if each["number"] == number
        )
        return found

    async def waiting(self, categories: tuple[str, ...]) -> int:
        """How many wait in these categories together."""
        state = await self.state()
        return sum(e["waiting"] for e in state["categories"] if e["code"] in categories)

    async def queue_length(self, categories: tuple[str, ...]) -> float:
        """How many wait for each open window of these categories."""
        state = await self.state()
        served = (each for each in state["categories"] if each["code"] in categories)
        return sum(float(each["waiting"] / max(each["windows_open"], 1)) for each in served)

    def moment(self, at: Micros) -> str:
        """A time of the day in RFC 3339."""
        return iso(instant(self.day, at, self.timezone), self.timezone)

    def _is_fresh(self) -> bool:
        if self.time.stated:
            return self.time.now - self._seen_at < FRESH_STATED
        return time.monotonic() - self._seen < FRESH

    def _keep_time(self) -> None:
        at = micros(datetime.fromisoformat(self._state["at"]))
        at -= instant(self.day, 0, self.timezone)
        if not 0 <= at < 24 * 3600 * SECOND:
            raise DayOver
        self.time.correct(at)
