"""What a room registers with the journal, and the dispatch over all rooms.

The hall's own work (`decide`, `evolve`, `rules.days`) is always there; a further room keeps a
state of its own in `HallState.rooms[name]`, folded from the same entries.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tinghao.queue.commands import Command
from tinghao.queue.decide import decide
from tinghao.queue.events import EVENTS, Entry, Event
from tinghao.queue.evolve import evolve
from tinghao.queue.model import HallState, Micros, Ticket
from tinghao.queue.rules.days import due, next_due

Decide = Callable[[HallState, Any, Micros], list[Event]]
Due = Callable[[HallState, Micros], list[tuple[Micros, Event]]]


def _nothing_due(state: HallState, now: Micros) -> list[tuple[Micros, Event]]:
    return []


def _never(state: HallState) -> Micros | None:
    return None


class Room(Struct, frozen=True):
    """A room beside the hall's own work: its commands, events, state and tables.

    `evolve(own, before, after, entry)` gets the hall's states around the entry. `write` runs in
    the transaction of the entries, after them. `state` is the type of the room's state, which
    must be what msgspec can write and read; `initial` its value before the first entry.
    """

    name: str
    state: Any
    initial: Any
    evolve: Callable[[Any, HallState, HallState, Entry], Any]
    events: tuple[type[Event], ...] = ()
    commands: Mapping[type[Command], Decide] = {}
    due: Due = _nothing_due
    next_due: Callable[[HallState], Micros | None] = _never
    write: Callable[[Connection, int, tuple[Entry, ...], HallState], None] | None = None


class Rooms:
    """All rooms of this process."""

    def __init__(self, rooms: Iterable[Room] = ()) -> None:
        self.rooms = tuple(rooms)
        self._events: dict[str, type[Event]] = {event.kind: event for event in EVENTS}
        self._commands: dict[type[Command], Decide] = {}
        for room in self.rooms:
            self._events.update({event.kind: event for event in room.events})
            self._commands.update(room.commands)

    def event_type(self, kind: str) -> type[Event]:
        """The class of that kind of event. Raises LookupError when no room knows it."""
        found = self._events.get(kind)
        if found is None:
            raise LookupError(f"no room of this version knows the event {kind!r}")
        return found

    def start(self, code: str, epoch: str, head_hash: str) -> HallState:
        """A hall before its first entry."""
        own = {room.name: room.initial for room in self.rooms}
        return HallState(code=code, epoch=epoch, hash=head_hash, rooms=own)

    def evolve(self, state: HallState, entry: Entry) -> HallState:
        """The whole state after the entry; errors as in `queue.evolve.evolve`."""
        after = evolve(state, entry)
        if not self.rooms:
            return after
        own = {
            room.name: room.evolve(state.rooms[room.name], state, after, entry)
            for room in self.rooms
        }
        return replace(after, rooms=own)

    def fold(self, state: HallState, entries: Iterable[Entry]) -> HallState:
        """The whole state after all the entries."""
        for entry in entries:
            state = self.evolve(state, entry)
        return state

    def decide(
        self, state: HallState, command: Command, now: Micros, known: Ticket | None
    ) -> list[Event]:
        """The events of a command of any room. Raises Refusal."""
        rule = self._commands.get(type(command))
        if rule is not None:
            return rule(state, command, now)
        return decide(state, command, now, known)

    def due(self, state: HallState, now: Micros) -> list[tuple[Micros, Event]]:
        """What time brings by `now`, in order."""
        happened = due(state, now)
        for room in self.rooms:
            happened += room.due(state, now)
        return sorted(happened, key=lambda each: each[0]) if self.rooms else happened

    def next_due(self, state: HallState) -> Micros | None:
        """The next moment at which time brings something, or None."""
        moments = (next_due(state), *(room.next_due(state) for room in self.rooms))
        return min((at for at in moments if at is not None), default=None)

    def read_state(self, text: str) -> HallState | None:
        """A state from a checkpoint; None when a room has come since, which must fold it all.

        Raises msgspec.ValidationError for another shape.
        """
        state = msgspec.json.decode(text, type=HallState)
        if any(room.name not in state.rooms for room in self.rooms):
            return None
        own = {
            room.name: msgspec.convert(state.rooms[room.name], room.state) for room in self.rooms
        }
        return replace(state, rooms=own)
