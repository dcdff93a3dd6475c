"""What one transaction writes: entries as they are decided, and the rows they change."""

from collections.abc import Mapping

from msgspec.structs import replace
from sqlalchemy import Connection, insert

from tinghao.queue.clock import day_and_half_hour
from tinghao.queue.commands import Command, Take, texts_of
from tinghao.queue.events import (
    DayClosed,
    Entry,
    Event,
    HallConfigured,
    TicketRated,
    TicketTransferred,
    ticket_of,
)
from tinghao.queue.journal import rows, seals, store
from tinghao.queue.journal.entries import canonical, chained
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.model import Day, HallState, Micros, Stage, Ticket
from tinghao.queue.tables import texts
from tinghao.queue.turns import ticket_after, ticket_before

Mark = tuple[int, HallState]


class Touched:
    """The tickets and stages that entries have changed, as they are after them."""

    def __init__(self) -> None:
        self.tickets: dict[int, Ticket] = {}
        self._stages: dict[tuple[int, int], Stage] = {}

    def touch(self, state: HallState, entry: Entry, settled: Ticket | None = None) -> None:
        """Note what the entry, about to be evolved into `state`, changes."""
        ticket = ticket_of(entry)
        if ticket is None:
            return
        before = ticket_before(state, entry) or self.tickets.get(ticket) or settled
        after = ticket_after(state, entry, before)
        if isinstance(entry.event, TicketTransferred) and before is not None:
            left = replace(before.stage, ended_at=entry.at, outcome="transferred")
            self._stages[ticket, left.no] = left
        self.tickets[ticket] = after
        self._stages[ticket, after.stage.no] = after.stage

    def write(
        self,
        connection: Connection,
        hall_id: int,
        before: HallState,
        after: HallState,
        tokens: Mapping[int, str],
    ) -> None:
        """Put the changed tickets, stages and windows into their tables."""
        timezone = after.setup.timezone
        rows.write_tickets(connection, hall_id, timezone, self.tickets.values(), tokens)
        rows.write_stages(connection, hall_id, timezone, self._stages)
        known = before.windows
        changed = [w for w in after.windows.values() if known.get(w.number) is not w]
        rows.write_windows(connection, hall_id, changed)
        rows.remove_windows(connection, hall_id, known.keys() - after.windows.keys())


class Writing:
    """Entries on their way into the journal, with the state that they lead to."""

    def __init__(self, rooms: Rooms, state: HallState, by: str) -> None:
        self._rooms = rooms
        self._before = state
        self.by = by
        self.state = state
        self.entries: list[Entry] = []
        self._texts: list[str] = []
        self.seals: list[seals.Seal] = []
        self._closed: list[tuple[Day, HallState]] = []
        self._rows = Touched()

    def add(
        self, event: Event, at: Micros, settled: Ticket | None = None, by: str | None = None
    ) -> Entry:
        """Put the event behind the last entry; never earlier than it.

        `settled` is the ticket that the event is about when the state no longer holds it; `by`
        is whose doing it is, if not the command's.
        """
        at = max(at, self.state.at)
        timezone = _timezone(self.state, event)
        day, half_hour = day_and_half_hour(at, timezone)
        entry = Entry(self.state.seq + 1, at, day, half_hour, by or self.by, event)
        text = canonical(self.state.code, entry)
        entry = replace(entry, hash=chained(self.state.hash, text))
        self._rows.touch(self.state, entry, settled)
        self.state = self._rooms.evolve(self.state, entry)
        self.entries.append(entry)
        self._texts.append(text)
        if isinstance(event, DayClosed):
            self._closed.append((event.day, self.state))
        return entry

    @property
    def tickets(self) -> Mapping[int, Ticket]:
        """The tickets that the entries touch, as they are after them."""
        return self._rows.tickets

    def mark(self) -> Mark:
        """A place to go back to."""
        return len(self.entries), self.state

    def back_to(self, mark: Mark) -> None:
        """Forget what was added since; only a day's opening is ever taken back."""
        count, self.state = mark
        del self.entries[count:], self._texts[count:]

    def write(
        self,
        connection: Connection,
        head: store.Head,
        command: Command | None,
        machine: Micros,
        signer: seals.Signer | None,
    ) -> None:
        """All of it, in the connection's transaction."""
        hall_id = head.hall_id
        store.append(connection, head, zip(self.entries, self._texts, strict=True))
        self._rows.write(connection, hall_id, self._before, self.state, self._tokens(command))
        for text in texts_of(command) if command is not None else ():
            connection.execute(
                insert(texts),
                {
                    "id": text.ref.id,
                    "hall_id": hall_id,
                    "salt": text.salt,
                    "text": text.text,
                    "written_at": machine,
                },
            )
        for closed, state in self._closed:
            store.save_checkpoint(connection, hall_id, state)
            if signer is not None:
                made = seals.seal(signer, state, closed)
                seals.save(connection, hall_id, made)
                self.seals.append(made)
        for room in self._rooms.rooms:
            if room.write is not None:
                room.write(connection, hall_id, tuple(self.entries), self.state)

    def _tokens(self, command: Command | None) -> dict[int, str]:
        if isinstance(command, Take) and command.token_hash is not None:
            return {self.entries[-1].seq: command.token_hash}
        return {}


class Replaying:
    """Entries of a journal once more, into the tables of another database."""

    def __init__(
        self, rooms: Rooms, state: HallState, connection: Connection, hall_id: int
    ) -> None:
        self._rooms = rooms
        self._connection = connection
        self._hall_id = hall_id
        self._written = state
        self._touched = Touched()
        self._count = 0
        self.state = state
        self.lost = False  # from here on it cannot be replayed

    def add(self, entry: Entry) -> None:
        """One entry more. Raises LookupError or ValueError when it cannot follow."""
        event = entry.event
        settled: Ticket | None = None
        if isinstance(event, TicketRated):
            self.flush()
            settled = store.settled_ticket(self._connection, self._hall_id, event.ticket)
        self._touched.touch(self.state, entry, settled)
        self.state = self._rooms.evolve(self.state, entry)
        self._count += 1
        if self._count >= store.BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the rows of what was added."""
        if self._count:
            self._touched.write(self._connection, self._hall_id, self._written, self.state, {})
        self._written, self._touched, self._count = self.state, Touched(), 0


def _timezone(state: HallState, event: Event) -> str:
    if isinstance(event, HallConfigured):
        return event.config.timezone
    return state.setup.timezone
