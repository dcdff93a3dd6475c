"""A room beside the queue brings commands, events, a state and a table; the queue knows none of it.

The room here counts umbrellas that are lent to citizens when it rains: small, but with everything
that supervision and reviews will need.
"""

from collections.abc import AsyncIterator, Iterator
from typing import ClassVar

import pytest
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Column, Connection, Integer, MetaData, Table, insert

from tests.queue.office import CODE, TUESDAY, Clock, Office, answered, office
from tinghao.app.database import Database
from tinghao.queue import commands as ask
from tinghao.queue.events import DayClosed, Entry, Event, TicketTaken
from tinghao.queue.journal import Room, Rooms
from tinghao.queue.journal.entries import BrokenEntry
from tinghao.queue.model import MINUTE, HallState, Micros
from tinghao.queue.refusals import Refusal, conflict

umbrellas = Table(
    "umbrellas", MetaData(), Column("seq", Integer, primary_key=True), Column("left", Integer)
)


class LendUmbrella(ask.Command, frozen=True):
    name: ClassVar[str] = "lend-umbrella"


class UmbrellaLent(Event, frozen=True):
    kind: ClassVar[str] = "umbrella-lent"
    due: Micros


class UmbrellaOverdue(Event, frozen=True):
    kind: ClassVar[str] = "umbrella-overdue"


class Stand(Struct, frozen=True):
    """The room's state."""

    left: int = 2
    due: tuple[Micros, ...] = ()
    overdue: int = 0
    takes: int = 0  # of numbers today, which it sees as everybody does


def lend(state: HallState, command: LendUmbrella, now: Micros) -> list[Event]:
    own: Stand = state.rooms["umbrellas"]
    if own.left == 0:
        raise conflict("no-umbrella", "All umbrellas are lent.")
    return [UmbrellaLent(due=now + 30 * MINUTE)]


def evolve(own: Stand, before: HallState, after: HallState, entry: Entry) -> Stand:
    event = entry.event
    if isinstance(event, UmbrellaLent):
        return replace(own, left=own.left - 1, due=(*own.due, event.due))
    if isinstance(event, UmbrellaOverdue):
        return replace(own, due=own.due[1:], overdue=own.overdue + 1)
    if isinstance(event, TicketTaken):
        return replace(own, takes=own.takes + 1)
    if isinstance(event, DayClosed):
        return replace(own, takes=0)
    return own


def due(state: HallState, now: Micros) -> list[tuple[Micros, Event]]:
    return [(at, UmbrellaOverdue()) for at in state.rooms["umbrellas"].due if at <= now]


def next_due(state: HallState) -> Micros | None:
    return min(state.rooms["umbrellas"].due, default=None)


def write(
    connection: Connection, hall_id: int, entries: tuple[Entry, ...], state: HallState
) -> None:
    for entry in entries:
        if isinstance(entry.event, UmbrellaLent):
            left = state.rooms["umbrellas"].left
            connection.execute(insert(umbrellas), {"seq": entry.seq, "left": left})


ROOM = Room(
    name="umbrellas",
    state=Stand,
    initial=Stand(),
    evolve=evolve,
    events=(UmbrellaLent, UmbrellaOverdue),
    commands={LendUmbrella: lend},
    due=due,
    next_due=next_due,
    write=write,
)


@pytest.fixture
def with_table(prepared: str) -> Iterator[str]:
    database = Database(prepared)
    database.write_sync(umbrellas.create)
    database.close()
    return prepared


@pytest.fixture
async def made(with_table: str) -> AsyncIterator[Office]:
    async with office(with_table, rooms=Rooms((ROOM,))) as made:
        yield made


def stand(made: Office) -> Stand:
    own: Stand = made.state.rooms["umbrellas"]
    return own


async def test_its_command_is_carried_out_like_any_other(made: Office) -> None:
    result = await made.do(
        LendUmbrella(), key="k", answer=lambda done: done.state.rooms["umbrellas"].left
    )
    again = await made.do(LendUmbrella(), key="k", answer=lambda done: "done once more")
    assert answered(result) == answered(again) == 1
    assert made.kinds() == ["hall-configured", "umbrella-lent"]
    assert made.sql('SELECT seq, "left" FROM umbrellas') == [(2, 1)]


async def test_its_refusal_leaves_nothing(made: Office) -> None:
    for _ in range(2):
        await made.do(LendUmbrella())
    with pytest.raises(Refusal) as refused:
        await made.do(LendUmbrella())
    assert refused.value.slug == "no-umbrella"
    assert (stand(made).left, made.kinds().count("umbrella-lent")) == (0, 2)


async def test_it_sees_what_happens_in_the_hall(made: Office) -> None:
    await made.take()
    await made.take()
    assert stand(made).takes == 2


async def test_time_brings_its_events_too_and_all_in_order(made: Office) -> None:
    """The grace of a ticket ends between two umbrellas that fall due."""
    await made.open(1)
    await made.do(LendUmbrella())
    made.clock.wait(minutes=1)
    await made.take()
    await made.call_next(1)
    await made.do(ask.NoShow(window=1))
    made.clock.wait(minutes=1)
    await made.do(LendUmbrella())
    made.clock.wait(minutes=60)
    await made.desk.tick()
    assert made.kinds()[-3:] == ["umbrella-overdue", "grace-ended", "umbrella-overdue"]
    times = made.sql("SELECT at FROM journal ORDER BY seq")
    assert times == sorted(times)


async def test_its_state_is_a_fold_and_comes_from_the_checkpoint(made: Office) -> None:
    await made.do(LendUmbrella())
    await made.take()
    made.clock.shows("09:00", TUESDAY)
    await made.take()
    assert made.sql("SELECT count(*) FROM checkpoints") == [(1,)]
    assert made.state == made.stored() == made.refolded()
    assert stand(made) == Stand(left=1, due=(), overdue=1, takes=1)
    assert isinstance(made.stored().rooms["umbrellas"], Stand)
    assert made.verify().faults == ()


async def test_a_room_that_comes_later_folds_all_that_was_before(with_table: str) -> None:
    """A checkpoint of a version without the room does not do for one with it."""
    clock = Clock()
    async with office(with_table, clock) as before:
        await before.take()
        clock.shows("09:00", TUESDAY)
        await before.take()
        await before.take()
    async with office(with_table, clock, rooms=Rooms((ROOM,))) as after:
        assert stand(after).takes == 2
        await after.do(LendUmbrella())
        assert after.state == after.stored() == after.refolded()


async def test_a_version_without_the_room_does_not_misread_its_entries(with_table: str) -> None:
    async with office(with_table, rooms=Rooms((ROOM,))) as made:
        await made.do(LendUmbrella())
    with pytest.raises(BrokenEntry, match="no room of this version knows the event"):
        async with office(with_table):
            pass


async def test_a_command_that_no_room_knows_is_a_mistake_and_not_passed_over(
    with_table: str,
) -> None:
    async with office(with_table) as plain:
        with pytest.raises(TypeError, match="lend-umbrella"):
            await plain.do(LendUmbrella())
        assert plain.desk.live(CODE).state.seq == 1


async def test_its_table_is_written_with_the_entry_or_not_at_all(made: Office) -> None:
    def fail(done: object) -> None:
        raise OSError("no paper")

    with pytest.raises(OSError, match="no paper"):
        await made.do(LendUmbrella(), answer=fail)
    assert made.sql("SELECT * FROM umbrellas") == []
    assert made.state == made.stored()
