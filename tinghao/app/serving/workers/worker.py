"""A worker: one process of several, which serves at a socket that it inherits."""

from __future__ import annotations

import asyncio
import itertools
import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import click
import uvloop

from tinghao.app import log
from tinghao.app.cli.deployment import config_option, settings_of
from tinghao.app.cli.sentences import sentence_of
from tinghao.app.serving.listening import Listeners
from tinghao.app.serving.server import Served, serving
from tinghao.app.serving.workers.accepting import Acceptor
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
from tinghao.app.settings import Settings
from tinghao.monitoring.figures import Figures
from tinghao.monitoring.metrics import GatherFault, Metrics
from tinghao.queue.desk import Desk

logger = logging.getLogger(__name__)

COUNTED_EVERY = 2.0
"""Seconds between two words to the launcher; what a killed worker had counted since is lost."""

BUSY_EVERY = 0.5
"""Seconds between two words about how many connections there are."""

SUM_SECONDS = 4.0
"""How long a scrape waits for the launcher."""

REFRESH_SECONDS = 3.0
"""How long a scrape waits for the database."""


@click.command()
@config_option
@click.option("--line", type=int, required=True)
@click.option("--listener", type=int, required=True)
@click.option("--metrics-listener", type=int)
def main(config: Path | None, line: int, listener: int, metrics_listener: int | None) -> None:
    """Serve with others under a launcher. The numbers are descriptors of inherited sockets."""
    try:
        settings = settings_of(config)
        log.configure(settings, many=True)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # that is for the launcher
        at = Listeners(
            socket.socket(fileno=listener),
            None if metrics_listener is None else socket.socket(fileno=metrics_listener),
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, at, socket.socket(fileno=line)))
    except Exception as error:
        raise click.ClickException(sentence_of(error)) from error


async def serve(settings: Settings, at: Listeners, end: socket.socket) -> None:
    """Serve until a signal comes or the launcher is gone."""
    line = await Line.on(end)
    acceptors: list[Acceptor] = []

    def accept(listener: socket.socket, make: Callable[[], asyncio.Protocol]) -> Acceptor:
        acceptors.append(Acceptor(listener, make))
        return acceptors[-1]

    async with serving(settings, signals=True, inherited=at, accept=accept) as served:
        post = Post(line, served, acceptors)
        metrics = post.metrics
        metrics.gather = post.sum_over_all
        metrics.refresh = up_to_date(served.service.desk)
        tasks = [asyncio.create_task(each) for each in (post.listen(), post.report(), post.weigh())]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    line.say(Counted(metrics.own()))
    await line.close()


class Post:
    """This worker's end of the line."""

    def __init__(self, line: Line, served: Served, acceptors: list[Acceptor]) -> None:
        metrics = served.app.state.metrics
        assert isinstance(metrics, Metrics)
        self.metrics = metrics
        self._line = line
        self._served = served
        self._acceptors = acceptors
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Figures]] = {}

    async def report(self) -> None:
        """Say when it is ready, and from then on what it has counted."""
        while await self._served.service.ready() is not None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.2)
        self._line.say(Ready())
        while True:
            self._line.say(Counted(self.metrics.own()))
            await asyncio.sleep(COUNTED_EVERY)

    async def weigh(self) -> None:
        """Say how many connections it has, so that none gets more than its share of the new."""
        while True:
            self._line.say(Busy(self._served.connections))
            await asyncio.sleep(BUSY_EVERY)

    async def listen(self) -> None:
        """Do what the launcher says; without a launcher there is nobody to serve with."""
        async for message in self._line.heard():
            match message:
                case Tell(number):
                    self._line.say(Told(number, self.metrics.own()))
                case Sum(number, figures):
                    if (future := self._asked.get(number)) is not None and not future.done():
                        future.set_result(figures)
                case Polite(ahead):
                    for acceptor in self._acceptors:
                        acceptor.polite = ahead
                case Replaced():
                    self._served.replaced()
                case _:
                    pass
        logger.error("the launcher is gone; this worker ends")
        self._served.stop()

    async def sum_over_all(self, own: Figures) -> Figures:
        """The figures of all workers together. Raises GatherFault."""
        number = next(self._numbers)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        self._line.say(Ask(number, own))
        try:
            return await asyncio.wait_for(future, SUM_SECONDS)
        except TimeoutError:
            raise GatherFault("The launcher does not answer.") from None
        finally:
            del self._asked[number]


def up_to_date(desk: Desk) -> Callable[[], Awaitable[None]]:
    """Before a scrape: look at the journals' heads, so that all workers show the same halls.

    A counter would otherwise run back when the next scrape comes to a worker that has not heard
    yet. Without the database the halls are shown as they are known.
    """
    looking: asyncio.Task[None] | None = None

    async def refresh() -> None:
        nonlocal looking
        if looking is not None and not looking.done():  # it may have looked before the scrape
            await asyncio.wait({looking}, timeout=REFRESH_SECONDS)
            if not looking.done():
                return
        looking = asyncio.create_task(desk.confirm())
        looking.add_done_callback(_seen)
        await asyncio.wait({looking}, timeout=REFRESH_SECONDS)

    return refresh


def _seen(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()  # the desk's own following says it in the log
