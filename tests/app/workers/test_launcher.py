"""What the launcher does with workers that die, hang or never come up. These are short scripts."""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.realtime.house import until
from tinghao.app.database.serving_lock import ServeError
from tinghao.app.serving.listening import Listeners, bound
from tinghao.app.serving.workers.launcher import Launcher, Plan

SPEAKING = """
import os, sys, time
from tinghao.app.serving.workers.line import Ready, _encoder
line = int(sys.argv[sys.argv.index("--line") + 1])
def say(message):
    body = _encoder.encode(message)
    os.write(line, len(body).to_bytes(4, "big") + body)
def ready():
    say(Ready())
"""
"""A worker that can say that it is ready."""

LIVES = f"{SPEAKING}\nready()\ntime.sleep(60)"
DIES_AT_ONCE = f"{SPEAKING}\nready()\nsys.exit(3)"
NEVER_READY = "import time\ntime.sleep(60)"


@asynccontextmanager
async def running(folder: Path, script: str, **plan: float) -> AsyncIterator[Launcher]:
    """A launcher whose workers run a script, until the block is left."""
    file = write(folder, script)
    chosen = {"workers": 2, "drain": 1.0, "steady": 60.0, "first_delay": 0.1, **plan}
    with bound("127.0.0.1", 0) as listener:
        listener.listen()
        made = Launcher(
            Plan(command=(sys.executable, str(file)), **chosen),  # type: ignore[arg-type]
            Listeners(listener, None),
        )
        up = asyncio.Event()
        task = asyncio.create_task(made.run(up.set))
        waiting = asyncio.create_task(up.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
        waiting.cancel()
        try:
            if task.done():
                await task
            yield made
        finally:
            made.stop()
            await asyncio.wait({task})


def write(folder: Path, script: str) -> Path:
    file = folder / "worker.py"
    file.write_text(script)
    return file


def said(caplog: pytest.LogCaptureFixture, what: str) -> list[str]:
    return [each for each in caplog.messages if what in each]


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def test_a_worker_that_dies_at_once_is_started_later_and_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, LIVES, workers=1, longest_delay=0.4) as launcher:
        write(tmp_path, DIES_AT_ONCE)
        [child] = launcher._children
        child.kill()
        await until(lambda: len(said(caplog, "starts in 0.4 s")) >= 2, seconds=60)
    delays = [each.rpartition(" starts ")[2] for each in said(caplog, "a new one starts")]
    assert delays[:4] == ["in 0.1 s", "in 0.2 s", "in 0.4 s", "in 0.4 s"]
    assert "was ended by SIGKILL" in said(caplog, "a new one starts")[0]
    assert "ended with code 3" in said(caplog, "a new one starts")[1]


async def test_a_start_at_which_no_worker_comes_up_fails(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="No worker could start"):
        async with running(tmp_path, "import sys\nsys.exit(1)"):
            pass


async def test_a_worker_that_never_becomes_ready_is_given_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ServeError, match="No worker could start"):
        async with running(tmp_path, NEVER_READY, start=0.3):
            pass
    assert len(said(caplog, "did not become ready")) == 1


async def test_a_rolling_restart_ends_at_the_first_new_worker_that_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A new version that cannot start takes nothing away from the old one."""
    async with running(tmp_path, LIVES) as launcher:
        old = {child.pid for child in launcher._children}
        write(tmp_path, "import sys\nsys.exit(1)")
        launcher.replace()
        await until(lambda: bool(said(caplog, "the others go on as they are")), seconds=30)
        assert {child.pid for child in launcher._children} == old


async def test_a_worker_that_says_nothing_any_more_is_killed_and_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, LIVES, workers=1, silent=1.0):
        await until(lambda: len(said(caplog, "is ready")) >= 2, seconds=30)
    assert said(caplog, "has been silent for 1 s")


async def test_a_stop_while_workers_start_waits_for_none_of_them(tmp_path: Path) -> None:
    began = time.monotonic()
    async with running(tmp_path, LIVES) as launcher:
        write(tmp_path, NEVER_READY)
        launcher.replace()
        await until(lambda: len(launcher._children) == 3, seconds=30)
        began = time.monotonic()
    assert time.monotonic() - began < 5


async def test_what_a_newer_worker_says_and_is_not_understood_is_passed_over(
    tmp_path: Path,
) -> None:
    newer = "class Newer(Ready, tag=True): pass\nsay(Newer())\nready()\ntime.sleep(60)"
    async with running(tmp_path, f"{SPEAKING}\n{newer}") as launcher:
        assert all(child.ready.is_set() for child in launcher._children)
