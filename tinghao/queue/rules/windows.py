"""Windows: open, pause, resume, close, and which categories they serve."""

from tinghao.queue.commands import Assign, Close, Open, Pause, Resume
from tinghao.queue.events import (
    Event,
    WindowAssigned,
    WindowClosed,
    WindowOpened,
    WindowPaused,
    WindowResumed,
)
from tinghao.queue.model import MINUTE, HallState, Micros
from tinghao.queue.refusals import conflict, invalid
from tinghao.queue.rules.finding import hands_free, manned, reason_given, window_of, working

MINUTES = range(1, 24 * 60 + 1)


def open_window(state: HallState, command: Open, now: Micros) -> list[Event]:
    """Somebody sits down at a closed window."""
    window = window_of(state, command.window)
    if window.state != "closed":
        raise conflict("window-taken", "Window {window} is already open.", window=window.number)
    return [WindowOpened(window=window.number, staff=command.staff)]


def pause(state: HallState, command: Pause, now: Micros) -> list[Event]:
    """No further calls here for a while; a ticket in hand is still served to its end."""
    window = working(state, command.window)
    if command.minutes is not None and command.minutes not in MINUTES:
        raise invalid("minutes", "A pause lasts 1 to 1440 minutes.")
    until = None if command.minutes is None else now + command.minutes * MINUTE
    return [
        WindowPaused(
            window=window.number,
            reason=reason_given(command.reason),
            until=until,
            text=command.text.ref if command.text else None,
        )
    ]


def resume(state: HallState, command: Resume, now: Micros) -> list[Event]:
    """The pause ends."""
    window = manned(state, command.window)
    if window.state != "paused":
        raise conflict("not-paused", "Window {window} is not paused.", window=window.number)
    return [WindowResumed(window=window.number)]


def close(state: HallState, command: Close, now: Micros) -> list[Event]:
    """The window is left; what it holds aside stays its own for the next who opens it."""
    window = manned(state, command.window)
    hands_free(state, window)
    return [WindowClosed(window=window.number)]


def assign(state: HallState, command: Assign, now: Micros) -> list[Event]:
    """The window serves these categories from now on."""
    window = window_of(state, command.window)
    known = {each.code for each in state.setup.categories}
    strange = [code for code in command.categories if code not in known]
    if strange:
        raise invalid(
            "unknown-category",
            "This hall has no category {category}. It has: {known}.",
            category=", ".join(strange),
            known=", ".join(sorted(known)),
        )
    categories = tuple(dict.fromkeys(command.categories))
    if categories == window.categories:
        return []
    return [WindowAssigned(window=window.number, categories=categories)]
