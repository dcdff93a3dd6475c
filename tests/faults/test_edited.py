"""A journal edited by hand: `tinghao journal verify` says so, where, and exits with 1."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.load.deployment import Deployment, deploy
from tests.queue.office import CODE, TUESDAY, Clock, Office
from tinghao.app.seals import export
from tinghao.queue import commands as ask


@pytest.fixture
async def lived(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Deployment, Office]]:
    """A hall that lived through a day, which was sealed, and into the next."""
    deployment = deploy(tmp_path, database_url)
    clock = Clock()
    async with deployment.office() as made:
        made.desk.clock = made.clock = clock
        made.desk._sealed = lambda seal: export(tmp_path, [seal])
        await made.open(1)
        for _ in range(3):
            await made.take()
        await made.serve(1)
        clock.shows("20:00", TUESDAY)
        await made.do(ask.Take(category="estate"))
        yield deployment, made


async def test_an_honest_journal_is_said_to_be_sound(lived: tuple[Deployment, Office]) -> None:
    deployment, made = lived
    code, said, _ = await deployment.command("journal", "verify")
    assert code == 0
    assert said.startswith(f"{CODE}: {made.state.seq} entries and 1 seals are sound")


async def test_an_edited_entry_is_named(lived: tuple[Deployment, Office]) -> None:
    deployment, made = lived
    made.sql("UPDATE journal SET entry = replace(entry, 'A002', 'A020') WHERE seq = 5")
    code, said, _ = await deployment.command("journal", "verify")
    assert code == 1
    assert f"{CODE}: entry 5 does not continue the chain: it was changed" in said.splitlines()


async def test_a_deleted_entry_is_named(lived: tuple[Deployment, Office]) -> None:
    deployment, made = lived
    made.sql("DELETE FROM journal WHERE seq = 5")
    code, said, _ = await deployment.command("journal", "verify", "--hall", CODE)
    assert code == 1
    assert f"{CODE}: entry 5 is missing: after 4 comes 6" in said.splitlines()


async def test_a_cut_tail_contradicts_the_exported_seal(
    lived: tuple[Deployment, Office],
) -> None:
    """Everything in the database was made to agree with it, the seals included."""
    deployment, made = lived
    close = made.kinds().index("day-closed") + 1
    digest, at = made.sql("SELECT hash, at FROM journal WHERE seq = 1")[0]
    for table in ("seals", "checkpoints", "stages", "tickets"):
        made.sql(f"DELETE FROM {table}")
    made.sql("DELETE FROM journal WHERE seq > 1")
    made.sql("UPDATE windows SET state = 'closed', staff_id = NULL, since = :at", at=at)
    made.sql("UPDATE halls SET head_seq = 1, head_hash = :hash, head_at = :at", hash=digest, at=at)
    code, said, _ = await deployment.command("journal", "verify")
    assert code == 1
    expected = f"the journal ends before entry {close}, which was sealed on day 20260119"
    assert said == f"{CODE}: {expected}\n"
