"""The commands `tinghao import` and `tinghao replay`."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from tinghao.app.cli.deployment import config_option, open_database, settings_of, the_hall
from tinghao.app.cli.sentences import CommandError
from tinghao.app.database import Database
from tinghao.app.keys import load_journal_key
from tinghao.app.records.deal import DealError
from tinghao.app.records.fitting import plan_hall
from tinghao.app.records.importer import Imported, NotImported, import_plan, people_of
from tinghao.app.records.plan import PlanError, make_plan
from tinghao.app.records.record import Record, RecordError, read_record, select
from tinghao.app.records.replay import Replayed, replay
from tinghao.app.rooms import all_rooms
from tinghao.app.seals import export
from tinghao.app.settings import Settings
from tinghao.client import Client, Refused, Unreachable
from tinghao.queue.clock import machine_clock
from tinghao.queue.journal import load_state
from tinghao.queue.journal.seals import saved
from tinghao.queue.journal.store import head_of

SHOWN = 20
"""Problems and differences that are printed; the rest is counted."""

_file = click.argument("file", type=click.Path(path_type=Path))
_hall = click.option("--hall", required=True, metavar="CODE", help="The hall's code.")
_site = click.option(
    "--site",
    "sites",
    multiple=True,
    metavar="S",
    help="Only this recorded site, or those that begin so; may be repeated.",
)
_day = click.option(
    "--day",
    "days",
    multiple=True,
    metavar="YYYY-MM-DD",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only this recorded day; may be repeated.",
)
_map = click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="QUEUE=CATEGORY",
    help="Which category a recorded queue (SITE/LETTER, LETTER or a pattern) goes to; "
    "the others are dealt so that the categories are balanced.",
)


@click.command("import")
@_file
@_hall
@_site
@_day
@_map
@click.option(
    "--begin",
    metavar="YYYY-MM-DD",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Move the record by whole days so that it begins on this one.",
)
@config_option
def import_command(
    file: Path,
    hall: str,
    sites: tuple[str, ...],
    days: tuple[datetime, ...],
    maps: tuple[str, ...],
    begin: datetime | None,
    config: Path | None,
) -> None:
    """Put recorded days into the journal of a hall, with their own times.

    FILE is a record of tickets (CSV). The hall's journal must be older than the record and
    nothing may be open in it. Windows and services, which a record does not hold, are made up.
    """
    record = _chosen(file, sites, days)
    shift = 0 if begin is None else (begin.date() - record.days[0]).days
    settings = settings_of(config)
    try:
        with open_database(settings) as database:
            done = _import(settings, database, the_hall(database, hall), record, maps, shift)
    except (NotImported, DealError, PlanError) as error:
        raise CommandError(str(error)) from error
    click.echo(
        f"{hall}: {done.tickets} tickets and {done.calls} calls of {done.first} to {done.last} "
        f"are in the journal, {done.entries} entries."
    )


def _import(
    settings: Settings,
    database: Database,
    hall: str,
    record: Record,
    maps: tuple[str, ...],
    shift: int,
) -> Imported:
    signer = load_journal_key(settings.journal_key_path)
    rooms = all_rooms()
    head = database.read_sync(partial(head_of, code=hall))
    state = database.read_sync(partial(load_state, rooms=rooms, code=hall))
    plan = make_plan(record, plan_hall(state), maps)
    for sentence in plan.left_out:
        click.echo(f"left out: {sentence}", err=True)
    try:
        with _progress("importing", sum(len(day.steps) for day in plan.days)) as advance:
            return import_plan(
                plan,
                state,
                head.hall_id,
                rooms,
                database.write_sync,
                machine_clock,
                people=database.read_sync(partial(people_of, hall_id=head.hall_id)),
                signer=signer,
                shift=shift,
                progress=advance,
            )
    finally:
        sealed = database.read_sync(partial(saved, hall_id=head.hall_id, hall=hall))
        export(settings.data_path, [seal for seal in sealed if seal.seq > state.seq])


@click.command("replay")
@_file
@click.option("--url", required=True, metavar="URL", help="The running server.")
@click.option(
    "--token",
    required=True,
    envvar="TINGHAO_REPLAY_TOKEN",
    metavar="T",
    help="A token of the role replay.",
)
@_hall
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True, max=1_000_000),
    default=60.0,
    show_default=True,
    metavar="N",
    help="How many times faster than recorded.",
)
@_site
@_day
@_map
@click.option(
    "--keep-clock", is_flag=True, help="Leave the hall on the record's time instead of today's."
)
def replay_command(
    file: Path,
    url: str,
    token: str,
    hall: str,
    speed: float,
    sites: tuple[str, ...],
    days: tuple[datetime, ...],
    maps: tuple[str, ...],
    keep_clock: bool,
) -> None:
    """Let a running server live through recorded days, then check its journal.

    Citizens take numbers and windows call them when they did; exit code 0 means that the
    hall's journal agrees with the record number by number.
    """
    record = _chosen(file, sites, days)
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise click.BadParameter("an address like http://127.0.0.1:8000", param_hint="--url")
    try:
        result = asyncio.run(_replay(url, token, hall, record, speed, maps, keep_clock))
    except Refused as error:
        raise CommandError(f"The server refuses: {error}") from error
    except (Unreachable, DealError, PlanError) as error:
        raise CommandError(str(error)) from error
    _report(hall, result)
    if not result.clean:
        raise SystemExit(1)


async def _replay(
    url: str,
    token: str,
    hall: str,
    record: Record,
    speed: float,
    maps: tuple[str, ...],
    keep_clock: bool,
) -> Replayed:
    with _progress("replaying", None) as advance:
        async with Client(url, token) as client:
            return await replay(
                client,
                hall,
                record,
                speed,
                maps=maps,
                keep_clock=keep_clock,
                say=advance.say,
                planned=advance.planned,
                progress=advance,
            )


def _report(hall: str, result: Replayed) -> None:
    done = result.driven.done
    calls = done.get("call-next", 0) + done.get("call", 0)
    others = sum(done.values()) - done.get("take", 0) - calls
    click.echo(
        f"{hall}: {len(result.plan.days)} days, {done.get('take', 0)} takes, {calls} calls "
        f"({done.get('call', 0)} by number), {others} other commands, {result.retries} retries."
    )
    click.echo(f"Made up, because no record holds it: {'; '.join(result.plan.synthetic)}.")
    for title, sentences in (
        ("Not done", result.driven.problems),
        ("The journal differs from the record", result.differences),
    ):
        if sentences:
            click.echo(f"{title} ({len(sentences)}):")
        for sentence in sentences[:SHOWN]:
            click.echo(f"  {sentence}")
        if len(sentences) > SHOWN:
            click.echo(f"  … and {len(sentences) - SHOWN} more")
    if result.clean:
        click.echo("The hall's journal agrees with the record, number by number.")


def _chosen(file: Path, sites: tuple[str, ...], days: tuple[datetime, ...]) -> Record:
    wanted: tuple[date, ...] = tuple(each.date() for each in days)
    try:
        return select(read_record(file), sites, wanted)
    except RecordError as error:
        raise CommandError(str(error)) from error


class _Advance:
    """Moves a bar; knows its length from the first `plan` of steps."""

    def __init__(self, bar: Progress, title: str, total: int | None) -> None:
        self._bar = bar
        self._task = bar.add_task(title, total=total)

    def __call__(self, steps: int) -> None:
        self._bar.advance(self._task, steps)

    def say(self, sentence: str) -> None:
        self._bar.console.print(sentence, markup=False, highlight=False)

    def planned(self, total: int) -> None:
        self._bar.update(self._task, total=total)


@contextmanager
def _progress(title: str, total: int | None) -> Iterator[_Advance]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    with bar:
        yield _Advance(bar, title, total)
