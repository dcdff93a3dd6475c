"""The hall's configuration: what it must satisfy before it comes into force."""

import re
from collections import Counter
from datetime import date
from zoneinfo import ZoneInfoNotFoundError

from tinghao.queue.clock import clock_time, zone
from tinghao.queue.commands import Configure, SetClock
from tinghao.queue.events import ClockSet, Event, HallConfigured
from tinghao.queue.model import Category, Closure, HallConfig, HallState, Micros, Policy
from tinghao.queue.refusals import conflict, invalid
from tinghao.queue.rules.finding import ITEM_CODE

_CODE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_PREFIX = re.compile(r"[A-Z]{1,3}")
SPEEDS = (0.0, 1_000_000.0)
MOST_MINUTES = 24 * 60  # nothing in a hall lasts longer than its day


def configure(state: HallState, command: Configure, now: Micros) -> list[Event]:
    """A new configuration; nothing that it drops may still be in use."""
    faults = list(faults_of(command.config))
    if faults:
        raise invalid(
            "configuration", "The configuration is wrong: {faults}", faults="; ".join(faults)
        )
    codes = {each.code for each in command.config.categories}
    for ticket in state.tickets.values():
        if ticket.category not in codes:
            raise conflict(
                "category-in-use", "{category} still has open tickets.", category=ticket.category
            )
    if state.day is not None and command.config.timezone != state.setup.timezone:
        raise conflict("day-open", "The time zone can only be changed while no day is open.")
    numbers = {each.number for each in command.config.windows}
    for window in state.windows.values():
        if window.number not in numbers and (window.state != "closed" or window.held):
            raise conflict(
                "window-in-use", "Window {window} is still in use.", window=window.number
            )
    return [HallConfigured(config=command.config)]


def set_clock(state: HallState, command: SetClock, now: Micros) -> list[Event]:
    """The hall's clock runs otherwise from now on."""
    low, high = SPEEDS
    if not low < command.clock.speed <= high:
        raise invalid("speed", "A speed is more than 0 and at most {most}.", most=int(high))
    return [ClockSet(clock=command.clock)]


def faults_of(config: HallConfig) -> list[str]:
    """What is wrong with a configuration, a sentence each; empty when it is sound."""
    faults = [] if config.name.strip() else ["the hall has no name"]
    if not config.categories:
        faults.append("the hall has no category")
    faults += _doubles("category code", [each.code for each in config.categories])
    faults += _doubles("number prefix", [each.prefix for each in config.categories])
    faults += _doubles("window number", [str(each.number) for each in config.windows])
    codes = {each.code for each in config.categories}
    for category in config.categories:
        faults += _category_faults(category)
    for window in config.windows:
        if not 1 <= window.number <= 999:
            faults.append(f"window number {window.number} is not from 1 to 999")
        faults += _doubles(f"window {window.number}: category", list(window.categories))
        strange = [code for code in (*window.categories, *window.weights) if code not in codes]
        faults += [f"window {window.number}: no category {code}" for code in strange]
        heavy = [code for code, weight in window.weights.items() if not abs(weight) <= MOST_MINUTES]
        faults += [f"window {window.number}: the weight of {code} is too large" for code in heavy]
    faults += _policy_faults(config.policy)
    times = _time_faults("opening", config.opens) + _time_faults("closing", config.closes)
    if not times and clock_time(config.opens) >= clock_time(config.closes):
        times.append("the hall closes before it opens")
    faults += times
    faults += [f"closure {each.day} is not a day" for each in config.closures if not _is_day(each)]
    try:
        zone(config.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, an endless name
        faults.append(f"there is no time zone {config.timezone[:64]!r}")
    return faults


def _is_day(closure: Closure) -> bool:
    year, rest = divmod(closure.day, 10_000)
    try:
        date(year, *divmod(rest, 100))
    except (ValueError, OverflowError):
        return False
    return True


def _policy_faults(policy: Policy) -> list[str]:
    lengths = {
        "normal": policy.normal_minutes,
        "priority": policy.priority_minutes,
        "appointment": policy.appointment_minutes,
        "transfer": policy.transfer_minutes,
        "grace": policy.grace_minutes,
    }
    faults = [
        f"the {name} minutes are not from 0 to {MOST_MINUTES}"
        for name, minutes in lengths.items()
        if not 0 <= minutes <= MOST_MINUTES
    ]
    if not 0 <= policy.undo_seconds <= 3600:
        faults.append("the seconds for an undo are not from 0 to 3600")
    if not 1 <= policy.return_behind <= 100:
        faults.append("a returned number comes behind the next 1 to 100")
    if not 1 <= policy.rating_days <= 365:
        faults.append("the days for a rating are not from 1 to 365")
    return faults


def _category_faults(category: Category) -> list[str]:
    faults = []
    if not _CODE.fullmatch(category.code):
        faults.append(f"category code {category.code!r} is not like social-security")
    if not _PREFIX.fullmatch(category.prefix):
        faults.append(f"prefix {category.prefix!r} is not one to three capital letters")
    if not 1 <= category.daily_cap <= 99_999:
        faults.append(f"{category.code}: the day's cap is not from 1 to 99999")
    minutes = (
        category.target_minutes,
        category.standard_minutes,
        *(item.standard_minutes for item in category.items),
    )
    if min(minutes) < 1:
        faults.append(f"{category.code}: target and standard time are at least one minute")
    if max(minutes) > MOST_MINUTES:
        faults.append(f"{category.code}: target and standard time are at most {MOST_MINUTES}")
    faults += [
        f"{category.code}: item code {item.code!r} is not letters, digits, dots and hyphens"
        for item in category.items
        if not ITEM_CODE.fullmatch(item.code)
    ]
    faults += _doubles(f"{category.code}: item", [each.code for each in category.items])
    if category.last_take is not None:
        faults += _time_faults(f"{category.code}: last take", category.last_take)
    return faults


def _doubles(what: str, values: list[str]) -> list[str]:
    return [
        f"{what} {value} is used twice" for value, count in Counter(values).items() if count > 1
    ]


def _time_faults(what: str, text: str) -> list[str]:
    try:
        clock_time(text)
    except ValueError as fault:
        return [f"{what}: {fault}"]
    return []
