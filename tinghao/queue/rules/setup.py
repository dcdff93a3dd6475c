"""The hall's configuration: what it must satisfy before it comes into force."""

import re
from collections import Counter
from zoneinfo import ZoneInfoNotFoundError

from tinghao.queue.clock import clock_time, zone
from tinghao.queue.commands import Configure, SetClock
from tinghao.queue.events import ClockSet, Event, HallConfigured
from tinghao.queue.model import Category, HallConfig, HallState, Micros
from tinghao.queue.refusals import conflict, invalid

_CODE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_PREFIX = re.compile(r"[A-Z]{1,3}")
SPEEDS = (0.0, 1_000_000.0)


def configure(state: HallState, command: Configure, now: Micros) -> list[Event]:
    """A new configuration; nothing that it drops may still be in use."""
    faults = list(faults_of(command.config))
    if faults:
        raise invalid(
            "configuration", "The configuration is wrong: {faults}", faults="; ".join(faults)
        )
    codes = {each.code for each in command.config.categories}
    for code, queue in state.queues.items():
        if queue and code not in codes:
            raise conflict("category-in-use", "Citizens still wait in {category}.", category=code)
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
        strange = [code for code in window.categories if code not in codes]
        faults += [f"window {window.number}: no category {code}" for code in strange]
    faults += _time_faults("opening", config.opens) + _time_faults("closing", config.closes)
    try:
        zone(config.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(f"there is no time zone {config.timezone!r}")
    return faults


def _category_faults(category: Category) -> list[str]:
    faults = []
    if not _CODE.fullmatch(category.code):
        faults.append(f"category code {category.code!r} is not like social-security")
    if not _PREFIX.fullmatch(category.prefix):
        faults.append(f"prefix {category.prefix!r} is not one to three capital letters")
    if not 1 <= category.daily_cap <= 99_999:
        faults.append(f"{category.code}: the day's cap is not from 1 to 99999")
    if category.target_minutes < 1 or category.standard_minutes < 1:
        faults.append(f"{category.code}: target and standard time are at least one minute")
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
