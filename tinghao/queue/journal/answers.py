"""Remembered answers: a retried command is answered again, not done again.

The scope of a key is (caller, hall, key). Only successful answers are kept, for 24 hours of
machine time, written in the same transaction as what they answer for.
"""

from sqlalchemy import Connection, delete, insert, select

from tinghao.queue.model import Micros
from tinghao.queue.refusals import conflict
from tinghao.queue.tables import answers

KEPT: Micros = 24 * 3600 * 1_000_000

_find = select(answers.c.fingerprint, answers.c.answer, answers.c.at)


def remembered(
    connection: Connection, hall_id: int, caller: str, key: str, fingerprint: str, machine: Micros
) -> str | None:
    """The stored answer for the key. Raises Refusal `key-reused` for another body."""
    row = connection.execute(
        _find.where(answers.c.hall_id == hall_id, answers.c.caller == caller, answers.c.key == key)
    ).one_or_none()
    if row is None:
        return None
    if row.at < machine - KEPT:
        _forget(connection, hall_id, caller, key)
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
        insert(answers),
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


def _forget(connection: Connection, hall_id: int, caller: str, key: str) -> None:
    connection.execute(
        delete(answers).where(
            answers.c.hall_id == hall_id, answers.c.caller == caller, answers.c.key == key
        )
    )
