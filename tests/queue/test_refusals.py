"""Everything a hall refuses, with the stable name of the refusal and whose turn it is.

Each row: the scene, what is asked, how it is refused. A refusal leaves the state as it was.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import tinghao.queue
from tests.queue.hall import Hall, with_policy, with_social
from tinghao.queue import commands as ask
from tinghao.queue.model import HallClock, HallConfig

Do = Callable[[Hall], object]
Row = tuple[str, Do, Do, str, str]


def opened(hall: Hall) -> None:
    hall.open(1)


def at(scene: str) -> Do:
    def do(hall: Hall) -> None:
        hall.open(1)
        getattr(hall, scene)(1)

    do.__name__ = scene
    return do


def nothing(hall: Hall) -> None:
    pass


def taken(hall: Hall) -> None:
    hall.take()


def paused(hall: Hall) -> None:
    hall.open(1)
    hall.pause(1)


def elsewhere(hall: Hall) -> None:
    hall.open(1, 2)
    hall.called(2)


def rated(hall: Hall) -> None:
    hall.open(1)
    hall.served(1)
    hall.rate("A001")


def long_ago(hall: Hall) -> None:
    hall.open(1)
    hall.served(1)
    hall.wait(minutes=6 * 24 * 60)


def two_held(hall: Hall) -> None:
    hall.open(1)
    hall.held(1)
    hall.held(1)


def cancelled(hall: Hall) -> None:
    hall.take()
    hall.cancel("A001")


def left_alone(hall: Hall) -> None:
    hall.open(1)
    cancelled(hall)


def waiting(hall: Hall) -> None:
    hall.open(1)
    hall.take()


def held_elsewhere(hall: Hall) -> None:
    hall.open(1, 2)
    hall.held(2)


def stranger(command: Callable[..., ask.Command], **body: object) -> Do:
    return lambda hall: hall.do(command(ticket=999, **body))


AT_WINDOW: list[tuple[str, Do]] = [
    ("open", lambda hall: hall.open(99)),
    ("pause", lambda hall: hall.pause(99)),
    ("resume", lambda hall: hall.resume(99)),
    ("close", lambda hall: hall.close(99)),
    ("categories", lambda hall: hall.assign(99, "social")),
    ("call-next", lambda hall: hall.call_next(99)),
    ("call", lambda hall: hall.call(99, "A001")),
    ("recall", lambda hall: hall.recall(99)),
    ("start", lambda hall: hall.start(99)),
    ("finish", lambda hall: hall.finish(99)),
    ("no-show", lambda hall: hall.no_show(99)),
    ("hold", lambda hall: hall.hold(99)),
    ("resume-ticket", lambda hall: hall.resume_ticket(99, "A001")),
    ("return", lambda hall: hall.bring_back(99)),
    ("transfer", lambda hall: hall.transfer(99, "estate")),
    ("undo", lambda hall: hall.undo(99)),
    ("release", lambda hall: hall.release(99, "waiting")),
    ("paper", lambda hall: hall.enter_paper(99, ("08:00", "08:10", "08:20"))),
]
"""Every command of a window, at a window that this hall does not have."""

CLOSED = ["close", "pause", "resume", "call-next", "call", "recall", "start", "finish", "no-show"]
CLOSED += ["hold", "resume-ticket", "transfer", "undo", "paper"]
"""What needs somebody at the window. Opening, categories, return and release do not."""

PAUSED = ["pause", "call-next", "call", "resume-ticket", "undo"]
"""What a break forbids. Who is there is served to the end."""


def at_window_one(command: str) -> Do:
    wanted = {
        "open": lambda hall: hall.open(1),
        "pause": lambda hall: hall.pause(1),
        "resume": lambda hall: hall.resume(1),
        "close": lambda hall: hall.close(1),
        "call-next": lambda hall: hall.call_next(1),
        "call": lambda hall: hall.call(1, "A001"),
        "recall": lambda hall: hall.recall(1),
        "start": lambda hall: hall.start(1),
        "finish": lambda hall: hall.finish(1),
        "no-show": lambda hall: hall.no_show(1),
        "hold": lambda hall: hall.hold(1),
        "resume-ticket": lambda hall: hall.resume_ticket(1, "A001"),
        "transfer": lambda hall: hall.transfer(1, "estate"),
        "undo": lambda hall: hall.undo(1),
        "paper": lambda hall: hall.enter_paper(1, ("08:00", "08:10", "08:20")),
        "return": lambda hall: hall.bring_back(1),
        "release": lambda hall: hall.release(1, "waiting"),
    }
    return wanted[command]


ROWS: list[Row] = [
    # the name of what is asked · the scene · the command · slug · kind
    *((f"{name} at no window", nothing, do, "unknown-window", "unknown") for name, do in AT_WINDOW),
    *(
        (f"{name} at a closed window", nothing, at_window_one(name), "window-closed", "conflict")
        for name in CLOSED
    ),
    *(
        (f"{name} during a break", paused, at_window_one(name), "window-paused", "conflict")
        for name in PAUSED
    ),
    *(
        (f"{name} with empty hands", opened, at_window_one(name), "no-ticket", "conflict")
        for name in ("recall", "start", "finish", "no-show", "hold", "transfer", "return")
    ),
    ("release of nothing", opened, at_window_one("release"), "no-ticket", "conflict"),
    ("release of one of two", two_held, at_window_one("release"), "no-ticket", "conflict"),
    *(
        (
            f"{name} with one in hand",
            at("called"),
            at_window_one(name),
            "ticket-in-hand",
            "conflict",
        )
        for name in ("call-next", "call", "close", "resume-ticket", "undo")
    ),
    *(
        (f"{name} while serving", at("serving"), at_window_one(name), "wrong-state", "conflict")
        for name in ("recall", "start", "no-show", "return")
    ),
    *(
        (f"{name} before the start", at("called"), at_window_one(name), "wrong-state", "conflict")
        for name in ("finish", "hold")
    ),
    # windows
    ("open twice", opened, at_window_one("open"), "window-taken", "conflict"),
    ("open during a break", paused, at_window_one("open"), "window-taken", "conflict"),
    ("resume without a break", opened, at_window_one("resume"), "not-paused", "conflict"),
    ("a break of no time", opened, lambda h: h.pause(1, minutes=0), "minutes", "invalid"),
    ("a break of two days", opened, lambda h: h.pause(1, minutes=2880), "minutes", "invalid"),
    (
        "a break without reason",
        opened,
        lambda h: h.pause(1, reason=" "),
        "reason-missing",
        "invalid",
    ),
    (
        "a break with words",
        opened,
        lambda h: h.pause(1, reason="张伟病了"),
        "reason-code",
        "invalid",
    ),
    ("unknown categories", nothing, lambda h: h.assign(1, "tea"), "unknown-category", "invalid"),
    # calling
    ("a number nobody has", opened, lambda h: h.call(1, "A777"), "unknown-number", "unknown"),
    ("a number of no sort", opened, lambda h: h.call(1, "A²"), "unknown-number", "unknown"),
    (
        "an endless number",
        opened,
        lambda h: h.call(1, "A" + "9" * 5000),
        "unknown-number",
        "unknown",
    ),
    ("no number", opened, lambda h: h.call(1, ""), "unknown-number", "unknown"),
    ("a called number", elsewhere, lambda h: h.call(1, "A001"), "already-called", "conflict"),
    ("a finished number", at("served"), lambda h: h.call(1, "A001"), "already-settled", "conflict"),
    ("a cancelled number", left_alone, lambda h: h.call(1, "A001"), "already-settled", "conflict"),
    ("a call without reason", opened, lambda h: h.call(1, "A001", ""), "reason-missing", "invalid"),
    ("a call with words", opened, lambda h: h.call(1, "A001", "my aunt"), "reason-code", "invalid"),
    # sending back
    (
        "return of a waiting one",
        taken,
        lambda h: h.bring_back(1, "A001"),
        "waits-already",
        "conflict",
    ),
    (
        "return of another window's",
        elsewhere,
        lambda h: h.bring_back(1, "A001"),
        "wrong-state",
        "conflict",
    ),
    (
        "return of a finished one",
        at("served"),
        lambda h: h.bring_back(1, "A001"),
        "already-settled",
        "conflict",
    ),
    (
        "return without reason",
        at("called"),
        lambda h: h.bring_back(1, reason=""),
        "reason-missing",
        "invalid",
    ),
    # serving
    ("a strange result", at("serving"), lambda h: h.finish(1, result="maybe"), "result", "invalid"),
    (
        "not done without reason",
        at("serving"),
        lambda h: h.finish(1, result="not-done"),
        "reason-missing",
        "invalid",
    ),
    (
        "not done with words",
        at("serving"),
        lambda h: h.finish(1, result="not-done", reason="no ID of 张伟"),
        "reason-code",
        "invalid",
    ),
    ("hold without reason", at("serving"), lambda h: h.hold(1, ""), "reason-missing", "invalid"),
    (
        "resume of what is not on hold",
        waiting,
        lambda h: h.resume_ticket(1, "A001"),
        "not-held",
        "conflict",
    ),
    (
        "resume of another window's",
        held_elsewhere,
        lambda h: h.resume_ticket(1, "A001"),
        "not-held",
        "conflict",
    ),
    (
        "transfer to no category",
        at("serving"),
        lambda h: h.transfer(1, "tea"),
        "unknown-category",
        "invalid",
    ),
    ("transfer nowhere", at("serving"), lambda h: h.transfer(1), "transfer-nowhere", "invalid"),
    (
        "transfer to where it is",
        at("serving"),
        lambda h: h.transfer(1, "social"),
        "transfer-nowhere",
        "invalid",
    ),
    (
        "transfer to itself",
        at("serving"),
        lambda h: h.transfer(1, to_window=1),
        "transfer-nowhere",
        "invalid",
    ),
    (
        "transfer to no window",
        at("serving"),
        lambda h: h.transfer(1, to_window=99),
        "unknown-window",
        "unknown",
    ),
    ("undo of nothing", opened, at_window_one("undo"), "nothing-to-undo", "conflict"),
    ("release without outcome", at("held"), lambda h: h.release(1, "lost"), "outcome", "invalid"),
    (
        "release without reason",
        at("held"),
        lambda h: h.release(1, "waiting", reason=""),
        "reason-missing",
        "invalid",
    ),
    (
        "release of another window's",
        elsewhere,
        lambda h: h.release(1, "waiting", number="A001"),
        "not-at-window",
        "conflict",
    ),
    # what holders of a ticket ask
    ("cancel of no ticket", nothing, stranger(ask.Cancel), "unknown-ticket", "unknown"),
    ("defer of no ticket", nothing, stranger(ask.Defer), "unknown-ticket", "unknown"),
    ("rating of no ticket", nothing, stranger(ask.Rate, grade=5), "unknown-ticket", "unknown"),
    *(
        (f"cancel when {scene}", at(scene), lambda h: h.cancel("A001"), slug, "conflict")
        for scene, slug in (
            ("called", "already-called"),
            ("serving", "already-called"),
            ("held", "already-called"),
            ("served", "already-settled"),
            ("missed", "already-settled"),
        )
    ),
    *(
        (f"defer when {scene}", at(scene), lambda h: h.defer("A001"), slug, "conflict")
        for scene, slug in (("called", "already-called"), ("served", "already-settled"))
    ),
    ("cancel twice", cancelled, lambda h: h.cancel("A001"), "already-settled", "conflict"),
    ("defer of the last", taken, lambda h: h.defer("A001"), "nobody-behind", "conflict"),
    ("defer by nothing", taken, lambda h: h.defer("A001", 0), "places", "invalid"),
    ("defer by a hundred", taken, lambda h: h.defer("A001", 100), "places", "invalid"),
    ("rating when waiting", taken, lambda h: h.rate("A001"), "not-finished", "conflict"),
    ("rating of a no-show", at("missed"), lambda h: h.rate("A001"), "not-finished", "conflict"),
    ("rating of a cancelled", cancelled, lambda h: h.rate("A001"), "not-finished", "conflict"),
    ("rating twice", rated, lambda h: h.rate("A001", 1), "already-rated", "conflict"),
    ("rating too late", long_ago, lambda h: h.rate("A001"), "rating-late", "conflict"),
    ("grade 0", at("served"), lambda h: h.rate("A001", 0), "grade", "invalid"),
    ("grade 6", at("served"), lambda h: h.rate("A001", 6), "grade", "invalid"),
    (
        "rating with words for a code",
        at("served"),
        lambda h: h.rate("A001", 1, reasons=("张伟 was rude",)),
        "reason-code",
        "invalid",
    ),
    # the clock
    *(
        (
            f"a clock of speed {speed}",
            nothing,
            lambda h, speed=speed: h.do(ask.SetClock(clock=HallClock("scaled", 0, 0, speed))),
            "speed",
            "invalid",
        )
        for speed in (0.0, -1.0, 2e6, float("nan"))
    ),
]


@pytest.mark.parametrize(
    ("scene", "asked", "slug", "kind"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_it_is_refused(scene: Do, asked: Do, slug: str, kind: str) -> None:
    hall = Hall()
    scene(hall)
    with hall.refuses(slug, kind):
        asked(hall)


TAKING: list[tuple[str, HallConfig, str]] = [
    ("category-closed", with_social(open=False), "09:00"),
    ("too-late", with_social(last_take="09:00"), "09:00"),
    ("hall-closed", with_policy(refuse_outside_hours=True), "07:00"),
]


@pytest.mark.parametrize(("slug", "config", "clock"), TAKING, ids=[row[0] for row in TAKING])
def test_no_number_is_given(slug: str, config: HallConfig, clock: str) -> None:
    hall = Hall(config, clock=clock)
    with hall.refuses(slug):
        hall.take()


def test_a_refusal_says_what_to_do(hall: Hall) -> None:
    """In words for people, with the names of what it is about."""
    hall.open(1)
    hall.called(1)
    with pytest.raises(Exception, match="Window 1 still has A001 in hand: finish, hold or"):
        hall.call_next(1)


def test_this_table_is_complete() -> None:
    """Every refusal that the rules know is asked for somewhere in these tests."""
    rules = Path(tinghao.queue.__file__).parent / "rules"
    known = {
        slug
        for path in rules.glob("*.py")
        for slug in re.findall(r"(?:conflict|invalid|unknown)\(\s*\"([a-z-]+)\"", path.read_text())
    }
    tested = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert {slug for slug in known if f'"{slug}"' not in tested} == set()
