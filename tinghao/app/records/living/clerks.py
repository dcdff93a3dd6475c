"""A clerk at a window, as a visitor of the hall might watch him."""

from collections.abc import Mapping
from typing import Any, Literal

from tinghao.app.records.living.citizens import came_late, rates
from tinghao.app.records.living.hall import Hall
from tinghao.client import Answer, Refused
from tinghao.queue.model import MINUTE, SECOND, Micros

NO_SHOWS, SLOW_ONES, HOLDS, TRANSFERS, NOT_DONE = 0.05, 0.12, 0.04, 0.03, 0.06
COMES_BACK = 0.4
PAUSED_AT_ONCE = 2
TOO_MANY = 1.0
"""Waiting for each window: nobody is sent home then."""
OVERTIME: Micros = 40 * MINUTE
MEAL = (11 * 60 * MINUTE + 30 * MINUTE, 13 * 60 * MINUTE)


class Clerk:
    """Opens a window, calls, serves, pauses and goes home. Has one next act at any time."""

    def __init__(
        self,
        hall: Hall,
        window: int,
        badge: str,
        categories: tuple[str, ...],
        closes: Micros,
        service: float,
    ) -> None:
        """`service` is the usual one in seconds; the more people wait the shorter it gets."""
        self.hall = hall
        self.window = window
        self.badge = badge
        self.categories = categories
        self.closes = closes
        self.service = service
        self.place: Literal["away", "coming", "here", "yielded"] = "away"
        self.leaving = False
        self._held: list[tuple[Micros, str]] = []
        self._pause_at: Micros = 0
        self._meal_at: Micros | None = hall.random.randrange(*MEAL, MINUTE)
        self._number = ""

    # -- coming and going

    def comes(self, at: Micros) -> None:
        """He will be here at that time."""
        self.place, self.leaving = "coming", False
        self.hall.agenda.add(at, self._open)

    async def _open(self) -> None:
        try:
            await self.hall.at_window(self.window, "open", {"staff": self.badge})
        except Refused:
            self._yield()
            return
        self.place = "here"
        self._pause_at = self.hall.soon(50 * 60, 110 * 60)
        self._then(self._next, 5, 25)

    def _yield(self) -> None:
        """Somebody else has the window: it is his until it is closed again."""
        self.place = "yielded"
        self._held.clear()
        self.hall.agenda.add(self.hall.soon(300, 400), self._look)

    async def _look(self) -> None:
        view = await self.hall.window(self.window, fresh=True)
        if view["state"] == "closed":
            self.place = "away"
        elif self._is_mine(view):
            self.place = "here"
            self._carry_on(view)
        else:
            self.hall.agenda.add(self.hall.soon(120, 180), self._look)

    # -- calling

    async def _next(self) -> None:
        hall = self.hall
        if await self._goes_home() or await self._pauses():
            return
        resumed = await self._takes_up()
        if resumed:
            return
        answer = await self._ask("call-next")
        if answer is None:
            return
        if answer.body is None:
            self._then(self._next, 20, 45)
            return
        self._number = answer.body["number"]
        chance = hall.random.random()
        if self._number in hall.mine and chance < NO_SHOWS:
            self._then(self._recall_absent, 35, 50)
        elif chance < NO_SHOWS + SLOW_ONES:
            self._then(self._recall_slow, 35, 50)
        else:
            self._then(self._start, 12, 50)

    async def _recall_slow(self) -> None:
        if await self._ask("recall"):
            self._then(self._start, 10, 30)

    async def _recall_absent(self) -> None:
        if await self._ask("recall"):
            self._then(self._recall_last, 35, 50)

    async def _recall_last(self) -> None:
        if await self._ask("recall"):
            self._then(self._no_show, 30, 45)

    async def _no_show(self) -> None:
        if await self._ask("no-show"):
            if self.hall.random.random() < COMES_BACK:
                came_late(self.hall, self.window, self._number)
            self._then(self._next, 5, 15)

    # -- serving

    async def _start(self) -> None:
        if not await self._ask("start"):
            return
        hurry = min(max(1.3 - 0.12 * await self.hall.queue_length(self.categories), 0.6), 1.3)
        service = max(self.service * hurry * self.hall.random.lognormvariate(-0.1, 0.45), 75)
        self._then(self._end, service, service + 30)

    async def _end(self) -> None:
        hall, chance = self.hall, self.hall.random.random()
        if chance < HOLDS and not self._held:
            reason = hall.random.choice(("copies", "form", "photo"))
            if await self._ask("hold", {"reason": reason}):
                self._held.append((hall.soon(240, 540), self._number))
                self._then(self._next, 8, 20)
            return
        if chance < HOLDS + TRANSFERS and self._number in hall.mine:
            others = [c for c in await self._staffed() if c not in self.categories]
            if others:
                if await self._ask("transfer", {"category": hall.random.choice(others)}):
                    self._then(self._next, 8, 20)
                return
        done: dict[str, Any] = {"result": "done"}
        if chance > 1 - NOT_DONE:
            done = {"result": "not-done", "reason": "materials"}
        if await self._ask("finish", done):
            rates(hall, self._number)
            self._then(self._next, 6, 40)

    async def _takes_up(self) -> bool:
        """Whether a ticket that was put aside is taken up again."""
        if not self._held or self._held[0][0] > self.hall.time.now:
            return False
        _, self._number = self._held.pop(0)
        if await self._ask("resume-ticket", {"number": self._number}):
            self._then(self._end, 60, 180)
        return True

    async def _staffed(self) -> set[str]:
        state = await self.hall.state()
        open_ones = (each for each in state["windows"] if each["state"] != "closed")
        return {code for window in open_ones for code in window["categories"]}

    # -- pausing

    async def _pauses(self) -> bool:
        now = self.hall.time.now
        if self._meal_at is not None and now >= self._meal_at:
            reason, minutes = "meal", self.hall.random.randrange(25, 40)
        elif now >= self._pause_at:
            reason = self.hall.random.choice(("break", "break", "errand", "meeting"))
            minutes = self.hall.random.randrange(5, 12)
        else:
            return False
        if not await self._may_pause():
            self._pause_at = now + 4 * MINUTE
            return False
        if reason == "meal":
            self._meal_at = None
        self._pause_at = now + self.hall.random.randrange(60, 120) * MINUTE
        if await self._ask("pause", {"reason": reason, "minutes": minutes}):
            self._then(self._resume, minutes * 60 - 45, minutes * 60)
        return True

    async def _may_pause(self) -> bool:
        """Not while others do, and never the last one to serve a category."""
        state = await self.hall.state()
        paused = sum(each["state"] == "paused" for each in state["windows"])
        alone = any(
            each["code"] in self.categories and each["windows_open"] < 2
            for each in state["categories"]
        )
        return paused < PAUSED_AT_ONCE and not alone

    async def _resume(self) -> None:
        if await self._ask("resume"):
            self._then(self._next, 3, 15)

    async def _goes_home(self) -> bool:
        now, hall = self.hall.time.now, self.hall
        last = now >= self.closes + OVERTIME
        if self._held and not last:
            return False
        if self.leaving and await hall.queue_length(self.categories) > TOO_MANY:
            self.leaving = False
        evening = now >= self.closes and not await hall.waiting(self.categories)
        if not (last or evening or self.leaving):
            return False
        if await self._ask("close"):
            self.place = "away"
        return True

    # -- asking the hall

    def _then(self, act: Any, least: float, most: float) -> None:
        self.hall.agenda.add(self.hall.soon(least, most), act)

    async def _ask(self, command: str, body: Mapping[str, Any] | None = None) -> Answer | None:
        """Do it at the window. None when it is not ours to do now: what is next is noted then."""
        if not self.hall.time.stated:
            view = await self.hall.window(self.window)
            if not self._is_mine(view):
                self._yield()
                return None
        try:
            return await self.hall.at_window(self.window, command, body)
        except Refused:
            view = await self.hall.window(self.window, fresh=True)
            if self._is_mine(view):
                self._carry_on(view)
            else:
                self._yield()
            return None

    def _is_mine(self, view: Mapping[str, Any]) -> bool:
        staff = view["staff"]
        return view["state"] != "closed" and (staff is None or staff["badge"] == self.badge)

    def _carry_on(self, view: Mapping[str, Any]) -> None:
        """Somebody else acted here, a manager for instance: go on from what there is."""
        self._number = view["ticket"] or ""
        match view["state"]:
            case "called":
                self._then(self._start, 15, 40)
            case "serving":
                self._then(self._end, 60, 180)
            case "paused":
                self.hall.agenda.add(self.hall.time.now + 120 * SECOND, self._look)
            case _:
                self._then(self._next, 15, 40)
