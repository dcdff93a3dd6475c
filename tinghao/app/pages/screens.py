"""The screens of a hall as pages: what a visitor sees first; the sockets keep it alive."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from tinghao.app.auth.guards import require
from tinghao.app.auth.visit import caller_of
from tinghao.app.pages.showing import frame_of, hall_of, show
from tinghao.app.performing import may_read, readable
from tinghao.queue.desk import Desk
from tinghao.queue.rules.finding import window_of
from tinghao.realtime import screens


@get("/", name="home")
async def home(request: Request[Any, Any, Any], desk: NamedDependency[Desk]) -> Response[str]:
    """The halls and the way to their screens."""
    caller = caller_of(request)
    halls = [
        {
            **hall_of(state),
            "open": screens.is_open(state, desk.now(state.code)),
            "waiting": sum(len(queue) for queue in state.queues.values()),
            "windows_open": sum(each.state == "open" for each in state.windows.values()),
        }
        for state in (hall.state for hall in desk.halls)
        if may_read(caller, state)
    ]
    return show(request, "home.html", halls=halls)


@get("/halls/{hall:str}/lobby", name="lobby")
async def lobby(
    request: Request[Any, Any, Any], hall: FromPath[str], desk: NamedDependency[Desk]
) -> Response[str]:
    """The lobby wall."""
    return _public_screen(request, desk, hall, "lobby.html")


@get("/halls/{hall:str}/kiosk", name="kiosk")
async def kiosk(
    request: Request[Any, Any, Any], hall: FromPath[str], desk: NamedDependency[Desk]
) -> Response[str]:
    """The self-service kiosk."""
    return _public_screen(request, desk, hall, "kiosk.html")


@get("/halls/{hall:str}/console", name="console-choose", guards=[require("read-window")])
async def choose(
    request: Request[Any, Any, Any], hall: FromPath[str], desk: NamedDependency[Desk]
) -> Response[str]:
    """Which window to work at."""
    state = desk.live(hall).state
    staff = caller_of(request).staff_id
    own = next(
        (each.number for each in state.windows.values() if staff and each.staff == staff), None
    )
    view = screens.lobby(state, desk.people(hall), desk.now(hall))
    return show(
        request,
        "console_choose.html",
        hall=hall_of(state),
        view=view,
        frame=frame_of(desk, state),
        own=own,
    )


@get("/halls/{hall:str}/console/{number:int}", name="console", guards=[require("read-window")])
async def console(
    request: Request[Any, Any, Any],
    hall: FromPath[str],
    number: FromPath[int],
    desk: NamedDependency[Desk],
) -> Response[str]:
    """The console of a window."""
    state = desk.live(hall).state
    window_of(state, number)
    setup = state.setup
    return show(
        request,
        "console.html",
        hall=hall_of(state),
        view=screens.window(state, number, desk.people(hall)),
        frame=frame_of(desk, state),
        number=number,
        item_names={
            f"{each.code}/{item.code}": {
                "name": item.name,
                "name_en": item.name_en or item.name,
            }
            for each in setup.categories
            for item in each.items
        },
        categories=[
            {
                "code": each.code,
                "name": each.name,
                "name_en": each.name_en or each.name,
                "prefix": each.prefix,
            }
            for each in setup.categories
        ],
        windows=[
            {
                "number": each.number,
                "name": each.name,
                "name_en": each.name_en or each.name,
                "role": each.role,
            }
            for each in setup.windows
        ],
    )


@get("/halls/{hall:str}/manager", name="manager", guards=[require("read-manager")])
async def manager(
    request: Request[Any, Any, Any], hall: FromPath[str], desk: NamedDependency[Desk]
) -> Response[str]:
    """The manager's live screen; an inspector sees it without buttons."""
    state = desk.live(hall).state
    return show(
        request,
        "manager.html",
        hall=hall_of(state),
        view=screens.manager(state, desk.people(hall), desk.now(hall)),
        frame=frame_of(desk, state),
        may_act=caller_of(request).may("release", hall),
    )


def _public_screen(
    request: Request[Any, Any, Any], desk: Desk, hall: str, template: str
) -> Response[str]:
    state = readable(caller_of(request), desk, hall)
    view = screens.lobby(state, desk.people(hall), desk.now(hall))
    return show(request, template, hall=hall_of(state), view=view, frame=frame_of(desk, state))
