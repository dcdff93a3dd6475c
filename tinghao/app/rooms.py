"""The rooms of this version: what folds a hall's journal besides the hall's own work.

Everything that loads a state, the server, the command line, a check, must use the same rooms.
"""

from __future__ import annotations

from tinghao.monitoring import totals
from tinghao.queue.journal.rooms import Rooms


def all_rooms() -> Rooms:
    """Every room of this version."""
    return Rooms([totals.ROOM])
