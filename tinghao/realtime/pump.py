"""The pump: what has to be rendered and written goes out in small steps between other work.

Ten thousand sockets take the loop about a tenth of a second; a clerk's command must not wait
for that. A job is a generator that pauses after each step; the pump runs steps for a few
milliseconds, lets the loop do what else is there, and goes on. Jobs take turns, so that a
console's frame does not wait for a thousand walls.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator

SLICE = 0.004  # seconds at a time

logger = logging.getLogger(__name__)

Job = Iterator[None]


class Pump:
    """Runs jobs on the event loop. Costs nothing while there is none."""

    __slots__ = ("_jobs", "_running")

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._running = False

    def submit(self, job: Job) -> None:
        """Run the job from the loop's next turn on, after what is ready already."""
        self._jobs.append(job)
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        jobs = self._jobs
        until = time.monotonic() + SLICE
        while jobs:
            job = jobs.popleft()
            try:
                next(job)
            except StopIteration:
                pass
            except Exception:
                logger.exception("a job of the pump failed")
            else:
                jobs.append(job)
            if jobs and time.monotonic() >= until:
                loop.call_soon(self._run)
                return
        self._running = False
