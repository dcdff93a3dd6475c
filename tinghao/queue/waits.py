"""Estimated waits. For now the plain estimate of the field, behind the interface that stays.

P50 is ahead × mean handling time of the last served ÷ windows open for the category; P90 adds
the spread that a sum of independent exponential services has: its standard deviation is
mean × √n, so P90 ≈ P50 + 1.28 × mean × √ahead ÷ windows.
"""

from math import ceil, sqrt

from msgspec import Struct

from tinghao.queue.model import MINUTE, HallState

NORMAL_P90 = 1.2816  # the standard normal distribution's 90 % quantile


class Estimate(Struct, frozen=True):
    """A wait still to come, in minutes: half wait at most p50, nine in ten at most p90."""

    p50_minutes: int
    p90_minutes: int


def estimate(state: HallState, category: str, ahead: int) -> Estimate | None:
    """The wait of a ticket with `ahead` before it; None when nobody serves the category."""
    windows = open_for(state, category)
    mean = mean_handling_minutes(state, category)
    if windows == 0 or mean is None:
        return None
    if ahead == 0 and any(
        window.ticket is None and window.state == "open" and category in window.categories
        for window in state.windows.values()
    ):
        return Estimate(0, 1)
    services = ahead + 1
    p50 = services * mean / windows
    p90 = p50 + NORMAL_P90 * mean * sqrt(services) / windows
    return Estimate(ceil(p50), max(ceil(p90), ceil(p50) + 1))


def open_for(state: HallState, category: str) -> int:
    """Windows that are open (not paused) and serve the category."""
    return sum(
        window.state == "open" and category in window.categories
        for window in state.windows.values()
    )


def mean_handling_minutes(state: HallState, category: str) -> float | None:
    """Of the last served of the category; its standard time while there are none."""
    known = state.handling.get(category)
    if known:
        return max(0.5, sum(known) / len(known) / MINUTE)
    setup = state.setup.category(category)
    return None if setup is None else float(setup.standard_minutes)
