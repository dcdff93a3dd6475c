"""What the JSON API takes. Every field has a default that a person would expect.

A field that is not known is refused: a mistyped reason would otherwise be no reason.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

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


class Body(Struct, kw_only=True, forbid_unknown_fields=True):
    """What any command may carry: a replay states when it happened."""

    at: Moment | None = None


class PriorityGiven(Struct, kw_only=True, forbid_unknown_fields=True):
    """A class and a ground; a ground alone means the class priority."""

    cls: Annotated[str | None, Meta(description="priority")] = field(name="class", default=None)
    ground: Annotated[
        str | None, Meta(description="elderly, disabled, pregnant, military or infant")
    ] = None


class Appointment(Struct, kw_only=True, forbid_unknown_fields=True):
    """A slot of today."""

    slot: Moment | None = None


class TakeBody(Body, kw_only=True):
    category: Annotated[str, Meta(description="The category's code.")]
    item: Annotated[str | None, Meta(description="The code of the matter.")] = None
    channel: Annotated[
        Literal["kiosk", "window", "web", "mobile", "paper"] | None,
        Meta(description="Where it was taken; without it, what fits the caller."),
    ] = None
    priority: Annotated[
        PriorityGiven | str | None, Meta(description="Class and ground, or the ground alone.")
    ] = None
    appointment: Annotated[
        Appointment | str | None, Meta(description="The slot, a time of today; you check in now.")
    ] = None


class DeferBody(Body, kw_only=True):
    places: Annotated[int, Meta(description="How many go first, 1 to 20.")] = 3


class RatingBody(Body, kw_only=True):
    grade: Annotated[int, Meta(description="5 very satisfied … 1 very dissatisfied.")]
    reasons: Annotated[list[str], Meta(description="Codes.")] = []
    text: Annotated[str | None, Meta(description="Words, at most 2,000 characters.")] = None


class OpenBody(Body, kw_only=True):
    staff: Annotated[
        str | int | None, Meta(description="Badge number; without it, the caller sits down.")
    ] = None


class PauseBody(Body, kw_only=True):
    reason: Reason = "unspecified"
    minutes: Annotated[int | None, Meta(description="How long it is meant to last.")] = None


class CategoriesBody(Body, kw_only=True):
    categories: Annotated[list[str], Meta(description="Codes; all that it serves from now on.")]


class CallBody(Body, kw_only=True):
    number: str
    reason: Reason = ""


class FinishBody(Body, kw_only=True):
    result: Literal["done", "not-done"] = "done"
    reason: Annotated[Reason | None, Meta(description="Needed with not-done.")] = None
    complex: Annotated[bool, Meta(description="It took longer than usual, with a reason.")] = False


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
    """At least one of category, window and staff."""

    category: str | None = None
    window: int | None = None
    staff: Annotated[str | int | None, Meta(description="Badge number.")] = None
    note: Annotated[str | None, Meta(description="For the colleague; kept apart.")] = None


class ReleaseBody(Body, kw_only=True):
    outcome: Annotated[str, Meta(description="waiting, finished, no-show or cancelled")]
    reason: Reason = ""
    number: Annotated[
        str | None, Meta(description="Without it, the one in hand, or the only one on hold.")
    ] = None


class PaperBody(Body, kw_only=True):
    category: str
    taken_at: Moment
    called_at: Moment
    finished_at: Moment
    result: Literal["done", "not-done"] = "done"


class ClockBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """How hall time runs: with the machine, faster (scaled), or as a replay states it."""

    mode: Literal["machine", "scaled", "stated"]
    at: Moment | None = None
    speed: float = 1.0
