"""Each socket is an open file, of which a process may have 1,024 unless it asks for more."""

from __future__ import annotations

import resource
from contextlib import suppress


def raise_file_limit() -> None:
    """Let this process, and those it starts, open as many files as the system allows it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A system may name a limit that it does not grant; then all stays as it is.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
