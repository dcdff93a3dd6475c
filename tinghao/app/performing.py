"""From a request to a command of a hall: who may, at whose window, under which key.

Both doors, the JSON API and the pages, come through here.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from litestar import Request
from msgspec import Struct

from tinghao.app.auth.caller import Caller
from tinghao.app.auth.guards import demand
from tinghao.app.auth.headers import header
from tinghao.app.naming import Named
from tinghao.app.web.problems import ProblemError
from tinghao.queue.clock import micros, zone
from tinghao.queue.commands import AtWindow, Command, Take
from tinghao.queue.desk import Desk, Result
from tinghao.queue.events import ticket_of
from tinghao.queue.journal import Done
from tinghao.queue.journal.work import Answer
from tinghao.queue.model import HallState, Micros
from tinghao.queue.refusals import Refusal
from tinghao.realtime import screens

KEY_LONGEST = 128  # characters of an Idempotency-Key


class Asked(Struct, frozen=True):
    """Whose request it is and how it is told from another."""

    caller: Caller
    key: str | None
    fingerprint: str


async def asked(request: Request[Any, Any, Any], caller: Caller) -> Asked:
    """What identifies the request. Raises ProblemError for an Idempotency-Key out of bounds."""
    key = header(request.scope["headers"], b"idempotency-key")
    if key is None:
        return Asked(caller, None, "")
    if not 1 <= len(key) <= KEY_LONGEST:
        raise ProblemError(
            422, "key-length", "An Idempotency-Key has 1 to {most} characters.", most=KEY_LONGEST
        )
    what = f"{request.method} {request.scope['path']}\n".encode() + await request.body()
    return Asked(caller, key, hashlib.sha256(what).hexdigest())


async def perform(
    desk: Desk,
    hall: str,
    command: Command,
    asked: Asked,
    answer: Answer,
    stated: Micros | None = None,
) -> Result:
    """Let the hall do it. Raises Refusal; one for a conflict says what the state is."""
    try:
        return await desk.execute(
            hall,
            command,
            by=asked.caller.actor,
            caller=asked.caller.id,
            key=asked.key,
            fingerprint=asked.fingerprint,
            stated=stated,
            answer=answer,
        )
    except Refusal as refusal:
        state = desk.live(hall).state
        if refusal.kind == "conflict":
            present = _present(state, command)
            if present is not None:
                refusal.params["state"] = present
        category = state.setup.category(str(refusal.params.get("category")))
        if category is not None:
            refusal.params["category"] = Named(category.name, category.name_en or category.name)
        raise


def may_read(caller: Caller, state: HallState) -> bool:
    """Whether the caller may see what the lobby shows."""
    return state.setup.policy.public_read or caller.may("read-lobby", state.code)


def readable(caller: Caller, desk: Desk, hall: str) -> HallState:
    """The hall's present state. Raises ProblemError when the hall hides it from the caller."""
    state = desk.live(hall).state
    if not may_read(caller, state):
        demand(caller, "read-lobby", hall)
    return state


def stated_time(desk: Desk, caller: Caller, hall: str, at: str | None) -> Micros | None:
    """The time that a request states. Only a replay may; RFC 3339, or hall time without zone."""
    if at is None:
        return None
    demand(caller, "state-times", hall)
    return moment_of(at, desk.live(hall).state, "at")


def moment_of(text: str, state: HallState, name: str) -> Micros:
    """A time in RFC 3339; without an offset it is the hall's own. Raises ProblemError."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    # A date alone would be midnight; far years have no neighbours to compute with.
    if when is None or ":" not in text or not 2000 <= when.year < 9000:
        raise ProblemError(
            422, "time", "{name} is a time like 2026-11-24T09:30:00+08:00.", name=name
        )
    if when.tzinfo is None:
        when = when.replace(tzinfo=zone(state.setup.timezone))
    return micros(when)


def at_own_window(desk: Desk, caller: Caller, hall: str, number: int, action: str) -> None:
    """Whether the caller may do that at the window. Raises ProblemError or Refusal.

    A clerk acts at the window that he opened; a manager and a token of the hall at any, a
    token made for one window only there.
    """
    demand(caller, action, hall)
    window = desk.live(hall).state.windows.get(number)
    if caller.window is not None and caller.window != number:
        raise ProblemError(
            403, "other-window", "You may act at window {own} only.", own=caller.window
        )
    if window is None or not is_clerk(caller):
        return
    if caller.staff_id is None:
        raise ProblemError(
            403, "no-badge", "Your account has no badge number; ask the administrator for one."
        )
    if action != "open" and window.state != "closed" and window.staff != caller.staff_id:
        raise ProblemError(
            403, "other-window", "Window {own} is not the one you opened.", own=number
        )


def is_clerk(caller: Caller) -> bool:
    """Whether it is a clerk in person, who acts for himself: a device's token names nobody."""
    return caller.kind == "person" and caller.role == "clerk"


def staff_named(desk: Desk, caller: Caller, hall: str, named: str | int | None) -> int | None:
    """The id of the staff member who sits down: by badge number or id, else the caller."""
    people = desk.people(hall)
    if named is None:
        return caller.staff_id
    for person in people.values():
        if person.badge == str(named):
            return person.id
    if isinstance(named, int) and named in people:
        return named
    raise ProblemError(
        422, "unknown-staff", "Nobody in this hall has the badge {badge}.", badge=named
    )


def ticket_answer(done: Done) -> dict[str, Any] | None:
    """The ticket that the command was about, as it is now; None when there was none."""
    for entry in reversed(done.entries):
        ticket = done.tickets.get(ticket_of(entry) or 0)
        if ticket is not None:
            return screens.ticket_view(done.state, ticket)
    return None


def window_now(state: HallState, number: int) -> dict[str, Any] | None:
    """A window in a few words, for a refusal: what it does and its ticket in hand."""
    window = state.windows.get(number)
    if window is None:
        return None
    in_hand = state.tickets.get(window.ticket) if window.ticket is not None else None
    shown = "free" if window.state == "open" else window.state
    return {
        "window": window.number,
        "state": in_hand.state if in_hand else shown,
        "ticket": None if in_hand is None else screens.ticket_view(state, in_hand),
    }


def _present(state: HallState, command: Command) -> dict[str, Any] | None:
    if isinstance(command, AtWindow):
        return window_now(state, command.window)
    if isinstance(command, Take):
        view = screens.category(state, command.category)
        return None if view is None else dict(view["category"])
    return None
