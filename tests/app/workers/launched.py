"""`tinghao serve --workers N` as a process of its own, and its workers as the system sees them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.load.deployment import Deployment
from tests.realtime.house import until


class Launched:
    """The launcher and what can be asked of it."""

    def __init__(self, process: Process, url: str, log: Path) -> None:
        self._process = process
        self._log = log
        self.url = url

    @property
    def said(self) -> str:
        """The log of launcher and workers."""
        return self._log.read_text()

    async def workers(self) -> list[int]:
        """The process ids of its workers, the oldest first."""
        listing = await asyncio.create_subprocess_exec(
            *("ps", "-A", "-o", "pid=,ppid=,stat="), stdout=PIPE
        )
        output, _ = await listing.communicate()
        rows = [line.split() for line in output.decode().splitlines()]
        return sorted(
            int(pid)
            for pid, parent, state in rows
            if int(parent) == self._process.pid and not state.startswith("Z")
        )

    def tell(self, what: signal.Signals) -> None:
        """Send a signal to the launcher."""
        self._process.send_signal(what)

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Tell it to end; its exit code, and how many seconds it took."""
        began = time.monotonic()
        self.tell(how)
        return await asyncio.wait_for(self._process.wait(), 20), time.monotonic() - began

    async def says(self, what: str, times: int = 1) -> None:
        """Return as soon as the log has it so often."""
        await until(lambda: len(re.findall(what, self.said)) >= times, seconds=30)

    async def has_replaced(self, old: list[int]) -> None:
        """Return as soon as none of the old workers is there and as many new ones are ready."""
        async with asyncio.timeout(30):
            while True:
                now = await self.workers()
                if len(now) == len(old) and not set(now) & set(old):
                    return
                await asyncio.sleep(0.05)

    async def figures(self, client: httpx.AsyncClient | None = None) -> dict[str, float]:
        """What a scrape shows, by name and label values."""
        if client is None:
            async with httpx.AsyncClient(base_url=self.url) as fresh:
                return await self.figures(fresh)
        answer = await client.get("/metrics")
        assert answer.status_code == 200, answer.text
        return {
            " ".join([sample.name, *sample.labels.values()]): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }


@asynccontextmanager
async def launched(
    deployment: Deployment, workers: int = 2, port: int = 0, **more: str
) -> AsyncIterator[Launched]:
    """Serve until the block is left; what is left then is killed. Several have one log."""
    log = deployment.folder / "server.log"
    options = ["--port", str(port), "--workers", str(workers)]
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tinghao", "serve", *options),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=errors,
            cwd=deployment.folder,
            env={**deployment.environ, "TINGHAO_ACCESS_LOG": "false", **more},
        )
    made: Launched | None = None
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        address = re.search(r"http://[\d.:]+", line)
        assert address is not None, f"{line}\n{log.read_text()}"
        made = Launched(process, address[0], log)
        yield made
    finally:
        if process.returncode is None:
            left = await made.workers() if made is not None else []
            process.kill()
            await process.wait()
            for pid in left:
                kill(pid)


def kill(pid: int, how: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to one process, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, how)
