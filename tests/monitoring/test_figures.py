"""What several processes count is one figure."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from tinghao.monitoring.figures import Figures, collected, lasting, metrics, summed


class Process:
    """Something that counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.asked = Counter("asked", "Asked.", ("route",), registry=self.registry)
        self.took = Histogram("took", "Took.", buckets=(1, 5), registry=self.registry)
        self.sockets = Gauge("sockets", "Open.", registry=self.registry)
        self.duty = Gauge("tinghao_duty_holder", "Held.", ("name",), registry=self.registry)

    def figures(self) -> Figures:
        return collected(self.registry)


def values(figures: Figures) -> dict[str, float]:
    """By name and label values."""
    return {
        " ".join([sample.name, *(value for _, value in sample.labels)]): sample.value
        for family in figures
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_counters_histograms_and_gauges_are_added_series_by_series() -> None:
    one, other = Process(), Process()
    one.asked.labels("/a").inc(2)
    other.asked.labels("/a").inc(3)
    other.asked.labels("/b").inc()
    one.took.observe(0.5)
    other.took.observe(4)
    one.sockets.set(7)
    other.sockets.set(8)
    assert values(summed([one.figures(), other.figures()])) == {
        "asked_total /a": 5,
        "asked_total /b": 1,
        "took_bucket 1.0": 1,
        "took_bucket 5.0": 2,
        "took_bucket +Inf": 2,
        "took_count": 2,
        "took_sum": 4.5,
        "sockets": 15,
    }


def test_a_duty_that_two_believe_to_hold_is_done_once() -> None:
    one, other = Process(), Process()
    one.duty.labels("halls").set(1)
    other.duty.labels("halls").set(1)
    assert values(summed([one.figures(), other.figures()]))["tinghao_duty_holder halls"] == 1


def test_what_ended_stays_counted_but_is_no_longer_there() -> None:
    ended, runs = Process(), Process()
    ended.asked.labels("/a").inc(2)
    ended.took.observe(0.5)
    ended.sockets.set(7)
    left = lasting(ended.figures())
    shown = values(summed([left, runs.figures()]))
    assert (shown["asked_total /a"], shown["took_count"], shown["sockets"]) == (2, 1, 0)


def test_one_process_alone_shows_what_it_would_by_itself() -> None:
    one = Process()
    one.asked.labels('a "quoted"\nroute').inc()
    one.took.observe(2)

    class Shown:
        def collect(self) -> object:
            return metrics(summed([one.figures()]))

    shown = generate_latest(Shown())  # type: ignore[arg-type]
    assert shown == generate_latest(one.registry)
