"""Whether a hall's journal agrees with the record, number by number.

Every recorded arrival must have its take, every recorded call its call, with the number, the
category and the time, each exactly once and no other one on the recorded days.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from tinghao.app.records.fitting import days_later, instant
from tinghao.app.records.steps import Plan
from tinghao.queue.clock import business_day, iso, micros
from tinghao.queue.model import Day, Micros

TAKEN, CALLED = "ticket-taken", "ticket-called"
_Fact = tuple[str, Day, str]  # what, business day, number


class Seen(Struct, frozen=True):
    """When a number was taken or called, and in which category."""

    at: Micros
    category: str


def expected(plan: Plan, timezone: str, shift: int = 0) -> dict[_Fact, Seen]:
    """Each recorded arrival and call, as the journal should have it."""
    facts: dict[_Fact, Seen] = {}
    for day in plan.days:
        date_ = days_later(day.day, shift)
        for step in day.steps:
            if step.kind in {"take", "call", "call-next"}:
                what = TAKEN if step.kind == "take" else CALLED
                at = instant(date_, step.at, timezone)
                key = (what, business_day(at, timezone), step.number or "")
                facts[key] = Seen(at, step.category or "")
    return facts


def differences(
    wanted: Mapping[_Fact, Seen], entries: Iterable[Mapping[str, Any]], timezone: str
) -> list[str]:
    """What is missing, doubled, else or too much in the journal's entries, a sentence each.

    An entry is as the API gives it: `kind`, `at` (RFC 3339) and `data` with `number`.
    """
    found: Counter[_Fact] = Counter()
    said: list[str] = []
    for entry in entries:
        if entry["kind"] not in {TAKEN, CALLED}:
            continue
        at = micros(datetime.fromisoformat(entry["at"]))
        key = (entry["kind"], business_day(at, timezone), entry["data"]["number"])
        found[key] += 1
        name = f"{_words(key)} (entry {entry['seq']})"
        want = wanted.get(key)
        if want is None:
            said.append(f"{name} is not in the record")
        elif found[key] > 1:
            said.append(f"{name} has happened before")
        else:
            if want.at != at:
                said.append(f"{name} is of {iso(at, timezone)}, not of {iso(want.at, timezone)}")
            if want.category != entry["data"]["category"]:
                said.append(f"{name} is in {entry['data']['category']}, not in {want.category}")
    said += [f"{_words(key)} is missing" for key in wanted if key not in found]
    return said


def _words(key: _Fact) -> str:
    what, day, number = key
    date_ = f"{day // 10_000}-{day // 100 % 100:02d}-{day % 100:02d}"
    return f"{date_}: the {'take' if what == TAKEN else 'call'} of {number}"
