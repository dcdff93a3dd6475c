"""The figures of halls, read from their live states at the moment of the scrape."""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from tinghao.monitoring import totals
from tinghao.queue.model import SECOND, Category, HallState, Micros

WINDOW_STATES = ("closed", "paused", "free", "called", "serving")

_COUNTERS = (
    ("taken", "tinghao_tickets_taken", "Numbers taken."),
    (
        "called",
        "tinghao_tickets_called",
        "Waits that ended with a call; a ticket that was transferred has more than one.",
    ),
    ("finished", "tinghao_tickets_finished", "Services finished."),
    ("no_shows", "tinghao_tickets_no_show", "Tickets marked as no-show."),
    (
        "cancelled",
        "tinghao_tickets_cancelled",
        "Tickets given up: by the citizen, or by a manager who freed them.",
    ),
    ("expired", "tinghao_tickets_expired", "Tickets expired at the close of their day."),
    ("undone", "tinghao_tickets_undone", "Finishes and no-shows taken back by the clerk."),
)


class HallNow(Struct, frozen=True):
    """A hall's state, and the hall's own time at the scrape."""

    state: HallState
    now: Micros


class HallCollector(Collector):
    """Reads all halls at each scrape."""

    def __init__(self, halls: Callable[[], Iterable[HallNow]]) -> None:
        self._halls = halls

    def collect(self) -> Iterator[Metric]:
        """The families, in the order of docs/metrics.md."""
        halls = list(self._halls())
        yield from _queues(halls)
        yield from _counters(halls)
        yield from _spreads(halls)
        yield from _windows(halls)


def _queues(halls: list[HallNow]) -> Iterator[Metric]:
    labels = ("hall", "category")
    waiting = GaugeMetricFamily("tinghao_tickets_waiting", "Citizens waiting now.", labels=labels)
    longest = GaugeMetricFamily(
        "tinghao_longest_wait_seconds",
        "How long the one who waits longest has waited; 0 when nobody waits.",
        labels=labels,
    )
    opened = GaugeMetricFamily(
        "tinghao_windows_serving_category",
        "Windows open now, not paused, that serve the category.",
        labels=labels,
    )
    for hall, category in _categories(halls):
        state = hall.state
        queue = state.queues.get(category.code, ())
        where = (state.code, category.code)
        waiting.add_metric(where, len(queue))
        since = min(
            (state.tickets[rank.ticket].stage.entered_at for rank in queue), default=hall.now
        )
        longest.add_metric(where, max(0, hall.now - since) / SECOND)
        serving = (
            each.state == "open" and category.code in each.categories
            for each in state.windows.values()
        )
        opened.add_metric(where, sum(serving))
    yield from (waiting, longest, opened)


def _counters(halls: list[HallNow]) -> Iterator[Metric]:
    for field, name, said in _COUNTERS:
        family = CounterMetricFamily(name, said, labels=("hall", "category"))
        for hall, category in _categories(halls):
            known = totals.of(hall.state).get(category.code, totals.CategoryTotals())
            family.add_metric((hall.state.code, category.code), getattr(known, field))
        yield family


def _spreads(halls: list[HallNow]) -> Iterator[Metric]:
    yield _spread(
        halls,
        "tinghao_wait_seconds",
        "From the take (or transfer) to the first call.",
        totals.WAIT_BUCKETS,
        lambda known: known.wait,
    )
    yield _spread(
        halls,
        "tinghao_handling_seconds",
        "From the citizen's arrival at the window to the finish, holds excluded.",
        totals.HANDLING_BUCKETS,
        lambda known: known.handling,
    )


def _spread(
    halls: list[HallNow],
    name: str,
    said: str,
    bounds: tuple[int, ...],
    of: Callable[[totals.CategoryTotals], totals.Spread],
) -> Metric:
    family = HistogramMetricFamily(name, said, labels=("hall", "category"))
    names = [*(str(float(bound)) for bound in bounds), "+Inf"]
    for hall, category in _categories(halls):
        known = of(totals.of(hall.state).get(category.code, totals.CategoryTotals()))
        buckets, running = [], 0
        for bound, count in zip(names, known.counts, strict=True):
            running += count
            buckets.append((bound, running))
        family.add_metric((hall.state.code, category.code), buckets, known.total_seconds)
    return family


def _windows(halls: list[HallNow]) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "tinghao_windows", "Windows by what they do now.", labels=("hall", "state")
    )
    heads = CounterMetricFamily(
        "tinghao_journal_entries", "Entries in the hall's journal.", labels=("hall",)
    )
    for hall in halls:
        numbers = dict.fromkeys(WINDOW_STATES, 0)
        for window in hall.state.windows.values():
            in_hand = hall.state.tickets.get(window.ticket) if window.ticket else None
            shown: str = "free" if window.state == "open" else window.state
            numbers[in_hand.state if in_hand else shown] += 1
        for shown, number in numbers.items():
            family.add_metric((hall.state.code, shown), number)
        heads.add_metric((hall.state.code,), hall.state.seq)
    yield from (family, heads)


def _categories(halls: list[HallNow]) -> Iterator[tuple[HallNow, Category]]:
    for hall in halls:
        for category in hall.state.setup.categories:
            yield hall, category
