"""What the JSON API answers, as the OpenAPI description shows it.

The answers themselves are made by `realtime.screens`, as plain data that frames, pages and API
share; these shapes describe them, and a test holds every real answer against its shape.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from tinghao.queue.model import Channel, TicketState, WindowRole

Moment = Annotated[
    str,
    Meta(
        description="RFC 3339 with the hall's offset.", examples=["2026-11-24T09:30:00.000+08:00"]
    ),
]
WindowShown = Literal["closed", "paused", "free", "called", "serving"]


class Estimate(Struct, frozen=True):
    """Minutes until the call: half of all are called within p50, nine of ten within p90."""

    p50_minutes: int
    p90_minutes: int


class Priority(Struct, frozen=True):
    """Why a ticket comes earlier than its arrival says."""

    cls: Literal["priority", "appointment"] = field(name="class")
    ground: Literal["elderly", "disabled", "pregnant", "military", "infant"] | None


class HallName(Struct, frozen=True):
    """A hall by name."""

    code: str
    name: str
    name_en: str


class Halls(Struct, frozen=True):
    """The halls that the caller may read, by code."""

    halls: list[HallName]


class ItemSetup(Struct, frozen=True):
    """A matter that a citizen comes for."""

    code: str
    name: str
    name_en: str


class CategorySetup(Struct, frozen=True):
    """A category as it is set up."""

    code: str
    name: str
    name_en: str
    prefix: str
    target_minutes: int
    open: bool
    last_take: Annotated[str | None, Meta(description="After this time of day no number is given.")]
    items: list[ItemSetup]


class WindowSetup(Struct, frozen=True):
    """A window as it is set up; `categories` are those it serves now."""

    number: int
    name: str
    name_en: str
    role: WindowRole
    categories: list[str]


class Hall(Struct, frozen=True):
    """A hall as it is set up."""

    code: str
    name: str
    name_en: str
    timezone: str
    opens: str
    closes: str
    categories: list[CategorySetup]
    windows: list[WindowSetup]


class Call(Struct, frozen=True):
    """One calling of a number. Clients deduplicate by `id`."""

    id: int
    number: str
    category: str
    window: int
    at: Moment
    attempt: int


class CategoryNow(Struct, frozen=True):
    """A category as it is now; the counts are of today."""

    code: str
    name: str
    name_en: str
    prefix: str
    waiting: int
    estimate: Annotated[
        Estimate | None, Meta(description="For who would come now; null: no window is open.")
    ]
    next: Annotated[list[str], Meta(description="The numbers that come next, at most three.")]
    windows_open: int
    longest_wait_since: Moment | None
    target_minutes: int
    called: int
    finished: int
    no_shows: int
    taken: int


class StaffShown(Struct, frozen=True):
    """Who sits at a window, as far as the hall shows it."""

    badge: str
    name: str | UnsetType = UNSET


class WindowNow(Struct, frozen=True):
    """A window as it is now."""

    number: int
    name: str
    name_en: str
    role: WindowRole
    categories: list[str]
    state: WindowShown
    staff: StaffShown | None
    ticket: Annotated[str | None, Meta(description="The number that is called or served.")]
    since: Moment | None
    pause_reason: str | None


class Lobby(Struct, frozen=True):
    """A hall as its lobby shows it."""

    hall: HallName
    day: str
    hours: str
    open: bool
    rest_day: Annotated[str | None, Meta(description="The name of the holiday, if it is one.")]
    categories: list[CategoryNow]
    windows: list[WindowNow]
    calls: Annotated[list[Call], Meta(description="Those of the last 120 seconds, newest last.")]
    recent: Annotated[list[Call], Meta(description="The last eight, newest first.")]
    notices: list[str]


class HallNow(Lobby, frozen=True):
    """A hall as its lobby shows it, and the place in the journal that it is of."""

    epoch: str
    seq: int
    at: Moment
    speed: Annotated[float, Meta(description="How fast hall time runs; 1 but for a demo.")]


class Taken(Struct, frozen=True):
    """A number just taken. The token is the holder's right; it is given only here."""

    id: int
    token: str
    number: str
    category: str
    state: TicketState
    priority: Priority | None
    ahead: int | None
    estimate: Estimate | None
    taken_at: Moment
    status_url: Annotated[str, Meta(description="The ticket's page, for its QR code.")]


class HeldTicket(Struct, frozen=True):
    """A ticket as whoever holds its token sees it."""

    number: str
    category: str
    state: TicketState
    priority: Priority | None
    ahead: Annotated[int | None, Meta(description="How many come before; null unless waiting.")]
    estimate: Estimate | None
    window: Annotated[int | None, Meta(description="Where to go, once called.")]
    taken_at: Moment
    called_at: Moment | None
    started_at: Moment | None
    finished_at: Moment | None
    rated: bool


class OwnTicket(HeldTicket, frozen=True):
    """The same, with the hall that it is of."""

    hall: str


class Ticket(Struct, frozen=True):
    """A ticket as the window staff sees it; never its token."""

    id: int
    number: str
    category: str
    state: TicketState
    priority: Priority | None
    channel: Channel
    item: str | None
    window: int | None
    ahead: int | None
    taken_at: Moment
    called_at: Moment | None
    started_at: Moment | None
    finished_at: Moment | None
    attempts: Annotated[int, Meta(description="How often it was called in its present stage.")]
    note: Annotated[bool, Meta(description="Whether a colleague has left a note with it.")]


class Entry(Struct, frozen=True):
    """One journal entry. `hash` is SHA-256 of the hash before it and `entry`, as text."""

    seq: int
    at: Moment
    kind: str
    data: dict[str, Any]
    by: Annotated[str, Meta(description="`staff:3`, `account:2`, `token:7`, `citizen`, `hall`.")]
    hash: str
    entry: Annotated[str, Meta(description="The text that the hash chain covers.")]


class Journal(Struct, frozen=True):
    """Entries in order, without a gap; fewer than `limit` means that these are the last."""

    entries: list[Entry]


class Presence(Struct, frozen=True):
    """Who follows a hall now, in all processes that can be heard of.

    `topics` counts sockets by topic; `window-3` is the console of window 3.
    """

    processes: int
    topics: dict[str, int]


class ClockNow(Struct, frozen=True):
    """How hall time runs from now on."""

    mode: Literal["machine", "scaled", "stated"]
    speed: float
    at: Moment


class FieldError(Struct, frozen=True):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(Struct, frozen=True):
    """Why a request was not done (RFC 9457). Nothing of it was."""

    type: Annotated[str, Meta(examples=["urn:tinghao:problem:window-closed"])]
    title: str
    status: int
    detail: Annotated[str, Meta(description="A sentence to act on, in the caller's language.")]
    state: Annotated[
        Any, Meta(description="With 409: what the window, ticket or category is now.")
    ] = UNSET
    errors: Annotated[
        list[FieldError] | UnsetType, Meta(description="With 400: field by field.")
    ] = UNSET
    incident: Annotated[
        str | UnsetType, Meta(description="With 500: the number it was recorded under.")
    ] = UNSET
