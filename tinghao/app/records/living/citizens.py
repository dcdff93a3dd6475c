"""The citizens of a demonstration's day: when they come is on record, what they do is not."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from tinghao.app.records.living.hall import Hall
from tinghao.client import Refused
from tinghao.queue.model import Micros

PRIORITY, CANCELS, DEFERS, RATES = 0.07, 0.02, 0.015, 0.45
GROUNDS = ("elderly", "elderly", "elderly", "pregnant", "infant", "disabled", "military")
CHANNELS = ("kiosk", "kiosk", "kiosk", "kiosk", "window", "mobile", "web")
GRADES = (5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 3, 2)


class Arrival(Struct, frozen=True):
    """A recorded citizen at the hall's door, with the category that his queue was dealt to."""

    at: Micros
    category: str
    items: tuple[str, ...] = ()


def arrive(hall: Hall, arrivals: Sequence[Arrival]) -> None:
    """Note all arrivals of the day."""
    for arrival in arrivals:
        hall.agenda.add(arrival.at, _Takes(hall, arrival))


class _Takes:
    """Takes a number, and perhaps leaves or lets others go first later on."""

    def __init__(self, hall: Hall, arrival: Arrival) -> None:
        self._hall = hall
        self._arrival = arrival

    async def __call__(self) -> None:
        hall, random = self._hall, self._hall.random
        body: dict[str, Any] = {
            "category": self._arrival.category,
            "channel": random.choice(CHANNELS),
        }
        if self._arrival.items:
            body["item"] = random.choice(self._arrival.items)
        if random.random() < PRIORITY:
            body["priority"] = {"class": "priority", "ground": random.choice(GROUNDS)}
        with suppress(Refused):  # the category may have been closed by a visitor
            answer = await hall.post(f"/halls/{hall.code}/tickets", body)
            token = answer.body["token"]
            hall.mine[answer.body["number"]] = token
            chance = random.random()
            if chance < CANCELS:
                hall.agenda.add(hall.soon(8 * 60, 25 * 60), _Asks(hall, token, "cancel", {}))
            elif chance < CANCELS + DEFERS:
                later = _Asks(hall, token, "defer", {"places": random.randrange(1, 4)})
                hall.agenda.add(hall.soon(60, 5 * 60), later)


class _Asks:
    """The holder of a ticket asks for something; too late is no matter."""

    def __init__(self, hall: Hall, token: str, what: str, body: dict[str, Any]) -> None:
        self._hall = hall
        self._path = f"/tickets/{token}/{what}"
        self._body = body

    async def __call__(self) -> None:
        with suppress(Refused):
            await self._hall.post(self._path, self._body)


def rates(hall: Hall, number: str) -> None:
    """Perhaps our citizen rates the service that he has just had."""
    token = hall.mine.get(number)
    if token is not None and hall.random.random() < RATES:
        grade = hall.random.choice(GRADES)
        hall.agenda.add(hall.soon(10, 90), _Asks(hall, token, "rating", {"grade": grade}))


def came_late(hall: Hall, window: int, number: str) -> None:
    """Whoever missed his call comes to the window some minutes later."""

    async def comes() -> None:
        with suppress(Refused):
            await hall.at_window(window, "return", {"number": number, "reason": "missed"})

    hall.agenda.add(hall.soon(2 * 60, 12 * 60), comes)
