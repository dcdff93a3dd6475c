"""Taking a number, and what its holder may see and do."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from tinghao.app.api import shapes
from tinghao.app.api.answers import empty, json_answer, shown
from tinghao.app.api.bodies import (
    Appointment,
    Body,
    DeferBody,
    PriorityGiven,
    RatingBody,
    TakeBody,
)
from tinghao.app.api.describing import IdempotencyKey, operation_of
from tinghao.app.api.problem_types import COMMAND, GUARDED, READING, refusals
from tinghao.app.api.windows import RATING, rating_of
from tinghao.app.auth.caller import Caller
from tinghao.app.auth.guards import demand
from tinghao.app.auth.visit import caller_of
from tinghao.app.performing import Asked, asked, moment_of, perform, readable, stated_time
from tinghao.app.service import Service
from tinghao.app.web.problems import ProblemError
from tinghao.queue.clock import business_day
from tinghao.queue.commands import Cancel, Command, Defer, Take
from tinghao.queue.desk import Desk, Result
from tinghao.queue.journal import Done
from tinghao.queue.model import Channel, HallState, Micros, Ticket
from tinghao.queue.refusals import Refusal, unknown
from tinghao.realtime import screens

GROUNDS = ("elderly", "disabled", "pregnant", "military", "infant")
CLASSES = ("normal", "priority", "appointment")
_CHANNELS: dict[str, Channel] = {"kiosk": "kiosk", "citizen": "web"}
TOKEN_BYTES = 16
TAKING = (
    "category-closed",
    "too-late",
    "hall-closed",
    "day-full",
    "unknown-category",
    "unknown-item",
    "priority",
    "appointment",
)
"""What a take may be refused with."""
WAITING = ("already-called", "already-settled")
"""What a wish of someone who waits may be refused with."""


@post(
    "/halls/{hall:str}/tickets",
    operation_id="take",
    summary="Take a number",
    tags=["tickets"],
    responses=refusals((*COMMAND, *GUARDED, *TAKING)),
)
async def take(
    request: Request[Any, Any, Any],
    hall: FromPath[str],
    desk: NamedDependency[Desk],
    service: NamedDependency[Service],
    data: JSONBody[TakeBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[shapes.Taken]:
    """A number in the category's queue; the token in the answer is given only this once."""
    caller = caller_of(request)
    state = desk.live(hall).state
    may_take(caller, state)
    stated = stated_time(desk, caller, hall, data.at)
    result = await taken(
        desk,
        hall,
        take_command(data, caller, state, stated or desk.now(hall)),
        await asked(request, caller),
        public_address(request, service),
        stated,
    )
    return json_answer(result, 201)


def may_take(caller: Caller, state: HallState) -> None:
    """Raises ProblemError unless the caller may take a number in the hall."""
    if caller.kind == "citizen" and state.setup.policy.public_take:
        return
    demand(caller, "take", state.code)


def take_command(body: TakeBody, caller: Caller, state: HallState, now: Micros) -> Take:
    """The wish that a body stands for, without its token. Raises ProblemError."""
    cls, ground = _priority(body.priority)
    slot = _slot(body.appointment, state, now)
    channel = body.channel or _CHANNELS.get(caller.role, "window")
    return Take(
        category=body.category,
        item=body.item,
        channel=channel,
        cls="appointment" if slot is not None and cls == "normal" else cls,
        ground=ground,
        appointment=slot,
    )


async def taken(
    desk: Desk,
    hall: str,
    command: Take,
    who: Asked,
    address: str,
    stated: Micros | None = None,
) -> Result:
    """Take the number; the answer holds its token and the address of its page."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    command = msgspec.structs.replace(command, token_hash=hashed(token))

    def answer(done: Done) -> dict[str, Any]:
        ticket = next(iter(done.tickets.values()))
        public = screens.public_ticket(done.state, ticket)
        return {
            "id": ticket.id,
            "token": token,
            "number": ticket.number,
            "category": ticket.category,
            "state": ticket.state,
            "priority": public["priority"],
            "ahead": public["ahead"],
            "estimate": public["estimate"],
            "taken_at": public["taken_at"],
            "status_url": f"{address}/t/{token}",
        }

    return await perform(desk, hall, command, who, answer, stated)


@get(
    "/tickets/{token:str}",
    operation_id="ticket",
    summary="A ticket as its holder sees it",
    tags=["tickets"],
    responses=refusals((*READING, *GUARDED, "unknown-ticket")),
)
async def ticket(
    request: Request[Any, Any, Any], token: FromPath[str], desk: NamedDependency[Desk]
) -> Response[shapes.OwnTicket]:
    """Number, state, how many are ahead, the estimate, and the window once called."""
    hall, found = await holder_of(desk, token)
    state = readable(caller_of(request), desk, hall)
    return shown({"hall": hall, **screens.public_ticket(state, found)})


@post(
    "/tickets/{token:str}/cancel",
    operation_id="ticket-cancel",
    operation_class=operation_of(Body),
    summary="Leave the queue",
    status_code=200,
    tags=["tickets"],
    responses=refusals((*COMMAND, *GUARDED, "unknown-ticket", *WAITING)),
)
async def cancel(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    desk: NamedDependency[Desk],
    idempotency_key: IdempotencyKey = None,
    data: JSONBody[Body | None] = None,
) -> Response[shapes.HeldTicket]:
    """The citizen leaves; the number is not given again today."""
    hall, found = await holder_of(desk, token)
    body = data or empty(Body)
    return await _of_holder(request, desk, hall, Cancel(ticket=found.id), body.at)


@post(
    "/tickets/{token:str}/defer",
    operation_id="ticket-defer",
    operation_class=operation_of(DeferBody),
    summary="Let others go first",
    status_code=200,
    tags=["tickets"],
    responses=refusals((*COMMAND, *GUARDED, "unknown-ticket", *WAITING, "places", "nobody-behind")),
)
async def defer(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    desk: NamedDependency[Desk],
    idempotency_key: IdempotencyKey = None,
    data: JSONBody[DeferBody | None] = None,
) -> Response[shapes.HeldTicket]:
    """The next `places` citizens of the category go first."""
    hall, found = await holder_of(desk, token)
    body = data or empty(DeferBody)
    command = Defer(ticket=found.id, places=body.places)
    return await _of_holder(request, desk, hall, command, body.at)


@post(
    "/tickets/{token:str}/rating",
    operation_id="ticket-rating",
    summary="Rate the service",
    status_code=200,
    tags=["tickets"],
    responses=refusals((*COMMAND, *GUARDED, "unknown-ticket", *RATING)),
)
async def rating(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    desk: NamedDependency[Desk],
    data: JSONBody[RatingBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[shapes.HeldTicket]:
    """Once, within the days the hall allows; 5 is very satisfied, 1 very dissatisfied."""
    hall, found = await holder_of(desk, token)
    command = rating_of(found.id, data, device=caller_of(request).id)
    return await _of_holder(request, desk, hall, command, data.at)


async def holder_of(desk: Desk, token: str) -> tuple[str, Ticket]:
    """The hall and the ticket of a token. Raises Refusal `unknown-ticket`."""
    found = await desk.ticket_by_token(hashed(token))
    if found is None:
        raise unknown("unknown-ticket", "There is no such ticket.")
    return found


def public_answer(done: Done) -> dict[str, Any]:
    """The ticket of a holder's command, as he sees it."""
    return screens.public_ticket(done.state, next(iter(done.tickets.values())))


def hashed(token: str) -> str:
    """What is stored of a ticket's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def public_address(request: Request[Any, Any, Any], service: Service) -> str:
    """Where citizens reach this service, without a slash at the end."""
    return (service.settings.public_url or str(request.base_url)).rstrip("/")


async def _of_holder(
    request: Request[Any, Any, Any], desk: Desk, hall: str, command: Command, at: str | None
) -> Response[Any]:
    caller = caller_of(request)
    stated = stated_time(desk, caller, hall, at)
    who = await asked(request, caller)
    try:
        result = await perform(desk, hall, command, who, public_answer, stated)
    except Refusal as refusal:
        if refusal.kind == "conflict":
            _, present = await holder_of(desk, request.path_params["token"])
            refusal.params["state"] = screens.public_ticket(desk.live(hall).state, present)
        raise
    return json_answer(result)


def _slot(given: Appointment | str | None, state: HallState, now: Micros) -> Micros | None:
    """The time of an appointment, which is of today. Raises ProblemError."""
    if given is None:
        return None
    slot = given.slot if isinstance(given, Appointment) else given
    at = None if slot is None else moment_of(slot, state, "appointment")
    timezone = state.setup.timezone
    if at is None or business_day(at, timezone) != business_day(now, timezone):
        raise ProblemError(422, "appointment", "An appointment has a slot, a time of today.")
    return at


def _priority(given: PriorityGiven | str | None) -> tuple[str, str | None]:
    """The class and the ground of a priority; a ground alone means the class priority."""
    if given is None:
        return "normal", None
    named = PriorityGiven(cls=given) if isinstance(given, str) else given
    cls, ground = named.cls or "priority", named.ground
    if cls in GROUNDS:
        cls, ground = "priority", cls
    if cls not in CLASSES or (ground is not None and ground not in GROUNDS):
        raise ProblemError(
            422,
            "priority",
            "A priority has the class {classes} and a ground: {grounds}.",
            classes="priority",
            grounds=", ".join(GROUNDS),
        )
    return cls, ground
