"""The unit of work: one command, one transaction, and everything it changes.

lock → catch up → what has fallen due → decide → append → tables → remembered answer. The
caller's transaction commits all of it or nothing. Refusals do not undo what had fallen due.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from tinghao.queue.clock import AHEAD_ALLOWED, LATEST, hall_time
from tinghao.queue.commands import Command, OfTicket, SetClock
from tinghao.queue.events import Entry, ticket_of
from tinghao.queue.journal import answers, store
from tinghao.queue.journal.deciding import carry_out, let_fall_due
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.journal.seals import Seal, Signer
from tinghao.queue.journal.writing import Writing
from tinghao.queue.model import MINUTE, HallState, Micros, Ticket
from tinghao.queue.refusals import Refusal, invalid


class Done(Struct, frozen=True):
    """What a command has done, for whoever words the answer to it.

    `entries` are the command's own; `tickets` are those it touched, as they are now.
    """

    state: HallState
    entries: tuple[Entry, ...]
    tickets: Mapping[int, Ticket]


Answer = Callable[[Done], Any]
"""Makes what is answered, as something msgspec can write; None: there is no answer."""


class Work(Struct, frozen=True):
    """A command on its way: who asks, under which key, and how to answer.

    `stated` is a time that the caller states (a replay may). Of an answer that is None nothing
    is remembered.
    """

    command: Command
    by: str = "hall"
    caller: str = "hall"
    key: str | None = None
    fingerprint: str = ""
    stated: Micros | None = None
    answer: Answer | None = None


class Outcome(Struct, frozen=True):
    """What came of it. `entries` are all that the live state has not seen, in order."""

    entries: tuple[Entry, ...]
    own: tuple[Entry, ...]
    answer: bytes | None
    replayed: bool = False  # the answer is a remembered one
    refusal: Refusal | None = None
    seals: tuple[Seal, ...] = ()
    reloaded: HallState | None = None  # the journal's incarnation changed


def transact(
    connection: Connection,
    rooms: Rooms,
    hall_id: int,
    seen: HallState,
    work: Work,
    machine: Micros,
    signer: Signer | None = None,
) -> Outcome:
    """Do the work in the connection's transaction.

    A refusal by the rules is part of the outcome, because what had fallen due before it is
    written all the same. Raises Refusal only for what concerns the whole request (`key-reused`,
    `clock-ahead`), with nothing to write.
    """
    head = store.lock(connection, hall_id)
    state, missed, reloaded = _caught_up(connection, rooms, head, seen)
    if work.key is not None:
        known = answers.remembered(
            connection, hall_id, work.caller, work.key, work.fingerprint, machine
        )
        if known is not None:
            return Outcome(missed, (), known.encode(), replayed=True, reloaded=reloaded)
    now = _now(head, state, work, machine)
    writing = Writing(rooms, state, work.by)
    let_fall_due(rooms, writing, now)
    refusal: Refusal | None = None
    answer: bytes | None = None
    own: tuple[Entry, ...] = ()
    settled = _settled(connection, hall_id, writing, work.command)
    try:
        own = carry_out(rooms, writing, work.command, now, settled)
    except Refusal as refused:
        refusal = refused
    if writing.entries:
        # Of a refused command nothing is kept, neither its texts nor its ticket's token.
        writing.write(connection, head, work.command if own else None, machine, signer)
    if refusal is None and work.answer is not None:
        touched = {each: writing.tickets[each] for each in map(ticket_of, own) if each is not None}
        made = work.answer(Done(writing.state, own, touched))
        answer = None if made is None else msgspec.json.encode(made)
        if answer is not None and work.key is not None:
            answers.remember(
                connection,
                hall_id,
                work.caller,
                work.key,
                work.fingerprint,
                answer.decode(),
                machine,
            )
    return Outcome(
        entries=(*missed, *writing.entries),
        own=own,
        answer=answer,
        refusal=refusal,
        seals=tuple(writing.seals),
        reloaded=reloaded,
    )


def _caught_up(
    connection: Connection, rooms: Rooms, head: store.Head, seen: HallState
) -> tuple[HallState, tuple[Entry, ...], HallState | None]:
    missed = store.behind(connection, rooms, head, seen)
    if isinstance(missed, HallState):
        return missed, (), missed
    return rooms.fold(seen, missed), missed, None


def _now(head: store.Head, state: HallState, work: Work, machine: Micros) -> Micros:
    """The hall's time for the work. Raises Refusal for a clock that is too far ahead."""
    if work.stated is not None:
        _check_stated(state, work, machine)
        return min(max(work.stated, state.at), LATEST)
    if state.clock.mode == "machine" and head.database_now is not None:
        ahead = machine - head.database_now
        if ahead > AHEAD_ALLOWED:
            raise Refusal(
                "ahead",
                "clock-ahead",
                "The clock of this server is {minutes} minutes ahead of the database's: "
                "nothing is written until it is set right.",
                minutes=ahead // MINUTE,
            )
    return hall_time(state.clock, machine, state.at)


def _check_stated(state: HallState, work: Work, machine: Micros) -> None:
    """A stated time may lie ahead only where it is the clock, or sets it."""
    if state.clock.mode == "stated" or isinstance(work.command, SetClock):
        return
    if (work.stated or 0) > hall_time(state.clock, machine, state.at) + AHEAD_ALLOWED:
        raise invalid("time-ahead", "The time given is ahead of the hall's clock.")


def _settled(
    connection: Connection, hall_id: int, writing: Writing, command: Command
) -> Ticket | None:
    """The ticket that a holder names when it is no longer open; time may just have settled it."""
    if not isinstance(command, OfTicket) or command.ticket in writing.state.tickets:
        return None
    return writing.tickets.get(command.ticket) or store.settled_ticket(
        connection, hall_id, command.ticket
    )
