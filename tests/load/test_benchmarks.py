"""The benchmarks run: each in small, for what it prints and not for its figures."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.load, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]


@pytest.mark.parametrize(
    "words",
    [
        "commands --rounds 1",
        "fanout --sockets 150 --frames 2 --idle 150",
        "slow_sockets --sockets 50 --seconds 8",
        "call_to_frame --displays 20 --calls 3 --busy 2",
    ],
)
def test_it_prints_its_table(words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *f"benchmarks.{words}".split()],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=150,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) >= 2, done.stdout
    assert len({row.count("|") for row in rows[:2]}) == 1
