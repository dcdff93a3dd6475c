"""Halls as they are set up and as they are now, their journal and their clock."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from tinghao.app.api import shapes
from tinghao.app.api.answers import json_answer, shown
from tinghao.app.api.bodies import ClockBody
from tinghao.app.api.describing import IdempotencyKey
from tinghao.app.api.problem_types import COMMAND, GUARDED, READING, refusals
from tinghao.app.auth.guards import require
from tinghao.app.auth.visit import caller_of
from tinghao.app.performing import asked, may_read, moment_of, perform, readable
from tinghao.app.service import Service
from tinghao.queue.clock import hall_time, iso
from tinghao.queue.commands import Configure, SetClock
from tinghao.queue.desk import Desk
from tinghao.queue.journal import Done
from tinghao.queue.journal.store import raw_entries
from tinghao.queue.model import HallClock, HallConfig
from tinghao.realtime import screens

JOURNAL_MOST = 1_000
SEQ_MOST = 2**63 - 1


@get(
    "/halls",
    operation_id="halls",
    summary="All halls",
    tags=["halls"],
    responses=refusals(("token-invalid", "database-unavailable")),
)
async def halls(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk]
) -> Response[shapes.Halls]:
    """The halls that the caller may read, by code."""
    caller = caller_of(request)
    found = [hall.state for hall in desk.halls if may_read(caller, hall.state)]
    return shown(
        {
            "halls": [
                {"code": each.code, "name": each.setup.name, "name_en": each.setup.name_en}
                for each in found
            ]
        }
    )


@get(
    "/halls/{hall:str}",
    operation_id="hall",
    summary="How a hall is set up",
    tags=["halls"],
    responses=refusals((*READING, *GUARDED)),
)
async def hall(
    request: Request[Any, Any, Any], hall: FromPath[str], desk: NamedDependency[Desk]
) -> Response[shapes.Hall]:
    """Its categories and windows."""
    state = readable(caller_of(request), desk, hall)
    return shown(screens.hall_view(state.setup, state))


@get(
    "/halls/{hall:str}/state",
    operation_id="hall-state",
    summary="A hall now",
    tags=["halls"],
    responses=refusals((*READING, *GUARDED)),
)
async def state(
    request: Request[Any, Any, Any], hall: FromPath[str], desk: NamedDependency[Desk]
) -> Response[shapes.HallNow]:
    """What the lobby shows, with the place in the journal that it is of."""
    now = readable(caller_of(request), desk, hall)
    return shown(
        {
            "epoch": now.epoch,
            "seq": now.seq,
            "at": iso(desk.now(hall), now.setup.timezone),
            "speed": now.clock.speed,
            **screens.lobby(now, desk.people(hall), desk.now(hall)),
        }
    )


@get(
    "/halls/{hall:str}/journal",
    operation_id="hall-journal",
    summary="What happened in a hall, entry by entry",
    tags=["halls"],
    guards=[require("read-journal")],
    responses=refusals((*READING, *GUARDED, "invalid-input")),
)
async def journal(
    hall: FromPath[str],
    desk: NamedDependency[Desk],
    service: NamedDependency[Service],
    after: Annotated[int, QueryParameter(ge=0, le=SEQ_MOST)] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=JOURNAL_MOST)] = 200,
) -> Response[shapes.Journal]:
    """The entries behind `after`; `entry` is the text that the hash chain covers."""
    live = desk.live(hall)
    rows = await service.database.read(
        partial(raw_entries, hall_id=live.hall_id, after=after, most=limit)
    )
    timezone = live.state.setup.timezone
    return shown({"entries": [_entry(text, digest, timezone) for text, digest in rows]})


@get(
    "/halls/{hall:str}/presence",
    operation_id="hall-presence",
    summary="Who follows a hall now",
    tags=["halls"],
    guards=[require("read-manager")],
    responses=refusals((*READING, *GUARDED)),
)
async def presence(
    hall: FromPath[str], desk: NamedDependency[Desk], service: NamedDependency[Service]
) -> Response[shapes.Presence]:
    """Sockets by topic over all processes; consoles and displays that are really there."""
    desk.live(hall)
    seen = service.presence()
    topics: Counter[str] = Counter()
    for sockets in seen:
        for name, number in sockets.items():
            code, _, topic = name.partition("/")
            if code == hall:
                topics[topic] += number
    return shown({"processes": len(seen), "topics": dict(topics)})


@post(
    "/halls/{hall:str}/clock",
    operation_id="hall-clock",
    summary="How hall time runs (replay)",
    status_code=200,
    tags=["halls"],
    guards=[require("state-times")],
    responses=refusals((*COMMAND, *GUARDED, "speed")),
)
async def set_clock(
    request: Request[Any, Any, Any],
    hall: FromPath[str],
    desk: NamedDependency[Desk],
    data: JSONBody[ClockBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[shapes.ClockNow]:
    """A replay or a demo sets the hall's clock; each change stands in the journal."""
    live = desk.live(hall)
    at = None if data.at is None else moment_of(data.at, live.state, "at")
    machine = desk.clock()
    now = hall_time(live.state.clock, machine, live.state.at) if at is None else at
    clock = HallClock(mode=data.mode, at=now, machine_at=machine, speed=data.speed)
    result = await perform(
        desk,
        hall,
        SetClock(clock=clock),
        await asked(request, caller_of(request)),
        _clock_answer,
        stated=now,
    )
    return json_answer(result)


@get(
    "/halls/{hall:str}/configuration",
    operation_id="hall-configuration",
    summary="The configuration in force",
    tags=["halls"],
    guards=[require("read-manager")],
    responses=refusals((*READING, *GUARDED)),
)
async def configuration(hall: FromPath[str], desk: NamedDependency[Desk]) -> HallConfig:
    """Everything that may be changed with PUT."""
    return desk.live(hall).state.setup


@put(
    "/halls/{hall:str}/configuration",
    operation_id="hall-configure",
    summary="A new configuration",
    tags=["halls"],
    guards=[require("administer")],
    responses=refusals(
        (*COMMAND, *GUARDED, "configuration", "category-in-use", "window-in-use", "day-open")
    ),
)
async def configure(
    request: Request[Any, Any, Any],
    hall: FromPath[str],
    desk: NamedDependency[Desk],
    data: JSONBody[HallConfig],
    idempotency_key: IdempotencyKey = None,
) -> Response[HallConfig]:
    """It comes into force at once and stands in the journal."""
    who = await asked(request, caller_of(request))
    done = await perform(desk, hall, Configure(config=data), who, lambda done: done.state.setup)
    return json_answer(done)


def _entry(text: str, digest: str, timezone: str) -> dict[str, Any]:
    written = msgspec.json.decode(text)
    return {
        "seq": written["seq"],
        "at": iso(written["at"], timezone),
        "kind": written["kind"],
        "data": written["data"],
        "by": written["by"],
        "hash": digest,
        "entry": text,
    }


def _clock_answer(done: Done) -> dict[str, Any]:
    clock = done.state.clock
    return {
        "mode": clock.mode,
        "speed": clock.speed,
        "at": iso(done.state.at, done.state.setup.timezone),
    }
