"""Carrying a plan out against a running server, through its public API.

One hall's commands have an order, so they go one after the other over one connection that stays
open. Each states its recorded time (`at`), which only a token of the role replay may.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from msgspec import Struct, field

from tinghao.app.records.fitting import days_later, instant
from tinghao.app.records.importer import PAUSE_REASON, REASON
from tinghao.app.records.steps import DayPlan, Plan, Step
from tinghao.client import Client, Refused
from tinghao.queue.clock import iso

RIGHTS_MISSING = frozenset({401, 403})


class Driven(Struct):
    """What was done: successful steps by kind, and what the server would not do."""

    done: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


async def drive(
    client: Client,
    hall: str,
    plan: Plan,
    timezone: str,
    speed: float,
    shift: int = 0,
    progress: Callable[[int], None] = lambda steps: None,
) -> Driven:
    """Carry out every step, `speed` times as fast as recorded; between two days no time passes.

    Raises Unreachable when the server stays away, Refused when the token lacks a right. Any other
    refusal is a problem in the result, and the rest goes on.
    """
    driven = Driven()
    for day in plan.days:
        await _drive_day(client, hall, day, timezone, speed, shift, driven, progress)
    return driven


async def _drive_day(
    client: Client,
    hall: str,
    day: DayPlan,
    timezone: str,
    speed: float,
    shift: int,
    driven: Driven,
    progress: Callable[[int], None],
) -> None:
    date_ = days_later(day.day, shift)
    began = time.monotonic()
    dawn = day.steps[0].at if day.steps else 0
    tokens: dict[str, str] = {}
    for step in day.steps:
        ahead = (step.at - dawn) / 1e6 / speed - (time.monotonic() - began)
        if ahead > 0:
            await asyncio.sleep(ahead)
        await _carry_out(client, hall, step, date_, timezone, tokens, driven)
        progress(1)


async def _carry_out(
    client: Client,
    hall: str,
    step: Step,
    day: date,
    timezone: str,
    tokens: dict[str, str],
    driven: Driven,
) -> None:
    at = iso(instant(day, step.at, timezone), timezone)
    path, body = _request(hall, step, tokens)
    try:
        answer = await client.post(path, {**body, "at": at})
    except Refused as refused:
        if refused.status in RIGHTS_MISSING:
            raise
        driven.problems.append(f"{at} {step.kind} {step.number or ''}: {refused}")
        return
    if step.kind == "take":
        tokens[step.ticket or ""] = answer.body["token"]
    if step.kind in {"take", "call", "call-next"}:
        got = None if answer.body is None else answer.body.get("number")
        if got != step.number:
            driven.problems.append(
                f"{at} {step.kind}: the hall answers {got or 'nobody'}, not {step.number}"
            )
    driven.done[step.kind] = driven.done.get(step.kind, 0) + 1


def _request(hall: str, step: Step, tokens: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The path and the body that carry the step out, apart from its time."""
    if step.kind == "take":
        priority = {"priority": {"class": "priority"}} if step.priority else {}
        return f"/halls/{hall}/tickets", {"category": step.category, **priority}
    if step.kind == "cancel":
        return f"/tickets/{tokens.get(step.ticket or '', 'unknown')}/cancel", {}
    body: dict[str, Any] = {}
    if step.kind == "assign":
        body = {"categories": list(step.categories)}
    elif step.kind == "call":
        body = {"number": step.number, "reason": REASON}
    elif step.kind == "pause":
        body = {"reason": PAUSE_REASON}
    command = "categories" if step.kind == "assign" else step.kind
    return f"/halls/{hall}/windows/{step.window}/{command}", body
