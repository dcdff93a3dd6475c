"""Figures that travel between processes: what one process counts, and the sum over several.

A process's figures are plain values, so that whoever adds them up needs to know none of them by
name. Counters and histograms are added; of a process that has ended its last ones stay in the sum,
so that none ever runs backwards. Gauges are those of the processes that answer now.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

Labels = tuple[tuple[str, str], ...]


class Sample(Struct, frozen=True, array_like=True):
    """One line of a scrape."""

    name: str
    labels: Labels
    value: float

    @property
    def series(self) -> tuple[str, Labels]:
        """What tells it from other lines."""
        return self.name, self.labels


class Family(Struct, frozen=True, array_like=True):
    """A metric with its lines; `kind` is Prometheus's word for its type."""

    name: str
    said: str
    kind: str
    samples: tuple[Sample, ...]

    @property
    def only_grows(self) -> bool:
        """Whether what was counted stays counted when its process has ended."""
        return self.kind in {"counter", "histogram"}


Figures = tuple[Family, ...]

NOT_ADDED = {
    "process_start_time_seconds": min,  # the launcher's: a new worker is no new service
    "tinghao_build_info": max,
    "tinghao_duty_holder": max,
}
"""Gauges whose sum would mean nothing, and what is taken of them instead."""


def collected(collector: Collector) -> Figures:
    """What a collector shows now."""
    return tuple(
        Family(
            metric.name,
            metric.documentation,
            metric.type,
            tuple(
                Sample(sample.name, tuple(sorted(sample.labels.items())), float(sample.value))
                for sample in metric.samples
            ),
        )
        for metric in collector.collect()
    )


def summed(parts: Iterable[Figures]) -> Figures:
    """The figures of several processes as one's; lines stand in the order of their coming."""
    families: dict[str, Family] = {}
    values: dict[str, dict[tuple[str, Labels], float]] = {}
    for family in (each for part in parts for each in part):
        families.setdefault(family.name, family)
        known = values.setdefault(family.name, {})
        join = NOT_ADDED.get(family.name, _add)
        for sample in family.samples:
            before = known.get(sample.series)
            value = sample.value if before is None else join(before, sample.value)
            known[sample.series] = value
    return tuple(
        Family(
            family.name,
            family.said,
            family.kind,
            tuple(Sample(*series, value) for series, value in values[family.name].items()),
        )
        for family in families.values()
    )


def lasting(figures: Figures) -> Figures:
    """What remains of a process that has ended."""
    return tuple(family for family in figures if family.only_grows)


def metrics(figures: Figures) -> Iterator[Metric]:
    """As the exposition wants them."""
    for family in figures:
        metric = Metric(family.name, family.said, family.kind)
        for sample in family.samples:
            metric.add_sample(sample.name, dict(sample.labels), sample.value)
        yield metric


def _add(one: float, other: float) -> float:
    return one + other
