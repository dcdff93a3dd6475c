"""``tinghao journal``: verify, show."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
from sqlalchemy import Connection

from tinghao.app.archive import begin_new_epochs
from tinghao.app.cli.deployment import (
    config_option,
    hall_codes,
    open_database,
    settings_of,
    the_hall,
)
from tinghao.app.database.serving_lock import sole_server
from tinghao.app.keys import JournalKey, load_journal_key
from tinghao.app.rooms import all_rooms
from tinghao.app.seals import exported
from tinghao.queue.journal import store
from tinghao.queue.journal.seals import Seal, message
from tinghao.queue.journal.verify import Report
from tinghao.queue.journal.verify import verify as verify_journal

AT_A_TIME = 500

_hall = click.option("--hall", metavar="CODE", help="Which hall; may be left out for the only one.")


@click.group()
def journal() -> None:
    """The journal of a hall: every fact, once, in order, chained by hashes."""


@journal.command()
@click.option("--hall", metavar="CODE", help="Only this hall; without it, every one.")
@config_option
@click.pass_context
def verify(ctx: click.Context, hall: str | None, config: Path | None) -> None:
    """Check chain, seals and tables. Exit code 1 and one line for each fault found.

    Works beside a running server. The exported seals in the data directory are held against the
    journal as well, so that a cut tail shows.
    """
    settings = settings_of(config)
    with open_database(settings) as database:
        key = load_journal_key(settings.journal_key_path)
        codes = database.read_sync(hall_codes) if hall is None else [the_hall(database, hall)]
        sound = True
        for code in codes:
            report, faults = database.read_sync(
                partial(_check, code=code, key=key, data=settings.data_path)
            )
            for fault in faults:
                click.echo(f"{code}: {fault}")
            sound = sound and not faults
            if not faults:
                click.echo(
                    f"{code}: {report.entries} entries and {report.seals} seals are sound; "
                    "the tables are as the journal says."
                )
    if not sound:
        ctx.exit(1)


@journal.command()
@_hall
@click.option("--after", metavar="SEQ", type=click.IntRange(min=0), default=0, help="From here on.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="At most so many entries.")
@config_option
def show(hall: str | None, after: int, limit: int | None, config: Path | None) -> None:
    """Print entries as they are stored, one a line: the text that the hash covers, and the hash."""
    with open_database(settings_of(config)) as database:
        code = the_hall(database, hall)
        head = database.read_sync(lambda connection: store.head_of(connection, code))
        left = limit if limit is not None else head.seq
        while left > 0:
            batch = database.read_sync(
                partial(
                    store.raw_entries,
                    hall_id=head.hall_id,
                    after=after,
                    most=min(left, AT_A_TIME),
                )
            )
            if not batch:
                return
            for text, digest in batch:
                click.echo(f"{digest}\t{text}")
            after += len(batch)
            left -= len(batch)


@journal.command("new-epoch")
@config_option
def new_epoch(config: Path | None) -> None:
    """Begin a new epoch of every journal, after the database was brought back by other means than
    `tinghao restore` (a copied file, pg_restore). Screens start anew and everybody signs in again.
    """
    with open_database(settings_of(config)) as database, sole_server(database.path):
        for code, epoch in begin_new_epochs(database).items():
            click.echo(f"{code}: new epoch {epoch}.")


def _check(
    connection: Connection, code: str, key: JournalKey, data: Path
) -> tuple[Report, list[str]]:
    report = verify_journal(connection, all_rooms(), code, key)
    faults = list(report.faults)
    head = store.head_of(connection, code)
    for seal in exported(data, code):
        fault = _exported_fault(connection, head, seal, key)
        if fault is not None:
            faults.append(fault)
    return report, faults


def _exported_fault(
    connection: Connection, head: store.Head, seal: Seal, key: JournalKey
) -> str | None:
    """What contradicts a seal from the file; seals of before a restore are of another time."""
    if seal.epoch != head.epoch:
        return None
    signed = message(seal.hall, seal.epoch, seal.day, seal.seq, seal.at, seal.hash)
    if seal.key_id == key.key_id and not key.verify(signed, seal.signature):
        return f"the exported seal of day {seal.day} has a false signature"
    found = store.raw_entries(connection, head.hall_id, seal.seq - 1, 1)
    if not found or seal.seq > head.seq:
        return f"the journal ends before entry {seal.seq}, which was sealed on day {seal.day}"
    if found[0][1] != seal.hash:
        return f"entry {seal.seq} is not the one that was sealed on day {seal.day}"
    return None
