"""Which windows are open for which category in the course of a recorded day (synthetic).

A record says at best how many counters each queue had open every few minutes; it does not say
which. Here the day is cut into quarters of an hour, each category gets as many windows as its
queues had counters (or, without snapshots, as its calls needed), and actual windows are dealt
so that they change as little as can be.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tinghao.app.records.record import RecordedTicket, Snapshot
from tinghao.app.records.steps import PlanWindow
from tinghao.queue.model import MINUTE, Micros

SLOT: Micros = 15 * MINUTE
SUPPOSED_SERVICE: Micros = 6 * MINUTE
"""How long a service is taken to last where the record says neither its end nor the counters."""


class Spell(Struct, frozen=True):
    """A window serving categories over `[start, end)` of a day, times from local midnight."""

    window: int
    start: Micros
    end: Micros
    categories: tuple[str, ...]


def roster(
    tickets: Sequence[RecordedTicket],
    snapshots: Iterable[Snapshot],
    dealt: Mapping[str, str],
    windows: Sequence[PlanWindow],
) -> tuple[Spell, ...]:
    """The spells of all windows over one day, in order of window and time.

    In every slot that holds a call, its category has a window. Where the record had more
    counters open than the hall has windows, the categories get their share.
    """
    calls = [each for each in tickets if each.called is not None]
    if not calls or not windows:
        return ()
    needs = _needs(calls, snapshots, dealt)
    first = min(each.arrived for each in tickets)
    last = max(_called(each) for each in calls)
    slots = range(first // SLOT, last // SLOT + 1)
    spells: list[Spell] = []
    open_now: dict[int, Spell] = {}
    for slot in slots:
        wanted = _wanted([needs[each] for each in (slot, slot + 1, slot - 1)], len(windows))
        groups = _dealt_windows(wanted, windows, open_now)
        spells.extend(open_now.pop(window) for window in sorted(set(open_now) - set(groups)))
        for window, categories in groups.items():
            before = open_now.get(window)
            if before is not None and before.categories != categories:
                spells.append(before)
            start = (
                before.start
                if before is not None and before.categories == categories
                else slot * SLOT
            )
            open_now[window] = Spell(window, start, (slot + 1) * SLOT, categories)
    spells.extend(open_now.values())
    return tuple(sorted(spells, key=lambda each: (each.window, each.start)))


def _called(ticket: RecordedTicket) -> Micros:
    assert ticket.called is not None
    return ticket.called


class _Need(Struct):
    """What one slot asks for: windows by category, and which categories are called at all."""

    windows: Counter[str]
    called: Counter[str]


def _needs(
    calls: Sequence[RecordedTicket], snapshots: Iterable[Snapshot], dealt: Mapping[str, str]
) -> dict[int, _Need]:
    needs: dict[int, _Need] = defaultdict(lambda: _Need(Counter(), Counter()))
    work: dict[int, Counter[str]] = defaultdict(Counter)
    for ticket in calls:
        category, called = dealt[ticket.queue], _called(ticket)
        needs[called // SLOT].called[category] += 1
        end = ticket.finished if ticket.finished is not None else called + SUPPOSED_SERVICE
        for slot in range(called // SLOT, end // SLOT + 1):
            inside = min(end, (slot + 1) * SLOT) - max(called, slot * SLOT)
            work[slot][category] += max(inside, 0)
    counters = _counters(snapshots, dealt)
    for slot, busy in work.items():
        for category, time in busy.items():
            if not counters:
                needs[slot].windows[category] = max(1, -(-time // SLOT))
    for slot, opened in counters.items():
        needs[slot].windows.update(opened)
    return needs


def _counters(snapshots: Iterable[Snapshot], dealt: Mapping[str, str]) -> dict[int, Counter[str]]:
    """Open counters by slot and category: the most that a queue had open in the slot."""
    most: dict[tuple[int, str], int] = {}
    for snapshot in snapshots:
        if snapshot.queue in dealt:
            key = (snapshot.at // SLOT, snapshot.queue)
            most[key] = max(most.get(key, 0), snapshot.open_counters)
    counters: dict[int, Counter[str]] = defaultdict(Counter)
    for (slot, queue), number in most.items():
        counters[slot][dealt[queue]] += number
    return counters


def _wanted(around: Sequence[_Need], windows: int) -> dict[str, int]:
    """Windows by category in a slot; `around` is the slot itself, then its neighbours.

    A window stays open over a single quiet slot (that is why the neighbours count), but only
    while there are windows enough.
    """
    here, neighbours = around[0], around[1:]
    wanted = Counter({code: max(1, here.windows[code]) for code in here.called})
    for code, number in here.windows.items():
        wanted[code] = max(wanted[code], number)
    generous = Counter(wanted)
    for code in {code for each in neighbours for code in each.windows}:
        kept = min(each.windows[code] for each in neighbours)
        generous[code] = max(generous[code], kept)
    if generous.total() <= windows:
        return dict(generous)
    return _shares(wanted, here.called, windows)


def _shares(wanted: Counter[str], called: Counter[str], windows: int) -> dict[str, int]:
    """Cut down to `windows`, in proportion; a category that is called keeps one if it can."""
    if wanted.total() <= windows:
        return dict(wanted)
    shares = Counter(dict.fromkeys(called, 1))
    left = windows - shares.total()
    if left < 0:  # more categories than windows: they will share
        return dict(shares)
    asked = wanted - shares
    total = asked.total()
    exact = {code: number * left / total for code, number in asked.items()}
    for code, number in exact.items():
        shares[code] += int(number)
    remainders = sorted(exact, key=lambda code: (int(exact[code]) - exact[code], code))
    for code in remainders[: windows - shares.total()]:
        shares[code] += 1
    return {code: number for code, number in shares.items() if number}


def _dealt_windows(
    wanted: Mapping[str, int], windows: Sequence[PlanWindow], open_now: Mapping[int, Spell]
) -> dict[int, tuple[str, ...]]:
    """Which window serves what: those that do stay, then those set up for it, then any.

    Of several the one set up for fewest categories, then the one that comes first in `windows`.
    """
    codes = sorted(wanted, key=lambda code: (-wanted[code], code))
    if len(codes) > len(windows):
        return {
            window.number: tuple(codes[index :: len(windows)])
            for index, window in enumerate(windows)
        }
    dealt: dict[int, tuple[str, ...]] = {}
    for code in codes:
        serving = [w for w in windows if w.number in open_now and _serves(open_now, w, code)]
        serving.sort(key=lambda window, code=code: code not in window.categories)  # type: ignore[misc]
        for window in serving[: wanted[code]]:
            dealt[window.number] = (code,)
    for code in codes:
        free = [each for each in windows if each.number not in dealt]
        free.sort(
            key=lambda window, code=code: (  # type: ignore[misc]
                code not in window.categories,
                window.number not in open_now,
                len(window.categories),
            )
        )
        missing = wanted[code] - sum(1 for each in dealt.values() if each == (code,))
        for window in free[: max(missing, 0)]:
            dealt[window.number] = (code,)
    return dealt


def _serves(open_now: Mapping[int, Spell], window: PlanWindow, code: str) -> bool:
    return open_now[window.number].categories == (code,)
