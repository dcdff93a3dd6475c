"""The values of a hall: its configuration, its windows, its tickets, its state.

All of them are frozen. A state is never changed, only replaced by `evolve`, so that whoever
holds one, on any thread, holds a consistent picture of one moment. Dictionaries inside are
copied before they are written. Times are microseconds since 1970 UTC (`Micros`), a business
day is the integer yyyymmdd (`Day`).
"""

from typing import Any, Literal

from msgspec import Struct, field

Micros = int
Day = int

SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND

TicketState = Literal[
    "waiting", "called", "serving", "held", "no-show", "finished", "cancelled", "expired"
]
Outcome = Literal["finished", "cancelled", "no-show", "expired"]
WindowState = Literal["closed", "open", "paused"]
WindowRole = Literal["intake", "approval", "issue", "resolve"]
Channel = Literal["kiosk", "window", "web", "mobile", "paper"]
Ground = Literal["elderly", "disabled", "pregnant", "military", "infant"]
Class = Literal["normal", "priority", "appointment"]


# -- configuration: journaled, so that a past month is measured by what was in force then


class Item(Struct, frozen=True):
    """A matter (事项) that a citizen comes for."""

    code: str
    name: str
    name_en: str = ""
    kind: Literal["instant", "promised"] = "instant"
    standard_minutes: int = 8


class Category(Struct, frozen=True):
    """A business category (业务类别) with its own queue and numbers."""

    code: str
    name: str
    prefix: str
    name_en: str = ""
    target_minutes: int = 15
    standard_minutes: int = 8
    daily_cap: int = 9999
    last_take: str | None = None  # "16:30" of the hall's clock; None: until the day closes
    open: bool = True
    items: tuple[Item, ...] = ()


class WindowConfig(Struct, frozen=True):
    """A window as it is set up; `weights` shift a category's due times here, in minutes."""

    number: int
    name: str
    role: WindowRole = "intake"
    name_en: str = ""
    categories: tuple[str, ...] = ()
    weights: dict[str, float] = {}


class Policy(Struct, frozen=True):
    """How the hall calls and what it allows. Targets are minutes from entering the queue."""

    normal_minutes: int = 15
    priority_minutes: int = 5
    appointment_minutes: int = 5
    transfer_minutes: int = 5
    grace_minutes: int = 30  # for a no-show to come back
    return_behind: int = 3  # a returned no-show comes behind the next three
    undo_seconds: int = 60
    rating_days: int = 5
    public_read: bool = True
    public_take: bool = False
    refuse_outside_hours: bool = False
    show_staff: Literal["nothing", "badge", "name"] = "badge"


class Closure(Struct, frozen=True):
    """A day on which this hall departs from the national calendar."""

    day: Day
    works: bool
    name: str = ""


class HallConfig(Struct, frozen=True):
    """Everything about a hall that a manager may change, versioned by the journal."""

    name: str
    categories: tuple[Category, ...]
    windows: tuple[WindowConfig, ...]
    name_en: str = ""
    timezone: str = "Asia/Shanghai"
    opens: str = "09:00"
    closes: str = "17:00"
    policy: Policy = Policy()
    closures: tuple[Closure, ...] = ()
    notices: tuple[str, ...] = ()

    def category(self, code: str) -> Category | None:
        """The category of that code, or None."""
        return next((each for each in self.categories if each.code == code), None)


# -- tickets


class TextRef(Struct, frozen=True):
    """Where a free text stands and what it was, without the text: it can be erased there."""

    id: str
    commitment: str  # SHA-256 of salt and text


class Stage(Struct, frozen=True):
    """One wait and one service of a ticket; a transfer begins the next stage."""

    no: int
    category: str
    entered_at: Micros
    due: Micros
    called_at: Micros | None = None  # first call
    last_called_at: Micros | None = None
    calls: int = 0
    window: int | None = None
    staff: int | None = None
    started_at: Micros | None = None
    held_since: Micros | None = None
    held: Micros = 0
    ended_at: Micros | None = None
    outcome: str | None = None


class Rank(Struct, frozen=True, order=True):
    """Where a ticket stands in its category: smallest first (DESIGN 7: due, then seq).

    `bump` is 0 but for a ticket that was put behind another one: it takes that one's `due` and
    `seq` and its own, later, `bump`.
    """

    due: Micros
    seq: int
    bump: int
    ticket: int


class Ticket(Struct, frozen=True):
    """A number in a citizen's hand, from its take to its one outcome."""

    id: int
    day: Day
    number: str
    state: TicketState
    channel: str
    taken_at: Micros
    stage: Stage
    rank: Rank | None = None  # while waiting
    item: str | None = None
    cls: Class = "normal"
    ground: str | None = None
    appointment: Micros | None = None  # the slot
    for_window: int | None = None  # directed
    for_staff: int | None = None
    first_called_at: Micros | None = None
    returned: bool = False
    grace_until: Micros | None = None
    settled_at: Micros | None = None
    result: str | None = None
    reason: str | None = None
    complex: bool = False
    grade: int | None = None
    note: TextRef | None = None
    past: tuple[str, ...] = ()  # categories of earlier stages

    @property
    def category(self) -> str:
        """The category whose queue the ticket is in now."""
        return self.stage.category


class Undo(Struct, frozen=True):
    """What a clerk may take back, and until when."""

    ticket: Ticket  # as it was before
    kind: Literal["finish", "no-show"]
    until: Micros


class Window(Struct, frozen=True):
    """A window as it is now. `ticket` is the one in hand: called or serving."""

    number: int
    state: WindowState
    since: Micros
    categories: tuple[str, ...]
    staff: int | None = None
    ticket: int | None = None
    held: tuple[int, ...] = ()
    pause_reason: str | None = None
    pause_until: Micros | None = None
    undo: Undo | None = None
    finished: int = 0  # today
    no_shows: int = 0
    handling: tuple[Micros, ...] = ()  # of today's finished tickets
    idle_since: Micros | None = None
    last_finished: int | None = None  # the ticket that its evaluator may rate


class Call(Struct, frozen=True):
    """One calling of a number. `id` is the seq of its journal entry."""

    id: int
    number: str
    category: str
    window: int
    at: Micros
    attempt: int


class Tally(Struct, frozen=True):
    """Counts of one category and business day."""

    taken: int = 0
    called: int = 0
    within_target: int = 0
    left_late: int = 0  # cancelled or expired after the target had passed
    finished: int = 0
    no_shows: int = 0
    cancelled: int = 0
    expired: int = 0


class HalfHour(Struct, frozen=True):
    """What happened in one half hour of the day."""

    taken: int = 0
    called: int = 0


class HallClock(Struct, frozen=True):
    """How hall time follows from machine time.

    machine: the same. scaled: `at` + (machine − `machine_at`) × `speed`. stated: it stands at
    the last entry; a replay states each time, `speed` only tells screens how fast it goes.
    """

    mode: Literal["machine", "scaled", "stated"] = "machine"
    at: Micros = 0
    machine_at: Micros = 0
    speed: float = 1.0


class Noted(Struct, frozen=True):
    """An entry as the manager's feed shows it."""

    seq: int
    at: Micros
    kind: str
    number: str | None = None
    window: int | None = None
    detail: str | None = None


class HallState(Struct, frozen=True):
    """A hall at one entry of its journal: everything open, and today's counts."""

    code: str
    epoch: str
    seq: int = 0
    hash: str = ""
    at: Micros = 0
    config: HallConfig | None = None
    clock: HallClock = HallClock()
    day: Day | None = None  # the open business day
    closed: Day | None = None  # the last one that was closed
    counters: dict[str, int] = {}  # last number given, by prefix
    tickets: dict[int, Ticket] = {}  # open ones only
    queues: dict[str, tuple[Rank, ...]] = {}  # waiting, in order of calling
    directed: tuple[int, ...] = ()  # those waiting for one window or person
    absent: tuple[int, ...] = ()  # no-shows in their grace, in order of its end
    windows: dict[int, Window] = {}
    calls: tuple[Call, ...] = ()  # those of the last 120 s, and always the last few
    tallies: dict[str, Tally] = {}
    half_hours: dict[int, HalfHour] = {}
    handling: dict[str, tuple[Micros, ...]] = {}  # last handling times by category
    feed: tuple[Noted, ...] = ()
    rooms: dict[str, Any] = field(default_factory=dict)  # states of the rooms beside this one

    @property
    def setup(self) -> HallConfig:
        """The configuration in force; a hall is founded with one."""
        if self.config is None:
            raise LookupError(f"hall {self.code} has no configuration yet")
        return self.config
