"""A connection: one client, from its upgrade request to its end.

The wire is read and answered by the Sans-I/O layer of `websockets` (handshake, close, ping,
errors). What the hub sends bypasses it: ready frames go straight to the transport. An open
socket therefore holds no buffers, no parser and no task; the parser is made when a client sends
something that is not the answer to our ping.
"""

import asyncio
import logging
import socket
import struct
import time
from contextlib import suppress
from enum import IntEnum
from http import HTTPStatus
from typing import Any, ClassVar, cast

from msgspec.structs import replace
from uvicorn.config import Config
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, SEND_EOF
from websockets.server import ServerProtocol

from tinghao.realtime.channel import NOTHING, Channel
from tinghao.realtime.deflate import SharedDeflate, incoming
from tinghao.realtime.frames import PING, PONG_BYTES, PONG_HEAD
from tinghao.realtime.gate import Gate
from tinghao.realtime.handshake import (
    Handshake,
    Rights,
    client_address,
    handshake,
    is_allowed_origin,
)
from tinghao.realtime.topics import Since, Topic, TopicError, Wish, parse

RESTART = 1012
FLOODING = 1008
FAILED = 1011
SHARED_DEFLATE = SharedDeflate()
TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", None)  # Linux and macOS have it
UNSENT_BYTES = 65_536  # that the kernel may hold for one socket before it says "full"
RETRY_AFTER = "5"
_RESET = struct.pack("ii", 1, 0)  # linger for no time at all

logger = logging.getLogger(__name__)
# The library's own lines, one or two a connection, help nobody who is not debugging it.
wire = logging.getLogger(f"{__name__}.wire")
wire.setLevel(logging.WARNING)


class Phase(IntEnum):
    """How far a socket is."""

    ASKING = 0
    OPEN = 1
    CLOSING = 2
    GONE = 3


class Connection(asyncio.Protocol):
    """What the server makes for each upgrade request; `gateway.bind` gives it its gate."""

    __slots__ = (
        "_address",
        "_channel",
        "_early",
        "_group",
        "_messages",
        "_parser",
        "_phase",
        "_server",
        "_task",
        "_unanswered",
        "deflate",
        "owed",
        "ready",
        "rights",
        "seq",
        "transport",
    )

    gate: ClassVar[Gate]
    transport: asyncio.Transport

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._server = server_state
        self._phase = Phase.ASKING
        self._parser: ServerProtocol | None = None
        self._task: asyncio.Task[None] | None = None
        self._address: str | None = None  # None: not counted in
        self._channel: Channel | None = None
        self._early = b""
        self._group = 0
        self._messages = 0
        self._unanswered = False
        self.rights: Rights | None = None
        self.seq = NOTHING
        self.ready = False
        self.owed = False
        self.deflate = False

    # -- what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server hands the connection over."""
        self.transport = cast(asyncio.Transport, transport)
        self._server.connections.add(cast(Any, self))

    def data_received(self, data: bytes) -> None:
        """The request first, then whatever a client has to say: mostly that it lives."""
        if self._phase is Phase.ASKING:
            self._asked(data)
        elif self._parser is None and len(data) == PONG_BYTES and data.startswith(PONG_HEAD):
            self._unanswered = False
        else:
            self._received(data)

    def eof_received(self) -> None:
        """The client sends no more, so it has gone; what is still unsent may be stuck."""
        self._withdraw()
        self.gate.closing.add(self)

    def pause_writing(self) -> None:
        """More is waiting to be sent than we keep for one socket: it skips what comes now."""
        self.ready = False
        if self._phase is Phase.OPEN:
            self.gate.stuck[self] = time.monotonic()
        # Else answers to a flood of pings would go on to fill the buffer.
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It takes again, so it lives."""
        self.gate.stuck.pop(self, None)
        self._unanswered = False
        self.transport.resume_reading()
        if self._channel is not None:
            self._channel.resume(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing of it may stay behind, however it ended."""
        self._withdraw()
        self._phase = Phase.GONE
        self._parser = None
        if self._task is not None:
            self._task.cancel()
        gate = self.gate
        gate.closing.remove(self)
        gate.handshakes.pop(self, None)
        if self._address is not None:
            gate.leave(self._address)
        self._server.connections.discard(cast(Any, self))

    def shutdown(self) -> None:
        """The server stops: say so to an open socket, and wait a few seconds at most."""
        if self._phase is Phase.ASKING:
            if self._task is not None:
                self._task.cancel()
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the server is restarting")
            self.transport.close()
        else:
            self.close(RESTART, "the server is restarting")

    # -- asking

    def _asked(self, data: bytes) -> None:
        if self._task is not None:
            self._early += data
            if len(self._early) > self.gate.limits.early_bytes:
                self.abort()
            return
        if self._parser is None:
            self._parser = ServerProtocol(
                extensions=[SHARED_DEFLATE] if self.gate.compress else [],
                max_size=self.gate.limits.message_bytes,
                logger=wire,
            )
        self._parser.receive_data(data)
        for event in self._parser.events_received():
            if isinstance(event, Request):
                self._examine(self._parser, event)
                return
        self._answer(self._parser)

    def _examine(self, parser: ServerProtocol, request: Request) -> None:
        gate = self.gate
        try:
            wish, since = parse(request.path)
        except TopicError as error:
            self._refuse(error.status, str(error))
            return
        if not is_allowed_origin(request.headers, gate.origins):
            self._refuse(HTTPStatus.FORBIDDEN, "pages of this origin may not connect")
            return
        response = parser.accept(request)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._respond(response)
            return
        peer = get_remote_addr(self.transport)
        address = client_address(peer[0] if peer else "", request.headers, gate.trusted_proxies)
        if not gate.enter(address):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "there are too many connections")
            return
        self._address = address
        gate.handshakes[self] = time.monotonic()
        caller = handshake(request.headers, address)
        self._task = asyncio.get_running_loop().create_task(
            self._admit(response, caller, wish, since)
        )
        self._server.tasks.add(self._task)
        self._task.add_done_callback(self._server.tasks.discard)

    async def _admit(
        self, response: Response, caller: Handshake, wish: Wish, since: Since | None
    ) -> None:
        gate = self.gate
        try:
            feed = gate.hub.feed(wish.topic.hall)
            topic = None if feed is None else feed.find(wish.topic)
            if feed is None or topic is None:
                self._refuse(HTTPStatus.NOT_FOUND, "the hall has no such topic")
                return
            rights = await gate.authorise(caller, topic)
            if not isinstance(rights, Rights):
                # A browser shows its page the code of a close, but not that of a refusal.
                self._open(response)
                self.close(rights, "no right to this topic")
                return
            seq = await feed.reach(since)
            self._open(response)
            if self._phase is Phase.OPEN:
                self.rights = rights
                self.seq = seq
                self._channel = gate.hub.attach(feed, replace(wish, topic=topic), self)
        except Exception:
            logger.exception("topic %s could not be opened", wish.topic.name)
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "the topic cannot be shown now")
            self.close(FAILED, "the topic cannot be shown now")
        finally:
            self._task = None

    def _open(self, response: Response) -> None:
        """Answer the request. A client that talked too early may be closed by that."""
        if self._phase is not Phase.ASKING or self._parser is None:
            return
        gate = self.gate
        self._phase = Phase.OPEN
        self.deflate = "Sec-WebSocket-Extensions" in response.headers
        self._parser.send_response(response)
        self.transport.write(b"".join(self._parser.data_to_send()))
        self._parser = None  # and with it everything that the handshake took
        gate.handshakes.pop(self, None)
        self._group = gate.opened(self)
        limit = gate.limits.write_buffer
        self.transport.set_write_buffer_limits(high=limit, low=limit // 4)
        _limit_kernel_buffer(self.transport)
        early, self._early = self._early, b""
        if early:
            self._received(early)

    def _refuse(self, status: int, text: str) -> None:
        if self._phase is not Phase.ASKING or self._parser is None:
            return
        self.gate.hub.counts.refused += 1
        response = self._parser.reject(status, f"{text}\n")
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Retry-After"] = RETRY_AFTER
        self._respond(response)

    def _respond(self, response: Response) -> None:
        parser = self._parser
        assert parser is not None
        parser.send_response(response)
        self._answer(parser)

    # -- open

    def _received(self, data: bytes) -> None:
        self._unanswered = False
        parser = self._parser or self._new_parser()
        parser.receive_data(data)
        self._messages += len(parser.events_received())
        if self._messages > self.gate.limits.messages_per_ping and self._phase is Phase.OPEN:
            parser.fail(FLOODING, "too many messages")
        self._answer(parser)

    def _new_parser(self) -> ServerProtocol:
        limit = self.gate.limits.message_bytes
        parser = self._parser = ServerProtocol(state=OPEN, max_size=limit, logger=wire)
        if self.deflate:
            parser.extensions = [incoming()]
        return parser

    def _answer(self, parser: ServerProtocol) -> None:
        output = parser.data_to_send()
        if not output:
            return
        if data := b"".join(output):
            self.transport.write(data)
        if output[-1] == SEND_EOF:
            self._withdraw()
            self.gate.closing.add(self)
            if parser.close_rcvd is None and self.transport.can_write_eof():
                # What the client goes on sending would, unread, reset the connection and take
                # our close frame with it: so only our side ends, until the client ends its own.
                self.transport.write_eof()
            else:
                self.transport.close()

    def keep_alive(self) -> bool:
        """Ping it, unless it is full; False when the last ping was not answered."""
        self._messages = 0
        if self in self.gate.stuck:
            return True
        if self._unanswered:
            return False
        self._unanswered = True
        self.transport.write(PING)
        return True

    # -- ending

    def close(self, code: int, reason: str) -> None:
        """Say why, then end: when the client has answered, or after a few seconds."""
        if self._phase is not Phase.OPEN:
            return
        self._withdraw()
        self.gate.closing.add(self)
        parser = self._parser or self._new_parser()
        parser.send_close(code, reason)
        self._answer(parser)
        self.transport.resume_reading()

    def abort(self) -> None:
        """End it at once, for the system as well if the client does not take what it was sent."""
        self._withdraw()
        if self.transport.get_write_buffer_size():
            _reset_when_closed(self.transport)
        self.transport.abort()

    def _withdraw(self) -> None:
        """It follows nothing any more; what is left is to end the connection."""
        self.ready = False
        if self._channel is not None:
            self._channel.detach(self)
            self._channel = None
        if self._phase is Phase.OPEN:
            self.gate.ended(self, self._group)
        self._phase = Phase.CLOSING

    @property
    def topic(self) -> Topic | None:
        """What it follows."""
        return None if self._channel is None else self._channel.wish.topic


def _reset_when_closed(transport: asyncio.Transport) -> None:
    """Keep nothing unsent: the kernel would offer it for minutes to who reads nothing."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family != socket.AF_UNIX:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _limit_kernel_buffer(transport: asyncio.Transport) -> None:
    """Let the kernel hold little that is unsent, so that what a slow client gets is not old.

    Without it the kernel takes megabytes for a client that reads nothing.
    """
    connection = transport.get_extra_info("socket")
    if connection is None or TCP_NOTSENT_LOWAT is None or connection.family == socket.AF_UNIX:
        return
    with suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)
