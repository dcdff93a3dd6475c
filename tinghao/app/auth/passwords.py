"""Passwords: Argon2id hashes, checked in threads of their own.

One check costs tens of milliseconds of CPU and 64 MiB on purpose. Two run at once; a crowd at the
door waits in line up to a bound and is then turned away, so that signing in can never take the
service down.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
LINE = 32
"""Checks that may wait or run; one more is turned away."""

SHORTEST = 10
LONGEST = 256

# Without characters that are mistaken for one another on paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXYZ234679"

_hasher = PasswordHasher()  # RFC 9106, the low-memory parameters: 64 MiB, 3 passes, 4 lanes


class PasswordRefusedError(ValueError):
    """A new password is too short or too long."""


class TooManyChecksError(Exception):
    """More people are signing in at this moment than the machine checks."""


def new_password() -> str:
    """A random password of about 91 bits that can be read aloud and typed: four groups of four."""
    letters = [secrets.choice(_ALPHABET) for _ in range(16)]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))


def hash_password(password: str) -> str:
    """The text to store. Slow on purpose. Raises PasswordRefusedError."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordRefusedError(f"A password has {SHORTEST} to {LONGEST} characters.")
    return _hasher.hash(_normal(password))


def matches(stored: str, password: str) -> bool:
    """Whether ``password`` is the stored one. Slow on purpose."""
    try:
        return _hasher.verify(stored, _normal(password[:LONGEST]))
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


class PasswordChecks:
    """``matches`` off the event loop, a bounded number at a time."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        self._in_line = 0
        # Somebody whose name is unknown waits as long as somebody whose password is wrong, or the
        # time of the answer would tell which names exist.
        self._nobody = _hasher.hash(secrets.token_hex(16))

    async def check(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` is the stored one; False for None, after the same time.

        Raises TooManyChecksError when the line is full.
        """
        if self._in_line >= LINE:
            raise TooManyChecksError
        self._in_line += 1
        try:
            right = await asyncio.get_running_loop().run_in_executor(
                self._threads, matches, stored or self._nobody, password
            )
        finally:
            self._in_line -= 1
        return right and stored is not None

    async def hash(self, password: str) -> str:
        """``hash_password`` off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, hash_password, password
        )

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True)


def _normal(password: str) -> str:
    """One spelling for one password, whatever keyboard composed it (RFC 8265)."""
    return unicodedata.normalize("NFC", password)
