"""A plan's hall from a hall's configuration, and a plan's times on real dates."""

from datetime import date, datetime, time, timedelta

from tinghao.app.records.steps import DAY, PlanCategory, PlanHall, PlanWindow
from tinghao.queue.clock import clock_time, micros, zone
from tinghao.queue.model import MINUTE, HallState, Micros


def plan_hall(state: HallState) -> PlanHall:
    """What a plan has to know of a hall. Intake windows are used first.

    A window's categories are those it serves now, so that it can be left as it was.
    """
    config = state.setup
    windows = sorted(config.windows, key=lambda each: (each.role != "intake", each.number))
    return PlanHall(
        categories=tuple(PlanCategory(each.code, each.prefix) for each in config.categories),
        windows=tuple(
            PlanWindow(
                each.number, state.windows[each.number].categories, weighted=bool(each.weights)
            )
            for each in windows
        ),
        normal_minutes=config.policy.normal_minutes,
        priority_minutes=config.policy.priority_minutes,
        closes=time_of_day(config.closes),
    )


def time_of_day(clock: str) -> Micros:
    """ "17:00" as microseconds from local midnight. Raises ValueError for another form."""
    hour, minute = clock_time(clock)
    return min((hour * 60 + minute) * MINUTE, DAY - MINUTE)


def instant(day: date, at: Micros, timezone: str) -> Micros:
    """The moment when the hall's clock shows `at` after midnight on that day, in UTC micros."""
    midnight = datetime.combine(day, time.min, tzinfo=zone(timezone))
    return micros(midnight + timedelta(microseconds=at))


def days_later(day: date, days: int) -> date:
    """The day `days` after it."""
    return day + timedelta(days=days)
