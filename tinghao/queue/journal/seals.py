"""Seals: at each day close the journal's head is signed, so that a cut tail shows as well."""

from typing import Protocol

from msgspec import Struct
from sqlalchemy import Connection, func, insert, select

from tinghao.queue.model import Day, HallState, Micros
from tinghao.queue.tables import halls, seals


class Signer(Protocol):
    """Signs with a key that is kept outside the database."""

    key_id: str

    def sign(self, message: bytes) -> str:
        """The signature, hexadecimal."""

    def verify(self, message: bytes, signature: str) -> bool:
        """Whether the signature is of this key and message."""


class Seal(Struct, frozen=True):
    """The signed head of a hall's journal at the close of a day."""

    hall: str
    epoch: str
    day: Day
    seq: int
    at: Micros
    hash: str
    key_id: str
    signature: str


def message(hall: str, epoch: str, day: Day, seq: int, at: Micros, digest: str) -> bytes:
    """The bytes that a seal signs."""
    return f"tinghao-seal:{hall}:{epoch}:{day}:{seq}:{at}:{digest}".encode()


def seal(signer: Signer, state: HallState, day: Day) -> Seal:
    """Sign the head of a state that has just closed the day."""
    what = message(state.code, state.epoch, day, state.seq, state.at, state.hash)
    return Seal(
        state.code,
        state.epoch,
        day,
        state.seq,
        state.at,
        state.hash,
        signer.key_id,
        signer.sign(what),
    )


def save(connection: Connection, hall_id: int, made: Seal) -> None:
    """Write a seal to its row."""
    connection.execute(
        insert(seals),
        {
            "hall_id": hall_id,
            "seq": made.seq,
            "day": made.day,
            "at": made.at,
            "epoch": made.epoch,
            "hash": made.hash,
            "key_id": made.key_id,
            "signature": made.signature,
        },
    )


def saved(connection: Connection, hall_id: int, hall: str) -> list[Seal]:
    """The seals of a hall, oldest first."""
    rows = connection.execute(select(seals).where(seals.c.hall_id == hall_id).order_by(seals.c.seq))
    return [
        Seal(hall, row.epoch, row.day, row.seq, row.at, row.hash, row.key_id, row.signature)
        for row in rows
    ]


def every_saved(connection: Connection) -> list[Seal]:
    """The seals of all halls."""
    rows = connection.execute(select(halls.c.id, halls.c.code).order_by(halls.c.code)).all()
    return [seal for hall_id, code in rows for seal in saved(connection, hall_id, code)]


def how_many(connection: Connection) -> int:
    """The number of seals of all halls: it grows when there is a new one."""
    return connection.scalar(select(func.count()).select_from(seals)) or 0
