"""What fills the {places} of a sentence, said in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tinghao.realtime.language import plain_text

STATES = frozenset(
    {"waiting", "called", "serving", "held", "no-show", "finished", "cancelled", "expired"}
)
"""States of a ticket: codes to programs, words in a sentence."""

_BETWEEN = " / "


class Named(Struct, frozen=True):
    """Something with a name in each language, such as a category."""

    name: str
    name_en: str


def spoken(language: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The params as they stand in a sentence in ``language``."""
    return {place: _said(language, value) for place, value in params.items()}


def _said(language: str, value: Any) -> Any:
    if isinstance(value, Named):
        return value.name if language == "zh" else value.name_en
    if isinstance(value, str) and STATES.issuperset(value.split(_BETWEEN)):
        return _BETWEEN.join(plain_text(language, each) for each in value.split(_BETWEEN))
    return value
