"""A command carried out in memory: first what time brings, then what the rules make of it.

The unit of work, bulk work and the tests of the rules all come through here.
"""

from tinghao.queue.commands import Command, OfTicket
from tinghao.queue.decide import needs_day
from tinghao.queue.events import Entry
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.journal.writing import Writing
from tinghao.queue.model import Micros, Ticket
from tinghao.queue.refusals import Refusal
from tinghao.queue.rules.days import moment, opening

HALL = "hall"  # what time brings is nobody's doing, whoever's command it comes before


def let_fall_due(rooms: Rooms, writing: Writing, now: Micros) -> None:
    """Add whatever has fallen due by now, each at its own moment."""
    for at, event in rooms.due(writing.state, now):
        writing.add(event, at, by=HALL)


def carry_out(
    rooms: Rooms, writing: Writing, command: Command, now: Micros, settled: Ticket | None = None
) -> tuple[Entry, ...]:
    """Add the command's events; they are returned, with the day's opening when it opens one.

    `settled` is the ticket that a holder names when the state no longer holds it. Raises
    Refusal; neither then nor when nothing comes of it does a day stay opened.
    """
    mark = writing.mark()
    first = len(writing.entries)
    now = moment(writing.state, now)
    try:
        if needs_day(command):
            for event in opening(writing.state, now):
                writing.add(event, now, by=HALL)
        known = writing.state.tickets.get(command.ticket) if isinstance(command, OfTicket) else None
        events = rooms.decide(writing.state, command, now, known or settled)
    except Refusal:
        writing.back_to(mark)
        raise
    if not events:
        writing.back_to(mark)
    for event in events:
        writing.add(event, now, settled)
    return tuple(writing.entries[first:])
