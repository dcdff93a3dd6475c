"""What the JSON API takes. Every field has a default that a person would expect."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Reason = Annotated[
    str, Meta(description="A code like `break`, or words; words are kept apart, erasable.")
]
Moment = Annotated[
    str,
    Meta(
        description="RFC 3339, e.g. 2026-11-24T09:30:00+08:00.",
        examples=["2026-11-24T09:30:00+08:00"],
    ),
]


class Body(Struct, kw_only=True):
    """What any command may carry: a replay states when it happened."""

    at: Moment | None = None


class TakeBody(Body, kw_only=True):
    category: str
    item: str | None = None
    channel: Literal["kiosk", "window", "web", "mobile", "paper"] | None = None
    priority: dict[str, str | None] | str | None = None
    appointment: dict[str, str | None] | Moment | None = None


class DeferBody(Body, kw_only=True):
    places: int = 3


class RatingBody(Body, kw_only=True):
    grade: int
    reasons: list[str] = []
    text: str | None = None


class OpenBody(Body, kw_only=True):
    staff: Annotated[
        str | int | None, Meta(description="Badge number; without it, the caller sits down.")
    ] = None


class PauseBody(Body, kw_only=True):
    reason: Reason = "unspecified"
    minutes: int | None = None


class CategoriesBody(Body, kw_only=True):
    categories: list[str]


class CallBody(Body, kw_only=True):
    number: str
    reason: Reason = ""


class FinishBody(Body, kw_only=True):
    result: Literal["done", "not-done"] = "done"
    reason: Reason | None = None
    complex: bool = False


class ReasonBody(Body, kw_only=True):
    reason: Reason = "unspecified"


class NumberBody(Body, kw_only=True):
    number: str


class ReturnBody(Body, kw_only=True):
    reason: Reason = "unspecified"
    number: Annotated[
        str | None, Meta(description="Without it, the ticket that is called at this window.")
    ] = None


class TransferBody(Body, kw_only=True):
    category: str | None = None
    window: int | None = None
    staff: str | int | None = None
    note: str | None = None


class ReleaseBody(Body, kw_only=True):
    outcome: str
    reason: Reason = ""
    number: str | None = None


class PaperBody(Body, kw_only=True):
    category: str
    taken_at: Moment
    called_at: Moment
    finished_at: Moment
    result: Literal["done", "not-done"] = "done"


class ClockBody(Struct, kw_only=True):
    """How hall time runs: with the machine, faster (scaled), or as a replay states it."""

    mode: Literal["machine", "scaled", "stated"]
    at: Moment | None = None
    speed: float = 1.0
