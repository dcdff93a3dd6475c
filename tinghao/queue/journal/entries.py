"""An entry as text: the canonical form that is stored and that the hash chain covers."""

import hashlib

import msgspec
from msgspec import Struct

from tinghao.queue.events import Entry, Event
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.model import Day, Micros

GENESIS = "0" * 64  # the hash before the first entry

_encoder = msgspec.json.Encoder(order="sorted")


class _Written(Struct, frozen=True):
    at: Micros
    by: str
    data: msgspec.Raw
    day: Day
    half_hour: int
    hall: str
    kind: str
    seq: int
    v: int


_decoder = msgspec.json.Decoder(_Written)


class BrokenEntry(Exception):
    """A stored entry is not what an entry is, or not what its row says."""


def canonical(hall: str, entry: Entry) -> str:
    """The one text of an entry: JSON, sorted keys, no spaces, with hall, seq and time."""
    written = {
        "at": entry.at,
        "by": entry.by,
        "data": entry.event,
        "day": entry.day,
        "half_hour": entry.half_hour,
        "hall": hall,
        "kind": entry.event.kind,
        "seq": entry.seq,
        "v": entry.event.version,
    }
    return _encoder.encode(written).decode()


def chained(previous: str, text: str) -> str:
    """SHA-256 of the previous hash and the entry's text, hexadecimal."""
    return hashlib.sha256((previous + text).encode()).hexdigest()


def parse(rooms: Rooms, hall: str, text: str, digest: str) -> Entry:
    """The entry of a stored text. Raises BrokenEntry."""
    try:
        written = _decoder.decode(text)
        event_type = rooms.event_type(written.kind)
        if written.v != event_type.version:
            raise BrokenEntry(f"entry {written.seq}: {written.kind} of version {written.v}")
        event: Event = msgspec.json.decode(written.data, type=event_type)
    except (msgspec.DecodeError, LookupError) as fault:
        raise BrokenEntry(f"an entry of {hall} cannot be read: {fault}") from fault
    if written.hall != hall:
        raise BrokenEntry(f"entry {written.seq} is of hall {written.hall}, not {hall}")
    return Entry(written.seq, written.at, written.day, written.half_hour, written.by, event, digest)
