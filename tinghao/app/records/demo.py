"""The life of the demonstration hall: recorded days, one after the other, as new business days.

Runs beside the server, through its public API, until it is cancelled. What citizens and clerks
do is synthetic except for when the citizens come.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from tinghao.app.records.deal import deal
from tinghao.app.records.fitting import time_of_day
from tinghao.app.records.living.agenda import TimeOfDay
from tinghao.app.records.living.citizens import Arrival
from tinghao.app.records.living.day import Script, live, opening_shift, seats_of
from tinghao.app.records.living.hall import Hall
from tinghao.app.records.record import Record, read_record
from tinghao.app.records.replay import last_entry
from tinghao.client import Client, Refused, Unreachable
from tinghao.queue.calendar import rest_day
from tinghao.queue.clock import zone
from tinghao.queue.model import MINUTE, Micros

log = logging.getLogger(__name__)

TICKETS = Path(__file__).parent / "data" / "tickets.csv"
FULL_AFTER: Micros = 135 * MINUTE
"""After opening: how far the first day has gone when the first visitor sees it."""
BADGES = ("001", "002", "003", "004", "005", "006", "007", "008")
"""The staff of the demonstration, each at one window; other badges are for visitors."""
BREATH = 5.0
"""Seconds of machine time before a life that broke off goes on."""


async def live_through(
    hall: str,
    url: str,
    token: str,
    speed: float = 30.0,
    *,
    badges: Sequence[str] = BADGES,
    seed: int = 1,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Let the hall live, day after day, `speed` times as fast as the clock; ends by cancellation.

    `token` is of the role replay. `badges` are the staff who work here, each at one window; the
    windows that are left over, and any that somebody else opens, are the visitors'. `ready` is
    called when the hall is full enough to be looked at. Never raises: what fails is logged, and
    life goes on.
    """
    told = False

    def tell() -> None:
        nonlocal told
        if not told:
            told = True
            ready()

    loops = count()
    while True:
        try:
            record = read_record(TICKETS)
            async with Client(url, token) as client:
                await _days(client, hall, record, speed, badges, seed, loops, tell)
        except (Refused, Unreachable, ConnectionError) as problem:
            log.warning("the demonstration pauses: %s", problem)
        except Exception:
            log.exception("the demonstration has stumbled and begins a new day")
        await asyncio.sleep(BREATH)


async def _days(
    client: Client,
    code: str,
    record: Record,
    speed: float,
    badges: Sequence[str],
    seed: int,
    loops: "count[int]",
    ready: Callable[[], None],
) -> None:
    known = await client.get(f"/halls/{code}")
    seats = seats_of(known["windows"], badges)
    for loop in loops:
        _, latest = await last_entry(client, code, known["timezone"])
        day = next_workday(latest, datetime.now(zone(known["timezone"])))
        # The liveliest day first: it is the one that most visitors see.
        recorded = _by_liveliness(record)[loop % len(record.days)]
        script = script_of(record, recorded, known)
        random = Random(f"{seed} {loop}")  # noqa: S311 (plausible, not secret)
        hall = Hall(client, known, day, TimeOfDay(0), random)
        full_at = script.opens + FULL_AFTER if loop == 0 else None
        log.info("the hall lives through %s as %s", recorded, day)
        await live(hall, script, seats, full_at, speed, ready)


def script_of(record: Record, day: date, known: dict[str, Any]) -> Script:
    """A recorded day in the hours and the categories of a hall, as the API describes it."""
    tickets = [each for each in record.tickets if each.day == day]
    opens, closes = time_of_day(known["opens"]), time_of_day(known["closes"])
    shift = opening_shift(min(each.arrived for each in tickets), opens)
    dealt = deal(record.tickets, [each["code"] for each in known["categories"]])
    items = {
        each["code"]: tuple(item["code"] for item in each["items"]) for each in known["categories"]
    }
    open_now: dict[str, int] = {}
    counters = []
    for snapshot in record.snapshots:
        if snapshot.day == day:
            open_now[snapshot.queue] = snapshot.open_counters
            counters.append((snapshot.at + shift, sum(open_now.values())))
    return Script(
        opens=opens,
        closes=closes,
        arrivals=tuple(
            Arrival(each.arrived + shift, dealt[each.queue], items[dealt[each.queue]])
            for each in tickets
        ),
        counters=tuple(counters),
    )


def next_workday(latest: datetime, today: datetime) -> date:
    """The day to live: today, or the first workday that the hall's journal has not reached."""
    day = max(today.date(), latest.date() + timedelta(days=1))
    while rest_day(day.year * 10_000 + day.month * 100 + day.day) is not None:
        day += timedelta(days=1)
    return day


def _by_liveliness(record: Record) -> list[date]:
    return sorted(
        record.days, key=lambda day: (-sum(each.day == day for each in record.tickets), day)
    )
