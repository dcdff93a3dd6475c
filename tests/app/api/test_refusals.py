"""Each refusal of each command, as a program and as a person gets it."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec.structs import replace

from tests.app.api.scenes import ANY_HALL, Scene, problem
from tests.app.house import PUBLIC, House, open_house
from tinghao.app.api import tickets, windows
from tinghao.app.api.window_commands import WINDOW_COMMANDS
from tinghao.queue.model import Category, HallConfig, Policy

LONG = "x" * 2001

CALLED = ("open 1", "take", "call-next 1")
SERVING = (*CALLED, "start 1")
FINISHED = (*SERVING, "finish 1")
HELD = (*SERVING, "hold 1 reason=form")
MISSED = (*CALLED, "no-show 1")

SCENES: dict[str, list[tuple[tuple[str, ...], str, str]]] = {
    "open": [
        (("open 1",), "open 1", "409 window-taken"),
        ((), "open 1 staff=999", "422 unknown-staff"),
        ((), "open 99", "404 unknown-window"),
    ],
    "pause": [
        ((), "pause 1", "409 window-closed"),
        (("open 1", "pause 1"), "pause 1", "409 window-paused"),
        (("open 1",), "pause 1 minutes=0", "422 minutes"),
        (("open 1",), "pause 1 reason=", "422 reason-missing"),
        (("open 1",), f"pause 1 reason={LONG}", "422 too-long"),
    ],
    "resume": [
        ((), "resume 1", "409 window-closed"),
        (("open 1",), "resume 1", "409 not-paused"),
    ],
    "close": [
        ((), "close 1", "409 window-closed"),
        (CALLED, "close 1", "409 ticket-in-hand"),
    ],
    "categories": [((), "categories 1 categories=social,tea", "422 unknown-category")],
    "call-next": [
        ((), "call-next 1", "409 window-closed"),
        (("open 1", "pause 1"), "call-next 1", "409 window-paused"),
        (CALLED, "call-next 1", "409 ticket-in-hand"),
    ],
    "call": [
        (("take",), "call 1 number=A001 reason=vip", "409 window-closed"),
        (("take", "open 1", "pause 1"), "call 1 number=A001 reason=vip", "409 window-paused"),
        ((*CALLED, "take"), "call 1 number=A002 reason=vip", "409 ticket-in-hand"),
        ((*CALLED, "open 2"), "call 2 number=A001 reason=vip", "409 already-called"),
        (FINISHED, "call 1 number=A001 reason=vip", "409 already-settled"),
        (("open 1",), "call 1 number=A001 reason=vip", "404 unknown-number"),
        (("open 1", "take"), "call 1 number=A001", "422 reason-missing"),
        (("open 1", "take"), f"call 1 number=A001 reason={LONG}", "422 too-long"),
    ],
    "recall": [
        ((), "recall 1", "409 window-closed"),
        (("open 1",), "recall 1", "409 no-ticket"),
        (SERVING, "recall 1", "409 wrong-state"),
    ],
    "start": [
        ((), "start 1", "409 window-closed"),
        (("open 1",), "start 1", "409 no-ticket"),
        (SERVING, "start 1", "409 wrong-state"),
    ],
    "no-show": [
        ((), "no-show 1", "409 window-closed"),
        (("open 1",), "no-show 1", "409 no-ticket"),
        (SERVING, "no-show 1", "409 wrong-state"),
    ],
    "finish": [
        ((), "finish 1", "409 window-closed"),
        (("open 1", "take"), "finish 1", "409 no-ticket"),
        (CALLED, "finish 1", "409 wrong-state"),
        (SERVING, "finish 1 result=not-done", "422 reason-missing"),
        (SERVING, f"finish 1 reason={LONG}", "422 too-long"),
    ],
    "hold": [
        ((), "hold 1", "409 window-closed"),
        (("open 1",), "hold 1", "409 no-ticket"),
        (CALLED, "hold 1", "409 wrong-state"),
        (SERVING, "hold 1 reason=", "422 reason-missing"),
        (SERVING, f"hold 1 reason={LONG}", "422 too-long"),
    ],
    "resume-ticket": [
        ((*HELD, "close 1"), "resume-ticket 1 number=A001", "409 window-closed"),
        ((*HELD, "pause 1"), "resume-ticket 1 number=A001", "409 window-paused"),
        ((*HELD, "take", "call-next 1"), "resume-ticket 1 number=A001", "409 ticket-in-hand"),
        (("open 1", "take"), "resume-ticket 1 number=A001", "409 not-held"),
        (FINISHED, "resume-ticket 1 number=A001", "409 already-settled"),
        (("open 1",), "resume-ticket 1 number=A777", "404 unknown-number"),
    ],
    "return": [
        (("open 1",), "return 1", "409 no-ticket"),
        (SERVING, "return 1", "409 wrong-state"),
        (("take",), "return 1 number=A001", "409 waits-already"),
        ((*MISSED, "wait 1860"), "return 1 number=A001", "409 already-settled"),
        ((), "return 1 number=A777", "404 unknown-number"),
        (CALLED, "return 1 reason=", "422 reason-missing"),
        (CALLED, f"return 1 reason={LONG}", "422 too-long"),
    ],
    "transfer": [
        ((), "transfer 1 category=estate", "409 window-closed"),
        (("open 1",), "transfer 1 category=estate", "409 no-ticket"),
        ((*HELD,), "transfer 1 category=estate", "409 no-ticket"),
        (CALLED, "transfer 1", "422 transfer-nowhere"),
        (CALLED, "transfer 1 window=1", "422 transfer-nowhere"),
        (CALLED, "transfer 1 category=tea", "422 unknown-category"),
        (CALLED, "transfer 1 staff=999", "422 unknown-staff"),
        (CALLED, "transfer 1 window=99", "404 unknown-window"),
        (CALLED, f"transfer 1 category=estate note={LONG}", "422 too-long"),
    ],
    "undo": [
        ((), "undo 1", "409 window-closed"),
        ((*FINISHED, "pause 1"), "undo 1", "409 window-paused"),
        ((*FINISHED, "take", "call-next 1"), "undo 1", "409 ticket-in-hand"),
        ((*FINISHED, "wait 61"), "undo 1", "409 nothing-to-undo"),
    ],
    "release": [
        (("open 1",), "release 1 outcome=waiting reason=system", "409 no-ticket"),
        ((*CALLED, "take"), "release 1 outcome=waiting reason=system number=A002",
         "409 not-at-window"),
        (FINISHED, "release 1 outcome=waiting reason=system number=A001", "409 already-settled"),
        (CALLED, "release 1 outcome=waiting reason=system number=A777", "404 unknown-number"),
        (CALLED, "release 1 outcome=gone reason=system", "422 outcome"),
        (CALLED, "release 1 outcome=waiting", "422 reason-missing"),
        (CALLED, f"release 1 outcome=waiting reason={LONG}", "422 too-long"),
    ],
    "paper": [
        ((), "paper 1 category=social {09:00} {09:05} {09:10}", "409 window-closed"),
        (("open 1",), "paper 1 category=tea {09:00} {09:00} {09:00}", "422 unknown-category"),
        (("open 1",), "paper 1 category=social {09:10} {09:05} {09:00}", "422 paper-times"),
        (("open 1", "take project"), "paper 1 category=project {09:00} {09:00} {09:00}",
         "409 day-full"),
    ],
    "take": [
        ((), "take tea", "422 unknown-category"),
        ((), "take social item=tea", "422 unknown-item"),
        ((), "take social priority=vip", "422 priority"),
        ((), "take social appointment=2025-11-26T09:00", "422 appointment"),
        ((), "take social appointment=tomorrow", "422 time"),
        ((), "take business", "409 category-closed"),
        ((), "take estate", "409 too-late"),
        (("take project",), "take project", "409 day-full"),
    ],
    "cancel": [
        (CALLED, "cancel", "409 already-called"),
        (("take", "cancel"), "cancel", "409 already-settled"),
    ],
    "defer": [
        (CALLED, "defer", "409 already-called"),
        (("take", "cancel"), "defer", "409 already-settled"),
        (("take",), "defer", "409 nobody-behind"),
        (("take",), "defer places=21", "422 places"),
    ],
    "rate": [
        (FINISHED, "rate grade=6", "422 grade"),
        (FINISHED, "rate grade=1 reasons=Slow", "422 reason-code"),
        (FINISHED, f"rate grade=1 text={LONG}", "422 too-long"),
        (SERVING, "rate grade=5", "409 not-finished"),
        ((*FINISHED, "rate grade=5"), "rate grade=5", "409 already-rated"),
        ((*FINISHED, "wait 432061"), "rate grade=5", "409 rating-late"),
    ],
}  # fmt: skip
"""By command: what has happened, what is asked, and how it is refused. What lets days pass
comes last."""

EVERYWHERE = {"unknown-window", "time"}
"""Types that belong to every command at a window; here they stand where they are easiest."""


def config() -> HallConfig:
    """Categories that are closed, past their last number, or full after one."""
    changes: dict[str, Category] = {
        each.code: {
            "business": replace(each, open=False),
            "estate": replace(each, last_take="08:59"),
            "project": replace(each, daily_cap=1),
        }.get(each.code, each)
        for each in PUBLIC.categories
    }
    return replace(PUBLIC, categories=tuple(changes.values()))


def moments(line: str) -> str:
    """The three times of a paper entry."""
    names = iter(("taken_at", "called_at", "finished_at"))
    return re.sub(r"\{([\d:]+)\}", lambda m: f"{next(names)}=2025-11-25T{m[1]}:00+08:00", line)


def test_no_refusal_of_a_command_is_left_out() -> None:
    """The scenes show every type that the API says a command may answer with."""
    told = {each.name: set(each.refusals) for each in WINDOW_COMMANDS}
    told["cancel"] = set(tickets.WAITING)
    told["defer"] = {*tickets.WAITING, "places", "nobody-behind"}
    told["rate"] = set(windows.RATING)
    shown = {
        command: {refusal.split()[1] for _, _, refusal in scenes} - EVERYWHERE
        for command, scenes in SCENES.items()
        if command in told
    }
    told["open"].discard("not-yourself")  # a clerk's own: see the tests of rights
    assert shown == told


async def test_a_refused_command_says_why_and_changes_nothing(tmp_path: Path) -> None:
    """In both languages, with the state that forbids it; the journal stays as it was."""
    scenes = [(command, scene) for command, of_it in SCENES.items() for scene in of_it]
    halls = [f"hall{number}" for number in range(len(scenes))]
    wanted, got = {}, {}
    async with open_house(tmp_path, config=config(), more_halls=halls) as house:
        await house.token(ANY_HALL, role="administrator")
        for code, (_, (before, line, refusal)) in zip(halls, scenes, strict=True):
            name = f"{'; '.join(before)} > {line[:60]}"
            wanted[name] = refusal
            got[name] = await refused(Scene(house, code, ANY_HALL), before, moments(line))
    assert got == wanted


async def refused(scene: Scene, before: tuple[str, ...], line: str) -> str:
    """How the line is refused after what was before."""
    await scene.play(*before)
    known = scene.house.state(scene.hall)
    english, chinese = [await scene.ask(line, language) for language in ("en", "zh")]
    status, slug = problem(english)
    assert problem(chinese) == (status, slug)
    assert english.headers["content-language"] == "en"
    assert chinese.headers["content-language"] == "zh"
    assert re.search(r"[\u4e00-\u9fff]", chinese.json()["detail"])
    assert not re.search(r"[\u4e00-\u9fff]", english.json()["detail"])
    assert english.json()["detail"].endswith((".", ";"))
    assert ("state" in english.json()) == (status == 409)
    tickets_now = scene.house.state(scene.hall).tickets
    assert tickets_now == known.tickets or "wait" in "".join(before)
    return f"{status} {slug}"


async def test_a_hall_may_refuse_outside_its_hours(tmp_path: Path) -> None:
    """If its policy says so; by default a number can be taken before the doors open."""
    strict = replace(PUBLIC, policy=Policy(refuse_outside_hours=True))
    async with open_house(tmp_path, config=strict) as house:
        scene = Scene(house)
        house.clock.shows("17:00")
        assert problem(await scene.ask("take")) == (409, "hall-closed")
        house.clock.shows("10:00", 2025_11_29)  # a Saturday
        answer = await scene.ask("take", "zh")
        assert answer.json()["detail"] == "大厅工作日 09:00–17:00 办理。"
        house.clock.shows("10:00", 2025_12_01)
        await scene.play("take")


async def test_a_conflict_tells_what_is(house: House) -> None:
    """Enough for a program to go on without asking again."""
    scene = Scene(house)
    await scene.play("open 1", "take", "take", "call-next 1")
    window = (await scene.ask("call-next 1")).json()["state"]
    assert window["window"] == 1
    assert window["state"] == "called"
    assert window["ticket"]["number"] == "A001"
    scene.tokens.pop()
    ticket = (await scene.ask("cancel")).json()["state"]
    assert (ticket["number"], ticket["state"], ticket["window"]) == ("A001", "called", 1)
