"""One worker as the launcher sees it: a process, a line to it, and how far it is."""

from __future__ import annotations

import asyncio
import itertools
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from tinghao.app.serving.listening import Listeners
from tinghao.app.serving.workers.line import (
    Ask,
    Busy,
    Counted,
    Line,
    Polite,
    Ready,
    Replaced,
    Sum,
    Tell,
    Told,
)
from tinghao.monitoring.figures import Figures

ANSWER_SECONDS = 2.0
"""How long a scrape waits for the figures of one worker."""

TOLERATED = 2
TOLERATED_PART = 0.05
"""Connections, and part of its share, by which a worker may be ahead of the others."""


class Child:
    """A worker that was started. It `ended` when its process has, and its last word is heard."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        line: Line,
        sum_over: SumOver,
        share_of: ShareOf,
    ) -> None:
        self.pid = process.pid
        self.figures: Figures = ()
        """The latest it has told."""
        self.connections = 0
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()
        self.ending = False
        """Whether it was told to end."""
        self.started_at = self.heard_at = time.monotonic()
        self._process = process
        self._line = line
        self._sum_over = sum_over
        self._share_of = share_of
        self._is_ahead = False
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[None]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._hung_up = False
        self._living = asyncio.create_task(self._live())

    @property
    def how_it_ended(self) -> str:
        """In words, for the log."""
        code = self._process.returncode
        if code is None:
            return "runs"
        if code < 0:
            with suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    async def tell(self) -> bool:
        """Ask it for its figures; whether it has told them in time."""
        number = next(self._numbers)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        self._line.say(Tell(number))
        try:
            await asyncio.wait_for(future, ANSWER_SECONDS)
        except TimeoutError:
            return False
        finally:
            del self._asked[number]
        return not self._hung_up

    def terminate(self, *, replaced: bool) -> None:
        """Let it end in order, once."""
        if self.ending or self.ended.is_set():
            return
        self.ending = True
        if replaced:
            self._line.say(Replaced())
        with suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self.ending = True
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _live(self) -> None:
        async for message in self._line.heard():
            self.heard_at = time.monotonic()
            match message:
                case Ready():
                    self.ready.set()
                case Counted(figures):
                    self.figures = figures
                case Busy(connections):
                    self.connections = connections
                    self._keep_to_share()
                case Told(number, figures):
                    # Here and not where it is waited for: the next word may be newer by then.
                    self.figures = figures
                    if (future := self._asked.get(number)) is not None and not future.done():
                        future.set_result(None)
                case Ask(number, figures):
                    self.figures = figures
                    task = asyncio.create_task(self._answer(number))
                    self._answering.add(task)
                    task.add_done_callback(self._answering.discard)
                case _:
                    pass
        self._hung_up = True
        for future in self._asked.values():
            if not future.done():
                future.set_result(None)
        await self._process.wait()
        await self._line.close()
        self.ended.set()

    def _keep_to_share(self) -> None:
        share = self._share_of(self)
        ahead = self.connections > share + max(TOLERATED, share * TOLERATED_PART)
        if ahead != self._is_ahead:
            self._is_ahead = ahead
            self._line.say(Polite(ahead))

    async def _answer(self, number: int) -> None:
        self._line.say(Sum(number, await self._sum_over(self)))


SumOver = Callable[[Child], Awaitable[Figures]]
"""Gives a worker that asks the sum over all."""

ShareOf = Callable[[Child], float]
"""How many connections a worker would have if all had the same."""


async def start(
    command: Sequence[str], at: Listeners, sum_over: SumOver, share_of: ShareOf
) -> Child:
    """Start a worker that inherits the listening sockets."""
    ours, its = socket.socketpair()
    with its:
        named = ["--line", its.fileno(), "--listener", at.main.fileno()]
        if at.metrics is not None:
            named += ["--metrics-listener", at.metrics.fileno()]
        process = await asyncio.create_subprocess_exec(
            *command,
            *map(str, named),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=[its.fileno(), *(each.fileno() for each in at.every())],
            # A terminal's Ctrl-C and hangup are for the launcher, which tells them in order.
            start_new_session=True,
        )
    return Child(process, await Line.on(ours), sum_over, share_of)
