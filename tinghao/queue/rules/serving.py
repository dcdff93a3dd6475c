"""Serving: finish, hold, transfer, and the ways back from a mistake or a stuck ticket."""

from tinghao.queue.commands import Finish, Hold, Release, ResumeTicket, Transfer, Undo
from tinghao.queue.events import (
    Event,
    TicketFinished,
    TicketHeld,
    TicketReleased,
    TicketResumed,
    TicketTransferred,
    TicketUndone,
)
from tinghao.queue.model import MINUTE, SECOND, HallState, Micros, Rank, Ticket, Window
from tinghao.queue.refusals import conflict, invalid
from tinghao.queue.rules.finding import (
    by_number,
    hands_free,
    in_hand,
    manned,
    reason_given,
    result_known,
    window_of,
    working,
)

OUTCOMES = ("waiting", "finished", "no-show", "cancelled")


def finish(state: HallState, command: Finish, now: Micros) -> list[Event]:
    """The service ends, done or not done; not done needs a reason."""
    window = manned(state, command.window)
    ticket = in_hand(state, window, "serving")
    result_known(command.result)
    reason = (command.reason or "").strip()
    if reason or command.result == "not-done":
        reason = reason_given(reason)
    return [
        TicketFinished(
            ticket=ticket.id,
            window=window.number,
            result=command.result,
            reason=reason or None,
            complex=command.complex,
            text=command.text.ref if command.text else None,
            undo_until=now + state.setup.policy.undo_seconds * SECOND,
        )
    ]


def hold(state: HallState, command: Hold, now: Micros) -> list[Event]:
    """The ticket is put aside at this window."""
    window = manned(state, command.window)
    ticket = in_hand(state, window, "serving")
    reason = reason_given(command.reason)
    text = command.text.ref if command.text else None
    return [TicketHeld(ticket=ticket.id, window=window.number, reason=reason, text=text)]


def resume_ticket(state: HallState, command: ResumeTicket, now: Micros) -> list[Event]:
    """A ticket that this window put aside is served again."""
    window = working(state, command.window)
    hands_free(state, window)
    ticket = by_number(state, command.number)
    if ticket.id not in window.held:
        raise conflict(
            "not-held",
            "{number} is not on hold at window {window}.",
            number=ticket.number,
            window=window.number,
        )
    return [TicketResumed(ticket=ticket.id, window=window.number)]


def transfer(state: HallState, command: Transfer, now: Micros) -> list[Event]:
    """The ticket goes to another category, window or person, with its own due time there."""
    window = manned(state, command.window)
    ticket = in_hand(state, window, "called", "serving")
    category = command.category or ticket.category
    if state.setup.category(category) is None:
        raise invalid(
            "unknown-category",
            "This hall has no category {category}. It has: {known}.",
            category=category,
            known=", ".join(each.code for each in state.setup.categories),
        )
    if command.to_window is not None:
        target = window_of(state, command.to_window)
        if command.category is None and category not in target.categories:
            category = next(iter(target.categories), category)
    aimed = command.to_window is not None or command.to_staff is not None
    if not aimed and category == ticket.category:
        raise invalid("transfer-nowhere", "Please name another category, a window or a person.")
    if command.to_window == window.number:
        raise invalid(
            "transfer-nowhere", "The ticket is at window {window} already.", window=window.number
        )
    return [
        TicketTransferred(
            ticket=ticket.id,
            window=window.number,
            category=category,
            due=now + state.setup.policy.transfer_minutes * MINUTE,
            for_window=command.to_window,
            for_staff=command.to_staff,
            note=command.note.ref if command.note else None,
        )
    ]


def undo(state: HallState, command: Undo, now: Micros) -> list[Event]:
    """The window's last finish or no-show is taken back, within the minute."""
    window = working(state, command.window)
    hands_free(state, window)
    memory = window.undo
    if memory is None or now > memory.until:
        raise conflict(
            "nothing-to-undo",
            "Window {window} has nothing to undo: only its last finish or no-show, "
            "within {seconds} seconds.",
            window=window.number,
            seconds=state.setup.policy.undo_seconds,
        )
    return [TicketUndone(ticket=memory.ticket.id, window=window.number, undone=memory.kind)]


def release(state: HallState, command: Release, now: Micros) -> list[Event]:
    """A manager frees a ticket that is stuck called, serving or on hold at the window."""
    window = window_of(state, command.window)
    if command.outcome not in OUTCOMES:
        raise invalid("outcome", "An outcome is one of: {known}.", known=", ".join(OUTCOMES))
    reason = reason_given(command.reason)
    ticket = _stuck(state, command, window)
    back = Rank(ticket.stage.due, ticket.id, 0, ticket.id)
    return [
        TicketReleased(
            ticket=ticket.id,
            window=window.number,
            outcome=command.outcome,
            reason=reason,
            rank=back if command.outcome == "waiting" else None,
            text=command.text.ref if command.text else None,
        )
    ]


def _stuck(state: HallState, command: Release, window: Window) -> Ticket:
    mine = [*((window.ticket,) if window.ticket is not None else ()), *window.held]
    if command.number is not None:
        ticket = by_number(state, command.number)
        if ticket.id not in mine:
            raise conflict(
                "not-at-window",
                "{number} is not at window {window}.",
                number=ticket.number,
                window=window.number,
            )
        return ticket
    if window.ticket is None and len(window.held) != 1:
        raise conflict("no-ticket", "Window {window} has no ticket in hand.", window=window.number)
    return state.tickets[mine[0]]
