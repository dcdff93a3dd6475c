"""What happens at a window after a recorded call: synthetic, and made to look like the real thing.

A record knows the call; the walk to the window, the end of the service, who did not come and the
clerk's pause are made here. They follow from the day's own rhythm (how long the windows took
from one call to their next) and from a seeded generator, so that the same record gives the same
day every time. A service always ends before its window calls again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from random import Random
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from tinghao.app.records.roster import SUPPOSED_SERVICE, Spell
from tinghao.app.records.steps import DAY
from tinghao.queue.model import MINUTE, SECOND, Micros

WALK = (10 * SECOND, 60 * SECOND)
"""From the call to the citizen's coming to the window."""
NO_SHOW_SHARE = 0.02
LONGEST_SERVICE = 40 * MINUTE
PAUSE_BETWEEN = (11 * 60 * MINUTE, 14 * 60 * MINUTE)
PAUSE = (8 * MINUTE, 25 * MINUTE)


class DealtCall(Struct, frozen=True):
    """A recorded call at the window that was chosen for it. Times from local midnight."""

    ticket: int  # its place among the day's tickets
    category: str
    at: Micros
    window: int
    finished: Micros | None = None  # where the record knows it


class Visit(Struct, frozen=True):
    """What comes of a call: a service `[start, finish]`, or recalls and a no-show."""

    call: DealtCall
    start: Micros | None
    end: Micros
    recalls: tuple[Micros, ...] = ()


class Pause(Struct, frozen=True):
    """A clerk's pause `[start, end)`, between two visits."""

    window: int
    start: Micros
    end: Micros


def deal_calls(calls: Sequence[DealtCall], spells: Sequence[Spell]) -> list[DealtCall]:
    """Choose the window of each call: one that serves its category and has rested longest.

    `calls` come in order of time; the `window` they have is not looked at. A window whose recorded
    service still runs is taken only when no other is left.
    """
    by_slot: dict[str, list[Spell]] = defaultdict(list)
    for spell in spells:
        for category in spell.categories:
            by_slot[category].append(spell)
    called: dict[int, Micros] = {}
    busy: dict[int, Micros] = {}
    dealt: list[DealtCall] = []
    for call in calls:
        here = [each.window for each in by_slot[call.category] if each.start <= call.at < each.end]
        window = min(
            here,
            key=lambda number, at=call.at: (  # type: ignore[misc]
                max(busy.get(number, 0) - at, 0),
                called.get(number, -1),
                number,
            ),
        )
        called[window] = call.at
        busy[window] = call.finished or 0
        dealt.append(replace(call, window=window))
    return dealt


def visits(
    calls: Sequence[DealtCall], closes: Micros, random: Random, no_show_share: float
) -> list[Visit]:
    """What comes of each call, in the order of the calls.

    Whoever was called before `closes` is out by then, a later one before midnight.
    """
    nexts = _next_calls(calls)
    usual = _usual(calls, nexts)
    made: list[Visit] = []
    for call, next_call in zip(calls, nexts, strict=True):
        latest = closes if call.at < closes else DAY - MINUTE
        room = (latest if next_call is None else min(next_call, latest)) - call.at
        lost = random.random() < no_show_share
        if lost and call.finished is None and room >= 4 * MINUTE:
            recall = call.at + random.randrange(35, 60) * SECOND
            gone = recall + random.randrange(40, 75) * SECOND
            made.append(Visit(call, None, gone, recalls=(recall,)))
        else:
            made.append(_service(call, room, usual[call.category], random))
    return made


def _service(call: DealtCall, room: Micros, usual: Micros, random: Random) -> Visit:
    walk = random.randrange(*WALK, SECOND)
    turn = random.randrange(4, 30) * SECOND  # from the finish to the next call
    drawn = int(usual * random.lognormvariate(0, 0.45)) // SECOND * SECOND
    if call.finished is not None:
        walk = min(walk, max(call.finished - call.at, 0) // 4)
        drawn = max(call.finished - call.at - walk, 0)
        turn = 0
    walk = min(walk, room // 4)
    turn = min(turn, room // 8)
    start = call.at + walk
    return Visit(call, start, start + max(min(drawn, room - walk - turn, LONGEST_SERVICE), 0))


def pauses(made: Iterable[Visit], spells: Sequence[Spell], random: Random) -> list[Pause]:
    """At most one pause for each window, around noon, where its calls left room for one."""
    by_window: dict[int, list[Visit]] = defaultdict(list)
    for visit in made:
        by_window[visit.call.window].append(visit)
    found: list[Pause] = []
    for window, own in sorted(by_window.items()):
        own.sort(key=lambda visit: visit.call.at)
        for visit, following in pairwise(own):
            start = visit.end + MINUTE
            length = random.randrange(*PAUSE, SECOND)
            through = any(
                each.window == window and each.start <= start and start + length < each.end
                for each in spells
            )
            fits = start + length + 2 * MINUTE <= following.call.at
            if fits and through and PAUSE_BETWEEN[0] <= start < PAUSE_BETWEEN[1]:
                found.append(Pause(window, start, start + length))
                break
    return found


def _next_calls(calls: Sequence[DealtCall]) -> list[Micros | None]:
    following: dict[int, Micros] = {}
    nexts: list[Micros | None] = []
    for call in reversed(calls):
        nexts.append(following.get(call.window))
        following[call.window] = call.at
    return nexts[::-1]


def _usual(calls: Sequence[DealtCall], nexts: Sequence[Micros | None]) -> Mapping[str, Micros]:
    """The usual service of a category: most of the time between two calls of a busy window."""
    gaps: dict[str, list[Micros]] = defaultdict(list)
    for call, next_call in zip(calls, nexts, strict=True):
        if next_call is not None and next_call - call.at <= LONGEST_SERVICE:
            gaps[call.category].append(next_call - call.at)
    usual = {code: int(median(each) * 0.8) for code, each in gaps.items()}
    return defaultdict(lambda: SUPPOSED_SERVICE, usual)
