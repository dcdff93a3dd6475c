"""Finding what a command names, or saying clearly why it is not there."""

import re

from tinghao.queue.model import HallState, Ticket, Window
from tinghao.queue.refusals import Refusal, conflict, invalid, unknown

ITEM_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGITS = re.compile(r"[0-9]{3,5}")
_CODE = re.compile(r"[a-z][a-z0-9-]{0,31}")


def window_of(state: HallState, number: int) -> Window:
    """The window of that number. Raises Refusal `unknown-window`."""
    window = state.windows.get(number)
    if window is None:
        raise unknown("unknown-window", "This hall has no window {window}.", window=number)
    return window


def working(state: HallState, number: int) -> Window:
    """A window that is open. Raises Refusal `window-closed` or `window-paused`."""
    window = window_of(state, number)
    if window.state == "closed":
        raise conflict("window-closed", "Window {window} is closed: open it first.", window=number)
    if window.state == "paused":
        raise conflict(
            "window-paused", "Window {window} is paused: resume it first.", window=number
        )
    return window


def manned(state: HallState, number: int) -> Window:
    """A window that is not closed. Raises Refusal `window-closed`."""
    window = window_of(state, number)
    if window.state == "closed":
        raise conflict("window-closed", "Window {window} is closed: open it first.", window=number)
    return window


def hands_free(state: HallState, window: Window) -> None:
    """Raises Refusal `ticket-in-hand` when the window still has a ticket in hand."""
    if window.ticket is not None:
        raise conflict(
            "ticket-in-hand",
            "Window {window} still has {number} in hand: finish, hold or transfer it first.",
            window=window.number,
            number=state.tickets[window.ticket].number,
        )


def in_hand(state: HallState, window: Window, *states: str) -> Ticket:
    """The ticket in hand, in one of the states. Raises Refusal `no-ticket` or `wrong-state`."""
    if window.ticket is None:
        raise conflict("no-ticket", "Window {window} has no ticket in hand.", window=window.number)
    ticket = state.tickets[window.ticket]
    if ticket.state not in states:
        raise conflict(
            "wrong-state",
            "{number} is {present} at window {window}; this needs it {needed}.",
            number=ticket.number,
            present=ticket.state,
            window=window.number,
            needed=" / ".join(states),
        )
    return ticket


def by_number(state: HallState, number: str) -> Ticket:
    """The open ticket of that number. Raises Refusal `unknown-number` or `already-settled`."""
    wanted = number.strip().upper()
    for ticket in state.tickets.values():
        if ticket.number == wanted:
            return ticket
    for prefix, last in state.counters.items():
        digits = wanted.removeprefix(prefix)
        ordinal = int(digits) if _DIGITS.fullmatch(digits) else 0
        if 1 <= ordinal <= last and wanted == numbered(prefix, ordinal):
            raise conflict(
                "already-settled", "{number} has already been settled today.", number=wanted
            )
    raise unknown("unknown-number", "No ticket {number} has been taken today.", number=wanted)


def numbered(prefix: str, ordinal: int) -> str:
    """Prefix and three or more digits: A001 … A999, A1000."""
    return f"{prefix}{ordinal:03d}"


def reason_given(reason: str) -> str:
    """The reason's code. Raises Refusal `reason-missing` or `reason-code`."""
    if not reason.strip():
        raise invalid("reason-missing", "Please give a reason.")
    return code_of(reason)


def code_of(reason: str) -> str:
    """The code; free words have no place in the journal. Raises Refusal `reason-code`."""
    if not _CODE.fullmatch(reason.strip()):
        raise invalid(
            "reason-code", "A reason is a code of at most 32 small letters, digits and hyphens."
        )
    return reason.strip()


def result_known(result: str) -> None:
    """Raises Refusal `result` unless a service can end so."""
    if result not in ("done", "not-done"):
        raise invalid("result", "A result is done or not-done.")


def not_there(ticket: Ticket | None) -> Refusal:
    """The refusal for a holder's wish about a ticket that no longer waits."""
    if ticket is None:
        return unknown("unknown-ticket", "There is no such ticket.")
    if ticket.state in ("called", "serving", "held"):
        return conflict(
            "already-called",
            "{number} has already been called to window {window}.",
            number=ticket.number,
            window=ticket.stage.window or 0,
        )
    return conflict(
        "already-settled",
        "{number} is {present}: nothing more can be done with it.",
        number=ticket.number,
        present=ticket.state,
    )
