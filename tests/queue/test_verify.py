"""Whoever changes the journal by hand is found out, and told where (`tinghao journal verify`)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.queue.office import TUESDAY, Clock, Office, office
from tinghao.app.keys import JournalKey, create_journal_key, load_journal_key
from tinghao.queue import commands as ask
from tinghao.queue.journal.entries import GENESIS, chained
from tinghao.queue.journal.seals import Seal
from tinghao.queue.model import Category


@pytest.fixture
def key(tmp_path: Path) -> JournalKey:
    create_journal_key(tmp_path / "journal.pem")
    return load_journal_key(tmp_path / "journal.pem")


@pytest.fixture
async def lived(prepared: str, key: JournalKey) -> AsyncIterator[Office]:
    """A hall with a day that was closed and sealed, and a second one that runs."""
    clock = Clock()
    async with office(prepared, clock, signer=key) as made:
        for day in (0, 1):
            if day:
                clock.shows("09:00", TUESDAY)
            await made.open(1, 2)
            for _ in range(4):
                await made.take()
            clock.wait(minutes=3)
            await made.serve(1)
            await made.call_next(2)
            await made.do(ask.Start(window=2))
            await made.do(ask.Transfer(window=2, category="estate"))
        yield made


def faults(made: Office, key: JournalKey) -> list[str]:
    return list(made.verify(key).faults)


def entry_of(made: Office, kind: str, nth: int = 0) -> int:
    """The seq of the nth entry of a kind."""
    rows = made.sql("SELECT seq FROM journal WHERE kind = :kind ORDER BY seq", kind=kind)
    return int(rows[nth][0])


def rewrite(made: Office, seq: int, old: str, new: str) -> None:
    """Change an entry's text as one who knows nothing of hashes would."""
    text = made.sql("SELECT entry FROM journal WHERE seq = :seq", seq=seq)[0][0]
    assert old in text
    made.sql("UPDATE journal SET entry = :t WHERE seq = :seq", t=text.replace(old, new), seq=seq)


def rechain(made: Office) -> None:
    """Compute all hashes and the head anew, as one who knows the format would."""
    previous = GENESIS
    for seq, text in made.sql("SELECT seq, entry FROM journal ORDER BY seq"):
        previous = chained(previous, text)
        made.sql("UPDATE journal SET hash = :hash WHERE seq = :seq", hash=previous, seq=seq)
    made.sql("UPDATE halls SET head_hash = :hash", hash=previous)


async def test_an_honest_journal_is_sound(lived: Office, key: JournalKey) -> None:
    report = lived.verify(key)
    assert report.faults == ()
    assert (report.entries, report.seals) == (lived.state.seq, 1)
    assert report.state == lived.state


async def test_a_changed_text_is_named(lived: Office, key: JournalKey) -> None:
    seq = entry_of(lived, "ticket-called")
    rewrite(lived, seq, '"why":"waiting"', '"why":"priority"')
    assert faults(lived, key) == [f"entry {seq} does not continue the chain: it was changed"]


async def test_a_changed_number_also_contradicts_the_tables(lived: Office, key: JournalKey) -> None:
    seq = entry_of(lived, "ticket-taken", 2)
    rewrite(lived, seq, '"A003"', '"A033"')
    found = faults(lived, key)
    assert found[0] == f"entry {seq} does not continue the chain: it was changed"
    assert found[1].startswith("tickets: the row (")


@pytest.mark.parametrize(
    ("column", "value"),
    [("at", 1), ("day", 20000101), ("half_hour", 40), ("kind", "'ticket-expired'")],
)
async def test_a_changed_column_is_named(
    lived: Office, key: JournalKey, column: str, value: object
) -> None:
    seq = entry_of(lived, "ticket-finished")
    lived.sql(f"UPDATE journal SET {column} = {value} WHERE seq = {seq}")
    assert faults(lived, key) == [f"entry {seq}: its columns differ from its text"]


async def test_a_changed_hash_is_named(lived: Office, key: JournalKey) -> None:
    lived.sql("UPDATE journal SET hash = :hash WHERE seq = 5", hash="0" * 64)
    assert faults(lived, key) == [
        "entry 5 does not continue the chain: it was changed",
        "entry 6 does not continue the chain: it was changed",
    ]


async def test_a_deleted_entry_is_missed(lived: Office, key: JournalKey) -> None:
    lived.sql("DELETE FROM journal WHERE seq = 6")
    assert faults(lived, key) == ["entry 6 is missing: after 5 comes 7"]


async def test_the_first_entry_is_missed_too(lived: Office, key: JournalKey) -> None:
    lived.sql("DELETE FROM journal WHERE seq = 1")
    assert faults(lived, key)[0] == "entry 1 is missing: after 0 comes 2"


async def test_two_swapped_entries_are_named(lived: Office, key: JournalKey) -> None:
    """Two citizens' places in the queue exchanged, say."""
    one, two = entry_of(lived, "ticket-taken", 0), entry_of(lived, "ticket-taken", 1)
    for old, new in ((one, -1), (two, one), (-1, two)):
        lived.sql("UPDATE journal SET seq = :new WHERE seq = :old", old=old, new=new)
    found = faults(lived, key)
    assert found[0] == f"entry {one} does not continue the chain: it was changed"
    assert f"entry {two} does not continue the chain: it was changed" in found


async def test_a_cut_tail_contradicts_the_halls_row(lived: Office, key: JournalKey) -> None:
    last = lived.state.seq
    lived.sql("DELETE FROM journal WHERE seq > :last", last=last - 3)
    found = faults(lived, key)
    assert found[0] == f"the hall's row says entry {last}, the last is {last - 3}"


def cut_back_to(made: Office, seq: int) -> None:
    """Cut the tail and the head with it, as one who knows the tables would."""
    digest, at = made.sql("SELECT hash, at FROM journal WHERE seq = :seq", seq=seq)[0]
    made.sql("DELETE FROM journal WHERE seq > :seq", seq=seq)
    made.sql("UPDATE halls SET head_seq = :s, head_hash = :h, head_at = :a", s=seq, h=digest, a=at)


async def test_a_tail_cut_together_with_the_head_contradicts_the_tables(
    lived: Office, key: JournalKey
) -> None:
    cut_back_to(lived, lived.state.seq - 3)
    assert any(each.startswith("tickets: the row") for each in faults(lived, key))


async def test_a_tail_cut_before_a_seal_contradicts_the_seal(
    lived: Office, key: JournalKey
) -> None:
    close = entry_of(lived, "day-closed")
    cut_back_to(lived, close - 1)
    assert f"the seal of day 20260119 does not fit entry {close}" in faults(lived, key)


async def test_a_history_rewritten_with_all_its_hashes_contradicts_the_seal(
    lived: Office, key: JournalKey
) -> None:
    """Chain, head and tables agree with each other: only the signature does not."""
    rewrite(lived, entry_of(lived, "ticket-called"), '"why":"waiting"', '"why":"priority"')
    rechain(lived)
    close = entry_of(lived, "day-closed")
    assert faults(lived, key) == [f"the seal of day 20260119 does not fit entry {close}"]


async def test_a_seal_moved_to_the_new_history_has_a_false_signature(
    lived: Office, key: JournalKey
) -> None:
    rewrite(lived, entry_of(lived, "ticket-called"), '"why":"waiting"', '"why":"priority"')
    rechain(lived)
    lived.sql("UPDATE seals SET hash = (SELECT hash FROM journal j WHERE j.seq = seals.seq)")
    assert faults(lived, key) == ["the seal of day 20260119 has a false signature"]


async def test_a_seal_by_another_key_is_no_seal(
    lived: Office, key: JournalKey, tmp_path: Path
) -> None:
    create_journal_key(tmp_path / "forged.pem")
    forged = load_journal_key(tmp_path / "forged.pem")
    assert faults(lived, forged) == [f"the seal of day 20260119 is of the unknown key {key.key_id}"]


async def test_seals_outlive_a_restore(lived: Office, key: JournalKey) -> None:
    """They were made in the epoch of before, and stay sound in the new one."""
    lived.sql("UPDATE halls SET epoch = 'restored'")
    assert faults(lived, key) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tickets SET state = 'finished' WHERE state = 'expired'",
        "UPDATE tickets SET called_at = called_at - 60000000",
        "DELETE FROM tickets WHERE number = 'A002'",
        "UPDATE stages SET held_us = 1 WHERE no = 2",
        "DELETE FROM stages WHERE no = 2",
        "UPDATE windows SET staff_id = 3 WHERE number = 1",
        "INSERT INTO windows (hall_id, number, state, since, categories) VALUES (1, 9, '', 0, '')",
    ],
)
async def test_a_table_that_says_other_than_the_journal_is_named(
    lived: Office, key: JournalKey, change: str
) -> None:
    assert lived.sql(change)
    (found,) = faults(lived, key)
    table = change.split()[2 if change.startswith(("DELETE", "INSERT")) else 1]
    assert found.startswith(f"{table}: the row (")


async def test_an_event_that_this_version_does_not_know_is_named(
    lived: Office, key: JournalKey
) -> None:
    seq = entry_of(lived, "window-opened")
    rewrite(lived, seq, "window-opened", "window-painted")
    found = faults(lived, key)
    assert found[0] == f"entry {seq} does not continue the chain: it was changed"
    lived.sql("UPDATE journal SET kind = 'window-painted' WHERE seq = :seq", seq=seq)
    rechain(lived)
    expected = "an entry of plain cannot be read: no room of this version knows the event"
    assert expected in faults(lived, key)[0]


async def test_an_entry_of_another_hall_is_named(lived: Office, key: JournalKey) -> None:
    rewrite(lived, 4, '"hall":"plain"', '"hall":"other"')
    rechain(lived)
    assert "entry 4 is of hall other, not plain" in faults(lived, key)[0]


async def test_what_is_no_entry_at_all_is_named(lived: Office, key: JournalKey) -> None:
    lived.sql("UPDATE journal SET entry = 'coffee stain' WHERE seq = 4")
    assert faults(lived, key)[0] == "entry 4 does not continue the chain: it was changed"


async def test_many_faults_are_not_all_told(lived: Office, key: JournalKey) -> None:
    lived.sql("UPDATE journal SET half_hour = 47")
    assert len(faults(lived, key)) == 20


async def test_every_day_close_is_sealed_and_exported(prepared: str, key: JournalKey) -> None:
    exported: list[Seal] = []
    clock = Clock()
    async with office(prepared, clock, signer=key, sealed=exported.append) as made:
        for day in (20260119, 20260120, 20260121):
            clock.shows("10:00", day)
            await made.take()
        await made.do(ask.Tick())
        closed = [each.day for each in exported]
        assert closed == [20260119, 20260120]
        heads = made.sql("SELECT seq, hash FROM journal WHERE kind = 'day-closed' ORDER BY seq")
        assert [(each.seq, each.hash) for each in exported] == [tuple(row) for row in heads]
        assert made.verify(key).faults == ()


async def test_a_dropped_window_leaves_no_row(at_desk: Office) -> None:
    """What the tables say is what the hall is."""
    config = at_desk.state.setup
    await at_desk.open(3)
    await at_desk.do(ask.Close(window=3))
    permits = Category(code="permits", name="许可", prefix="P")
    smaller = replace(config, windows=config.windows[:2], categories=(*config.categories, permits))
    await at_desk.do(ask.Configure(config=smaller))
    assert at_desk.sql("SELECT number FROM windows ORDER BY number") == [(1,), (2,)]
    assert at_desk.verify().faults == ()
