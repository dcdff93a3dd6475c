"""A hall in memory: the real rules and the real live state, without a database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from tinghao.queue.commands import CallNext, Command, NoShow, Open, Recall, SetClock, Take
from tinghao.queue.decide import needs_day
from tinghao.queue.events import Entry, HallConfigured
from tinghao.queue.founding import PUYANG
from tinghao.queue.journal.entries import GENESIS
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.journal.writing import Writing
from tinghao.queue.live import LiveHall
from tinghao.queue.model import SECOND, Call, HallClock, HallConfig, HallState, Micros
from tinghao.queue.people import Person
from tinghao.queue.rules.days import opening
from tinghao.realtime.calls import made

MORNING = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)  # 09:30 in Puyang, a Tuesday
PEOPLE = {1: Person(1, "001", "王建国")}


class Hall:
    """A hall whose time stands still between commands; each takes a second of it."""

    def __init__(self, code: str = "puyang", config: HallConfig = PUYANG) -> None:
        self.rooms = Rooms()
        self.at: Micros = int(MORNING.timestamp()) * SECOND
        self.entries: list[Entry] = []
        start = Writing(self.rooms, self.rooms.start(code, "e1", GENESIS), "hall")
        start.add(HallConfigured(config=config), self.at - 3600 * SECOND)
        self.live = LiveHall(self.rooms, 1, start.state)
        self.calls: list[Call] = []
        self.run(Open(window=1, staff=1), Open(window=2))

    @property
    def state(self) -> HallState:
        return self.live.state

    def run(self, *commands: Command) -> None:
        """Do them, and tell of all at once."""
        writing = Writing(self.rooms, self.state, "hall")
        for command in commands:
            self.at += SECOND
            for moment, event in self.rooms.due(writing.state, self.at):
                writing.add(event, moment)
            if needs_day(command):
                for event in opening(writing.state, self.at):
                    writing.add(event, self.at)
            for event in self.rooms.decide(writing.state, command, self.at, None):
                writing.add(event, self.at)
        before, entries = self.state, tuple(writing.entries)
        self.entries += entries
        self.live.advance(entries)
        self.calls += made(before, self.state, entries)

    def take(self, category: str = "social", times: int = 1) -> None:
        """So many citizens take a number, within one word to the listeners."""
        self.run(*[Take(category=category)] * times)

    def call(self, window: int = 1) -> Call:
        """The window is done with whoever it has (a recall, a no-show), and calls the next."""
        if self.state.windows[window].ticket is not None:
            self.run(Recall(window=window), NoShow(window=window))
        if not self.state.queues["social"]:
            self.take()
        self.run(CallNext(window=window))
        return self.calls[-1]

    def let_pass(self, seconds: float) -> None:
        """Hall time passes, and nothing happens."""
        self.at += int(seconds * SECOND)

    def run_fast(self, speed: float) -> None:
        """Set the hall's clock to a multiple of the machine's."""
        self.run(SetClock(clock=HallClock("scaled", self.at, self.at, speed)))

    def restore(self, epoch: str) -> None:
        """The journal comes back from a backup, as another incarnation."""
        self.live.reload(replace(self.state, epoch=epoch))

    async def missed(self, code: str, after: int, upto: int, limit: int) -> list[Call] | None:
        """What the journal would say of the calls in between."""
        calls = [call for call in self.calls if after < call.id <= upto]
        return calls if len(calls) <= limit else None


def finder(*halls: Hall) -> Callable[[str], LiveHall | None]:
    """How the hub finds them."""
    by_code = {hall.state.code: hall.live for hall in halls}
    return by_code.get


def moment(text: str) -> timedelta:
    """An RFC 3339 time as a distance that can be compared."""
    return datetime.fromisoformat(text) - MORNING
