"""Replaying recorded days through a running server, and checking its journal afterwards."""

from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct

from tinghao.app.records.comparing import differences, expected
from tinghao.app.records.driver import Driven, drive
from tinghao.app.records.fitting import days_later, instant
from tinghao.app.records.plan import make_plan
from tinghao.app.records.record import Record
from tinghao.app.records.steps import Plan, PlanCategory, PlanHall, PlanWindow
from tinghao.client import Client
from tinghao.queue.clock import iso, zone

PAGE = 1000
"""Journal entries asked for at once."""


class Replayed(Struct, frozen=True):
    """What a replay did and what it found; `clean` when there is nothing to complain of."""

    plan: Plan
    shift: int
    driven: Driven
    differences: tuple[str, ...]
    retries: int

    @property
    def clean(self) -> bool:
        """Whether the server did every step and its journal agrees with the record."""
        return not self.driven.problems and not self.differences


async def replay(
    client: Client,
    hall: str,
    record: Record,
    speed: float,
    maps: tuple[str, ...] = (),
    keep_clock: bool = False,
    say: Callable[[str], None] = lambda sentence: None,
    planned: Callable[[int], None] = lambda steps: None,
    progress: Callable[[int], None] = lambda steps: None,
) -> Replayed:
    """Replay a record into a hall at `speed` times its time.

    `say` hears what is going on, `planned` how many steps there are, `progress` how many were
    done. Raises Refused, Unreachable, DealError or PlanError; the hall's clock is given back to
    the machine's in any case unless `keep_clock`.
    """
    known = await client.get(f"/halls/{hall}")
    timezone = known.get("timezone") or "Asia/Shanghai"
    plan = make_plan(record, plan_hall_of(known), maps)
    for queue, category in plan.dealt.items():
        say(f"{queue} → {category}")
    for sentence in plan.left_out:
        say(f"left out: {sentence}")
    seq, latest = await last_entry(client, hall, timezone)
    shift = day_shift(plan.days[0].day, latest, timezone)
    if shift:
        say(
            f"the hall's journal reaches {latest:%Y-%m-%d %H:%M}: recorded days are replayed "
            f"{shift} days later, from {days_later(plan.days[0].day, shift)}"
        )
    planned(sum(len(day.steps) for day in plan.days))
    await _state_times(client, hall, plan, shift, timezone, speed)
    try:
        driven = await drive(client, hall, plan, timezone, speed, shift, progress)
        entries = [each async for each in journal(client, hall, seq)]
        found = differences(expected(plan, timezone, shift), entries, timezone)
    finally:
        if not keep_clock:
            await client.post(f"/halls/{hall}/clock", {"mode": "machine"})
    return Replayed(plan, shift, driven, tuple(found), client.retries)


def plan_hall_of(known: dict[str, Any]) -> PlanHall:
    """What a plan has to know of a hall, from what the API says of it."""
    windows = sorted(known["windows"], key=lambda each: (each["role"] != "intake", each["number"]))
    return PlanHall(
        categories=tuple(
            PlanCategory(each["code"], each["prefix"]) for each in known["categories"]
        ),
        windows=tuple(PlanWindow(each["number"], tuple(each["categories"])) for each in windows),
    )


def day_shift(first: date, latest: datetime, timezone: str) -> int:
    """By how many days a record that begins on `first` has to move.

    None at all when the hall's last entry is older; otherwise so that it begins on the day after
    that entry's business day.
    """
    local = latest.astimezone(zone(timezone))
    midnight = datetime(first.year, first.month, first.day, tzinfo=zone(timezone))
    if local < midnight:
        return 0
    return (local.date() + timedelta(days=1) - first).days


async def journal(client: Client, hall: str, after: int) -> AsyncIterator[dict[str, Any]]:
    """Every entry of the hall behind `after`."""
    while True:
        page = await client.get(f"/halls/{hall}/journal", after=after, limit=PAGE)
        for entry in page["entries"]:
            yield entry
            after = entry["seq"]
        if not page["entries"]:
            return


async def last_entry(client: Client, hall: str, timezone: str) -> tuple[int, datetime]:
    """The place and the time of the last entry in the hall's journal."""
    state = await client.get(f"/halls/{hall}/state")
    seq = int(state["seq"])
    page = await client.get(f"/halls/{hall}/journal", after=seq - 1, limit=1)
    at = datetime.fromisoformat(page["entries"][0]["at"])
    return seq, at.astimezone(zone(timezone))


async def _state_times(
    client: Client, hall: str, plan: Plan, shift: int, timezone: str, speed: float
) -> None:
    """Put the hall on stated time, beginning at the first step."""
    day = plan.days[0]
    begins = instant(days_later(day.day, shift), day.steps[0].at, timezone)
    await client.post(
        f"/halls/{hall}/clock",
        {"mode": "stated", "at": iso(begins, timezone), "speed": speed},
    )
