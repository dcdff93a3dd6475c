"""Seals outside the database: each day close is also written to a file, to be copied away.

A journal whose end was cut off, database seals and all, still contradicts this file.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from tinghao.queue.journal.seals import Seal

log = logging.getLogger(__name__)

FOLDER = "seals"


def exporter(data: Path) -> Callable[[Seal], None]:
    """A function that appends a seal to ``seals/HALL.jsonl`` in the data directory."""

    def export(seal: Seal) -> None:
        try:
            (data / FOLDER).mkdir(exist_ok=True)
            with (data / FOLDER / f"{seal.hall}.jsonl").open("ab") as file:
                file.write(msgspec.json.encode(seal) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            log.error("the seal of %s for day %d was not exported: %s", seal.hall, seal.day, error)

    return export


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
