"""The ticket's page behind the QR code, and the paper that carries the code."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from tinghao.app.api.bodies import DeferBody, RatingBody
from tinghao.app.api.tickets import holder_of, public_address, public_answer
from tinghao.app.api.windows import rating_of
from tinghao.app.auth.visit import caller_of
from tinghao.app.pages.acting import keyed
from tinghao.app.pages.forms import body_of
from tinghao.app.pages.paper import qr_svg
from tinghao.app.pages.showing import frame_of, hall_of, is_htmx, show
from tinghao.app.performing import perform, readable
from tinghao.app.service import Service
from tinghao.queue.commands import Cancel, Command, Defer
from tinghao.queue.desk import Desk
from tinghao.queue.model import HallState, Ticket
from tinghao.queue.refusals import unknown
from tinghao.realtime import screens


@get("/t/{token:str}", name="phone")
async def phone(
    request: Request[Any, Any, Any], token: FromPath[str], desk: NamedDependency[Desk]
) -> Response[str]:
    """The ticket, live."""
    hall, ticket = await holder_of(desk, token)
    readable(caller_of(request), desk, hall)
    return show(request, "phone.html", **_context(desk, hall, token, ticket))


@get("/t/{token:str}/paper", name="paper")
async def paper(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    desk: NamedDependency[Desk],
    service: NamedDependency[Service],
    width: Annotated[int, QueryParameter(ge=58, le=80)] = 80,
    print_now: Annotated[bool, QueryParameter(name="print")] = False,
) -> Response[str]:
    """The ticket to print, 58 or 80 mm wide."""
    hall, ticket = await holder_of(desk, token)
    readable(caller_of(request), desk, hall)
    status_url = f"{public_address(request, service)}/t/{token}"
    return show(
        request,
        "paper.html",
        **_context(desk, hall, token, ticket),
        qr_svg=qr_svg(status_url),
        status_url=status_url,
        width=58 if width < 70 else 80,
        printing=print_now,
    )


@post("/t/{token:str}/{command:str}", status_code=200)
async def act(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    command: FromPath[str],
    desk: NamedDependency[Desk],
) -> Response[Any]:
    """The holder leaves, lets others go first, or rates the service."""
    hall, ticket = await holder_of(desk, token)
    wish = _wish(command, ticket, await request.form(), caller_of(request).id)
    who = await keyed(request, caller_of(request))
    await perform(desk, hall, wish, who, public_answer)
    if not is_htmx(request):
        return Response(b"", status_code=303, headers={"Location": f"/t/{token}"})
    _, ticket = await holder_of(desk, token)
    return show(request, "fragments/phone_card.html", **_context(desk, hall, token, ticket))


def _wish(command: str, ticket: Ticket, form: FormMultiDict, device: str) -> Command:
    if command == "cancel":
        return Cancel(ticket=ticket.id)
    if command == "defer":
        return Defer(ticket=ticket.id, places=body_of(form, DeferBody).places)
    if command == "rating":
        return rating_of(ticket.id, body_of(form, RatingBody), device)
    raise unknown("unknown-command", "There is no command {command}.", command=command)


def _context(desk: Desk, hall: str, token: str, ticket: Ticket) -> dict[str, Any]:
    state: HallState = desk.live(hall).state
    view = screens.category(state, ticket.category)
    if view is None:
        raise unknown(
            "category-gone", "This hall no longer has {category}.", category=ticket.category
        )
    return {
        "token": token,
        "ticket": screens.public_ticket(state, ticket),
        "category": view["category"],
        "view": view,
        "hall": hall_of(state),
        "frame": frame_of(desk, state),
    }
