"""Times as a list shows them."""

from __future__ import annotations

from datetime import datetime


def day_text(micros: int | None) -> str:
    """``2026-11-24`` in the machine's zone; ``never`` for None."""
    if micros is None:
        return "never"
    return datetime.fromtimestamp(micros / 1_000_000).astimezone().date().isoformat()
