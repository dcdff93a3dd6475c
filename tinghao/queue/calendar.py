"""Which days are worked: Chinese public holidays and make-up workdays, and the hall's own.

The national calendar comes from the `chinesecalendar` package, which follows the notices of
the State Council; beyond the years it knows, Monday to Friday are worked.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import chinese_calendar

from tinghao.queue.model import Closure, Day


def rest_day(day: Day, closures: Iterable[Closure] = ()) -> str | None:
    """The name of the day of rest, or None on a workday. The hall's own closures come first."""
    for closure in closures:
        if closure.day == day:
            return None if closure.works else (closure.name or "Closed")
    return _national_rest(day)


def covered_until() -> int:
    """The last year whose holidays are known."""
    return int(max(chinese_calendar.constants.holidays).year)


@lru_cache(maxsize=1024)
def _national_rest(day: Day) -> str | None:
    when = as_date(day)
    weekend = "Saturday" if when.weekday() == 5 else "Sunday" if when.weekday() == 6 else None
    try:
        off, name = chinese_calendar.get_holiday_detail(when)
    except NotImplementedError:  # a year it does not know
        return weekend
    if not off:
        return None
    return name or weekend


def as_date(day: Day) -> date:
    """A business day as a date."""
    return date(day // 10_000, day // 100 % 100, day % 100)
