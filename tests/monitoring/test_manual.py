"""docs/metrics.md names every metric that there is, and none that there is not."""

import re
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.app.house import House
from tests.monitoring.scraping import scrape

MANUAL = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ((?:`\w+` ?)*)\| (.+) \|$", re.MULTILINE)


def labels_of(family: Metric) -> set[str]:
    """The labels that a family's samples carry, but for a histogram's own."""
    return {label for sample in family.samples for label in sample.labels} - {"le"}


async def test_the_manual_tells_what_a_scrape_shows(house: House) -> None:
    """Name, type, labels and meaning of each metric, in both directions."""
    await scrape(house)  # so that the next one shows a request
    shown = {
        (
            family.name + ("_total" if family.type == "counter" else ""),
            family.type,
            frozenset(labels_of(family)),
            family.documentation,
        )
        for family in text_string_to_metric_families(await scrape(house))
    }
    told = {
        (name, kind, frozenset(re.findall(r"\w+", labels)), meaning)
        for name, kind, labels, meaning in ROW.findall(MANUAL.read_text())
    }
    assert told == shown


def test_every_figure_in_a_query_of_the_manual_exists() -> None:
    """A query that is copied out of the manual finds something."""
    text = MANUAL.read_text()
    rows = {name for name, *_ in ROW.findall(text)}
    suffixes = ("", "_bucket", "_count", "_sum")
    known = {name + suffix for name in rows for suffix in suffixes}
    queries = "".join(re.findall(r"```promql\n(.*?)```", text, re.DOTALL))
    assert set(re.findall(r"tinghao_\w+", queries)) - known == set()
