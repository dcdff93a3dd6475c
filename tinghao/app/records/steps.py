"""The parts of a plan: what it has to know of a hall, its steps and its days.

Times are microseconds from the local midnight of the plan's day.
"""

from datetime import date
from typing import Literal

from msgspec import Struct

from tinghao.queue.model import MINUTE, Micros

DAY: Micros = 24 * 60 * MINUTE

StepKind = Literal[
    "open",
    "assign",
    "take",
    "call-next",
    "call",
    "recall",
    "start",
    "finish",
    "no-show",
    "pause",
    "resume",
    "close",
    "cancel",
]

SYNTHETIC = (
    "which window calls a ticket",
    "when windows open, change their category, pause and close",
    "the walk to the window",
    "the end of a service where the record has none",
    "who does not come when called",
)
"""What a plan makes up because no record has it, for whoever shows the result."""


class PlanCategory(Struct, frozen=True):
    """A category of the hall, with the letter of its numbers."""

    code: str
    prefix: str


class PlanWindow(Struct, frozen=True):
    """A window that a plan may use, with the categories that the hall set it up for."""

    number: int
    categories: tuple[str, ...] = ()
    weighted: bool = False  # it shifts due times, so that its next is not to be foreseen


class PlanHall(Struct, frozen=True):
    """What a plan has to know of a hall. `closes` counts from local midnight.

    Windows are used in the order given.
    """

    categories: tuple[PlanCategory, ...]
    windows: tuple[PlanWindow, ...]
    normal_minutes: int = 15
    priority_minutes: int = 5
    closes: Micros = DAY - MINUTE


class Step(Struct, frozen=True):
    """One command of a plan. `number` is the one that a hall with no take yet that day gives."""

    at: Micros
    kind: StepKind
    window: int | None = None
    ticket: str | None = None  # as the record names it
    number: str | None = None
    category: str | None = None
    categories: tuple[str, ...] = ()  # of `assign`
    priority: bool = False
    synthetic: bool = True


class DayPlan(Struct, frozen=True):
    """The steps of one recorded day, in the order in which they are to be carried out."""

    day: date
    steps: tuple[Step, ...]


class Plan(Struct, frozen=True):
    """All days of a record, and how its queues were dealt to the hall's categories."""

    source: str
    dealt: dict[str, str]
    days: tuple[DayPlan, ...]
    left_out: tuple[str, ...] = ()  # recorded calls that no hall can repeat, each with the reason
    synthetic: tuple[str, ...] = SYNTHETIC
