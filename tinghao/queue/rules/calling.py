"""Calling: the next, a chosen number, again, to the window, and who does not come."""

from tinghao.queue.commands import CallNext, CallNumber, NoShow, Recall, Return, Start
from tinghao.queue.events import (
    Event,
    TicketCalled,
    TicketNoShow,
    TicketRecalled,
    TicketReturned,
    TicketStarted,
)
from tinghao.queue.model import MINUTE, SECOND, HallState, Micros, Rank, Ticket, Window
from tinghao.queue.refusals import conflict
from tinghao.queue.routing import behind, first
from tinghao.queue.rules.finding import (
    by_number,
    hands_free,
    in_hand,
    manned,
    reason_given,
    window_of,
    working,
)

NO_SHOW_WAIT: Micros = 60 * SECOND  # marked earlier and without a recall, it is a finding


def call_next(state: HallState, command: CallNext, now: Micros) -> list[Event]:
    """The window's first candidate is called; nothing happens when nobody is eligible."""
    window = working(state, command.window)
    hands_free(state, window)
    candidate = first(state, window)
    if candidate is None:
        return []
    ticket = state.tickets[candidate.ticket]
    return [
        TicketCalled(
            ticket=ticket.id,
            number=ticket.number,
            category=ticket.category,
            window=window.number,
            staff=window.staff,
            why=candidate.why,
            attempt=ticket.stage.calls + 1,
        )
    ]


def call_number(state: HallState, command: CallNumber, now: Micros) -> list[Event]:
    """A chosen number is called, with a reason; out of turn unless it was the first anyway."""
    window = working(state, command.window)
    hands_free(state, window)
    reason = reason_given(command.reason)
    ticket = by_number(state, command.number)
    if ticket.state in ("called", "serving", "held"):
        raise conflict(
            "already-called",
            "{number} has already been called to window {window}.",
            number=ticket.number,
            window=ticket.stage.window or 0,
        )
    candidate = first(state, window)
    return [
        TicketCalled(
            ticket=ticket.id,
            number=ticket.number,
            category=ticket.category,
            window=window.number,
            staff=window.staff,
            why="chosen",
            attempt=ticket.stage.calls + 1,
            out_of_turn=candidate is None or candidate.ticket != ticket.id,
            reason=reason,
            text=command.text.ref if command.text else None,
        )
    ]


def recall(state: HallState, command: Recall, now: Micros) -> list[Event]:
    """The number in hand is called once more."""
    window = manned(state, command.window)
    ticket = in_hand(state, window, "called")
    return [
        TicketRecalled(
            ticket=ticket.id,
            number=ticket.number,
            category=ticket.category,
            window=window.number,
            attempt=ticket.stage.calls + 1,
        )
    ]


def start(state: HallState, command: Start, now: Micros) -> list[Event]:
    """The citizen is at the window."""
    window = manned(state, command.window)
    ticket = in_hand(state, window, "called")
    return [TicketStarted(ticket=ticket.id, window=window.number)]


def no_show(state: HallState, command: NoShow, now: Micros) -> list[Event]:
    """Nobody came. Too early is a finding for supervision, not a refusal."""
    window = manned(state, command.window)
    ticket = in_hand(state, window, "called")
    policy = state.setup.policy
    since = now - (ticket.stage.last_called_at or now)
    return [
        TicketNoShow(
            ticket=ticket.id,
            window=window.number,
            calls=ticket.stage.calls,
            early=ticket.stage.calls < 2 and since < NO_SHOW_WAIT,
            grace_until=now + policy.grace_minutes * MINUTE,
            undo_until=now + policy.undo_seconds * SECOND,
        )
    ]


def return_ticket(state: HallState, command: Return, now: Micros) -> list[Event]:
    """Back to the queue: from the window's hands, or a no-show who came after all."""
    window = window_of(state, command.window)
    ticket = _to_return(state, command, window)
    reason = reason_given(command.reason)
    own = Rank(ticket.stage.due, ticket.id, 0, ticket.id)
    rank = own
    if ticket.state == "no-show":
        queue = state.queues[ticket.category]
        rank = behind(queue, 0, state.setup.policy.return_behind, state.seq + 1, own)
    text = command.text.ref if command.text else None
    return [TicketReturned(ticket=ticket.id, rank=rank, reason=reason, text=text)]


def _to_return(state: HallState, command: Return, window: Window) -> Ticket:
    if command.number is None:
        return in_hand(state, window, "called")
    ticket = by_number(state, command.number)
    if ticket.state == "no-show":
        return ticket
    if ticket.state in ("called", "held") and ticket.stage.window == window.number:
        return ticket
    if ticket.state == "waiting":
        raise conflict("waits-already", "{number} waits already.", number=ticket.number)
    raise conflict(
        "wrong-state",
        "{number} is {present} at window {window}; this needs it {needed}.",
        number=ticket.number,
        present=ticket.state,
        window=ticket.stage.window or 0,
        needed="called / held / no-show",
    )
