"""Whatever people ask of a hall, in whatever order, and whatever its clock does meanwhile:
the journal, the tables and the screens say the same, and no number is ever lost.

Each step goes through the real unit of work on a real database.
"""

import os
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, Engine, create_engine, delete, select
from sqlalchemy import event as sql_event
from sqlalchemy.pool import StaticPool

from tests.queue.hall import ESTATE, PLAIN, SOCIAL
from tests.queue.office import CODE, Clock
from tinghao.app.database import normal_url
from tinghao.app.database.engines import postgresql_writers
from tinghao.queue import commands as ask
from tinghao.queue.founding import found
from tinghao.queue.journal import Done, Rooms, Work, load_state, transact
from tinghao.queue.journal.entries import GENESIS
from tinghao.queue.journal.rows import stage_row, ticket_row, window_row
from tinghao.queue.journal.store import head_of, stream_entries
from tinghao.queue.journal.verify import verify
from tinghao.queue.life import is_directed, is_open
from tinghao.queue.model import MINUTE, Category, HallClock, HallState, Policy, Ticket, Window
from tinghao.queue.tables import metadata, stages, tickets, windows

OUTCOMES = {"finished", "cancelled", "no-show", "expired"}
WINDOWS = st.sampled_from([1, 2, 3])
CATEGORIES = st.sampled_from(["social", "estate"])

TIGHT = msgspec.structs.replace(
    PLAIN, categories=(msgspec.structs.replace(SOCIAL, daily_cap=12, last_take="16:30"), ESTATE)
)
RESHAPED = msgspec.structs.replace(
    PLAIN,
    categories=(
        msgspec.structs.replace(SOCIAL, prefix="S"),
        ESTATE,
        Category(code="permits", name="许可", prefix="P"),
    ),
    windows=(
        msgspec.structs.replace(PLAIN.windows[0], weights={"estate": 4.0}),
        msgspec.structs.replace(PLAIN.windows[1], categories=("social", "estate", "permits")),
    ),
    policy=Policy(grace_minutes=1, undo_seconds=120, return_behind=1, refuse_outside_hours=True),
)


class AnySequence(RuleBasedStateMachine):
    """Citizens, clerks, managers and clocks, each doing what they like."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = self.empty_database()
        self.rooms = Rooms()
        self.clock = Clock()
        self.commands = 0
        self.keys: dict[str, tuple[ask.Command, bytes | None]] = {}
        self.given: Counter[tuple[int, str]] = Counter()
        with self.engine.begin() as connection:
            metadata.create_all(connection)
            self.live = found(connection, self.rooms, CODE, PLAIN)
            self.hall_id = head_of(connection, CODE).hall_id

    def empty_database(self) -> Engine:
        """Where it all happens: SQLite in memory, new for each run."""
        return memory()

    def teardown(self) -> None:
        """At the end the day closes, and everybody has exactly one outcome."""
        self.ask_for(ask.SetClock(clock=HallClock()))
        self.clock.now = max(self.clock.now, self.live.at) + 48 * 60 * MINUTE
        self.ask_for(ask.Tick())
        with self.engine.begin() as connection:
            states = connection.execute(select(tickets.c.state)).scalars().all()
            assert set(states) <= OUTCOMES
            assert self.live.day is None
            assert not self.live.tickets
            assert verify(connection, self.rooms, CODE).faults == ()
            outcomes = connection.execute(select(stages.c.outcome)).scalars().all()
            assert None not in outcomes
        self.agree()
        self.engine.dispose()

    # -- one step

    def at_window(self, command: ask.AtWindow, hands: str = "any") -> None:
        """Carry out a clerk's command; mostly he sits there and has somebody before him."""
        self.commands += 1
        window = self.live.windows.get(command.window)
        if window is not None and self.commands % 5:
            if window.state == "closed":
                self.ask_for(ask.Open(window=window.number, staff=window.number))
            if window.ticket is None and hands in ("called", "serving"):
                for category in window.categories[:1]:
                    self.ask_for(ask.Take(category=category))
                self.ask_for(ask.CallNext(window=window.number))
            if hands == "serving":
                self.ask_for(ask.Start(window=window.number))
        self.ask_for(command)

    def ask_for(self, command: ask.Command, **work: Any) -> bytes | None:
        """Carry the command out; a refusal is as good as an answer. The answer, if any."""
        asked = Work(command, answer=answer, **work)
        with self.engine.begin() as connection:
            outcome = transact(
                connection, self.rooms, self.hall_id, self.live, asked, self.clock.now
            )
        assert outcome.reloaded is None
        self.live = self.rooms.fold(self.live, outcome.entries)
        for entry in outcome.entries:
            if entry.event.kind in ("ticket-taken", "paper-entered"):
                self.given[entry.day, entry.event.number] += 1  # type: ignore[attr-defined]
        event(f"{command.name}: {outcome.refusal.slug if outcome.refusal else 'done'}")
        return outcome.answer

    # -- citizens

    @rule(
        category=st.sampled_from(["social", "estate", "permits", "tea"]),
        cls=st.sampled_from(["normal", "normal", "priority", "appointment"]),
        slot=st.integers(-60, 60),
    )
    def take(self, category: str, cls: str, slot: int) -> None:
        appointment = self.clock.now + slot * MINUTE if cls == "appointment" else None
        self.ask_for(ask.Take(category=category, cls=cls, appointment=appointment))

    @rule(count=st.integers(2, 8), category=CATEGORIES)
    def a_bus_arrives(self, count: int, category: str) -> None:
        for _ in range(count):
            self.ask_for(ask.Take(category=category))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.ask_for(ask.Cancel(ticket=self.some_ticket(data)))

    @rule(data=st.data(), places=st.integers(0, 21))
    def defer(self, data: st.DataObject, places: int) -> None:
        self.ask_for(ask.Defer(ticket=self.some_ticket(data), places=places))

    @rule(data=st.data(), grade=st.integers(0, 6))
    def rate(self, data: st.DataObject, grade: int) -> None:
        self.ask_for(ask.Rate(ticket=self.some_ticket(data), grade=grade))

    # -- clerks

    @rule(window=st.sampled_from([1, 2, 3, 9]), staff=st.integers(1, 3))
    def open(self, window: int, staff: int) -> None:
        self.ask_for(ask.Open(window=window, staff=staff))

    @rule(window=WINDOWS, command=st.sampled_from([ask.Close, ask.Pause, ask.Resume]))
    def leave_or_come_back(self, window: int, command: Any) -> None:
        self.at_window(command(window=window))

    @rule(window=WINDOWS)
    def call_next(self, window: int) -> None:
        self.at_window(ask.CallNext(window=window))

    @rule(window=WINDOWS, data=st.data())
    def call(self, window: int, data: st.DataObject) -> None:
        number = self.some_number(data)
        self.at_window(ask.CallNumber(window=window, number=number, reason="green-lane"))

    @rule(window=WINDOWS, command=st.sampled_from([ask.Recall, ask.Start, ask.NoShow, ask.NoShow]))
    def with_the_one_called(self, window: int, command: Any) -> None:
        self.at_window(command(window=window), "called")

    @rule(window=WINDOWS, result=st.sampled_from(["done", "done", "not-done", "perhaps"]))
    def finish(self, window: int, result: str) -> None:
        self.at_window(ask.Finish(window=window, result=result, reason="materials"), "serving")

    @rule(window=WINDOWS)
    def hold(self, window: int) -> None:
        self.at_window(ask.Hold(window=window), "serving")

    @rule(window=WINDOWS)
    def undo(self, window: int) -> None:
        self.at_window(ask.Undo(window=window))

    @rule(window=WINDOWS, data=st.data())
    def resume_ticket(self, window: int, data: st.DataObject) -> None:
        number = self.some_number(data, self.live.windows.get(window))
        self.at_window(ask.ResumeTicket(window=window, number=number))

    @rule(window=WINDOWS, data=st.data(), named=st.booleans())
    def send_back(self, window: int, data: st.DataObject, named: bool) -> None:
        number = self.some_number(data) if named else None
        command = ask.Return(window=window, number=number, reason="mistake")
        self.at_window(command, "any" if named else "called")

    @rule(data=st.data(), window=WINDOWS)
    def come_after_all(self, data: st.DataObject, window: int) -> None:
        absent = [self.live.tickets[each].number for each in self.live.absent]
        if absent:
            number = data.draw(st.sampled_from(absent))
            self.ask_for(ask.Return(window=window, number=number, reason="came-back"))

    @rule(
        window=WINDOWS,
        category=st.sampled_from([None, "social", "estate"]),
        to_window=st.sampled_from([None, None, 1, 2, 3]),
        to_staff=st.sampled_from([None, None, 1, 2]),
    )
    def transfer(
        self, window: int, category: str | None, to_window: int | None, to_staff: int | None
    ) -> None:
        command = ask.Transfer(
            window=window, category=category, to_window=to_window, to_staff=to_staff
        )
        self.at_window(command, "called")

    @rule(window=WINDOWS, category=CATEGORIES, ago=st.integers(-1, 60))
    def enter_paper(self, window: int, category: str, ago: int) -> None:
        taken = self.live.at - ago * MINUTE
        called = taken + ago * MINUTE // 2
        self.at_window(
            ask.EnterPaper(
                window=window,
                category=category,
                taken_at=taken,
                called_at=called,
                finished_at=called,
            )
        )

    # -- managers

    @rule(
        window=WINDOWS,
        outcome=st.sampled_from(["waiting", "finished", "no-show", "cancelled", "gone"]),
        data=st.data(),
        named=st.booleans(),
    )
    def release(self, window: int, outcome: str, data: st.DataObject, named: bool) -> None:
        number = self.some_number(data) if named else None
        command = ask.Release(window=window, outcome=outcome, reason="stuck", number=number)
        self.at_window(command, "any" if named else "called")

    @rule(window=WINDOWS, categories=st.lists(CATEGORIES, max_size=3))
    def assign(self, window: int, categories: list[str]) -> None:
        self.ask_for(ask.Assign(window=window, categories=tuple(categories)))

    @rule(config=st.sampled_from([PLAIN, PLAIN, TIGHT, RESHAPED]))
    def configure(self, config: Any) -> None:
        self.ask_for(ask.Configure(config=config))

    # -- time

    @rule(seconds=st.integers(1, 200))
    def a_moment_passes(self, seconds: int) -> None:
        self.clock.wait(seconds=seconds)

    @rule(minutes=st.integers(1, 150), tick=st.booleans())
    def hours_pass(self, minutes: int, tick: bool) -> None:
        self.clock.wait(minutes=minutes)
        if tick:
            self.ask_for(ask.Tick())

    @rule(minutes=st.integers(1, 300))
    def the_clock_is_set_back(self, minutes: int) -> None:
        self.clock.wait(minutes=-minutes)

    @rule(around=st.integers(-2, 2))
    def midnight(self, around: int) -> None:
        """A moment just before, at, or just after the end of the day."""
        closing = self.rooms.next_due(self.live)
        if closing is not None:
            self.clock.now = max(self.clock.now, closing + around)

    @rule(speed=st.sampled_from([1.0, 30.0]), mode=st.sampled_from(["machine", "scaled"]))
    def another_clock(self, speed: float, mode: Any) -> None:
        clock = HallClock(mode, at=self.live.at, machine_at=self.clock.now, speed=speed)
        self.ask_for(ask.SetClock(clock=clock))

    # -- retries and restarts

    @rule(key=st.sampled_from("abc"), window=WINDOWS)
    def retry(self, key: str, window: int) -> None:
        """The same command under the same key is done once, whatever came between."""
        known = self.keys.get(key)
        command = known[0] if known else ask.CallNext(window=window)
        before = self.live.seq
        got = self.ask_for(command, key=key, fingerprint=command.name)
        if known is not None and known[1] is not None and got == known[1]:
            assert self.live.seq == before
        self.keys[key] = (command, got)

    @rule()
    def restart(self) -> None:
        self.live = self.stored()

    # -- what must hold after every step

    @invariant()
    def nothing_is_lost(self) -> None:
        """All that is said below."""
        self.agree()
        self.tables_say_what_the_state_says()
        self.each_number_is_in_exactly_one_place()
        self.each_place_fits_the_ticket()
        self.numbers_have_no_gap_and_no_double()
        self.the_counts_are_those_of_the_tickets()

    def agree(self) -> None:
        """The screens, a server that starts now, and the journal from its beginning."""
        with self.engine.begin() as connection:
            head = head_of(connection, CODE)
            start = self.rooms.start(CODE, head.epoch, GENESIS)
            entries = list(stream_entries(connection, self.rooms, head))
            assert self.live == self.stored(connection) == self.rooms.fold(start, entries)
            assert [entry.seq for entry in entries] == list(range(1, head.seq + 1))
            times = [entry.at for entry in entries]
            assert times == sorted(times)

    def tables_say_what_the_state_says(self) -> None:
        zone = self.live.setup.timezone
        with self.engine.begin() as connection:
            rows = connection.execute(select(tickets)).mappings().all()
            stored = {row["id"]: dict(row) for row in rows}
            for ticket in self.live.tickets.values():
                hash_ = stored[ticket.id]["token_hash"]
                assert stored[ticket.id] == ticket_row(self.hall_id, zone, ticket, hash_)
                row = connection.execute(
                    select(stages).where(
                        stages.c.ticket_id == ticket.id, stages.c.no == ticket.stage.no
                    )
                )
                assert dict(row.mappings().one()) == stage_row(
                    self.hall_id, zone, ticket.id, ticket.stage
                )
            closed = {row["id"] for row in rows if row["id"] not in self.live.tickets}
            for each in closed:
                value = msgspec.json.decode(stored[each]["life"], type=Ticket)
                assert not is_open(value)
                assert stored[each]["state"] in OUTCOMES
            at_windows = connection.execute(select(windows).order_by(windows.c.number)).mappings()
            assert [dict(row) for row in at_windows] == [
                window_row(self.hall_id, self.live.windows[number])
                for number in sorted(self.live.windows)
            ]

    def each_number_is_in_exactly_one_place(self) -> None:
        state = self.live
        places: Counter[int] = Counter()
        for queue in state.queues.values():
            places.update(rank.ticket for rank in queue)
        for window in state.windows.values():
            places.update(window.held)
            if window.ticket is not None:
                places[window.ticket] += 1
        places.update(state.absent)
        assert places == Counter(dict.fromkeys(state.tickets, 1))
        numbers = [ticket.number for ticket in state.tickets.values()]
        assert len(numbers) == len(set(numbers))

    def each_place_fits_the_ticket(self) -> None:
        state = self.live
        for category, queue in state.queues.items():
            assert list(queue) == sorted(set(queue))
            for rank in queue:
                ticket = state.tickets[rank.ticket]
                assert (ticket.state, ticket.category, ticket.rank) == ("waiting", category, rank)
        for window in state.windows.values():
            if window.ticket is not None:
                ticket = state.tickets[window.ticket]
                assert window.state != "closed"
                assert ticket.state in ("called", "serving")
                assert ticket.stage.window == window.number
            assert {state.tickets[each].state for each in window.held} <= {"held"}
            idle = window.state == "open" and window.ticket is None
            assert (window.idle_since is not None) == idle
        assert {state.tickets[each].state for each in state.absent} <= {"no-show"}
        directed = {
            ticket.id
            for ticket in state.tickets.values()
            if ticket.state == "waiting" and is_directed(ticket)
        }
        assert set(state.directed) == directed
        assert len(state.directed) == len(directed)

    def numbers_have_no_gap_and_no_double(self) -> None:
        assert all(count == 1 for count in self.given.values())
        by_prefix: dict[tuple[int, str], list[int]] = {}
        for day, number in self.given:
            by_prefix.setdefault((day, number[0]), []).append(int(number[1:]))
        for ordinals in by_prefix.values():
            assert sorted(ordinals) == list(range(1, len(ordinals) + 1))
        if self.live.day is not None:
            today = {
                prefix: len(ordinals)
                for (day, prefix), ordinals in by_prefix.items()
                if day == self.live.day
            }
            assert self.live.counters == today

    def the_counts_are_those_of_the_tickets(self) -> None:
        if self.live.day is None:
            return
        with self.engine.begin() as connection:
            rows = connection.execute(
                select(tickets.c.state).where(tickets.c.day == self.live.day)
            ).scalars()
            found_ = Counter(rows)
        tallies = self.live.tallies.values()
        assert sum(each.taken for each in tallies) == found_.total()
        for state, name in (
            ("finished", "finished"),
            ("cancelled", "cancelled"),
            ("no-show", "no_shows"),
        ):
            assert sum(getattr(each, name) for each in tallies) == found_[state]
        assert sum(each.taken for each in self.live.half_hours.values()) == found_.total()

    # -- helpers

    def stored(self, connection: Connection | None = None) -> HallState:
        """The state as a server that starts now would load it."""
        if connection is not None:
            return load_state(connection, self.rooms, CODE)
        with self.engine.begin() as own:
            return load_state(own, self.rooms, CODE)

    def some_ticket(self, data: st.DataObject) -> int:
        """The id of a ticket, open or settled, or of none."""
        with self.engine.begin() as connection:
            ids = connection.execute(select(tickets.c.id).order_by(tickets.c.id)).scalars().all()
        return data.draw(st.sampled_from([*ids[-12:], 999_999]))

    def some_number(self, data: st.DataObject, at: Window | None = None) -> str:
        """A number that was given today, or one that was not; with `at`, mostly one on hold."""
        if at is not None and at.held:
            return self.live.tickets[at.held[-1]].number
        numbers = [number for day, number in self.given if day == self.live.day]
        return data.draw(st.sampled_from([*sorted(numbers)[-15:], "A001", "Z9"]))


def answer(done: Done) -> list[int] | None:
    """What the caller is told: the entries that came of it."""
    return [entry.seq for entry in done.entries] or None


def memory() -> Engine:
    """SQLite in memory, with a transaction for each step as in a file."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )

    @sql_event.listens_for(engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @sql_event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@pytest.mark.load
def test_journal_tables_and_screens_agree_after_any_sequence_of_commands() -> None:
    run_state_machine_as_test(AnySequence, settings=enough(50))


@pytest.mark.load
def test_on_postgresql_too(prepared_postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Here years pass, and the database's own clock cannot be told to follow.
    monkeypatch.setattr("tinghao.queue.journal.work.AHEAD_ALLOWED", 2**62)

    class OnPostgreSQL(AnySequence):
        def empty_database(self) -> Engine:
            engine = postgresql_writers(normal_url(prepared_postgresql), 1)
            with engine.begin() as connection:
                for table in reversed(metadata.sorted_tables):
                    connection.execute(delete(table))
            return engine

    run_state_machine_as_test(OnPostgreSQL, settings=enough(8))


def enough(runs: int) -> settings:
    """So many runs; the same ones each time where a failure must mean that the code changed."""
    return settings(
        max_examples=runs,
        stateful_step_count=40,
        derandomize=os.environ.get("CI") == "true",
        suppress_health_check=list(HealthCheck),
    )
