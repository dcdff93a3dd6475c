"""How long one must wait after wrong passwords: growing, bounded, never for ever.

Per account the count stands in the database, so that every process sees it; per address it is
kept in memory for the most recent addresses only. Neither locks anybody out for good: whoever
knows a colleague's user name could otherwise lock the colleague out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

SECOND = 1_000_000

FREE = 4
"""Wrong tries in a row that cost no wait: fingers slip."""

ACCOUNT_LONGEST = 5 * 60
ADDRESS_FREE = 20
"""More than per account: a hall's computers may share one address."""

ADDRESS_LONGEST = 15 * 60

FORGIVEN_AFTER = 15 * 60
"""Seconds without a try after which an address starts anew."""

REMEMBERED = 4096


def account_delay(failures: int) -> int:
    """Seconds until the next try after ``failures`` wrong ones in a row: 2, 4, 8 … 300."""
    return _delay(failures - FREE, ACCOUNT_LONGEST)


def address_delay(failures: int) -> int:
    """The same for one network address."""
    return _delay(failures - ADDRESS_FREE, ADDRESS_LONGEST)


def _delay(over: int, longest: int) -> int:
    return 0 if over <= 0 else min(longest, 2 ** min(over, 20))


class Throttle:
    """Wrong tries by name, of the last ``REMEMBERED`` names that had any; in memory."""

    def __init__(self, delay: Callable[[int], int]) -> None:
        self._delay = delay
        self._tries: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def wait(self, name: str, now: int) -> int:
        """Seconds this name still has to wait; ``now`` in microseconds."""
        _, until = self._tries.get(name, (0, 0))
        return max(0, -((now - until) // SECOND))

    def failed(self, name: str, now: int) -> None:
        """One more wrong try."""
        failures, until = self._tries.pop(name, (0, now))
        if now - until > FORGIVEN_AFTER * SECOND:
            failures = 0
        failures += 1
        self._tries[name] = (failures, now + self._delay(failures) * SECOND)
        while len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """A good sign-in forgives the slips."""
        self._tries.pop(name, None)
