"""Reading a recorded day: who took a number when, and when it was called.

A record is a CSV file with the columns `ticket_id, queue_id, category, server_id, arrived_at,
started_at, finished_at, outcome, priority` (more columns are allowed and ignored). Times are the
hall's local time without a zone; a blank means that it is not known or never happened. Beside
it a file `snapshots.csv` with `ts, queue_id, category, open_counters` may say how many counters
were open. A bad row stops the reading with the file, the line and the column.

Times of a day are microseconds from its local midnight (`Micros`), so that a day can be moved
to another date as it is.
"""

import csv
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from tinghao.queue.model import Micros

COLUMNS = (
    "ticket_id",
    "queue_id",
    "category",
    "server_id",
    "arrived_at",
    "started_at",
    "finished_at",
    "outcome",
    "priority",
)
SNAPSHOT_COLUMNS = ("ts", "queue_id", "category", "open_counters")


class RecordError(ValueError):
    """A record that cannot be read; the message names the file, and line and column if any."""


class RecordedTicket(Struct, frozen=True):
    """One number of the record. Times are microseconds from the local midnight of `day`."""

    id: str
    site: str  # the column queue_id: an office, or the only queue of a small set
    letter: str  # the column category
    day: date
    arrived: Micros
    called: Micros | None = None
    finished: Micros | None = None  # of a ticket never called: when it left
    server: str | None = None
    outcome: str = ""
    priority: bool = False

    @property
    def queue(self) -> str:
        """The recorded queue: the site and its category, as `--map` names it."""
        return queue_name(self.site, self.letter)


class Snapshot(Struct, frozen=True):
    """How many counters a recorded queue had open at a time of a day."""

    site: str
    letter: str
    day: date
    at: Micros
    open_counters: int

    @property
    def queue(self) -> str:
        """The recorded queue that the snapshot is about."""
        return queue_name(self.site, self.letter)


class Record(Struct, frozen=True):
    """What one file holds, tickets and snapshots in order of time."""

    source: str
    tickets: tuple[RecordedTicket, ...]
    snapshots: tuple[Snapshot, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        """The recorded days, in order."""
        return tuple(sorted({each.day for each in self.tickets}))

    @property
    def sites(self) -> tuple[str, ...]:
        """The recorded sites, in order of name."""
        return tuple(sorted({each.site for each in self.tickets}))


def queue_name(site: str, letter: str) -> str:
    """The name of a recorded queue, as `--map` takes it: `UD_Zoliborz/N`."""
    return f"{site}/{letter}"


def read_record(path: Path) -> Record:
    """Read a record and the snapshots beside it. Raises RecordError for a file or row in error."""
    tickets = sorted(_tickets(path), key=_order)
    if not tickets:
        raise RecordError(f"{path}: no tickets in this file")
    beside = path.with_name("snapshots.csv")
    snapshots = _snapshots(beside) if beside.exists() and beside != path else ()
    return Record(
        source=path.name,
        tickets=tuple(tickets),
        snapshots=tuple(sorted(snapshots, key=lambda each: (each.day, each.at))),
    )


def select(record: Record, sites: tuple[str, ...] = (), days: tuple[date, ...] = ()) -> Record:
    """The part of a record at these sites and days; nothing named means all.

    A site is named in full or by its beginning. Raises RecordError for a site or a day that
    the record does not have.
    """
    for site in sites:
        if not any(each.startswith(site) for each in record.sites):
            raise RecordError(
                f"{record.source}: no site {site!r}; there is {', '.join(record.sites)}"
            )
    for day in days:
        if day not in record.days:
            first, last = record.days[0], record.days[-1]
            raise RecordError(
                f"{record.source}: no tickets on {day}; the record runs from {first} to {last}"
            )

    def wanted(each: RecordedTicket | Snapshot) -> bool:
        return (not sites or each.site.startswith(sites)) and (not days or each.day in days)

    tickets = tuple(each for each in record.tickets if wanted(each))
    if not tickets:
        raise RecordError(f"{record.source}: the sites have no tickets on the days asked for")
    return Record(
        source=record.source,
        tickets=tickets,
        snapshots=tuple(each for each in record.snapshots if wanted(each)),
    )


def _order(ticket: RecordedTicket) -> tuple[date, Micros, float]:
    """By arrival. Those who came in the same second stand in the order in which they were called;
    the rest keep the order of the file."""
    called = float("inf") if ticket.called is None else float(ticket.called)
    return (ticket.day, ticket.arrived, called)


# -- rows


class _Row:
    """One row, with what an error message needs."""

    def __init__(self, path: Path, line: int, fields: dict[str, str]) -> None:
        self.path = path
        self.line = line
        self.fields = fields

    def error(self, column: str, problem: str) -> RecordError:
        return RecordError(f"{self.path}, line {self.line}, column {column}: {problem}")

    def text(self, column: str) -> str:
        value = self.fields[column].strip()
        if not value:
            raise self.error(column, "must not be blank")
        return value

    def moment(self, column: str) -> datetime | None:
        value = self.fields[column].strip()
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or "T" not in value.replace(" ", "T"):
            raise self.error(column, f"{value!r} is not a time like 2020-01-13T09:15:00")
        if moment.tzinfo is not None:
            raise self.error(column, f"{value!r} has a zone; times are local and without one")
        return moment

    def needed_moment(self, column: str) -> datetime:
        moment = self.moment(column)
        if moment is None:
            raise self.error(column, "must not be blank")
        return moment


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in columns if name not in header]
            if missing:
                raise RecordError(f"{path}, line 1: the header lacks {', '.join(missing)}")
            for values in reader:
                if not values:
                    continue
                if len(values) != len(header):
                    raise RecordError(
                        f"{path}, line {reader.line_num}: "
                        f"{len(values)} fields where the header has {len(header)}"
                    )
                yield _Row(path, reader.line_num, dict(zip(header, values, strict=True)))
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}: not UTF-8 text ({error.reason})") from error
    except csv.Error as error:
        raise RecordError(f"{path}: not a CSV file ({error})") from error


def _tickets(path: Path) -> Iterator[RecordedTicket]:
    seen: set[str] = set()
    for row in _rows(path, COLUMNS):
        id_ = row.text("ticket_id")
        if id_ in seen:
            raise row.error("ticket_id", f"{id_!r} stands in an earlier line")
        seen.add(id_)
        arrived = row.needed_moment("arrived_at")
        called = row.moment("started_at")
        finished = row.moment("finished_at")
        if called is not None and called < arrived:
            raise row.error("started_at", f"{called} is before the arrival, {arrived}")
        if finished is not None and finished < (called or arrived):
            raise row.error("finished_at", f"{finished} is before {called or arrived}")
        priority = row.fields["priority"].strip()
        if priority not in {"", "0", "1"}:
            raise row.error("priority", f"{priority!r} is none of 1, 0 and blank")
        midnight = datetime.combine(arrived.date(), datetime.min.time())
        yield RecordedTicket(
            id=id_,
            site=row.text("queue_id"),
            letter=row.text("category"),
            day=arrived.date(),
            arrived=_since(midnight, arrived),
            called=None if called is None else _since(midnight, called),
            finished=None if finished is None else _since(midnight, finished),
            server=row.fields["server_id"].strip() or None,
            outcome=row.fields["outcome"].strip(),
            priority=priority == "1",
        )


def _snapshots(path: Path) -> Iterator[Snapshot]:
    for row in _rows(path, SNAPSHOT_COLUMNS):
        at = row.needed_moment("ts")
        counters = row.text("open_counters")
        if not counters.isdecimal():
            raise row.error("open_counters", f"{counters!r} is not a number of counters")
        yield Snapshot(
            site=row.text("queue_id"),
            letter=row.text("category"),
            day=at.date(),
            at=_since(datetime.combine(at.date(), datetime.min.time()), at),
            open_counters=int(counters),
        )


def _since(midnight: datetime, moment: datetime) -> Micros:
    return (moment - midnight) // timedelta(microseconds=1)
