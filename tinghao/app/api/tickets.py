"""Taking a number, and what its holder may see and do."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody

from tinghao.app.api.answers import IDEMPOTENCY, empty, json_answer
from tinghao.app.api.bodies import Body, DeferBody, RatingBody, TakeBody
from tinghao.app.api.windows import rating_of
from tinghao.app.auth.caller import Caller
from tinghao.app.auth.guards import demand
from tinghao.app.auth.visit import caller_of
from tinghao.app.performing import Asked, asked, moment_of, perform, stated_time
from tinghao.app.problems import ProblemError
from tinghao.app.service import Service
from tinghao.queue.commands import Cancel, Command, Defer, Take
from tinghao.queue.desk import Desk, Result
from tinghao.queue.journal import Done
from tinghao.queue.model import Channel, HallState, Ticket
from tinghao.queue.refusals import unknown
from tinghao.realtime import screens

GROUNDS = ("elderly", "disabled", "pregnant", "military", "infant")
CLASSES = ("normal", "priority", "appointment")
_CHANNELS: dict[str, Channel] = {"kiosk": "kiosk", "citizen": "web"}
TOKEN_BYTES = 16


@post(
    "/halls/{hall:str}/tickets",
    operation_id="take",
    summary="Take a number",
    tags=["tickets"],
)
async def take(
    request: Request[Any, Any, Any],
    hall: FromPath[str],
    desk: NamedDependency[Desk],
    service: NamedDependency[Service],
    data: JSONBody[TakeBody],
    idempotency_key: Annotated[str | None, HeaderParameter(name=IDEMPOTENCY)] = None,
) -> Response[bytes]:
    """A number in the category's queue; the token in the answer is given only this once."""
    caller = caller_of(request)
    state = desk.live(hall).state
    may_take(caller, state)
    result = await taken(
        desk,
        hall,
        take_command(data, caller, state),
        await asked(request, caller),
        public_address(request, service),
        stated=data.at,
    )
    return json_answer(result, 201)


def may_take(caller: Caller, state: HallState) -> None:
    """Raises ProblemError unless the caller may take a number in the hall."""
    if caller.kind == "citizen" and state.setup.policy.public_take:
        return
    demand(caller, "take", state.code)


def take_command(body: TakeBody, caller: Caller, state: HallState) -> Take:
    """The wish that a body stands for, without its token. Raises ProblemError."""
    cls, ground = _priority(body.priority)
    slot = body.appointment.get("slot") if isinstance(body.appointment, dict) else body.appointment
    if isinstance(body.appointment, dict) and slot is None:
        raise ProblemError(422, "appointment", "An appointment has a slot, a time of today.")
    channel = body.channel or _CHANNELS.get(caller.role, "window")
    return Take(
        category=body.category,
        item=body.item,
        channel=channel,
        cls="appointment" if slot is not None and cls == "normal" else cls,
        ground=ground,
        appointment=None if slot is None else moment_of(slot, state, "appointment"),
    )


async def taken(
    desk: Desk,
    hall: str,
    command: Take,
    who: Asked,
    address: str,
    stated: str | None = None,
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
            "ahead": public["ahead"],
            "estimate": public["estimate"],
            "taken_at": public["taken_at"],
            "status_url": f"{address}/t/{token}",
        }

    at = stated_time(desk, who.caller, hall, stated)
    return await perform(desk, hall, command, who, answer, at)


@get(
    "/tickets/{token:str}",
    operation_id="ticket",
    summary="A ticket as its holder sees it",
    tags=["tickets"],
)
async def ticket(token: FromPath[str], desk: NamedDependency[Desk]) -> dict[str, Any]:
    """Number, state, how many are ahead, the estimate, and the window once called."""
    hall, found = await holder_of(desk, token)
    state = desk.live(hall).state
    return {"hall": hall, **screens.public_ticket(state, found)}


@post(
    "/tickets/{token:str}/cancel",
    operation_id="ticket-cancel",
    summary="Leave the queue",
    status_code=200,
    tags=["tickets"],
)
async def cancel(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    desk: NamedDependency[Desk],
    idempotency_key: Annotated[str | None, HeaderParameter(name=IDEMPOTENCY)] = None,
    data: JSONBody[Body | None] = None,
) -> Response[bytes]:
    """The citizen leaves; the number is not given again today."""
    hall, found = await holder_of(desk, token)
    body = data or empty(Body)
    return await _of_holder(request, desk, hall, Cancel(ticket=found.id), body.at)


@post(
    "/tickets/{token:str}/defer",
    operation_id="ticket-defer",
    summary="Let others go first",
    status_code=200,
    tags=["tickets"],
)
async def defer(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    desk: NamedDependency[Desk],
    idempotency_key: Annotated[str | None, HeaderParameter(name=IDEMPOTENCY)] = None,
    data: JSONBody[DeferBody | None] = None,
) -> Response[bytes]:
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
)
async def rating(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    desk: NamedDependency[Desk],
    data: JSONBody[RatingBody],
    idempotency_key: Annotated[str | None, HeaderParameter(name=IDEMPOTENCY)] = None,
) -> Response[bytes]:
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
) -> Response[bytes]:
    caller = caller_of(request)
    stated = stated_time(desk, caller, hall, at)
    who = await asked(request, caller)
    return json_answer(await perform(desk, hall, command, who, public_answer, stated))


def _priority(given: dict[str, str | None] | str | None) -> tuple[str, str | None]:
    """The class and the ground of a priority; a ground alone means the class priority."""
    if given is None:
        return "normal", None
    named = {"class": given} if isinstance(given, str) else given
    cls, ground = named.get("class") or "priority", named.get("ground")
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
