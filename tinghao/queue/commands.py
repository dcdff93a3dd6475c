"""What one may ask of a hall. `decide` answers with events or with a refusal."""

from typing import ClassVar

from msgspec import Struct

from tinghao.queue.model import Channel, HallClock, HallConfig, Micros, TextRef


class Text(Struct, frozen=True):
    """A free text on its way to its own row; the journal gets only `ref`."""

    ref: TextRef
    salt: str
    text: str


class Command(Struct, frozen=True, kw_only=True):
    """A wish about a hall, with the caller's name for it."""

    name: ClassVar[str]


class Tick(Command, frozen=True):
    """Nothing but the passing of time: whatever has fallen due happens."""

    name: ClassVar[str] = "tick"


class Configure(Command, frozen=True):
    name: ClassVar[str] = "configure"
    config: HallConfig


class SetClock(Command, frozen=True):
    name: ClassVar[str] = "set-clock"
    clock: HallClock


class Take(Command, frozen=True):
    """Take a number. `appointment` is the slot's time; check-in is now."""

    name: ClassVar[str] = "take"
    category: str
    item: str | None = None
    channel: Channel = "kiosk"
    cls: str = "normal"
    ground: str | None = None
    appointment: Micros | None = None
    token_hash: str | None = None


class OfTicket(Command, frozen=True):
    """Asked by the holder of a ticket, which is named by its id."""

    name: ClassVar[str] = ""
    ticket: int


class Cancel(OfTicket, frozen=True):
    name: ClassVar[str] = "cancel"


class Defer(OfTicket, frozen=True):
    name: ClassVar[str] = "defer"
    places: int = 3


class Rate(OfTicket, frozen=True):
    name: ClassVar[str] = "rating"
    grade: int
    reasons: tuple[str, ...] = ()
    text: Text | None = None
    device: str | None = None


class AtWindow(Command, frozen=True):
    """Asked at a window."""

    name: ClassVar[str] = ""
    window: int


class Open(AtWindow, frozen=True):
    name: ClassVar[str] = "open"
    staff: int | None = None


class Pause(AtWindow, frozen=True):
    name: ClassVar[str] = "pause"
    reason: str = "unspecified"
    minutes: int | None = None
    text: Text | None = None


class Resume(AtWindow, frozen=True):
    name: ClassVar[str] = "resume"


class Close(AtWindow, frozen=True):
    name: ClassVar[str] = "close"


class Assign(AtWindow, frozen=True):
    name: ClassVar[str] = "categories"
    categories: tuple[str, ...]


class CallNext(AtWindow, frozen=True):
    name: ClassVar[str] = "call-next"


class CallNumber(AtWindow, frozen=True):
    name: ClassVar[str] = "call"
    number: str
    reason: str
    text: Text | None = None


class EnterPaper(AtWindow, frozen=True):
    """A citizen was served from paper while the service was down; all times of today."""

    name: ClassVar[str] = "paper"
    category: str
    taken_at: Micros
    called_at: Micros
    finished_at: Micros
    result: str = "done"


class Recall(AtWindow, frozen=True):
    name: ClassVar[str] = "recall"


class Start(AtWindow, frozen=True):
    name: ClassVar[str] = "start"


class Finish(AtWindow, frozen=True):
    name: ClassVar[str] = "finish"
    result: str = "done"
    reason: str | None = None
    complex: bool = False
    text: Text | None = None


class NoShow(AtWindow, frozen=True):
    name: ClassVar[str] = "no-show"


class Hold(AtWindow, frozen=True):
    name: ClassVar[str] = "hold"
    reason: str = "unspecified"
    text: Text | None = None


class ResumeTicket(AtWindow, frozen=True):
    name: ClassVar[str] = "resume-ticket"
    number: str


class Return(AtWindow, frozen=True):
    """Back to the queue. Without `number`: the ticket in hand."""

    name: ClassVar[str] = "return"
    reason: str = "unspecified"
    number: str | None = None
    text: Text | None = None


class Transfer(AtWindow, frozen=True):
    name: ClassVar[str] = "transfer"
    category: str | None = None
    to_window: int | None = None
    to_staff: int | None = None
    note: Text | None = None


class Undo(AtWindow, frozen=True):
    name: ClassVar[str] = "undo"


class Release(AtWindow, frozen=True):
    """Free a stuck ticket. Without `number`: the one in hand, or the only one on hold."""

    name: ClassVar[str] = "release"
    outcome: str
    reason: str
    number: str | None = None
    text: Text | None = None


def texts_of(command: Command) -> list[Text]:
    """The free texts that a command brings."""
    brought = (getattr(command, "text", None), getattr(command, "note", None))
    return [each for each in brought if isinstance(each, Text)]
