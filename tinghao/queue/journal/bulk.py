"""Bulk work: a past period put into the journal with its own times.

The same `due`, `decide` and `evolve` run in memory; entries are written in transactions of
about a thousand. Only into a hall whose last entry is older and where nothing is open.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from tinghao.queue.commands import Command
from tinghao.queue.events import Entry
from tinghao.queue.journal import store
from tinghao.queue.journal.deciding import carry_out, let_fall_due
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.journal.seals import Signer
from tinghao.queue.journal.writing import Writing
from tinghao.queue.model import HallState, Micros
from tinghao.queue.refusals import conflict

BATCH = 1_000  # entries a transaction

Transaction = Callable[[Callable[[Connection], None]], None]


class Bulk:
    """Feeds commands with their times into one hall.

    `transaction(fn)` runs `fn(connection)` in a transaction of its own and commits it. Nobody
    else may write to the hall meanwhile: a batch that finds the head moved is refused.
    """

    def __init__(
        self,
        rooms: Rooms,
        state: HallState,
        hall_id: int,
        transaction: Transaction,
        begins: Micros,
        by: str = "import",
        signer: Signer | None = None,
    ) -> None:
        """Raises Refusal `not-empty` or `not-older` when the hall cannot take the period."""
        if state.tickets or any(each.state != "closed" for each in state.windows.values()):
            raise conflict(
                "not-empty", "{hall} still has open tickets or windows.", hall=state.code
            )
        if state.at > begins:
            raise conflict(
                "not-older",
                "The journal of {hall} is already later than what is to be imported.",
                hall=state.code,
            )
        self._rooms = rooms
        self._hall_id = hall_id
        self._transaction = transaction
        self._by = by
        self._signer = signer
        self._writing = Writing(rooms, state, by)

    @property
    def state(self) -> HallState:
        """The state that everything so far leads to, written or not."""
        return self._writing.state

    def run(self, command: Command, at: Micros, machine: Micros) -> tuple[Entry, ...]:
        """The command's entries at that time. Raises Refusal when the rules forbid it."""
        writing = self._writing
        let_fall_due(self._rooms, writing, at)
        own = carry_out(self._rooms, writing, command, at)
        if len(writing.entries) >= BATCH:
            self.flush(machine)
        return own

    def flush(self, machine: Micros) -> None:
        """Write what is not yet written."""
        writing = self._writing
        if not writing.entries:
            return

        def write(connection: Connection) -> None:
            head = store.lock(connection, self._hall_id)
            writing.write(connection, head, None, machine, self._signer)

        self._transaction(write)
        self._writing = Writing(self._rooms, writing.state, self._by)
