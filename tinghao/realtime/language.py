"""The two languages of the screens, and how a length of time is said in them.

The message ids are the English sentences themselves; Chinese comes from one gettext catalogue that
is read as text at start, so that a hall can correct a word with an editor and a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

LANGUAGES = ("zh", "en")
DEFAULT_LANGUAGE = "zh"

CATALOGUE = Path(__file__).parent.parent / "locale" / "zh" / "LC_MESSAGES" / "tinghao.po"


@cache
def chinese() -> Mapping[str, str]:
    """Every translated message: English text -> Chinese text."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh")
    return {
        message.id: message.string
        for message in catalogue
        if isinstance(message.id, str) and isinstance(message.string, str) and message.string
    }


def known_language(wish: str | None) -> str:
    """The language to answer in: the wished one if we speak it, else the default."""
    return wish if wish in LANGUAGES else DEFAULT_LANGUAGE


def plain_text(language: str, msgid: str) -> str:
    """The sentence in `language`, its `%(name)s` places not yet filled.

    A sentence without a translation is shown in English: better foreign than absent.
    """
    return chinese().get(msgid, msgid) if language == "zh" else msgid


def translate(language: str, msgid: str, **params: object) -> str:
    """The sentence in `language` with its `%(name)s` places filled from `params`.

    Raises KeyError when the sentence names a place that `params` lacks.
    """
    return plain_text(language, msgid) % params


def plural_text(language: str, one: str, many: str, number: int) -> str:
    """The English singular or plural; Chinese has one form, found under the plural."""
    if language == "zh":
        return plain_text(language, many)
    return one if number == 1 else many


def wait_bounds(p50_minutes: float, p90_minutes: float) -> tuple[int, int]:
    """The two numbers a citizen is told, in minutes: (from, to).

    Rounded to 5 minutes, above an hour to 10: a finer number would promise what nobody knows.
    The lower bound is rounded to the nearest step, the upper one up, so that the range is kept.
    """
    high = max(p90_minutes, p50_minutes, 0.0)
    high_step = 10 if high > 60 else 5
    low_step = 10 if p50_minutes > 60 else 5
    upper = max(5, -int(-high // high_step) * high_step)
    lower = max(5, int(p50_minutes / low_step + 0.5) * low_step)
    return min(lower, upper), upper


def wait_text(language: str, estimate: Mapping[str, float] | None) -> str:
    """An estimate as words: "约 15–25 分钟", or that it is unknown."""
    if estimate is None:
        return translate(language, "Cannot be estimated now")
    lower, upper = wait_bounds(estimate["p50_minutes"], estimate["p90_minutes"])
    if lower == upper:
        return translate(language, "About %(n)s min", n=upper)
    return translate(language, "About %(from)s–%(to)s min", **{"from": lower, "to": upper})
