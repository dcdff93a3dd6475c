"""The desk: commands in, the live hall out, and nothing between them gets lost."""

import asyncio
import threading

import pytest

from tests.queue.office import CODE, TUESDAY, Clock, Office, answered, office
from tests.servers import Postgres
from tinghao.app.database import DatabaseUnavailable, database_now
from tinghao.queue import commands as ask
from tinghao.queue.desk import Desk
from tinghao.queue.events import Entry
from tinghao.queue.journal import Done
from tinghao.queue.live import Gap
from tinghao.queue.model import HallClock, HallState
from tinghao.queue.refusals import Refusal
from tinghao.queue.tables import journal


async def test_what_was_done_is_on_the_screens_and_in_the_database(at_desk: Office) -> None:
    await at_desk.open(1)
    await at_desk.take()
    assert await at_desk.call_next() == "A001"
    assert at_desk.state == at_desk.stored() == at_desk.refolded()
    assert at_desk.verify().faults == ()


async def test_a_restarted_server_shows_the_same_hall(prepared: str) -> None:
    async with office(prepared) as before:
        await before.open(1, 2)
        for _ in range(5):
            await before.take()
        await before.serve(1)
        await before.call_next(2)
        left = before.state
    async with office(prepared) as after:
        assert after.state == left
        assert await after.call_next(1) == "A003"


async def test_a_start_after_the_day_close_reads_no_old_journal(prepared: str) -> None:
    """It begins at the checkpoint: a start takes milliseconds after years of journal."""
    clock = Clock()
    async with office(prepared, clock) as made:
        for _ in range(3):
            await made.take()
        clock.shows("09:00", TUESDAY)
        await made.take()
        kinds = made.kinds()
        close = kinds.index("day-closed") + 1
        made.sql("DELETE FROM journal WHERE seq < :close", close=close)
        assert made.stored() == made.state
        assert made.waiting() == ["A001"]


async def test_listeners_see_each_change_once_and_in_order(at_desk: Office) -> None:
    seen: list[tuple[int, int, list[int]]] = []

    def listener(before: HallState, after: HallState, entries: tuple[Entry, ...]) -> None:
        seen.append((before.seq, after.seq, [entry.seq for entry in entries]))

    stop = at_desk.desk.live(CODE).listen(listener)
    await asyncio.gather(*(at_desk.take() for _ in range(10)))
    stop()
    await at_desk.take()
    assert seen[0] == (1, 3, [2, 3])  # the day's opening and the first take
    assert [each[2] for each in seen[1:]] == [[seq] for seq in range(4, 13)]


async def test_the_bus_hears_of_what_is_committed_only(prepared: str) -> None:
    told: list[tuple[int, int]] = []
    async with office(prepared) as reader:

        def announce(hall: str, seq: int) -> None:
            told.append((seq, reader.stored().seq))

        async with office(prepared, announce=announce) as writer:
            await writer.take()
            with pytest.raises(Refusal):
                await writer.call_next(1)
            await writer.take()
    assert told == [(3, 3), (4, 4)]


async def test_a_refusal_is_raised_and_leaves_nothing(at_desk: Office) -> None:
    with pytest.raises(Refusal) as refused:
        await at_desk.call_next(1)
    assert (refused.value.slug, refused.value.kind) == ("window-closed", "conflict")
    assert at_desk.kinds() == ["hall-configured"]


async def test_what_had_fallen_due_happens_although_the_command_is_refused(
    at_desk: Office,
) -> None:
    await at_desk.take()
    at_desk.clock.shows("08:00", TUESDAY)
    with pytest.raises(Refusal):
        await at_desk.call_next(1)
    assert at_desk.kinds()[-2:] == ["ticket-expired", "day-closed"]
    assert at_desk.state == at_desk.stored()
    assert at_desk.verify().faults == ()


async def test_an_unknown_hall_is_said_to_be_unknown(at_desk: Office) -> None:
    with pytest.raises(Refusal, match="There is no hall atlantis"):
        await at_desk.desk.execute("atlantis", ask.Tick())


async def test_a_tick_lets_happen_what_is_due_and_costs_nothing_else(at_desk: Office) -> None:
    await at_desk.take()
    await at_desk.desk.tick()
    assert at_desk.state.seq == 3
    at_desk.clock.shows("00:00", TUESDAY)
    await at_desk.desk.tick()
    await at_desk.desk.tick()
    assert at_desk.kinds()[3:] == ["ticket-expired", "day-closed"]


async def test_the_first_answer_of_the_day_is_about_its_own_ticket(at_desk: Office) -> None:
    """Yesterday's tickets expire in the same transaction; the citizen is told his own number."""
    for _ in range(3):
        await at_desk.take()
    at_desk.clock.shows("08:30", TUESDAY)

    def touched(done: Done) -> list[str]:
        return [ticket.number for ticket in done.tickets.values()]

    result = await at_desk.do(ask.Take(category="estate"), answer=touched)
    assert answered(result) == ["B001"]


async def test_a_citizen_s_wish_after_midnight_is_answered_and_not_a_failure(
    at_desk: Office,
) -> None:
    await at_desk.take()
    at_desk.clock.shows("00:00", TUESDAY)
    with pytest.raises(Refusal) as refused:
        await at_desk.do(ask.Cancel(ticket=3))
    assert refused.value.slug == "already-settled"
    assert at_desk.kinds()[-2:] == ["ticket-expired", "day-closed"]


class TestGoingAway:
    async def test_a_caller_who_goes_away_leaves_the_work_done(self, at_desk: Office) -> None:
        """The browser closed the connection in the middle: the number is called all the same."""
        began, go_on = threading.Event(), threading.Event()

        def slow(done: Done) -> str:
            began.set()
            assert go_on.wait(10)
            return "done"

        asking = asyncio.create_task(at_desk.do(ask.Take(category="social"), answer=slow))
        assert await asyncio.to_thread(began.wait, 10)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        go_on.set()
        await at_desk.desk.drain()
        assert at_desk.waiting() == ["A001"]
        assert at_desk.state == at_desk.stored()

    async def test_many_of_them_at_any_moment_leave_no_gap(self, at_desk: Office) -> None:
        kept = 0
        for turn in range(60):
            asking = asyncio.create_task(at_desk.take())
            for _ in range(turn % 7):
                await asyncio.sleep(0)
            kept += not asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        await at_desk.desk.drain()
        taken = len(at_desk.waiting())
        assert kept <= taken <= 60
        assert at_desk.waiting() == [f"A{place:03d}" for place in range(1, taken + 1)]
        assert at_desk.state == at_desk.stored() == at_desk.refolded()


class TestFailing:
    async def test_a_failure_at_the_last_moment_leaves_nothing_half_done(
        self, at_desk: Office
    ) -> None:
        await at_desk.take()

        def fail(done: Done) -> str:
            raise OSError("the printer is on fire")

        with pytest.raises(OSError, match="printer"):
            await at_desk.do(ask.Take(category="social"), answer=fail)
        assert at_desk.state == at_desk.stored()
        assert await at_desk.take() == "A002"
        assert at_desk.verify().faults == ()

    @pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)
    async def test_a_full_disk_loses_nothing(self, prepared: str) -> None:
        async with office(prepared) as made:
            pages = made.sql("PRAGMA page_count")[0][0]
            made.sql(f"PRAGMA max_page_count = {pages + 3}")
            given: list[str] = []

            async def take_on() -> None:
                while True:
                    given.append(await made.take())

            with pytest.raises(DatabaseUnavailable, match="disk"):
                await take_on()
            assert given
            assert made.waiting() == given
            assert made.state == made.stored()
            made.sql("PRAGMA max_page_count = 1000000")
            assert await made.take() == f"A{len(given) + 1:03d}"
            assert made.verify().faults == ()

    async def test_a_server_that_dies_before_the_commit_loses_nothing(
        self, prepared_postgresql: str, postgresql_server: Postgres
    ) -> None:
        async with office(prepared_postgresql) as made:
            await made.take()

            def cut(done: Done) -> str:
                with postgresql_server.connect() as other:
                    other.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = %s AND state = 'idle in transaction'",
                        [made.database.url.database],
                    )
                return "done"

            with pytest.raises(DatabaseUnavailable):
                await made.do(ask.Take(category="social"), answer=cut, key="k")
            assert made.state == made.stored()
            assert await made.take() == "A002"
            assert made.verify().faults == ()

    async def test_a_commit_whose_answer_was_lost_is_caught_up_with(self, at_desk: Office) -> None:
        """The transaction was committed, but this server never heard so: it reads the journal."""
        database = at_desk.database

        class Deaf:
            read = database.read

            async def write(self, fn: object) -> object:
                await database.write(fn)  # type: ignore[arg-type]
                raise DatabaseUnavailable("unreachable", "The connection broke.")

        deaf = Desk(Deaf(), clock=at_desk.clock)  # type: ignore[arg-type]
        await deaf.start()
        with pytest.raises(DatabaseUnavailable):
            await deaf.execute(CODE, ask.Take(category="social"), key="k")
        assert deaf.live(CODE).state.seq == 1
        deaf._database = database
        await deaf.execute(CODE, ask.Take(category="social"), key="other")
        assert deaf.live(CODE).state == at_desk.stored()
        assert len(deaf.live(CODE).state.tickets) == 2


class TestClocks:
    async def test_a_clock_ahead_of_the_databases_writes_nothing(
        self, prepared_postgresql: str
    ) -> None:
        """Every entry would carry the wrong time, and time never goes back."""
        clock = Clock()
        async with office(prepared_postgresql, clock) as made:
            now = await made.database.read(database_now)
            clock.now = now + 10 * 60_000_000
            with pytest.raises(Refusal) as refused:
                await made.take()
            assert (refused.value.slug, refused.value.kind) == ("clock-ahead", "ahead")
            assert made.kinds() == ["hall-configured"]
            clock.now = now + 60_000_000
            assert await made.take() == "A001"

    async def test_only_a_replayed_hall_takes_times_that_lie_ahead(self, at_desk: Office) -> None:
        later = at_desk.clock.now + 3_600_000_000
        with pytest.raises(Refusal) as refused:
            await at_desk.take(stated=later)
        assert refused.value.slug == "time-ahead"
        await at_desk.do(ask.SetClock(clock=HallClock("stated")))
        await at_desk.take(stated=later)
        assert at_desk.state.at == later

    async def test_a_stated_time_before_the_last_entry_is_the_last_entrys(
        self, at_desk: Office
    ) -> None:
        await at_desk.take()
        await at_desk.take(stated=at_desk.clock.now - 60_000_000)
        assert at_desk.state.at == at_desk.clock.now

    async def test_a_hall_set_to_the_end_of_time_can_be_set_again(self, at_desk: Office) -> None:
        await at_desk.do(ask.SetClock(clock=HallClock("stated")), stated=10**18)
        await at_desk.take()
        await at_desk.do(ask.SetClock(clock=HallClock("scaled", 10**18, 0, 1e6)))
        await at_desk.take()
        await at_desk.do(ask.SetClock(clock=HallClock()))
        assert at_desk.waiting() == ["A001", "A002"]
        assert at_desk.verify().faults == ()


class TestTheOneDoor:
    async def test_what_is_known_is_skipped(self, prepared: str) -> None:
        async with office(prepared) as writer, office(prepared) as reader:
            heard: list[tuple[Entry, ...]] = []
            writer.desk.live(CODE).listen(lambda before, after, entries: heard.append(entries))
            await writer.take()
            await writer.take()
            hall = reader.desk.live(CODE)
            hall.advance(heard[0])
            hall.advance((*heard[0], *heard[1]))
            hall.advance(heard[1])
            assert hall.state == writer.state

    async def test_a_gap_is_refused(self, prepared: str) -> None:
        async with office(prepared) as writer, office(prepared) as reader:
            heard: list[tuple[Entry, ...]] = []
            writer.desk.live(CODE).listen(lambda before, after, entries: heard.append(entries))
            await writer.take()
            await writer.take()
            hall = reader.desk.live(CODE)
            before = hall.state
            with pytest.raises(Gap, match="entry 4 cannot follow 1"):
                hall.advance(heard[1])
            assert hall.state is before
            with pytest.raises(ValueError, match="entry 4 cannot follow 2"):
                hall.advance((heard[0][0], heard[1][0]))
            assert hall.state is before

    async def test_nothing_is_written_behind_a_gap(self, at_desk: Office) -> None:
        """Somebody cut the journal's tail under the running server, and moved the head back."""
        await at_desk.take()
        head = at_desk.sql("SELECT head_seq, head_hash, head_at FROM halls")[0]
        await at_desk.take()
        at_desk.sql("DELETE FROM journal WHERE seq = 4")
        at_desk.sql("DELETE FROM stages WHERE ticket_id = 4")
        at_desk.sql("DELETE FROM tickets WHERE id = 4")
        at_desk.sql(
            "UPDATE halls SET head_seq = :seq, head_hash = :hash, head_at = :at",
            seq=head[0],
            hash=head[1],
            at=head[2],
        )
        assert await at_desk.take() == "A002"
        assert at_desk.state == at_desk.stored() == at_desk.refolded()


class TestTwoServers:
    """Two processes' worth on one database: each has its own live hall."""

    async def test_they_never_call_one_number_twice(self, prepared: str) -> None:
        async with office(prepared) as one, office(prepared) as two:
            await one.open(1, 2)
            for _ in range(30):
                await one.take()
            called: list[str] = []

            async def clerk(at: Office, window: int) -> None:
                while number := await at.serve(window):
                    called.append(number)

            await asyncio.gather(clerk(one, 1), clerk(two, 2))
            assert sorted(called) == [f"A{place:03d}" for place in range(1, 31)]
            await one.desk.confirm()
            await two.desk.confirm()
            assert one.state == two.state == one.stored()

    async def test_numbers_taken_at_both_have_no_gap_and_no_double(self, prepared: str) -> None:
        async with office(prepared) as one, office(prepared) as two:
            numbers = await asyncio.gather(*(at.take() for _ in range(25) for at in (one, two)))
            assert sorted(numbers) == [f"A{place:03d}" for place in range(1, 51)]

    async def test_what_one_does_the_other_shows_when_it_hears_of_it(self, prepared: str) -> None:
        async with office(prepared) as one, office(prepared) as two:
            await one.take()
            assert two.waiting() == []
            await two.desk.heard(CODE, one.state.seq)
            assert two.state == one.state

    async def test_or_when_it_looks_because_no_word_came(self, prepared: str) -> None:
        async with office(prepared) as one, office(prepared) as two:
            await one.take()
            await two.desk.confirm()
            assert two.state == one.state

    async def test_a_command_sees_what_the_other_has_done(self, prepared: str) -> None:
        async with office(prepared) as one, office(prepared) as two:
            await one.open(1)
            assert await one.take() == "A001"
            assert await two.take() == "A002"
            assert await two.call_next(1) == "A001"
            with pytest.raises(Refusal) as refused:
                await one.call_next(1)
            assert refused.value.slug == "ticket-in-hand"

    async def test_two_duty_holders_do_no_harm(self, prepared: str) -> None:
        clock = Clock()
        async with office(prepared, clock) as one, office(prepared, clock) as two:
            await one.take()
            await two.desk.confirm()
            clock.shows("00:00", TUESDAY)
            await asyncio.gather(one.desk.tick(), two.desk.tick())
            assert one.kinds()[3:] == ["ticket-expired", "day-closed"]

    async def test_a_server_whose_clock_is_a_little_slow_gives_no_number_twice(
        self, prepared: str
    ) -> None:
        fast, slow = Clock(), Clock()
        async with office(prepared, fast) as one, office(prepared, slow) as two:
            await one.take()
            fast.shows("00:00", TUESDAY)
            await one.desk.tick()
            slow.shows("23:59")
            assert await two.take() == "A001"
            assert await two.take() == "A002"
            assert (two.state.day, two.verify().faults) == (TUESDAY, ())

    async def test_a_new_hall_is_found_once(self, prepared: str) -> None:
        """The bus and the regular look may both find it at the same moment."""
        async with office(prepared) as one:
            desk = Desk(one.database, clock=one.clock)
            found: list[str] = []
            desk.on_hall(lambda hall: found.append(hall.code))
            await asyncio.gather(desk.confirm(), desk.heard(CODE, 1), desk.confirm())
            assert found == [CODE]


class TestRestoring:
    async def test_another_incarnation_of_the_journal_is_read_from_its_start(
        self, at_desk: Office
    ) -> None:
        await at_desk.take()
        at_desk.sql("UPDATE halls SET epoch = 'restored'")
        await at_desk.desk.confirm()
        assert at_desk.state.epoch == "restored"
        assert await at_desk.take() == "A002"
        assert at_desk.state == at_desk.stored()

    async def test_a_backup_put_back_under_a_running_server_is_noticed(self, prepared: str) -> None:
        """Without a new epoch, and already longer again than what this server had seen."""
        async with office(prepared) as stale, office(prepared) as other:
            await stale.take()
            for kind in ("stages", "tickets", "windows", "journal"):
                other.sql(f"DELETE FROM {kind} WHERE hall_id = 1" + _keep_first(kind))
            first = other.sql("SELECT hash, at FROM journal WHERE seq = 1")[0]
            other.sql(
                "UPDATE halls SET head_seq = 1, head_hash = :hash, head_at = :at",
                hash=first[0],
                at=first[1],
            )
            other.clock.wait(minutes=1)
            await other.desk.confirm()
            await other.open(1)
            await other.take("estate")
            assert await stale.take() == "A001"
            assert stale.state == stale.stored() == stale.refolded()


def _keep_first(table: str) -> str:
    return " AND seq > 1" if table == journal.name else ""
