"""Recorded days replayed through a running server, and its journal read back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from tests.app.records.conftest import HALL, Place
from tests.app.records.cutting import cutting
from tests.app.records.days import DAYS, TICKETS
from tinghao.app.cli import main
from tinghao.app.records.comparing import CALLED, TAKEN, Seen, differences
from tinghao.app.records.record import read_record, select
from tinghao.app.records.replay import journal, replay
from tinghao.app.serving.server import Served
from tinghao.client import Client, Refused, Unreachable
from tinghao.queue.clock import at_time
from tinghao.queue.model import MINUTE

RECORD = select(read_record(TICKETS), (), DAYS[-1:])
MONDAY = replace(
    RECORD, tickets=tuple(each for each in RECORD.tickets if each.arrived < 9 * 60 * MINUTE)
)
"""The first hour of Monday: 29 citizens."""
FAST = 1_000_000.0
ZONE = "Asia/Shanghai"


async def said_by(*arguments: str) -> Result:
    """What the command line says, while the server runs in this loop."""
    return await asyncio.to_thread(CliRunner().invoke, main, arguments)


async def test_a_day_is_replayed_number_by_number(place: Place, served: Served) -> None:
    """335 citizens come and are called as on record, and the command says so with code 0."""
    result = await said_by(
        *("replay", str(TICKETS), "--url", served.url, "--token", place.token),
        *("--hall", HALL, "--speed", "100000", "--day", "2020-01-13"),
    )

    assert result.exit_code == 0, result.output
    assert "1 days, 335 takes, 335 calls (0 by number)" in result.stdout
    assert "agrees with the record, number by number" in result.stdout
    assert "UD_Zoliborz/N → social" in result.stderr


async def test_the_hall_has_the_times_of_the_record_and_gets_its_own_back(
    place: Place, served: Served
) -> None:
    """In the journal stands 2020; afterwards the hall goes by the machine's clock again."""
    async with Client(served.url, place.token) as client:
        done = await replay(client, HALL, MONDAY, FAST)
        entries = [each async for each in journal(client, HALL, 0)]

    takes = [each["at"] for each in entries if each["kind"] == TAKEN]
    assert done.clean
    assert done.shift == 0
    assert takes[0] == "2020-01-13T08:00:00.000+08:00"
    assert [each["data"]["clock"]["mode"] for each in entries if each["kind"] == "clock-set"] == [
        "stated",
        "machine",
    ]


async def test_the_clock_stays_with_the_record_when_asked_to(place: Place, served: Served) -> None:
    """For whoever wants to look at the hall as it was at the end of the day."""
    async with Client(served.url, place.token) as client:
        await replay(client, HALL, MONDAY, FAST, keep_clock=True)
        state = await client.get(f"/halls/{HALL}/state")

    assert state["at"].startswith("2020-01-13T")


async def test_a_second_replay_comes_after_the_first(place: Place, served: Served) -> None:
    """The hall has lived Monday already: the record is moved to the day after, and says so."""
    heard: list[str] = []
    async with Client(served.url, place.token) as client:
        await replay(client, HALL, MONDAY, FAST, keep_clock=True)
        again = await replay(client, HALL, MONDAY, FAST, say=heard.append)

    assert again.clean
    assert again.shift == 1
    assert "recorded days are replayed 1 days later, from 2020-01-14" in heard[-1]


async def test_lost_answers_change_nothing(place: Place, served: Served) -> None:
    """Every fourth answer never arrives; the commands are asked again and not done again."""
    async with (
        cutting("127.0.0.1", served.port, every=4) as url,
        Client(url, place.token) as client,
    ):
        done = await replay(client, HALL, MONDAY, FAST)

    assert done.retries > 20
    assert done.driven.problems == []
    assert done.differences == ()


async def test_a_server_that_restarts_is_waited_for(place: Place) -> None:
    """It goes away in the middle of the day and comes back: the day is complete."""
    half = asyncio.Event()
    steps = 0

    def progress(count: int) -> None:
        nonlocal steps
        steps += count
        if steps == 40:
            half.set()

    async with place.served() as first:
        port, url = first.port, first.url
        client = Client(url, place.token)
        living = asyncio.create_task(replay(client, HALL, MONDAY, FAST, progress=progress))
        await half.wait()
    async with place.served(port=port), client:
        done = await living

    assert done.retries > 0
    assert done.driven.problems == []
    assert done.differences == ()


async def test_somebody_else_in_the_hall_is_a_difference(place: Place, served: Served) -> None:
    """A number taken by hand on the replayed day is no part of the record: exit code 1."""
    path = Path(place.settings.data_directory) / "small.csv"
    path.write_text(
        TICKETS.read_text(encoding="utf-8").splitlines()[0]
        + "\na,office,A,,2020-01-13T09:00:00,2020-01-13T09:05:00,,called,\n",
        encoding="utf-8",
    )
    async with Client(served.url, place.token) as client:
        await client.post(f"/halls/{HALL}/clock", {"mode": "stated", "at": "2020-01-12T09:00:00"})
        visitor = asyncio.create_task(_takes_a_number_on(client, "2020-01-13"))
        result = await said_by(
            *("replay", str(path), "--url", served.url, "--token", place.token),
            *("--hall", HALL, "--speed", "400"),
        )
        await visitor

    assert result.exit_code == 1
    assert "The journal differs from the record (1):" in result.stdout
    assert "2020-01-13: the take of A002" in result.stdout
    assert "is not in the record" in result.stdout


async def _takes_a_number_on(client: Client, day: str) -> None:
    """Wait until the hall lives that day, then take a number."""
    state: dict[str, Any] = {"at": "", "categories": [{"taken": 0}]}
    while not (state["at"].startswith(day) and state["categories"][0]["taken"]):
        state = await client.get(f"/halls/{HALL}/state")
    await client.post(f"/halls/{HALL}/tickets", {"category": "social"})


async def test_who_may_not_state_times_is_told(place: Place, served: Served) -> None:
    """An integration acts now; only a replay may say when something happened."""
    result = await said_by(
        *("replay", str(TICKETS), "--url", served.url, "--token", place.integration, "--hall", HALL)
    )

    assert result.exit_code == 1
    assert "The server refuses: 403" in result.stderr


async def test_a_hall_that_is_not_there_is_told(place: Place, served: Served) -> None:
    """One sentence, no stack."""
    result = await said_by(
        *("replay", str(TICKETS), "--url", served.url, "--token", place.token, "--hall", "nowhere")
    )

    assert result.exit_code == 1
    assert "404 unknown-hall" in result.stderr


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://hall", "http://"])
async def test_an_address_that_is_none_is_told_at_once(url: str) -> None:
    """Nobody waits a minute for a typing error."""
    result = await said_by(
        "replay", str(TICKETS), "--url", url, "--token", "t", "--hall", HALL, "--speed", "9"
    )

    assert result.exit_code == 2
    assert "an address like http://127.0.0.1:8000" in result.stderr


async def test_a_server_that_stays_away_is_given_up() -> None:
    """After its patience the client says who does not answer."""
    async with Client("http://127.0.0.1:9", "token", patience=0.2) as client:
        with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9/api/v1/ does not answer"):
            await client.get("/halls")


async def test_another_service_is_not_mistaken_for_ours(served: Served) -> None:
    """An address where no API is: refused, not retried."""
    async with Client(served.url + "/nothing", "token") as client:
        with pytest.raises(Refused):
            await client.get("/halls")
        assert client.retries == 0


def test_every_kind_of_difference_is_named() -> None:
    """Missing, too much, at another time, in another category, twice."""
    nine = at_time(20200113, "09:00", ZONE)
    wanted = {
        (TAKEN, 20200113, "A001"): Seen(nine, "social"),
        (TAKEN, 20200113, "A002"): Seen(nine, "social"),
        (TAKEN, 20200113, "A003"): Seen(nine, "social"),
        (CALLED, 20200113, "A001"): Seen(nine, "social"),
    }

    def entry(seq: int, kind: str, number: str, clock: str, category: str) -> dict[str, Any]:
        data = {"number": number, "category": category}
        return {"seq": seq, "kind": kind, "at": f"2020-01-13T{clock}:00+08:00", "data": data}

    found = differences(
        wanted,
        [
            entry(1, TAKEN, "A001", "09:00", "social"),
            entry(2, "ticket-started", "A001", "09:00", "social"),
            entry(3, TAKEN, "A002", "09:01", "estate"),
            entry(4, CALLED, "A001", "09:00", "social"),
            entry(5, CALLED, "A001", "09:00", "social"),
            entry(6, CALLED, "B001", "09:00", "social"),
        ],
        ZONE,
    )

    assert "\n".join(found) == (
        "2020-01-13: the take of A002 (entry 3) is of 2020-01-13T09:01:00.000+08:00, "
        "not of 2020-01-13T09:00:00.000+08:00\n"
        "2020-01-13: the take of A002 (entry 3) is in estate, not in social\n"
        "2020-01-13: the call of A001 (entry 5) has happened before\n"
        "2020-01-13: the call of B001 (entry 6) is not in the record\n"
        "2020-01-13: the take of A003 is missing"
    )
