"""Totals folded from a journal: whatever happens in the hall, a counter only grows."""

from contextlib import suppress
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.queue.hall import Hall
from tinghao.monitoring import totals
from tinghao.queue.events import TicketReleased
from tinghao.queue.journal import Rooms
from tinghao.queue.model import HallState
from tinghao.queue.refusals import Refusal

WINDOWS = st.integers(1, 3)
COUNTS = ("taken", "called", "finished", "no_shows", "cancelled", "expired", "undone")

DEEDS = {
    "take": lambda hall, window: hall.take(hall.window(window).categories[0]),
    "open": lambda hall, window: hall.open(window),
    "close": lambda hall, window: hall.close(window),
    "call": lambda hall, window: hall.call_next(window),
    "recall": lambda hall, window: hall.recall(window),
    "start": lambda hall, window: hall.start(window),
    "finish": lambda hall, window: hall.finish(window),
    "no-show": lambda hall, window: hall.no_show(window),
    "undo": lambda hall, window: hall.undo(window),
    "hold": lambda hall, window: hall.hold(window),
    "return": lambda hall, window: hall.bring_back(window),
    "missed comes back": lambda hall, window: hall.bring_back(window, absent(hall)),
    "move": lambda hall, window: hall.transfer(window, to_window=window % 3 + 1),
    "no trace": lambda hall, window: hall.release(window, "no-show"),
    "freed": lambda hall, window: hall.release(window, "cancelled"),
    "settled": lambda hall, window: hall.release(window, "finished"),
    "paper": lambda hall, window: hall.enter_paper(window, (hall.now, hall.now, hall.now)),
    "leave": lambda hall, window: hall.cancel(hall.waiting(hall.window(window).categories[0])[0]),
    "a minute": lambda hall, window: hall.wait(minutes=1),
    "half an hour": lambda hall, window: hall.wait(minutes=31),
    "night": lambda hall, window: hall.wait(minutes=16 * 60),
}

KINDS = {
    "taken": ("ticket-taken", "paper-entered"),
    "finished": ("ticket-finished", "paper-entered", "released as finished"),
    "no_shows": ("ticket-no-show", "released as no-show"),
    "cancelled": ("ticket-cancelled", "released as cancelled"),
    "expired": ("ticket-expired",),
    "undone": ("ticket-undone",),
}
"""What happens in a hall, and which total counts it."""


def released(hall: Hall) -> list[str]:
    """Tickets that a manager freed, by what became of them."""
    events = [each.event for each in hall.entries]
    return [f"released as {each.outcome}" for each in events if isinstance(each, TicketReleased)]


def absent(hall: Hall) -> str:
    """A number that did not come."""
    return hall.state.tickets[hall.state.absent[0]].number


def folded(hall: Hall) -> list[HallState]:
    """The hall's states with totals, entry by entry."""
    rooms = Rooms([totals.ROOM])
    states = [rooms.start("plain", "e", "")]
    for entry in hall.entries:
        states.append(rooms.evolve(states[-1], entry))
    return states


@given(st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), WINDOWS), max_size=60))
def test_no_total_ever_falls(deeds: list[tuple[str, int]]) -> None:
    """Entry by entry, every figure of every category stays or grows, and they fit each other."""
    hall = Hall()
    hall.open(1, 2, 3)
    for name, window in deeds:
        with suppress(Refusal, LookupError):  # nobody there: nothing was done
            DEEDS[name](hall, window)
    hall.tick()
    states = folded(hall)
    for before, after in pairwise(states):
        for category, known in totals.of(before).items():
            now = totals.of(after)[category]
            assert all(getattr(now, name) >= getattr(known, name) for name in COUNTS)
            for name in ("wait", "handling"):
                earlier, later = getattr(known, name), getattr(now, name)
                assert all(b >= a for a, b in zip(earlier.counts, later.counts, strict=True))
                assert later.total_seconds >= earlier.total_seconds
    for known in totals.of(states[-1]).values():
        assert sum(known.wait.counts) == known.called
        assert sum(known.handling.counts) <= known.finished
    happened = [*hall.happened(), *released(hall)]
    for name, kinds in KINDS.items():
        summed = sum(getattr(each, name) for each in totals.of(states[-1]).values())
        assert summed == sum(happened.count(kind) for kind in kinds)


def test_totals_go_through_a_checkpoint_unchanged() -> None:
    """What a day's close writes is what a restart reads."""
    hall = Hall()
    hall.open(1)
    hall.take()
    hall.wait(minutes=3.5)
    hall.served(1)
    rooms = Rooms([totals.ROOM])
    state = folded(hall)[-1]
    read = rooms.read_state(msgspec.json.encode(state).decode())
    assert read == state
    assert totals.of(state)["social"].wait.total_seconds == 210
