"""The journal: every fact of a hall, once, in order, chained by hashes.

This sub-room owns the hall's lock, appending, hashing, remembered answers and dispatch. Rooms
register with it (`Room`) what they can decide, how their state evolves and which tables repeat
it, so that nothing here imports them.
"""

from tinghao.queue.journal.bulk import Bulk
from tinghao.queue.journal.rooms import Room, Rooms
from tinghao.queue.journal.store import load_state, read_entries
from tinghao.queue.journal.work import Done, Outcome, Work, transact

__all__ = [
    "Bulk",
    "Done",
    "Outcome",
    "Room",
    "Rooms",
    "Work",
    "load_state",
    "read_entries",
    "transact",
]
