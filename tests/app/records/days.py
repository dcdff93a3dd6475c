"""The recorded days that come with the project, and a hall to plan them for."""

from datetime import date
from pathlib import Path

from tinghao.app.records.steps import PlanCategory, PlanHall, PlanWindow

FOLDER = Path(__file__).parents[3] / "tinghao/app/records/data"
TICKETS = FOLDER / "tickets.csv"
DAYS = tuple(date(2020, 1, each) for each in (7, 8, 9, 10, 13))

FOUR = (
    PlanCategory("social", "A"),
    PlanCategory("realestate", "B"),
    PlanCategory("business", "C"),
    PlanCategory("investment", "D"),
)


def plan_hall(windows: int = 10, categories: tuple[PlanCategory, ...] = FOUR) -> PlanHall:
    """A hall whose windows were set up for one category each, in turn."""
    return PlanHall(
        categories,
        tuple(
            PlanWindow(number + 1, (categories[number % len(categories)].code,))
            for number in range(windows)
        ),
    )
