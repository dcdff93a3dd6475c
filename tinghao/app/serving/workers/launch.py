"""``tinghao serve --workers N``: what is looked at before, and the launcher's process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import uvloop

from tinghao.app import keys, log
from tinghao.app.database.serving_lock import ServeError
from tinghao.app.serving.before_serving import database_file, migrate
from tinghao.app.serving.file_limit import raise_file_limit
from tinghao.app.serving.listening import Listeners, address_of, listeners
from tinghao.app.serving.workers.launcher import Launcher, Plan
from tinghao.app.settings import Settings
from tinghao.app.settings.sources import PREFIX

logger = logging.getLogger(__name__)

BACKLOG = 2048
"""Connections that may wait while no worker takes them."""


def run(settings: Settings, config: Path | None, *, announce: str) -> None:
    """Serve with several workers until a signal comes; ``announce`` is printed with the {url}.

    Raises ServeError, SchemaTooNewError, DatabaseUnavailable or KeyFileError before anything is
    started, so that what is wrong is said once.
    """
    log.configure(settings, many=True)
    raise_file_limit()
    if database_file(settings) is not None:
        raise ServeError(
            f"{settings.workers} workers need PostgreSQL: an SQLite file has one server. Set "
            "workers = 1, or give database_url the address of a PostgreSQL database."
        )
    keys.load_secret(settings.secret_path)
    keys.load_journal_key(settings.journal_key_path)
    if not settings.redis_url:
        logger.warning(
            "no Redis is set: screens at one worker see what was done at another up to a second "
            "later, when it looks at the journal"
        )
    migrate(settings)
    with listeners(settings) as at:
        for listener in at.every():
            listener.listen(BACKLOG)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_main(settings, config, at, announce))


async def _main(settings: Settings, config: Path | None, at: Listeners, announce: str) -> None:
    os.environ[f"{PREFIX}WORKERS"] = str(settings.workers)  # else they knew the file's
    command = [sys.executable, "-m", "tinghao.app.serving.workers"]
    if config is not None:
        command += ["--config", str(config)]
    plan = Plan(workers=settings.workers, command=tuple(command), drain=settings.drain_seconds + 1)
    launcher = Launcher(plan, at)
    loop = asyncio.get_running_loop()
    told = False

    def interrupted() -> None:
        nonlocal told
        (launcher.kill if told else launcher.stop)()
        told = True

    loop.add_signal_handler(signal.SIGTERM, launcher.stop)
    loop.add_signal_handler(signal.SIGINT, interrupted)
    loop.add_signal_handler(signal.SIGHUP, launcher.replace)
    if at.metrics is not None:
        logger.info("metrics at %s/metrics", address_of(*at.metrics.getsockname()[:2]))
    url = settings.public_url or address_of(*at.main.getsockname()[:2])
    await launcher.run(ready=lambda: log.say(announce.format(url=url)))
