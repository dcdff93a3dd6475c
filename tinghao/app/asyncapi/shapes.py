"""What frames carry, as the AsyncAPI description shows it.

`realtime` makes the frames; these shapes describe them, and a test holds real frames of every
topic against their shape. What the API answers as well is taken from its shapes.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from tinghao.app.api.shapes import (
    Call,
    CategoryNow,
    Lobby,
    Moment,
    StaffShown,
    Ticket,
    WindowNow,
)

Data = TypeVar("Data")

Content = Annotated[
    str | UnsetType,
    Meta(description="HTML fragments for our own pages, with `format=html` only."),
]
Epoch = Annotated[
    str, Meta(description="Names the journal's incarnation; a restore from a backup changes it.")
]
Reached = Annotated[
    int, Meta(description="The place in the hall's journal that this frame brings you to.")
]
Speed = Annotated[float, Meta(description="How fast hall time runs; 1 but for a demo or replay.")]


class Snapshot(Struct, Generic[Data], frozen=True):
    """The whole state: comes first, and when what was missed cannot be told."""

    topic: str
    epoch: Epoch
    prev: None
    seq: Reached
    type: Literal["snapshot"]
    at: Moment
    speed: Speed
    data: Data
    content: Content = UNSET


class Update(Struct, Generic[Data], frozen=True):
    """The present state, with every call in (`prev`, `seq`]."""

    topic: str
    epoch: Epoch
    prev: Annotated[int, Meta(description="The `seq` that this frame goes on from.")]
    seq: Reached
    type: Literal["update"]
    at: Moment
    speed: Speed
    data: Data
    content: Content = UNSET


class Beat(Struct, frozen=True):
    """What you have is the present. `prev` and `seq` are the ones you have."""

    topic: str
    epoch: Epoch
    prev: int
    seq: Reached
    type: Literal["beat"]
    at: Moment
    speed: Speed


class Place(Struct, frozen=True):
    """A waiting number; the minutes are null while no window is open for it."""

    number: str
    p50_minutes: int | None
    p90_minutes: int | None


class CalledNow(Struct, frozen=True):
    """A number that stands at a window now."""

    number: str
    window: int
    at: Moment
    attempt: int
    state: Literal["called", "serving"]


class Category(Struct, frozen=True):
    """One category, for its phones: each finds itself by its number."""

    category: CategoryNow
    order: Annotated[list[Place], Meta(description="Who waits, in the order of calling.")]
    called: list[CalledNow]
    calls: list[Call]


class Upcoming(Struct, frozen=True):
    """A number that comes next at a window, and why."""

    number: str
    category: str
    reason: Literal["directed", "appointment", "priority", "waiting"]
    waited_since: Moment


class Today(Struct, frozen=True):
    """What the window has done today."""

    finished: int
    no_shows: int
    median_handling_seconds: int | None


class Undo(Struct, frozen=True):
    """What the clerk may take back."""

    number: str
    kind: Literal["finish", "no-show"]
    until: Moment


class Window(Struct, frozen=True):
    """The console of one window."""

    window: WindowNow
    staff: StaffShown | None
    ticket: Ticket | None
    held: list[Ticket]
    next: list[Upcoming]
    waiting: Annotated[int, Meta(description="In all categories of the window.")]
    today: Today
    undo: Undo | None
    target_seconds: Annotated[int | None, Meta(description="The standard time of what is in hand.")]
    calls: list[Call]


class Figures(Struct, frozen=True):
    """The hall in eight figures; the counts are of today."""

    waiting: int
    longest_wait_since: Moment | None
    service_level: Annotated[
        float | None,
        Meta(description="Calls within the target by all calls and those who left after it."),
    ]
    windows_open: int
    windows_total: int
    no_shows: int
    called: int
    finished: int


class HalfHour(Struct, frozen=True, rename={"from_": "from"}):
    """What came and was called in a half hour of today."""

    from_: str
    taken: int
    called: int


class Noted(Struct, frozen=True):
    """An entry of the journal as the feed shows it."""

    seq: int
    at: Moment
    kind: str
    number: str | None
    window: int | None
    category: str | None
    reason: str | None
    channel: str | None


class Manager(Lobby, frozen=True):
    """The lobby with names, and what stands behind it."""

    figures: Figures
    waits: Annotated[
        dict[str, list[Moment]],
        Meta(description="By category: since when each waiting ticket waits, earliest first."),
    ]
    half_hours: list[HalfHour]
    feed: Annotated[list[Noted], Meta(description="The last thirty entries.")]
