"""Seals outside the database: each day close is also written to a file, to be copied away.

A journal whose end was cut off, database seals and all, still contradicts this file.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from tinghao.queue.journal.seals import Seal

log = logging.getLogger(__name__)

FOLDER = "seals"

_ONE_AT_A_TIME = threading.Lock()


def export(data: Path, made: Iterable[Seal]) -> None:
    """Append to ``seals/HALL.jsonl`` in the data directory those that are not in it yet."""
    by_hall: dict[str, list[Seal]] = {}
    for seal in made:
        by_hall.setdefault(seal.hall, []).append(seal)
    for hall, of_hall in by_hall.items():
        with _ONE_AT_A_TIME:
            try:
                _append(data / FOLDER / f"{hall}.jsonl", of_hall)
            except OSError as error:
                log.error("the seals of %s were not exported: %s", hall, error)


def _append(file: Path, made: list[Seal]) -> None:
    content = file.read_bytes() if file.exists() else b""
    known = set(_keys(content))
    missing = [seal for seal in made if (seal.epoch, seal.seq) not in known]
    if not missing:
        return
    file.parent.mkdir(exist_ok=True)
    with file.open("ab") as out:
        if content and not content.endswith(b"\n"):
            out.write(b"\n")  # the disk was full in the middle of a line
        out.write(b"".join(msgspec.json.encode(seal) + b"\n" for seal in missing))
        out.flush()
        os.fsync(out.fileno())


def _keys(content: bytes) -> Iterator[tuple[str, int]]:
    for line in content.splitlines():
        with suppress(msgspec.DecodeError):
            seal = msgspec.json.decode(line, type=Seal)
            yield seal.epoch, seal.seq


def exported(data: Path, hall: str) -> list[Seal]:
    """The seals in a hall's file, oldest first; raises ValueError for a line that is none."""
    file = data / FOLDER / f"{hall}.jsonl"
    if not file.exists():
        return []
    lines = file.read_bytes().splitlines()
    try:
        return [msgspec.json.decode(line, type=Seal) for line in lines if line.strip()]
    except msgspec.DecodeError as error:
        raise ValueError(f"{file} holds a line that is no seal: {error}") from None
