"""The sockets that a server listens on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from tinghao.app.database.serving_lock import ServeError
from tinghao.app.settings import Settings


class Listeners(Struct, frozen=True):
    """For everything, and for the metrics if they have an address of their own."""

    main: socket.socket
    metrics: socket.socket | None

    def every(self) -> list[socket.socket]:
        """All of them."""
        return [self.main] if self.metrics is None else [self.main, self.metrics]


@contextmanager
def listeners(settings: Settings) -> Iterator[Listeners]:
    """The sockets of the settings' addresses; raises ServeError when one cannot be had."""
    with bound(settings.host, settings.port) as main:
        if not settings.metrics_address:
            yield Listeners(main, None)
            return
        host, _, port = settings.metrics_address.rpartition(":")
        with bound(host.strip("[]"), int(port)) as metrics:
            yield Listeners(main, metrics)


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket; raises ServeError when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ServeError(f"The address {host} is not known here: {error.strerror}.") from None
    # asyncio turns Nagle's delay off only for a socket that says it is TCP.
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise ServeError(
                f"Port {port} of {host} cannot be taken: {error.strerror}. Is another server "
                "running? Choose another with --port."
            ) from None
        listener.setblocking(False)
        yield listener


def address_of(host: str, port: int) -> str:
    """The URL on this machine of a socket that listens there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
