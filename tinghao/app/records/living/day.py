"""One day of a demonstration: who comes, who sits where, and when it is over."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from tinghao.app.records.living.citizens import Arrival, arrive
from tinghao.app.records.living.clerks import Clerk
from tinghao.app.records.living.hall import DayOver, Hall
from tinghao.queue.model import MINUTE, SECOND, Micros

LAST_TAKE: Micros = 10 * MINUTE
"""Citizens of the record who would come later than this before closing stay at home."""
LONGEST: Micros = 60 * MINUTE
"""After closing; a visitor who is still serving somebody is waited for."""


class Script(Struct, frozen=True):
    """A recorded day in the hours of this hall. Times from its midnight."""

    opens: Micros
    closes: Micros
    arrivals: tuple[Arrival, ...]
    counters: tuple[tuple[Micros, int], ...]  # from that time on so many were open


async def live(
    hall: Hall,
    script: Script,
    seats: Sequence[tuple[int, str, tuple[str, ...]]],
    full_at: Micros | None,
    speed: float,
    ready: Callable[[], None],
) -> None:
    """Live the day. Until `full_at` it passes in no time, then at `speed`.

    `seats` are the windows that we staff, with badge and categories, in the order in which they
    are wanted. Returns when everybody has gone home.
    """
    service = usual_service(script, len(seats))
    clerks = [
        Clerk(hall, number, badge, codes, script.closes, service) for number, badge, codes in seats
    ]
    dawn = script.opens - 2 * MINUTE
    await _begin(hall, dawn, None if full_at is not None else speed)
    arrive(hall, [e for e in script.arrivals if e.at < script.closes - LAST_TAKE])
    hall.agenda.add(dawn, _Staffing(hall, script, clerks))
    if full_at is None:
        ready()
    with suppress(DayOver):
        while (at := hall.agenda.first()) is not None:
            if full_at is not None and at >= full_at:
                await _go_live(hall, full_at, speed)
                full_at = None
                ready()
            await hall.time.until(at)
            if at >= script.closes and await _all_gone(hall, clerks, script.closes):
                return
            await hall.agenda.pop()[1]()


async def _begin(hall: Hall, dawn: Micros, speed: float | None) -> None:
    await hall.clock("scaled" if speed else "stated", dawn, speed or 1.0)
    if speed:
        hall.time.run(dawn, speed)
    else:
        hall.time.stand(dawn)


async def _go_live(hall: Hall, at: Micros, speed: float) -> None:
    await hall.clock("scaled", at, speed)
    hall.time.run(at, speed)


async def _all_gone(hall: Hall, clerks: Sequence[Clerk], closes: Micros) -> bool:
    if any(each.place in {"here", "coming"} for each in clerks):
        return False
    state = await hall.state()
    busy = any(each["state"] in {"called", "serving"} for each in state["windows"])
    return not busy or hall.time.now > closes + LONGEST


class _Staffing:
    """The manager's look around, every few minutes: as many windows as the record had counters."""

    def __init__(self, hall: Hall, script: Script, clerks: Sequence[Clerk]) -> None:
        self._hall = hall
        self._script = script
        self._clerks = clerks

    async def __call__(self) -> None:
        hall, now = self._hall, self._hall.time.now
        if now >= self._script.closes:
            return
        wanted = self._wanted(now)
        at_work = [e for e in self._clerks if e.place != "away" and not e.leaving]
        missing = [each for each in self._clerks if each.place == "away"]
        for clerk in missing[: max(wanted - len(at_work), 0)]:
            clerk.comes(hall.soon(5, 70))
        staying = [each for each in at_work if each.place == "here"]
        for clerk in reversed(staying[wanted:]):
            clerk.leaving = True
        hall.agenda.add(now + 4 * MINUTE, self)
        await hall.state()  # keeps our time with the hall's

    def _wanted(self, now: Micros) -> int:
        """Never fewer than half, so that every category is served."""
        recorded = [number for at, number in self._script.counters if at <= now]
        least = (len(self._clerks) + 1) // 2
        return min(max(recorded[-1] if recorded else least, least), len(self._clerks))


def seats_of(
    windows: Sequence[Mapping[str, Any]], badges: Sequence[str], left_free: int = 2
) -> list[tuple[int, str, tuple[str, ...]]]:
    """Which windows we staff, most wanted first: the fewest that serve everything, then the rest.

    Windows for something else than intake, or else the last ones, are left free for visitors.
    """
    intake = [each for each in windows if each["role"] == "intake" and each["categories"]]
    others = len(windows) - len(intake)
    ours = intake[: max(len(intake) - max(left_free - others, 0), 1)]
    seats = [
        (each["number"], badge, tuple(each["categories"]))
        for each, badge in zip(ours, badges, strict=False)
    ]
    ordered: list[tuple[int, str, tuple[str, ...]]] = []
    served: dict[str, int] = {code: 0 for _, _, codes in seats for code in codes}
    while seats:
        # Whose categories have had the fewest windows so far, each taken by itself.
        best = min(seats, key=lambda seat: (min(served[c] for c in seat[2]), len(seat[2]), seat[0]))
        seats.remove(best)
        ordered.append(best)
        for code in best[2]:
            served[code] += 1
    return ordered


def usual_service(script: Script, windows: int) -> float:
    """How many seconds a service has to last for that many windows to be busy, but to keep up."""
    hours = (script.closes - script.opens) / (60 * MINUTE)
    per_hour = sum(each.at < script.closes for each in script.arrivals) / hours
    return max(0.85 * windows * 3600 / max(per_hour, 1) - 60, 60)


def opening_shift(first: Micros, opens: Micros) -> Micros:
    """How much later this hall opens than the recorded one, whose door queue came at `first`."""
    half = 30 * MINUTE
    return opens - (first + half - SECOND) // half * half
