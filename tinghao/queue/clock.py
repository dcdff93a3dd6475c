"""Hall time, business days and half hours.

The machine's clock is a parameter of everything (`Clock`), so that tests own time. A hall's
own clock (`HallClock`) turns machine time into hall time: the same, faster for a demo, or as
stated for a replay.
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import date as calendar_date
from functools import lru_cache
from zoneinfo import ZoneInfo

from tinghao.queue.model import MINUTE, SECOND, Day, HallClock, Micros

Clock = Callable[[], Micros]

AHEAD_ALLOWED: Micros = 5 * MINUTE  # of the database's clock
DAY: Micros = 24 * 60 * MINUTE
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Micros = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
"""Hall time stops here, whatever a clock is set to: later there is no date left to compute."""


def machine_clock() -> Micros:
    """The machine's time in microseconds UTC."""
    return time.time_ns() // 1000


def hall_time(clock: HallClock, machine: Micros, last: Micros) -> Micros:
    """Hall time when the machine shows `machine` and the last entry is of `last`."""
    if clock.mode == "scaled":
        machine = clock.at + round((machine - clock.machine_at) * clock.speed)
    elif clock.mode == "stated":
        machine = last
    return min(max(last, machine), LATEST)


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name; ZoneInfoNotFoundError when there is none."""
    return ZoneInfo(name)


def moment(at: Micros, timezone: str) -> datetime:
    """The local date and time, exact to the microsecond."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone(timezone))


def micros(when: datetime) -> Micros:
    """Microseconds since 1970 of an aware datetime, exactly."""
    return (when - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=4096)
def _offset(quarter: int, timezone: str) -> Micros:
    """Local minus UTC in a quarter of an hour: zones change only at its beginning."""
    offset = moment(quarter * 15 * MINUTE, timezone).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


def day_and_half_hour(at: Micros, timezone: str) -> tuple[Day, int]:
    """The business day (yyyymmdd) and the half hour of it (0..47)."""
    days, within = divmod(at + _offset(at // (15 * MINUTE), timezone), DAY)
    return _date(days), within // (30 * MINUTE)


@lru_cache(maxsize=4096)
def _date(days: int) -> Day:
    date = (_EPOCH + timedelta(days=days)).date()
    return date.year * 10_000 + date.month * 100 + date.day


def business_day(at: Micros, timezone: str) -> Day:
    """The business day (yyyymmdd) of a moment: the hall's own date."""
    return day_and_half_hour(at, timezone)[0]


@lru_cache(maxsize=64)
def day_start(day: Day, timezone: str) -> Micros:
    """The hall's own midnight that begins the day."""
    year, rest = divmod(day, 10_000)
    month, date = divmod(rest, 100)
    return micros(datetime(year, month, date, tzinfo=zone(timezone)))


@lru_cache(maxsize=64)
def day_end(day: Day, timezone: str) -> Micros:
    """The hall's own midnight that ends the day, whatever the clocks did in between."""
    year, rest = divmod(day, 10_000)
    month, date = divmod(rest, 100)
    tomorrow = calendar_date(year, month, date) + timedelta(days=1)
    return micros(datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone(timezone)))


def at_time(day: Day, clock: str, timezone: str) -> Micros:
    """The moment of "HH:MM" on that business day. Raises ValueError for another form."""
    hour, minute = clock_time(clock)
    year, rest = divmod(day, 10_000)
    month, date = divmod(rest, 100)
    return micros(datetime(year, month, date, hour, minute, tzinfo=zone(timezone)))


def clock_time(text: str) -> tuple[int, int]:
    """Hour and minute of "HH:MM". Raises ValueError for another form."""
    hour, _, minute = text.partition(":")
    if not _TIME.fullmatch(text) or int(hour) > 23 or int(minute) > 59:
        raise ValueError(f"{text!r} is not a time of day like 16:30")
    return int(hour), int(minute)


def iso(at: Micros, timezone: str) -> str:
    """RFC 3339 with the hall's offset, to the millisecond."""
    return moment(at, timezone).isoformat(timespec="milliseconds")


def iso_day(day: Day) -> str:
    """A business day as yyyy-mm-dd."""
    return f"{day // 10_000:04d}-{day // 100 % 100:02d}-{day % 100:02d}"


def seconds(duration: Micros) -> float:
    """A duration in seconds."""
    return duration / SECOND
