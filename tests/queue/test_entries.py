"""The canonical text of an entry: what is stored and hashed, and can be read for ever."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from tests.queue.hall import WEDNESDAY, Hall, with_social
from tinghao.queue import commands as ask
from tinghao.queue.events import EVENTS, Entry
from tinghao.queue.journal.entries import BrokenEntry, canonical, chained, parse
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.model import HallClock, Item, TextRef

GOLDEN = Path(__file__).parent / "golden.jsonl"
"""One entry of each kind as the first release wrote it. Lines are added, never changed: a new
shape of an event is a new version beside the old one, and old entries stay readable."""


def a_day_with_everything() -> Hall:
    """A hall in which every kind of event there is happens."""
    hall = Hall(with_social(items=(Item("card", "社保卡"),)))
    kept = ask.Text(TextRef("t1", "c" * 64), "salt", "why")
    hall.do(ask.SetClock(clock=HallClock("scaled", hall.now, hall.now, 30.0)))
    hall.open(1, 2)
    hall.take(item="card", cls="priority", ground="elderly", channel="kiosk")
    hall.served(1)
    hall.undo(1)
    hall.finish(1, result="not-done", reason="materials", complex=True, text=kept)
    hall.rate("A001", 2, reasons=("slow",), device="token:7", text=kept)
    hall.missed(1)
    hall.bring_back(1, "A002", reason="came-back")
    hall.held(1)
    hall.resume_ticket(1, "A002")
    hall.transfer(1, "estate", to_window=2, note=kept)
    hall.served(2)
    hall.take_many(3)
    hall.defer("A003", places=1)
    hall.cancel("A004")
    hall.call(1, "A005")
    hall.release(1, "waiting")
    hall.pause(1, reason="meal", minutes=30)
    hall.resume(1)
    hall.assign(2, "estate")
    hall.enter_paper(1, (hall.now - 3, hall.now - 2, hall.now - 1))
    hall.missed(1)
    hall.close(2)
    hall.clock_shows("09:00", WEDNESDAY)
    hall.take("estate", cls="appointment", appointment=hall.at("09:30"))
    return hall


def first_of_each_kind(hall: Hall) -> list[Entry]:
    found: dict[str, Entry] = {}
    for entry in hall.entries:
        found.setdefault(entry.event.kind, entry)
    return list(found.values())


def test_the_day_has_every_kind_of_event_there_is() -> None:
    kinds = {entry.event.kind for entry in a_day_with_everything().entries}
    assert kinds == {event.kind for event in EVENTS}


def test_entries_are_written_as_they_always_were() -> None:
    """But a configuration, which may get further settings with defaults."""
    now = [canonical("plain", entry) for entry in first_of_each_kind(a_day_with_everything())]
    assert now[1:] == GOLDEN.read_text().splitlines()[1:]


def test_entries_of_the_first_release_can_be_read() -> None:
    kinds = []
    for text in GOLDEN.read_text().splitlines():
        entry = parse(Rooms(), "plain", text, "")
        kinds.append(entry.event.kind)
        assert msgspec.json.decode(text)["seq"] == entry.seq
    assert sorted(kinds) == sorted(event.kind for event in EVENTS)


def test_what_is_read_is_what_was_written() -> None:
    rooms = Rooms()
    for entry in a_day_with_everything().entries:
        assert parse(rooms, "plain", canonical("plain", entry), entry.hash) == entry


def test_the_text_names_hall_place_time_and_author() -> None:
    entry = a_day_with_everything().entries[4]
    text = canonical("plain", entry)
    assert msgspec.json.decode(text) == {
        "at": 1795482000000000,
        "by": "staff:1",
        "data": {"staff": 2, "window": 2},
        "day": 20261124,
        "half_hour": 18,
        "hall": "plain",
        "kind": "window-opened",
        "seq": 5,
        "v": 1,
    }
    assert (" " in text, "\n" in text) == (False, False)


def test_each_hash_covers_the_one_before_it() -> None:
    """Checked with nothing but SHA-256, as an auditor would with the printed journal."""
    previous = "0" * 64
    for entry in a_day_with_everything().entries:
        previous = hashlib.sha256((previous + canonical("plain", entry)).encode()).hexdigest()
        assert entry.hash == previous


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"kind":"ticket-taken"', '"kind":"ticket-dreamt"'),
        ('"v":1', '"v":2'),
        ('"hall":"plain"', '"hall":"other"'),
        ('"number":"A001"', '"number":1'),
        ('"seq":', '"sequence":'),
        ("{", ""),
    ],
    ids=["unknown kind", "newer version", "other hall", "wrong type", "wrong key", "no JSON"],
)
def test_what_is_no_entry_is_refused(old: str, new: str) -> None:
    hall = Hall()
    hall.take()
    text = canonical("plain", hall.entries[-1])
    assert old in text
    with pytest.raises(BrokenEntry):
        parse(Rooms(), "plain", text.replace(old, new, 1), "")


def test_a_chain_of_texts_depends_on_their_order() -> None:
    assert chained(chained("0", "a"), "b") != chained(chained("0", "b"), "a")
