"""A day's work through the API, and the figures that Prometheus reads afterwards."""

import asyncio
import re
import subprocess
from pathlib import Path

from websockets.asyncio.client import connect

from tests.app.house import PEOPLE, STAFF, House, open_house
from tests.monitoring.scraping import ask, at_window, figures, scrape, take


async def a_morning(house: House) -> None:
    """Three for social, one for estate; one is served, one never comes, one is given up."""
    for category in ("social", "social", "social", "estate"):
        last = await take(house, category)
    await at_window(house, 1, "open")
    house.clock.wait(minutes=2)
    await at_window(house, 1, "call-next")
    house.clock.wait(seconds=30)
    await at_window(house, 1, "start")
    house.clock.wait(minutes=8)
    await at_window(house, 1, "finish")
    await at_window(house, 1, "call-next")
    await at_window(house, 1, "recall")
    await at_window(house, 1, "no-show")
    await ask(house, f"/tickets/{last['token']}/cancel")


async def test_the_figures_are_what_was_done(house: House) -> None:
    """Counts, waits and handling times of the morning, and who still waits."""
    await a_morning(house)
    social = await figures(house, hall="puyang", category="social")
    figure = {name: value for name, value in social.items() if "_bucket" not in name}
    assert figure == {
        "tinghao_tickets_waiting": 1,
        "tinghao_longest_wait_seconds": 630,
        "tinghao_windows_serving_category": 1,
        "tinghao_tickets_taken_total": 3,
        "tinghao_tickets_called_total": 2,
        "tinghao_tickets_finished_total": 1,
        "tinghao_tickets_no_show_total": 1,
        "tinghao_tickets_cancelled_total": 0,
        "tinghao_tickets_expired_total": 0,
        "tinghao_tickets_undone_total": 0,
        "tinghao_wait_seconds_count": 2,
        "tinghao_wait_seconds_sum": 120 + 630,
        "tinghao_handling_seconds_count": 1,
        "tinghao_handling_seconds_sum": 480,
    }
    estate = await figures(house, hall="puyang", category="estate")
    assert estate["tinghao_tickets_taken_total"] == 1
    assert estate["tinghao_tickets_cancelled_total"] == 1
    assert estate["tinghao_tickets_waiting"] == 0
    assert estate["tinghao_longest_wait_seconds"] == 0
    other = await figures(house, hall="fanxian", category="social")
    assert other["tinghao_tickets_taken_total"] == 0


async def test_waits_fall_into_their_buckets(house: House) -> None:
    """A bucket counts the waits up to its bound, the bound itself included."""
    await a_morning(house)
    social = await figures(house, hall="puyang", category="social")
    assert social["tinghao_wait_seconds_bucket 60.0"] == 0
    assert social["tinghao_wait_seconds_bucket 120.0"] == 1
    assert social["tinghao_wait_seconds_bucket 600.0"] == 1
    assert social["tinghao_wait_seconds_bucket 900.0"] == 2
    assert social["tinghao_wait_seconds_bucket +Inf"] == 2
    assert social["tinghao_handling_seconds_bucket 300.0"] == 0
    assert social["tinghao_handling_seconds_bucket 600.0"] == 1


async def test_windows_are_counted_by_what_they_do(house: House) -> None:
    """Each window stands in exactly one state."""
    for number in (1, 2, 3, 5):
        await at_window(house, number, "open")
    for _ in range(2):
        await take(house)
    await at_window(house, 1, "call-next")
    await at_window(house, 2, "call-next")
    await at_window(house, 2, "start")
    await at_window(house, 2, "pause", reason="meal")  # still serves
    await at_window(house, 3, "pause", reason="break")
    windows = await figures(house, hall="puyang")
    shown = {name: value for name, value in windows.items() if name.startswith("tinghao_windows ")}
    assert shown == {
        "tinghao_windows closed": 6,
        "tinghao_windows paused": 1,
        "tinghao_windows free": 1,
        "tinghao_windows called": 1,
        "tinghao_windows serving": 1,
    }


async def test_a_finish_that_is_taken_back_is_counted_as_well(house: House) -> None:
    """A counter never runs backwards: the finish stays and the undo is counted beside it."""
    await take(house)
    await at_window(house, 1, "open")
    for command in ("call-next", "start", "finish", "undo", "finish"):
        await at_window(house, 1, command)
    social = await figures(house, hall="puyang", category="social")
    assert social["tinghao_tickets_finished_total"] == 2
    assert social["tinghao_tickets_undone_total"] == 1
    assert social["tinghao_tickets_called_total"] == 1


async def test_each_stage_of_a_ticket_has_its_own_wait(house: House) -> None:
    """A transferred ticket waits twice; a second call after a return is no second wait."""
    await take(house)
    await at_window(house, 1, "open")
    await at_window(house, 4, "open")
    await at_window(house, 1, "call-next")
    await at_window(house, 1, "return", reason="mistake")
    house.clock.wait(minutes=5)
    await at_window(house, 1, "call-next")
    await at_window(house, 1, "transfer", category="estate")
    house.clock.wait(minutes=1)
    await at_window(house, 4, "call-next")
    social = await figures(house, hall="puyang", category="social")
    estate = await figures(house, hall="puyang", category="estate")
    assert social["tinghao_tickets_called_total"] == social["tinghao_wait_seconds_count"] == 1
    assert social["tinghao_wait_seconds_sum"] == 0
    assert estate["tinghao_tickets_called_total"] == estate["tinghao_wait_seconds_count"] == 1
    assert estate["tinghao_wait_seconds_sum"] == 60
    assert estate["tinghao_tickets_taken_total"] == 0


async def test_paper_and_released_tickets_count(house: House) -> None:
    """Whoever was served from paper or freed by a manager is in the figures."""
    await at_window(house, 1, "open")
    house.clock.wait(minutes=40)
    await at_window(
        house,
        1,
        "paper",
        category="social",
        taken_at="2025-11-25T09:00:00+08:00",
        called_at="2025-11-25T09:20:00+08:00",
        finished_at="2025-11-25T09:30:00+08:00",
    )
    await take(house)
    await at_window(house, 1, "call-next")
    await at_window(house, 1, "release", outcome="no-show", reason="system")
    social = await figures(house, hall="puyang", category="social")
    assert social["tinghao_tickets_taken_total"] == 2
    assert social["tinghao_tickets_finished_total"] == 1
    assert social["tinghao_tickets_no_show_total"] == 1
    assert social["tinghao_wait_seconds_sum"] == 1200
    assert social["tinghao_handling_seconds_sum"] == 600


async def test_the_figures_survive_a_restart(tmp_path: Path) -> None:
    """Folded from the journal, and across a day's close from its checkpoint."""
    async with open_house(tmp_path) as house:
        await a_morning(house)
        clock = house.clock
        clock.shows("08:00", 2025_11_26)
        await take(house, "project")  # the first command of the day closes the one before
        before = await figures(house, hall="puyang")
        assert before["tinghao_tickets_expired_total social"] == 1
    async with open_house(tmp_path, clock=clock) as house:
        await at_window(house, 1, "open")
        after = await figures(house, hall="puyang")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "tinghao_windows closed",
        "tinghao_windows free",
        "tinghao_windows_serving_category social",
        "tinghao_journal_entries_total",
    }


async def test_sockets_are_counted_by_hall_and_topic(house: House) -> None:
    """Each follower counts while it is there; a topic without one is 0, not absent."""
    name = "tinghao_websocket_connections lobby"
    assert (await figures(house, hall="puyang"))[name] == 0
    async with connect(f"{house.url.replace('http', 'ws')}/ws/halls/puyang/lobby") as socket:
        await socket.recv()
        assert (await figures(house, hall="puyang"))[name] == 1
        assert (await figures(house))["tinghao_websocket_snapshots_total"] == 1
    async with asyncio.timeout(10):
        while (await figures(house, hall="puyang"))[name]:  # the server is told of the end
            continue


async def test_requests_are_counted_by_route_not_by_address(house: House) -> None:
    """Unknown addresses and methods are one series each, and every refusal is counted."""
    for path in ("/nowhere", "/halls/x/y/z/1", "/halls/x/y/z/2"):
        await house.bearer(None).get(path)
    await house.bearer(None).request("DELETE", "/api/v1/halls/puyang")
    await house.bearer(None).request("PROPFIND", "/api/v1/halls/puyang")
    await house.bearer(None).get("/api/v1/halls/puyang/journal")
    await house.bearer(None).get("/api/v1/halls", headers={"Authorization": "Bearer th_wrong"})
    await house.bearer(None).get("/api/v1/halls/nowhere")
    counted = {
        name.removeprefix("tinghao_http_requests_total "): value
        for name, value in (await figures(house)).items()
        if name.startswith("tinghao_http_requests_total ")
    }
    assert counted == {
        "GET unmatched 404": 3,
        "DELETE unmatched 405": 1,
        "other unmatched 405": 1,
        "GET /api/v1/halls/{hall}/journal 401": 1,
        "GET /api/v1/halls 401": 1,
        "GET /api/v1/halls/{hall} 404": 1,
    }
    took = await figures(house, route="/api/v1/halls/{hall}/journal")
    assert took["tinghao_http_request_duration_seconds_count GET"] == 1


async def test_nobody_and_no_ticket_is_named(house: House) -> None:
    """No number, token, name or badge ever becomes a label."""
    taken = await take(house)
    await house.bearer(None).get(f"/api/v1/tickets/{taken['token']}")
    await house.bearer(None).get(f"/t/{taken['token']}")
    await house.person("wang").post("/api/v1/halls/puyang/windows/1/open", json={"staff": "001"})
    await house.person("wang").post("/api/v1/halls/puyang/windows/1/call-next")
    text = await scrape(house)
    assert taken["token"] not in text
    assert re.findall(r'"[A-Z]\d{3,}"', text) == []
    people = [*(name for _, name in STAFF), *(f"{name}-name" for name in PEOPLE)]
    named = [*people, *house.tokens.values(), *house.sessions.values(), "-label"]
    assert [each for each in named if each in text] == []
    labels = set(re.findall(r'[{,]([a-z_]+)="', text))
    assert labels == {
        "hall", "category", "state", "le", "topic", "method", "route", "status", "name", "version",
    }  # fmt: skip


async def test_promtool_finds_nothing_to_say(house: House, promtool: Path) -> None:
    """Names, types, units and help texts are as Prometheus wants them."""
    await a_morning(house)
    text = await scrape(house)
    checked = await asyncio.to_thread(
        subprocess.run,
        [promtool, "check", "metrics"],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
