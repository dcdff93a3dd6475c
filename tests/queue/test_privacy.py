"""The journal is kept for ever and read by many: no personal text may get into it."""

import hashlib

import pytest

from tests.queue.office import TUESDAY, Office
from tinghao.queue import commands as ask
from tinghao.queue.model import TextRef
from tinghao.queue.refusals import Refusal

WORDS = "张伟 410901199001011234 的材料不全, 电话 13800138000"


def text(words: str = WORDS, salt: str = "grain") -> ask.Text:
    commitment = hashlib.sha256((salt + words).encode()).hexdigest()
    return ask.Text(TextRef(hashlib.md5(words.encode()).hexdigest(), commitment), salt, words)


async def everything_with_words(made: Office) -> None:
    await made.open(1, 2)
    await made.take()
    await made.do(ask.CallNumber(window=1, number="A001", reason="other", text=text("call")))
    await made.do(ask.Start(window=1))
    await made.do(ask.Hold(window=1, reason="other", text=text("hold")))
    await made.do(ask.Return(window=1, number="A001", reason="other", text=text("return")))
    await made.call_next(1)
    await made.do(ask.Transfer(window=1, category="estate", note=text("note")))
    await made.call_next(2)
    await made.do(ask.Release(window=2, outcome="waiting", reason="other", text=text("release")))
    await made.call_next(2)
    await made.do(ask.Start(window=2))
    await made.do(ask.Finish(window=2, result="not-done", reason="other", text=text()))
    await made.do(ask.Rate(ticket=5, grade=1, text=text("rating")))
    await made.do(ask.Pause(window=1, reason="other", text=text("pause")))


async def test_words_stand_in_a_row_of_their_own_and_only_there(at_desk: Office) -> None:
    await everything_with_words(at_desk)
    kept = [row[0] for row in at_desk.sql("SELECT text FROM texts")]
    assert sorted(kept) == sorted(
        ["call", "hold", "return", "note", "release", WORDS, "rating", "pause"]
    )
    journal = "".join(at_desk.journal())
    rest = str(
        [at_desk.sql(f"SELECT * FROM {table}") for table in ("tickets", "stages", "windows")]
    )
    for secret in ("张伟", "410901199001011234", "13800138000", "grain"):
        assert secret not in journal
        assert secret not in rest


async def test_the_journal_commits_to_the_words(at_desk: Office) -> None:
    """Whoever shows the words and the salt can prove that they are the ones of then."""
    await everything_with_words(at_desk)
    salt, words = at_desk.sql("SELECT salt, text FROM texts WHERE text LIKE '张伟%'")[0]
    commitment = hashlib.sha256((salt + words).encode()).hexdigest()
    assert commitment in "".join(at_desk.journal())


async def test_erased_words_leave_the_journal_sound(at_desk: Office) -> None:
    await everything_with_words(at_desk)
    at_desk.sql("UPDATE texts SET text = NULL, salt = ''")
    assert at_desk.verify().faults == ()


async def test_names_of_staff_stand_nowhere_but_in_their_row(at_desk: Office) -> None:
    await at_desk.open(1, 2, 3)
    await at_desk.take()
    await at_desk.serve(1)
    assert at_desk.desk.people("plain")[1].name == "李1"
    assert "李" not in "".join(at_desk.journal())


async def test_words_of_a_refused_command_are_not_kept(at_desk: Office) -> None:
    await at_desk.open(1)
    await at_desk.take()
    at_desk.clock.shows("09:00", TUESDAY)  # so that there is something to write all the same
    with pytest.raises(Refusal):
        await at_desk.do(ask.Pause(window=1, reason="other", text=text()))
    assert at_desk.kinds()[-1] == "day-closed"
    assert at_desk.sql("SELECT count(*) FROM texts") == [(0,)]


async def test_a_ticket_s_token_is_kept_as_its_hash_only(at_desk: Office) -> None:
    await at_desk.do(ask.Take(category="social", token_hash="f" * 64))
    assert "f" * 64 not in "".join(at_desk.journal())
    found = await at_desk.desk.ticket_by_token("f" * 64)
    assert found is not None
    assert (found[0], found[1].number) == ("plain", "A001")


async def test_a_token_stays_with_its_ticket_through_everything(at_desk: Office) -> None:
    await at_desk.open(1)
    await at_desk.do(ask.Take(category="social", token_hash="e" * 64))
    await at_desk.serve(1)
    at_desk.clock.shows("09:00", TUESDAY)
    await at_desk.desk.tick()
    found = await at_desk.desk.ticket_by_token("e" * 64)
    assert found is not None
    assert found[1].state == "finished"


async def test_a_wrong_token_opens_nothing(at_desk: Office) -> None:
    await at_desk.do(ask.Take(category="social", token_hash="f" * 64))
    assert await at_desk.desk.ticket_by_token("0" * 64) is None
