"""Errors as one sentence for the person at the command line."""

from __future__ import annotations

from tinghao.app.archive import ArchiveError
from tinghao.app.auth.accounts import AccountRefusedError
from tinghao.app.auth.passwords import PasswordRefusedError
from tinghao.app.database.failures import DatabaseUnavailable, ValueRefused
from tinghao.app.database.serving_lock import ServeError
from tinghao.app.keys import KeyFileError
from tinghao.app.migrations import SchemaTooNewError
from tinghao.app.settings.sources import SettingsError
from tinghao.queue.refusals import Refusal


class CommandError(Exception):
    """A command cannot do what it was asked; the message says why and what to do."""


_CLEAR = (
    CommandError,
    ArchiveError,
    SettingsError,
    KeyFileError,
    DatabaseUnavailable,
    ValueRefused,
    SchemaTooNewError,
    ServeError,
    AccountRefusedError,
    PasswordRefusedError,
    Refusal,
)
"""Their messages are sentences already."""


def sentence_of(error: Exception) -> str:
    """What to tell."""
    if isinstance(error, _CLEAR):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{where}."
    kind = type(error).__name__
    return (
        f"This was not foreseen: {kind}: {error}. `tinghao --traceback …` shows where it happened; "
        "please report it."
    )
