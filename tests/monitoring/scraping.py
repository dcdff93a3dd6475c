"""What a scrape says, as a dictionary of figures."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.app.house import House

Figures = dict[str, float]


async def scrape(house: House) -> str:
    """The text of /metrics."""
    answer = await house.bearer(None).get("/metrics")
    assert answer.status_code == 200
    return answer.text


async def figures(house: House, **labels: str) -> Figures:
    """The figures that carry these labels, by name and what other labels they have."""
    found: Figures = {}
    for family in text_string_to_metric_families(await scrape(house)):
        for sample in family.samples:
            if labels.items() <= sample.labels.items():
                rest = [sample.labels[each] for each in sample.labels if each not in labels]
                found[" ".join([sample.name, *rest])] = sample.value
    return found


async def ask(house: House, path: str, role: str = "manager", **body: Any) -> Any:
    """POST to an address of the hall and get the answer; it must succeed."""
    answer = await house.bearer(role).post(f"/api/v1{path}", json=body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def at_window(house: House, number: int, command: str, **body: Any) -> Any:
    """A command at a window of the hall."""
    return await ask(house, f"/halls/puyang/windows/{number}/{command}", **body)


async def take(house: House, category: str = "social") -> Any:
    """A number from the kiosk."""
    return await ask(house, "/halls/puyang/tickets", "kiosk", category=category)
