"""The memory of calls: all of them from some point on, or an honest no."""

from hypothesis import given
from hypothesis import strategies as st

from tests.realtime.hall import Hall
from tinghao.queue.commands import Open
from tinghao.queue.model import Call
from tinghao.realtime.calls import LIMIT, CallLog, made


def calls(*ids: int) -> list[Call]:
    return [Call(each, f"A{each:03d}", "social", 1, each * 1_000_000, 1) for each in ids]


def log_of(*ids: int, since: int = 0, seq: int = 100) -> CallLog:
    log = CallLog(Hall().state)
    log.since = since
    log.add(calls(*ids), seq)
    return log


def ids(found: list[Call] | None) -> list[int] | None:
    return None if found is None else [call.id for call in found]


@given(st.sets(st.integers(11, 90)), st.integers(0, 99), st.integers(0, 99))
def test_it_tells_exactly_the_calls_between_or_that_it_cannot(
    there: set[int], after: int, upto: int
) -> None:
    log = log_of(*sorted(there), since=10)
    found = ids(log.between(after, upto))
    if after < 10:
        assert found is None
    else:
        assert found == sorted(each for each in there if after < each <= upto)


def test_it_forgets_the_oldest_and_knows_that_it_did() -> None:
    log = log_of()
    for first in range(0, 6 * LIMIT, LIMIT):
        log.add(calls(*range(first + 1, first + LIMIT + 1)), first + LIMIT)
    assert log.between(0, log.seq) is None
    kept = log.between(log.since, log.seq)
    assert kept is not None
    assert ids(kept) == list(range(log.since + 1, 6 * LIMIT + 1))
    assert LIMIT <= len(kept) <= 2 * LIMIT


def test_calls_read_from_the_journal_go_before_the_others() -> None:
    log = log_of(20, 30, since=10)
    log.prepend(calls(5, 8), 2)
    assert ids(log.between(2, 100)) == [5, 8, 20, 30]
    assert log.between(1, 100) is None


def test_recent_calls_end_where_asked() -> None:
    log = log_of(20, 30, 40)
    assert ids(log.recent(100, 25_000_000)) == [30, 40]
    assert ids(log.recent(30, 25_000_000)) == [30]


def test_a_log_begins_with_what_the_state_still_holds() -> None:
    hall = Hall()
    first = hall.call()
    log = CallLog(hall.state)
    assert ids(log.between(first.id - 1, hall.state.seq)) == [first.id]
    assert log.between(first.id - 2, hall.state.seq) is None


def test_every_call_of_a_long_step_is_found_also_over_the_end_of_a_day() -> None:
    hall = Hall()
    before, known = hall.state, len(hall.entries)
    for _ in range(20):
        hall.call()
        hall.let_pass(300)
    hall.let_pass(24 * 3600)
    hall.run(Open(window=2))
    last = hall.call(window=2)
    entries = hall.entries[known:]
    assert any(each.event.kind == "day-opened" for each in entries)
    found = made(before, hall.state, entries)
    assert [call.id for call in found] == [
        each.seq for each in entries if each.event.kind in ("ticket-called", "ticket-recalled")
    ]
    assert found[-1] == last
