"""The commands at a window, one line each: name, body, and the wish that it becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from tinghao.app.api import bodies
from tinghao.app.auth.caller import Caller
from tinghao.app.performing import is_clerk, moment_of, staff_named
from tinghao.app.web.problems import ProblemError
from tinghao.app.words import coded, kept_text
from tinghao.queue import commands as ask
from tinghao.queue.desk import Desk


class At(Struct, frozen=True):
    """Where a command is given and by whom."""

    desk: Desk
    caller: Caller
    hall: str
    window: int


Build = Callable[[At, Any], ask.Command]


class WindowCommand(Struct, frozen=True):
    """A command as the API offers it."""

    name: str
    body: type[bodies.Body]
    build: Build
    summary: str
    refusals: tuple[str, ...]
    """What it may be refused with, besides what any command at a window may."""
    about: Literal["ticket", "window"] = "ticket"
    """What the answer shows."""


def _open(at: At, body: bodies.OpenBody) -> ask.Command:
    staff = staff_named(at.desk, at.caller, at.hall, body.staff)
    if is_clerk(at.caller) and staff != at.caller.staff_id:
        raise ProblemError(403, "not-yourself", "You may open a window for yourself only.")
    return ask.Open(window=at.window, staff=staff)


def _pause(at: At, body: bodies.PauseBody) -> ask.Command:
    reason, text = coded(body.reason, "unspecified")
    return ask.Pause(window=at.window, reason=reason, minutes=body.minutes, text=text)


def _categories(at: At, body: bodies.CategoriesBody) -> ask.Command:
    return ask.Assign(window=at.window, categories=tuple(body.categories))


def _call(at: At, body: bodies.CallBody) -> ask.Command:
    reason, text = coded(body.reason, "")
    return ask.CallNumber(window=at.window, number=body.number, reason=reason, text=text)


def _finish(at: At, body: bodies.FinishBody) -> ask.Command:
    reason, text = coded(body.reason, "") if body.reason is not None else (None, None)
    return ask.Finish(
        window=at.window, result=body.result, reason=reason, complex=body.complex, text=text
    )


def _hold(at: At, body: bodies.ReasonBody) -> ask.Command:
    reason, text = coded(body.reason, "unspecified")
    return ask.Hold(window=at.window, reason=reason, text=text)


def _return(at: At, body: bodies.ReturnBody) -> ask.Command:
    reason, text = coded(body.reason, "unspecified")
    return ask.Return(window=at.window, reason=reason, number=body.number, text=text)


def _transfer(at: At, body: bodies.TransferBody) -> ask.Command:
    staff = None
    if body.staff is not None:
        staff = staff_named(at.desk, at.caller, at.hall, body.staff)
    return ask.Transfer(
        window=at.window,
        category=body.category,
        to_window=body.window,
        to_staff=staff,
        note=kept_text(body.note),
    )


def _release(at: At, body: bodies.ReleaseBody) -> ask.Command:
    reason, text = coded(body.reason, "")
    return ask.Release(
        window=at.window, outcome=body.outcome, reason=reason, number=body.number, text=text
    )


def _paper(at: At, body: bodies.PaperBody) -> ask.Command:
    state = at.desk.live(at.hall).state
    return ask.EnterPaper(
        window=at.window,
        category=body.category,
        taken_at=moment_of(body.taken_at, state, "taken_at"),
        called_at=moment_of(body.called_at, state, "called_at"),
        finished_at=moment_of(body.finished_at, state, "finished_at"),
        result=body.result,
    )


def _plain(command: Callable[..., ask.Command]) -> Build:
    return lambda at, body: command(window=at.window)


def _numbered(at: At, body: bodies.NumberBody) -> ask.Command:
    return ask.ResumeTicket(window=at.window, number=body.number)


_CLOSED = ("window-closed",)
_WORKING = ("window-closed", "window-paused")
_IN_HAND = ("window-closed", "no-ticket", "wrong-state")
_NUMBER = ("unknown-number", "already-settled")
_REASON = ("reason-missing", "too-long")

WINDOW_COMMANDS: tuple[WindowCommand, ...] = (
    WindowCommand(
        "open",
        bodies.OpenBody,
        _open,
        "Sit down at a closed window",
        ("window-taken", "unknown-staff", "not-yourself"),
        "window",
    ),
    WindowCommand(
        "pause",
        bodies.PauseBody,
        _pause,
        "No further calls for a while",
        (*_WORKING, "minutes", *_REASON),
        "window",
    ),
    WindowCommand(
        "resume",
        bodies.Body,
        _plain(ask.Resume),
        "End the pause",
        (*_CLOSED, "not-paused"),
        "window",
    ),
    WindowCommand(
        "close",
        bodies.Body,
        _plain(ask.Close),
        "Leave the window",
        (*_CLOSED, "ticket-in-hand"),
        "window",
    ),
    WindowCommand(
        "categories",
        bodies.CategoriesBody,
        _categories,
        "What the window serves (manager)",
        ("unknown-category",),
        "window",
    ),
    WindowCommand(
        "call-next",
        bodies.Body,
        _plain(ask.CallNext),
        "Call who comes next; 204 when nobody is eligible",
        (*_WORKING, "ticket-in-hand"),
    ),
    WindowCommand(
        "call",
        bodies.CallBody,
        _call,
        "Call a chosen number, with a reason",
        (*_WORKING, "ticket-in-hand", "already-called", *_NUMBER, *_REASON),
    ),
    WindowCommand(
        "recall", bodies.Body, _plain(ask.Recall), "Call the number in hand again", _IN_HAND
    ),
    WindowCommand(
        "start", bodies.Body, _plain(ask.Start), "The citizen is at the window", _IN_HAND
    ),
    WindowCommand("no-show", bodies.Body, _plain(ask.NoShow), "Nobody came", _IN_HAND),
    WindowCommand("finish", bodies.FinishBody, _finish, "The service ends", (*_IN_HAND, *_REASON)),
    WindowCommand(
        "hold",
        bodies.ReasonBody,
        _hold,
        "Put the ticket aside at this window",
        (*_IN_HAND, *_REASON),
    ),
    WindowCommand(
        "resume-ticket",
        bodies.NumberBody,
        _numbered,
        "Serve a ticket that was put aside",
        (*_WORKING, "ticket-in-hand", "not-held", *_NUMBER),
    ),
    WindowCommand(
        "return",
        bodies.ReturnBody,
        _return,
        "Back to the queue",
        ("no-ticket", "wrong-state", "waits-already", *_NUMBER, *_REASON),
    ),
    WindowCommand(
        "transfer",
        bodies.TransferBody,
        _transfer,
        "To another category, window or person",
        (
            *_CLOSED,
            "no-ticket",
            "unknown-category",
            "unknown-staff",
            "transfer-nowhere",
            "too-long",
        ),
    ),
    WindowCommand(
        "undo",
        bodies.Body,
        _plain(ask.Undo),
        "Take back the last finish or no-show",
        (*_WORKING, "ticket-in-hand", "nothing-to-undo"),
    ),
    WindowCommand(
        "release",
        bodies.ReleaseBody,
        _release,
        "Free a stuck ticket (manager)",
        ("no-ticket", "not-at-window", "outcome", *_NUMBER, *_REASON),
    ),
    WindowCommand(
        "paper",
        bodies.PaperBody,
        _paper,
        "Enter a citizen who was served from paper",
        (*_CLOSED, "day-full", "unknown-category", "paper-times"),
    ),
)
