"""`/metrics`: the halls, and what the processes count, for Prometheus.

Figures of halls are read from their live states at the moment of the scrape: nothing is counted
twice, and no ticket, number or person is ever a label. What each process counts for itself
(sockets, requests) is added up over the processes that serve one address.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from msgspec import Struct
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from tinghao.monitoring.figures import Figures, collected, metrics
from tinghao.monitoring.hall_figures import HallCollector, HallNow

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

DURATIONS = (0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
"""Upper bounds in seconds, few because every route has its own; a key of the console is
answered within 0.1."""


class Sockets(Struct, frozen=True):
    """The real-time side as it is now: connections by hall and topic, and counts since start."""

    connections: Mapping[tuple[str, str], int]
    counts: Mapping[str, tuple[int, str]]  # name → count since start, what it counts


class Process(Struct, frozen=True):
    """What a process says of itself at a scrape."""

    sockets: Sockets
    duties: Mapping[str, bool]  # name → whether it holds the duty
    bus_up: bool = True  # whether words of other processes are heard at once
    bus_outages: int = 0  # since the start


class ProcessNow(Collector):
    """Reads this process's sockets and duties at each scrape."""

    def __init__(self, process: Callable[[], Process]) -> None:
        self._process = process

    def collect(self) -> Iterator[Metric]:
        """The families, in the order of docs/metrics.md."""
        now = self._process()
        yield from _sockets(now.sockets)
        yield from _duties(now.duties)
        yield from _bus(now)


class GatherFault(Exception):
    """The other processes' figures cannot be had; sums without them would be wrong."""


async def alone(own: Figures) -> Figures:
    """The sum over one process."""
    return own


async def fresh() -> None:
    """One process has nothing to catch up with."""


class Metrics:
    """The metrics of one process, and through it of all that serve with it.

    `gather` is given this process's own figures and answers the sum over all, or raises
    GatherFault; `refresh` brings the halls up to date before they are shown. Whoever starts
    several processes sets both.
    """

    def __init__(
        self,
        halls: Callable[[], Iterable[HallNow]],
        process: Callable[[], Process],
        version: str,
    ) -> None:
        # Twice the lines, for times that the process has already.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.gather: Callable[[Figures], Awaitable[Figures]] = alone
        self.refresh: Callable[[], Awaitable[None]] = fresh
        self._halls = HallCollector(halls)
        self.registry = CollectorRegistry()
        self.registry.register(ProcessNow(process))
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "tinghao_http_requests",
            "HTTP requests answered, by route (not by address).",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.durations = Histogram(
            "tinghao_http_request_duration_seconds",
            "Time from a request's arrival to the end of its answer.",
            ("method", "route"),
            buckets=DURATIONS,
            registry=self.registry,
        )
        workers = Gauge(
            "tinghao_workers", "Processes that serve this address.", registry=self.registry
        )
        workers.set(1)
        build = Gauge(
            "tinghao_build_info",
            "Always 1; its label says which version runs.",
            ("version",),
            registry=self.registry,
        )
        build.labels(version).set(1)

    def answered(self, method: str, route: str, status: int) -> None:
        """Count one request. `route` is its template, so that there are few."""
        self.requests.labels(method, route, str(status)).inc()

    def took(self, method: str, route: str, seconds: float) -> None:
        """Note how long one answer took, from the request's arrival to its end."""
        self.durations.labels(method, route).observe(seconds)

    def own(self) -> Figures:
        """What this process counts."""
        return collected(self.registry)

    async def text(self) -> bytes:
        """What a scrape gets, in Prometheus's text format. Raises GatherFault."""
        await self.refresh()
        together = await self.gather(self.own())
        return generate_latest(_Shown([*self._halls.collect(), *metrics(together)]))


class _Shown(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _sockets(sockets: Sockets) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "tinghao_websocket_connections",
        "WebSockets open now.",
        labels=("hall", "topic"),
    )
    for (hall, topic), number in sorted(sockets.connections.items()):
        family.add_metric((hall, topic), number)
    yield family
    for name, (count, said) in sockets.counts.items():
        counter = CounterMetricFamily(f"tinghao_websocket_{name}", said)
        counter.add_metric((), count)
        yield counter


def _duties(held: Mapping[str, bool]) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "tinghao_duty_holder", "1 where the background duty is done.", labels=("name",)
    )
    for name, here in held.items():
        family.add_metric((name,), here)
    yield family


def _bus(now: Process) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "tinghao_bus_up_processes",
        "Processes that hear the others at once; those that do not follow the journal, 1 s late.",
    )
    up.add_metric((), float(now.bus_up))
    outages = CounterMetricFamily("tinghao_bus_outages", "Times that the bus was found down.")
    outages.add_metric((), now.bus_outages)
    yield from (up, outages)
