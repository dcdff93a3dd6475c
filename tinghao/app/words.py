"""Free words on their way in: codes go into the journal, texts into a row that can be erased."""

from __future__ import annotations

import hashlib
import re
import secrets

from tinghao.app.web.problems import ProblemError
from tinghao.queue.commands import Text
from tinghao.queue.model import TextRef

LONGEST = 2_000  # characters
OTHER = "other"
_CODE = re.compile(r"[a-z][a-z0-9-]{0,31}")


def kept_text(words: str | None) -> Text | None:
    """The words with the reference and the salted commitment that the journal holds of them.

    Raises ProblemError for more than 2,000 characters.
    """
    if words is None or not words.strip():
        return None
    if len(words) > LONGEST:
        raise ProblemError(422, "too-long", "A text has at most {most} characters.", most=LONGEST)
    salt = secrets.token_hex(16)
    commitment = hashlib.sha256((salt + words).encode()).hexdigest()
    return Text(TextRef(secrets.token_hex(16), commitment), salt, words)


def coded(reason: str | None, default: str) -> tuple[str, Text | None]:
    """A reason as its code; words that are no code become `other` with a kept text."""
    if reason is None:
        return default, None
    stripped = reason.strip()
    if not stripped or _CODE.fullmatch(stripped):
        return stripped, None
    return OTHER, kept_text(stripped)
