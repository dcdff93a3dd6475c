"""A recorded period in a hall's journal, as if it had been lived there."""

import asyncio
import shutil
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.app.records.conftest import HALL, Place
from tests.app.records.days import FOLDER, TICKETS
from tests.app.records.test_plan import records
from tinghao.app.cli import main
from tinghao.app.database import Database
from tinghao.app.records.comparing import differences, expected
from tinghao.app.records.fitting import plan_hall
from tinghao.app.records.importer import NotImported, import_plan
from tinghao.app.records.plan import make_plan
from tinghao.app.records.record import Record, read_record
from tinghao.app.records.replay import journal
from tinghao.app.rooms import all_rooms
from tinghao.client import Client
from tinghao.queue.clock import at_time, iso, machine_clock
from tinghao.queue.events import Entry, HallConfigured
from tinghao.queue.founding import PUYANG
from tinghao.queue.journal import load_state
from tinghao.queue.journal.store import head_of, stream_entries
from tinghao.queue.model import HallState

ZONE = PUYANG.timezone


def imported(place: Place, *arguments: str, file: Path = TICKETS) -> Result:
    """What `tinghao import` says."""
    command = ["import", str(file), "--hall", HALL, "--config", str(place.config), *arguments]
    return CliRunner().invoke(main, command)


def entries_of(place: Place) -> list[Entry]:
    """The hall's whole journal."""
    database = Database(place.settings.database_url)
    try:
        head = database.read_sync(partial(head_of, code=HALL))
        return database.read_sync(lambda c: list(stream_entries(c, all_rooms(), head)))
    finally:
        database.close()


def state_of(place: Place) -> HallState:
    """The hall now."""
    database = Database(place.settings.database_url)
    try:
        return database.read_sync(partial(load_state, rooms=all_rooms(), code=HALL))
    finally:
        database.close()


def test_five_days_come_in_as_five_business_days(place: Place) -> None:
    """1,394 tickets with the record's numbers and times; each day is opened and closed."""
    before = state_of(place)

    result = imported(place)

    assert result.exit_code == 0, result.output
    assert "1394 tickets and 1394 calls of 2020-01-07 to 2020-01-13" in result.stdout
    entries = entries_of(place)
    plan = make_plan(read_record(TICKETS), plan_hall(before))
    as_told = [
        {"seq": e.seq, "kind": e.event.kind, "at": iso(e.at, ZONE), "data": _data(e)}
        for e in entries
    ]
    assert differences(expected(plan, ZONE), as_told, ZONE) == []
    kinds = Counter(each.event.kind for each in entries)
    assert kinds["day-opened"] == kinds["day-closed"] == 5
    assert kinds["ticket-finished"] + kinds["ticket-no-show"] == 1394


def _data(entry: Entry) -> dict[str, str]:
    event = entry.event
    return {name: getattr(event, name, "") for name in ("number", "category")}


def test_the_journal_is_sound_afterwards(place: Place) -> None:
    """The chain, the seals, the tables and the exported seals agree."""
    imported(place)

    result = CliRunner().invoke(
        main, ["journal", "verify", "--hall", HALL, "--config", str(place.config)]
    )

    assert result.exit_code == 0, result.output
    assert "5 seals are sound" in result.stdout


def test_one_day_of_one_site_can_be_chosen_and_queues_be_mapped(place: Place) -> None:
    """As asked: Monday only, passports to the estate category."""
    result = imported(place, "--day", "2020-01-13", "--site", "UD_Zol", "--map", "P=estate")

    assert "335 tickets" in result.stdout
    taken = Counter(e.event.category for e in entries_of(place) if e.event.kind == "ticket-taken")  # type: ignore[attr-defined]
    assert taken["estate"] >= 61


def test_a_record_can_begin_on_another_day(place: Place) -> None:
    """Moved by whole days, with its times of day."""
    imported(place, "--day", "2020-01-13", "--begin", "2021-03-01")

    first = next(each for each in entries_of(place) if each.event.kind == "ticket-taken")
    assert iso(first.at, ZONE) == "2021-03-01T08:00:00.000+08:00"


def test_a_later_hall_refuses(place: Place) -> None:
    """The same period once more, or an earlier one: one sentence, nothing written."""
    imported(place, "--day", "2020-01-13")
    before = state_of(place).seq

    again = imported(place, "--day", "2020-01-13")
    earlier = imported(place, "--day", "2020-01-07")

    assert again.exit_code == earlier.exit_code == 1
    assert "already later than what is to be imported" in again.stderr
    assert state_of(place).seq == before


def test_later_days_can_follow(place: Place) -> None:
    """A period in two parts is as good as in one."""
    imported(place, "--day", "2020-01-07", "--day", "2020-01-08")
    result = imported(place, "--day", "2020-01-09")

    assert result.exit_code == 0, result.output


async def test_a_hall_with_something_open_refuses(place: Place) -> None:
    """Somebody waits in it now."""
    async with place.served() as served, Client(served.url, place.token) as client:
        await client.post(f"/halls/{HALL}/tickets", {"category": "social"})

    result = await asyncio.to_thread(imported, place)

    assert result.exit_code == 1
    assert "still has open tickets or windows" in result.stderr


def test_a_period_that_is_not_over_is_refused(place: Place) -> None:
    """Today is lived, not imported."""
    result = imported(place, "--begin", "2999-01-01")

    assert result.exit_code == 1
    assert "only a past period can be imported" in result.stderr


def test_what_is_wrong_is_said_in_a_sentence(place: Place, tmp_path: Path) -> None:
    """No such file, a bad row, no such queue, no such hall."""
    broken = tmp_path / "broken.csv"
    shutil.copy(TICKETS, broken)
    broken.write_text(
        broken.read_text(encoding="utf-8").replace("2020-01-13T", "2020-01-32T"), encoding="utf-8"
    )

    missing = imported(place, file=tmp_path / "none.csv")
    bad_row = imported(place, file=broken)
    no_queue = imported(place, "--map", "Z=social")
    nowhere = CliRunner().invoke(
        main, ["import", str(TICKETS), "--hall", "nowhere", "--config", str(place.config)]
    )

    assert "none.csv: No such file or directory" in missing.stderr
    assert "column arrived_at: '2020-01-32T" in bad_row.stderr
    assert "the record has no queue 'Z'; it has UD_Zoliborz/C" in no_queue.stderr
    assert "There is no hall nowhere" in nowhere.stderr
    codes = {each.exit_code for each in (missing, bad_row, no_queue, nowhere)}
    assert codes == {1}


async def test_a_running_server_sees_the_past_arrive(place: Place) -> None:
    """Importing beside a server disturbs neither: it never sees a day half done."""
    async with place.served() as served, Client(served.url, place.token) as client:
        result = await asyncio.to_thread(imported, place)
        assert result.exit_code == 0, result.output
        state = await client.get(f"/halls/{HALL}/state")
        head = len(entries_of(place))
        while state["seq"] < head:
            state = await client.get(f"/halls/{HALL}/state")
        seen = [each async for each in journal(client, HALL, 0)]

    assert "ticket-expired" not in {each["kind"] for each in seen}


def test_a_step_that_the_hall_refuses_stops_the_import(place: Place) -> None:
    """The day's cap is reached: said with time and number; that day is not in the journal."""
    state = state_of(place)
    config = state.setup
    capped = replace(
        config, categories=tuple(replace(each, daily_cap=50) for each in config.categories)
    )
    rooms = all_rooms()
    entry = Entry(state.seq + 1, state.at, 20000101, 0, "hall", HallConfigured(config=capped))
    narrow = rooms.evolve(state, entry)
    written: list[object] = []

    with pytest.raises(NotImported, match=r"2020-01-07T.*take A051 .*All 50 numbers of social"):
        import_plan(
            make_plan(read_record(FOLDER / "tickets.csv"), plan_hall(narrow)),
            narrow,
            1,
            rooms,
            written.append,
            machine_clock,
        )

    assert written == []


@given(records(), st.integers(1, 4))
def test_the_halls_own_rules_agree_with_every_plan(record: Record, categories: int) -> None:
    """Whatever is on record: no step is refused, each call-next brings the recorded number."""
    rooms = all_rooms()
    kept = PUYANG.categories[:categories]
    codes = {each.code for each in kept}
    windows = tuple(
        replace(each, categories=tuple(c for c in each.categories if c in codes))
        for each in PUYANG.windows
    )
    config = replace(PUYANG, categories=kept, windows=windows)
    start = rooms.start(HALL, "epoch", "0" * 64)
    state = rooms.evolve(start, Entry(1, 0, 20000101, 0, "hall", HallConfigured(config=config)))
    plan = make_plan(record, plan_hall(state))

    done = import_plan(
        plan, state, 1, rooms, lambda write: None, lambda: at_time(20260101, "00:00", ZONE)
    )

    assert done.tickets == len(record.tickets)
    assert done.calls == sum(each.called is not None for each in record.tickets) - len(
        plan.left_out
    )
