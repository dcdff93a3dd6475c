"""Remembered answers: a retried command is answered again, not done again.

The scope of a key is (caller, hall, key). Only successful answers are kept, for 24 hours of
machine time, written in the same transaction as what they answer for.
"""

from sqlalchemy import Connection, bindparam, delete, insert, select

from tinghao.queue.model import Micros
from tinghao.queue.refusals import conflict
from tinghao.queue.tables import answers

KEPT: Micros = 24 * 3600 * 1_000_000

# Built once: every command with a key looks here, and building costs more than looking.
_here = (
    answers.c.hall_id == bindparam("hall"),
    answers.c.caller == bindparam("by"),
    answers.c.key == bindparam("named"),
)
_find = select(answers.c.fingerprint, answers.c.answer, answers.c.at).where(*_here)
_forget = delete(answers).where(*_here)
_keep = insert(answers)


def remembered(
    connection: Connection, hall_id: int, caller: str, key: str, fingerprint: str, machine: Micros
) -> str | None:
    """The stored answer for the key. Raises Refusal `key-reused` for another body."""
    here = {"hall": hall_id, "by": caller, "named": key}
    row = connection.execute(_find, here).one_or_none()
    if row is None:
        return None
    if row.at < machine - KEPT:
        connection.execute(_forget, here)
        return None
    if row.fingerprint != fingerprint:
        raise conflict("key-reused", "This Idempotency-Key was already used for another request.")
    return str(row.answer)


def remember(
    connection: Connection,
    hall_id: int,
    caller: str,
    key: str,
    fingerprint: str,
    answer: str,
    machine: Micros,
) -> None:
    """Keep a successful answer."""
    connection.execute(
        _keep,
        {
            "hall_id": hall_id,
            "caller": caller,
            "key": key,
            "fingerprint": fingerprint,
            "answer": answer,
            "at": machine,
        },
    )


def forget_old(connection: Connection, machine: Micros) -> int:
    """Drop answers past their 24 hours; how many there were."""
    return connection.execute(delete(answers).where(answers.c.at < machine - KEPT)).rowcount
