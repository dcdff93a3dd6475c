"""A hall to play with: in memory, with a clock of its own, spoken to in the hall's words.

Tickets are named by their numbers, times by the hall's clock ("10:30"). What is done goes through
the code that the unit of work runs, but for the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from tinghao.queue import commands as ask
from tinghao.queue.clock import at_time, day_start
from tinghao.queue.events import Entry, HallConfigured, TicketCalled, TicketTaken
from tinghao.queue.journal.deciding import carry_out, let_fall_due
from tinghao.queue.journal.entries import GENESIS
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.journal.writing import Writing
from tinghao.queue.model import (
    MINUTE,
    SECOND,
    Category,
    Day,
    HallConfig,
    HallState,
    Micros,
    Policy,
    Ticket,
    Window,
    WindowConfig,
)
from tinghao.queue.refusals import Refusal
from tinghao.queue.routing import ahead, candidates

TUESDAY: Day = 2026_11_24
WEDNESDAY: Day = 2026_11_25
SHANGHAI = "Asia/Shanghai"

SOCIAL = Category(code="social", name="社保民生", prefix="A", daily_cap=2000)
ESTATE = Category(code="estate", name="不动产交易登记", prefix="B")
PLAIN = HallConfig(
    name="濮阳市行政服务中心",
    categories=(SOCIAL, ESTATE),
    windows=(
        WindowConfig(number=1, name="综合受理", categories=("social",)),
        WindowConfig(number=2, name="综合受理", categories=("social", "estate")),
        WindowConfig(number=3, name="统一出证", categories=("estate",)),
    ),
)
"""Two categories and three windows; window 2 serves both."""


def with_policy(**policy: Any) -> HallConfig:
    """The plain hall with another policy."""
    return replace(PLAIN, policy=Policy(**policy))


def with_social(**changes: Any) -> HallConfig:
    """The plain hall with another first category."""
    return replace(PLAIN, categories=(replace(SOCIAL, **changes), ESTATE))


class Hall:
    """A hall on a Tuesday at nine, all windows closed, nobody there."""

    def __init__(self, config: HallConfig = PLAIN, day: Day = TUESDAY, clock: str = "09:00"):
        self.rooms = Rooms()
        self._writing = Writing(self.rooms, self.rooms.start("plain", "e", GENESIS), "staff:1")
        self.day = day
        self._writing.add(HallConfigured(config=config), day_start(20000101, config.timezone))
        self.now: Micros = 0
        self.clock_shows(clock)

    # -- time

    def clock_shows(self, clock: str, day: Day | None = None) -> None:
        """Set the clock, forward or back; nothing happens in the hall by that alone."""
        self.day = day or self.day
        self.now = self.at(clock)

    def wait(self, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass without anybody doing anything."""
        self.now += round(minutes * MINUTE + seconds * SECOND)

    def at(self, clock: str, day: Day | None = None) -> Micros:
        """The moment at which the hall's clock shows that, today."""
        return at_time(day or self.day, clock, self.state.setup.timezone)

    # -- what is

    @property
    def state(self) -> HallState:
        """The hall as it is."""
        return self._writing.state

    @property
    def entries(self) -> list[Entry]:
        """Everything that has happened, first to last."""
        return self._writing.entries

    def ticket(self, number: str) -> Ticket:
        """The latest ticket of that number, open or settled."""
        found = [each for each in self._writing.tickets.values() if each.number == number]
        return found[-1]

    def states(self) -> dict[str, str]:
        """Each number ever given with what has become of it."""
        return {each.number: each.state for each in self._writing.tickets.values()}

    def window(self, number: int) -> Window:
        """The window of that number."""
        return self.state.windows[number]

    def in_hand(self, window: int) -> str | None:
        """The number that the window is busy with."""
        ticket = self.window(window).ticket
        return None if ticket is None else self.state.tickets[ticket].number

    def waiting(self, category: str = "social") -> list[str]:
        """Who waits in a category, in the order of calling."""
        return [self.state.tickets[each.ticket].number for each in self.state.queues[category]]

    def next_for(self, window: int) -> list[str]:
        """Whom the window would call, first to last."""
        found = candidates(self.state, self.window(window))
        return [self.state.tickets[each.ticket].number for each in found]

    def ahead_of(self, number: str) -> int | None:
        """How many come before the number in its category."""
        return ahead(self.state, self.ticket(number))

    def happened(self, since: int = 0) -> list[str]:
        """The kinds of the entries behind `since`."""
        return [each.event.kind for each in self.entries if each.seq > since]

    # -- what is done

    def do(self, command: ask.Command) -> tuple[Entry, ...]:
        """Carry a command out; its own entries. Raises Refusal."""
        let_fall_due(self.rooms, self._writing, self.now)
        named = command.ticket if isinstance(command, ask.OfTicket) else 0
        settled = self._writing.tickets.get(named)
        return carry_out(self.rooms, self._writing, command, self.now, settled)

    @contextmanager
    def refuses(self, slug: str, kind: str = "conflict", saying: str = "") -> Iterator[None]:
        """What is done inside is refused, for that reason, and leaves everything as it was."""
        let_fall_due(self.rooms, self._writing, self.now)
        before = self.state
        with pytest.raises(Refusal) as refused:
            yield
        assert (refused.value.slug, refused.value.kind) == (slug, kind)
        assert saying in str(refused.value)
        assert self.state is before

    def tick(self) -> None:
        """Let happen what has fallen due."""
        self.do(ask.Tick())

    def take(self, category: str = "social", **more: Any) -> str:
        """A citizen takes a number."""
        *_, taken = self.do(ask.Take(category=category, **more))
        assert isinstance(taken.event, TicketTaken)
        return taken.event.number

    def take_many(self, count: int, category: str = "social") -> list[str]:
        """So many citizens take numbers, a second apart."""
        numbers = []
        for _ in range(count):
            numbers.append(self.take(category))
            self.wait(seconds=1)
        return numbers

    def cancel(self, number: str) -> None:
        """The citizen leaves."""
        self.do(ask.Cancel(ticket=self.ticket(number).id))

    def defer(self, number: str, places: int = 3) -> None:
        """The citizen lets others go first."""
        self.do(ask.Defer(ticket=self.ticket(number).id, places=places))

    def rate(self, number: str, grade: int = 5, **more: Any) -> None:
        """The citizen rates the service."""
        self.do(ask.Rate(ticket=self.ticket(number).id, grade=grade, **more))

    def open(self, *windows: int, staff: int | None = None) -> None:
        """Clerks sit down; each has the id of his window unless said otherwise."""
        for window in windows:
            self.do(ask.Open(window=window, staff=staff or window))

    def close(self, window: int) -> None:
        """The clerk leaves his window."""
        self.do(ask.Close(window=window))

    def pause(self, window: int, **more: Any) -> None:
        """The clerk takes a break."""
        self.do(ask.Pause(window=window, **more))

    def resume(self, window: int) -> None:
        """The break is over."""
        self.do(ask.Resume(window=window))

    def assign(self, window: int, *categories: str) -> None:
        """The window serves these categories now."""
        self.do(ask.Assign(window=window, categories=categories))

    def call_next(self, window: int) -> str | None:
        """The next number, or None when nobody is eligible."""
        return _number(self.do(ask.CallNext(window=window)))

    def call(self, window: int, number: str, reason: str = "green-lane") -> str | None:
        """A chosen number is called."""
        return _number(self.do(ask.CallNumber(window=window, number=number, reason=reason)))

    def recall(self, window: int) -> None:
        """The number in hand is called again."""
        self.do(ask.Recall(window=window))

    def start(self, window: int) -> None:
        """The citizen is at the window."""
        self.do(ask.Start(window=window))

    def finish(self, window: int, **more: Any) -> None:
        """The service ends."""
        self.do(ask.Finish(window=window, **more))

    def no_show(self, window: int) -> None:
        """Nobody came."""
        self.do(ask.NoShow(window=window))

    def hold(self, window: int, reason: str = "copies") -> None:
        """The ticket is put aside."""
        self.do(ask.Hold(window=window, reason=reason))

    def resume_ticket(self, window: int, number: str) -> None:
        """The ticket that was put aside is served again."""
        self.do(ask.ResumeTicket(window=window, number=number))

    def bring_back(self, window: int, number: str | None = None, reason: str = "mistake") -> None:
        """Back to the queue."""
        self.do(ask.Return(window=window, number=number, reason=reason))

    def transfer(self, window: int, category: str | None = None, **more: Any) -> None:
        """The ticket goes elsewhere."""
        self.do(ask.Transfer(window=window, category=category, **more))

    def undo(self, window: int) -> None:
        """The last finish or no-show is taken back."""
        self.do(ask.Undo(window=window))

    def release(self, window: int, outcome: str, **more: Any) -> None:
        """A manager frees a stuck ticket."""
        self.do(ask.Release(window=window, outcome=outcome, **{"reason": "stuck", **more}))

    def enter_paper(self, window: int, times: tuple[str | Micros, ...], **more: Any) -> str:
        """A citizen served from paper is entered: taken, called, finished."""
        taken, called, finished = (
            self.at(each) if isinstance(each, str) else each for each in times
        )
        paper = ask.EnterPaper(
            window=window,
            category="social",
            taken_at=taken,
            called_at=called,
            finished_at=finished,
            **more,
        )
        entry = self.do(paper)[-1]
        return self._writing.tickets[entry.seq].number

    def configure(self, config: HallConfig) -> None:
        """A new configuration."""
        self.do(ask.Configure(config=config))

    # -- whole scenes

    def called(self, window: int) -> str:
        """Somebody is called to the window; a citizen comes in if nobody waits."""
        number = self.call_next(window)
        if number is None:
            self.take(self.window(window).categories[0])
            number = self.call_next(window)
        assert number is not None
        return number

    def serving(self, window: int) -> str:
        """Somebody is served at the window."""
        number = self.called(window)
        self.start(window)
        return number

    def served(self, window: int) -> str:
        """Somebody was served at the window."""
        number = self.serving(window)
        self.finish(window)
        return number

    def missed(self, window: int) -> str:
        """Somebody did not come, though he was called twice."""
        number = self.called(window)
        self.recall(window)
        self.no_show(window)
        return number

    def held(self, window: int) -> str:
        """Somebody's ticket is on hold at the window."""
        number = self.serving(window)
        self.hold(window)
        return number


def _number(entries: tuple[Entry, ...]) -> str | None:
    calls = [each.event for each in entries if isinstance(each.event, TicketCalled)]
    return calls[0].number if calls else None
