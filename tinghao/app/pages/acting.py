"""The buttons of the screens: forms that become commands and answer with fragments."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec.structs import replace

from tinghao.app.api.bodies import PriorityGiven, TakeBody
from tinghao.app.api.tickets import may_take, public_address, take_command, taken
from tinghao.app.api.window_commands import WINDOW_COMMANDS, At
from tinghao.app.auth.caller import Caller
from tinghao.app.auth.guards import require
from tinghao.app.auth.visit import caller_of
from tinghao.app.pages.forms import body_of, text_of
from tinghao.app.pages.paper import qr_svg
from tinghao.app.pages.showing import hall_of, show, show_fragments
from tinghao.app.performing import Asked, asked, at_own_window, perform, ticket_answer
from tinghao.app.service import Service
from tinghao.queue.desk import Desk, Result
from tinghao.queue.refusals import unknown
from tinghao.realtime import screens

_COMMANDS = {command.name: command for command in WINDOW_COMMANDS}
_MANAGER = frozenset({"open", "pause", "resume", "close", "categories", "release"})
NOBODY = "Nobody is waiting for this window."


@post("/halls/{hall:str}/console/{number:int}/{command:str}", status_code=200)
async def at_console(
    request: Request[Any, Any, Any],
    hall: FromPath[str],
    number: FromPath[int],
    command: FromPath[str],
    desk: NamedDependency[Desk],
) -> Response[str]:
    """A key of the console was pressed."""
    result = await _run(request, desk, hall, number, command)
    view = screens.window(result.state, number, desk.people(hall))
    if view is None:
        raise unknown("unknown-window", "This hall has no window {window}.", window=number)
    nobody = command == "call-next" and result.answer is None
    return show_fragments(request, "window", view, NOBODY if nobody else "")


@post(
    "/halls/{hall:str}/manager/windows/{number:int}/{command:str}",
    status_code=200,
    guards=[require("release")],
)
async def at_manager(
    request: Request[Any, Any, Any],
    hall: FromPath[str],
    number: FromPath[int],
    command: FromPath[str],
    desk: NamedDependency[Desk],
) -> Response[str]:
    """The manager opens, pauses or closes a window, changes what it serves, frees a ticket."""
    if command not in _MANAGER:
        raise unknown("unknown-command", "There is no command {command}.", command=command)
    result = await _run(request, desk, hall, number, command)
    return show_fragments(
        request, "manager", screens.manager(result.state, desk.people(hall), desk.now(hall))
    )


@post("/halls/{hall:str}/kiosk/take", status_code=200)
async def at_kiosk(
    request: Request[Any, Any, Any],
    hall: FromPath[str],
    desk: NamedDependency[Desk],
    service: NamedDependency[Service],
) -> Response[str]:
    """A category was touched at the kiosk: the ticket, with its QR code."""
    caller = caller_of(request)
    state = desk.live(hall).state
    may_take(caller, state)
    form = await request.form()
    ground = text_of(form, "ground")
    body = TakeBody(
        category=text_of(form, "category"),
        item=text_of(form, "item") or None,
        channel="kiosk",
        priority=PriorityGiven(ground=ground) if ground else None,
    )
    who = await keyed(request, caller)
    wish = take_command(body, caller, state, desk.now(hall))
    result = await taken(desk, hall, wish, who, public_address(request, service))
    ticket = msgspec.json.decode(result.answer or b"{}")
    view = screens.lobby(result.state, desk.people(hall), desk.now(hall))
    category = next(each for each in view["categories"] if each["code"] == ticket["category"])
    return show(
        request,
        "fragments/kiosk_ticket.html",
        hall=hall_of(result.state),
        ticket=ticket,
        category=category,
        qr_svg=qr_svg(ticket["status_url"]),
        status_url=ticket["status_url"],
        paper_url=f"/t/{ticket['token']}/paper?print=1",
    )


async def keyed(request: Request[Any, Any, Any], caller: Caller) -> Asked:
    """The request's identity; a page that sent no key gets one of its own."""
    who = await asked(request, caller)
    return who if who.key is not None else replace(who, key=secrets.token_hex(16))


async def _run(
    request: Request[Any, Any, Any], desk: Desk, hall: str, number: int, name: str
) -> Result:
    command = _COMMANDS.get(name)
    if command is None:
        raise unknown("unknown-command", "There is no command {command}.", command=name)
    caller = caller_of(request)
    at_own_window(desk, caller, hall, number, name)
    body = body_of(await request.form(), command.body)
    wish = command.build(At(desk, caller, hall, number), body)
    return await perform(desk, hall, wish, await keyed(request, caller), ticket_answer)
