"""Taking connections from a socket that several processes listen on, fairly.

An event loop's own server takes all that wait at once, so of a burst of screens that come back one
process gets nearly all and keeps them for the day. Here each takes one at a time, and one that has
more than its share lets the others go first for some milliseconds.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from contextlib import suppress

log = logging.getLogger(__name__)

POLITE_SECONDS = 0.003
"""How long one that has more than its share leaves a connection to the others."""

EXHAUSTED_SECONDS = 1.0
"""How long nothing is taken when the system has no descriptor or memory left."""

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Acceptor:
    """Makes a protocol for each connection that it takes, until it is closed."""

    def __init__(self, listener: socket.socket, make: Callable[[], asyncio.Protocol]) -> None:
        self.polite = False
        """Whether this process has more than its share."""
        self._listener = listener
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._closed = False
        self._loop.add_reader(listener.fileno(), self._waits)

    def close(self) -> None:
        """Take no more; those that were taken stay."""
        if self._closed:
            return
        self._closed = True
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener.fileno())

    async def wait_closed(self) -> None:
        """Return when those that were taken have their protocol."""
        await asyncio.gather(*self._opening)

    def _waits(self) -> None:
        if self.polite:
            self._leave_to_others(POLITE_SECONDS)
        else:
            self._take()

    def _leave_to_others(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._pause = self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener.fileno(), self._waits)
        self._take()

    def _take(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was quicker, or the client is gone
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            log.error("no connection can be taken: %s", error.strerror)
            self._leave_to_others(EXHAUSTED_SECONDS)
            return
        connection.setblocking(False)
        # Small answers must not wait for the acknowledgement of the one before (Nagle).
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._open(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make, connection)
        except OSError:
            connection.close()
