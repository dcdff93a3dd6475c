"""The gate: what all sockets of a process have in common, kept by one sweep for all.

Once a second it asks a part of the sockets whether they live (each about every 20 s), drops
those that take nothing in, ends handshakes that do not end, and from time to time asks whether
the rights still hold. It runs while there are sockets.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from tinghao.realtime.deadlines import Deadlines
from tinghao.realtime.handshake import Authorise, Recheck, Rights
from tinghao.realtime.hub import Hub
from tinghao.realtime.topics import Topic

logger = logging.getLogger(__name__)

NOT_ALLOWED = 4403
TOO_SLOW = 4408


class Limits(Struct, frozen=True, kw_only=True):
    """What sockets may take. Times are seconds."""

    sockets: int = 20_000  # of this process
    per_address: int = 2_000  # a hall's phones often share one address
    message_bytes: int = 4_096  # of what a client sends; nothing it sends means anything
    messages_per_ping: int = 200
    early_bytes: int = 4_096  # sent before the handshake is answered
    write_buffer: int = 65_536  # bytes not yet taken; beyond, a socket skips updates
    stuck: float = 20.0  # beyond the buffer for so long: dropped
    handshake: float = 10.0
    close: float = 3.0  # for the client to answer a close
    sweep: float = 1.0
    ping_sweeps: int = 20  # sweeps between two pings of a socket
    recheck: float = 25.0  # between two looks at the rights


class Member(Protocol):
    """A socket as the gate sees it."""

    @property
    def topic(self) -> Topic | None:
        """What it follows."""

    @property
    def rights(self) -> Rights | None:
        """By what right."""

    def keep_alive(self) -> bool:
        """Ping it; False when the last ping was not answered."""

    def close(self, code: int, reason: str) -> None:
        """Say why, then end."""

    def abort(self) -> None:
        """End it at once."""


class Gate:
    """Who is inside, and who must leave."""

    __slots__ = (
        "_addresses",
        "_checked_at",
        "_checking",
        "_groups",
        "_next_group",
        "_recheck",
        "_timer",
        "authorise",
        "closing",
        "compress",
        "handshakes",
        "hub",
        "limits",
        "origins",
        "stuck",
        "total",
        "trusted_proxies",
    )

    def __init__(
        self,
        hub: Hub,
        authorise: Authorise,
        recheck: Recheck,
        *,
        origins: frozenset[str],
        trusted_proxies: frozenset[str],
        limits: Limits,
        compress: bool,
    ) -> None:
        self.hub = hub
        self.authorise = authorise
        self.origins = origins
        self.trusted_proxies = trusted_proxies
        self.limits = limits
        self.compress = compress
        self.total = 0  # handshakes included
        self.handshakes: dict[Member, float] = {}  # and since when
        self.stuck: dict[Member, float] = {}  # and since when
        self.closing = Deadlines(limits.close)
        self._recheck = recheck
        self._addresses: dict[str, int] = {}
        self._groups: list[dict[Member, None]] = [{} for _ in range(limits.ping_sweeps)]
        self._next_group = 0
        self._checked_at = 0.0
        self._checking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    # -- coming and going

    def enter(self, address: str) -> bool:
        """Count a newcomer in, or refuse it."""
        known = self._addresses.get(address, 0)
        if self.total >= self.limits.sockets or known >= self.limits.per_address:
            self.hub.counts.refused += 1
            return False
        self.total += 1
        if address:
            self._addresses[address] = known + 1
        if self._timer is None:
            self._checked_at = time.monotonic()
            self._next_sweep()
        return True

    def leave(self, address: str) -> None:
        """Count it out."""
        self.total -= 1
        rest = self._addresses.get(address, 0) - 1
        if rest > 0:
            self._addresses[address] = rest
        else:
            self._addresses.pop(address, None)

    def opened(self, member: Member) -> int:
        """It is open: look after it. Returns its group, to be given back to `ended`."""
        self.hub.counts.opened += 1
        group = self.hub.counts.opened % len(self._groups)
        self._groups[group][member] = None
        return group

    def ended(self, member: Member, group: int) -> None:
        """It is open no longer."""
        self._groups[group].pop(member, None)
        self.stuck.pop(member, None)

    # -- the sweep

    def _next_sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.limits.sweep, self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        if not self.total:
            return
        self._next_sweep()
        now = time.monotonic()
        self._drop_stuck(now)
        self._end_handshakes(now)
        self._ping()
        if now - self._checked_at >= self.limits.recheck and self._checking is None:
            self._checked_at = now
            self._checking = asyncio.create_task(self._check_rights())

    def _drop_stuck(self, now: float) -> None:
        for member, since in list(self.stuck.items()):
            if now - since > self.limits.stuck:
                self.hub.counts.slow += 1
                member.close(TOO_SLOW, "too slow")

    def _end_handshakes(self, now: float) -> None:
        for member, since in list(self.handshakes.items()):
            if now - since > self.limits.handshake:
                member.abort()

    def _ping(self) -> None:
        group = self._groups[self._next_group]
        self._next_group = (self._next_group + 1) % len(self._groups)
        for member in list(group):
            if not member.keep_alive():
                self.hub.counts.lost += 1
                member.abort()

    async def _check_rights(self) -> None:
        try:
            for rights, topic in set(self._granted()):
                code = await self._recheck(rights, topic)
                if code is not None:
                    self._revoke(rights, topic, code)
        except Exception:
            # The database may be away for a moment: the screens stay, and we ask again.
            logger.exception("the rights of open sockets could not be checked")
        finally:
            self._checking = None

    def _granted(self) -> Iterator[tuple[Rights, Topic]]:
        for group in self._groups:
            for member in group:
                if member.rights is not None and member.topic is not None:
                    yield member.rights, member.topic

    def _revoke(self, rights: Rights, topic: Topic, code: int) -> None:
        for group in self._groups:
            for member in list(group):
                if member.rights == rights and member.topic == topic:
                    self.hub.counts.revoked += 1
                    member.close(code, "the right to this topic has ended")
