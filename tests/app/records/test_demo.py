"""The demonstration's hall lives, and leaves room for whoever visits it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.app.records.conftest import HALL, Place, new_place
from tinghao.app.records.demo import BADGES, TICKETS, live_through, next_workday, script_of
from tinghao.app.records.living.day import opening_shift, seats_of, usual_service
from tinghao.app.records.record import read_record
from tinghao.app.records.replay import journal
from tinghao.app.serving.server import Served
from tinghao.client import Client, Refused
from tinghao.queue.calendar import rest_day
from tinghao.queue.model import MINUTE

State = Mapping[str, Any]
OUR_WINDOWS = set(range(1, 9))


@asynccontextmanager
async def life(place: Place, served: Served, speed: float) -> AsyncIterator[Client]:
    """The hall lives and is full; what is given is a visitor's door to it."""
    full = asyncio.Event()
    living = asyncio.create_task(live_through(HALL, served.url, place.token, speed, ready=full.set))
    try:
        async with Client(served.url, place.integration) as client:
            await full.wait()
            yield client
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


async def until(client: Client, true: Callable[[State], bool]) -> State:
    """The hall's state as soon as that is true of it."""
    while True:
        state: State = await client.get(f"/halls/{HALL}/state")
        if true(state):
            return state
        await asyncio.sleep(0.02)


def window(state: State, number: int) -> Mapping[str, Any]:
    return next(each for each in state["windows"] if each["number"] == number)  # type: ignore[no-any-return]


async def test_a_visitor_finds_a_full_hall_that_moves(place: Place, served: Served) -> None:
    """When it is ready people wait and windows serve; within five seconds something happens."""
    async with life(place, served, speed=30) as client:
        state = await client.get(f"/halls/{HALL}/state")
        moved = await asyncio.wait_for(until(client, lambda s: s["seq"] > state["seq"] + 1), 5)

    assert sum(each["called"] for each in state["categories"]) > 30
    assert sum(each["waiting"] for each in state["categories"]) > 3
    at_work = {each["number"] for each in state["windows"] if each["state"] != "closed"}
    assert len(at_work) > 4
    assert at_work <= OUR_WINDOWS
    assert state["speed"] == 30
    assert state["rest_day"] is None
    assert "11:15" <= state["at"][11:16] <= "11:16"
    assert moved["epoch"] == state["epoch"]


async def test_a_visitors_number_is_called_in_its_turn(place: Place, served: Served) -> None:
    """He takes a number like anybody and is called and served without doing more."""
    async with life(place, served, speed=600) as client:
        taken = await client.post(f"/halls/{HALL}/tickets", {"category": "social"})
        path = f"/tickets/{taken.body['token']}"
        finished = "waiting"
        while finished != "finished":
            await asyncio.sleep(0.02)
            finished = (await client.get(path))["state"]
        entries = [each async for each in journal(client, HALL, 0)]

    calls = [each for each in entries if each["kind"] == "ticket-called"]
    own = next(each for each in calls if each["data"]["number"] == taken.body["number"])
    assert own["data"]["why"] == "waiting"
    assert not own["data"]["out_of_turn"]


async def test_a_window_that_a_visitor_opens_is_his(place: Place, served: Served) -> None:
    """One that was free for him, and one that he takes over from the hall's own clerk."""
    async with life(place, served, speed=600) as client:
        base = f"/halls/{HALL}/windows"
        await client.post(f"{base}/9/open", {"staff": "009"})
        number = await _takes_over(client, base)
        # Its clerk may have been calling at that very moment; whoever came is the visitor's.
        seq = (await client.get(f"/halls/{HALL}/state"))["seq"]
        state = await until(client, lambda s: s["seq"] > seq + 20)
        if window(state, number)["state"] == "called":
            await client.post(f"{base}/{number}/start")
            await client.post(f"{base}/{number}/finish")
        start = (await client.get(f"/halls/{HALL}/state"))["seq"]
        state = await until(client, lambda s: s["seq"] > start + 60)
        entries = [each async for each in journal(client, HALL, start)]

    assert window(state, number)["staff"] == {"badge": "010"}
    assert {window(state, each)["state"] for each in (9, number)} == {"free"}
    assert not {each["data"].get("window") for each in entries} & {9, number}


async def _takes_over(client: Client, base: str) -> int:
    """Close one of the hall's own windows between two citizens, and sit down there."""
    while True:
        state = await until(
            client, lambda s: any(e["state"] == "free" and e["number"] < 9 for e in s["windows"])
        )
        number = next(each["number"] for each in state["windows"] if each["state"] == "free")
        with suppress(Refused):  # its clerk was quicker
            await client.post(f"{base}/{number}/close")
            await client.post(f"{base}/{number}/open", {"staff": "010"})
            return int(number)


async def test_the_night_is_skipped_and_the_next_workday_begins(tmp_path: Path) -> None:
    """After closing everybody goes home; the next business day opens at once."""
    place = new_place(tmp_path, opens="09:00", closes="11:30")
    async with place.served() as served, life(place, served, speed=900) as client:
        first = (await client.get(f"/halls/{HALL}/state"))["day"]
        state = await until(client, lambda s: s["day"] > first and s["recent"] != [])
        entries = [each async for each in journal(client, HALL, 0)]

    assert state["rest_day"] is None
    kinds = [each["kind"] for each in entries]
    assert kinds.count("day-closed") == 1
    by_whom = {each["data"].get("window") for each in entries if each["kind"] == "ticket-called"}
    assert by_whom <= OUR_WINDOWS
    assert state["at"][11:16] >= "08:58"


async def test_life_looks_human(place: Place, served: Served) -> None:
    """In an hour or so somebody does not come, is called again, pauses, rates, waits for papers."""
    wanted = {
        "ticket-recalled",
        "ticket-no-show",
        "ticket-held",
        "ticket-resumed",
        "ticket-rated",
        "ticket-transferred",
        "window-paused",
        "window-resumed",
    }
    async with life(place, served, speed=600) as client:
        kinds: set[str] = set()
        while not wanted <= kinds:
            await asyncio.sleep(0.1)
            kinds = {each["kind"] async for each in journal(client, HALL, 0)}


async def test_a_server_that_goes_away_ends_nothing(place: Place) -> None:
    """The demonstration waits, goes on when it is back, and never raises."""
    async with place.served() as first:
        port, url = first.port, first.url
        full = asyncio.Event()
        living = asyncio.create_task(live_through(HALL, url, place.token, 600, ready=full.set))
        await full.wait()
    async with place.served(port=port), Client(url, place.integration) as client:
        before = (await client.get(f"/halls/{HALL}/state"))["seq"]
        await until(client, lambda s: s["seq"] > before + 5)
    assert not living.done()
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)


def test_a_day_to_live_is_a_workday_that_the_journal_has_not_reached() -> None:
    """Today, unless the hall has been there or it is a day of rest."""

    def day(latest: str, today: str) -> date:
        moments = (
            datetime.fromisoformat(f"{each}T12:00").replace(tzinfo=UTC) for each in (latest, today)
        )
        return next_workday(*moments)

    assert day("2000-01-01", "2026-11-24") == date(2026, 11, 24)
    assert day("2026-11-24", "2026-11-24") == date(2026, 11, 25)
    assert day("2026-11-27", "2026-11-24") == date(2026, 11, 30)
    assert rest_day(20261001) is not None
    assert day("2026-09-30", "2026-09-30") > date(2026, 10, 1)


def test_a_recorded_day_fits_the_hours_of_the_hall() -> None:
    """The recorded door opens at eight, ours at nine; the queue before the door comes before."""
    record = read_record(TICKETS)
    known = {
        "opens": "09:00",
        "closes": "17:00",
        "categories": [{"code": c, "items": [{"code": "x"}]} for c in ("a", "b", "c", "d")],
    }

    script = script_of(record, record.days[0], known)

    assert script.arrivals[0].at == (8 * 60 + 59) * MINUTE
    assert script.arrivals[0].items == ("x",)
    assert len(script.arrivals) == 286
    assert 6 <= max(number for _, number in script.counters) <= 9
    assert opening_shift(8 * 60 * MINUTE, 9 * 60 * MINUTE) == 60 * MINUTE
    assert 5 * 60 < usual_service(script, 8) < 15 * 60


@pytest.mark.parametrize(("others", "expected"), [(2, 8), (0, 6)])
def test_two_windows_are_left_to_visitors(others: int, expected: int) -> None:
    """Those for other work, or else the last ones; the first we open serve every category."""
    windows = [
        {"number": n, "role": "intake", "categories": ["abcd"[n % 4]]} for n in range(1, 9)
    ] + [{"number": 9 + n, "role": "issue", "categories": ["a"]} for n in range(others)]

    seats = seats_of(windows, BADGES)

    assert len(seats) == expected
    assert {code for _, _, codes in seats[:4] for code in codes} == set("abcd")
