"""How long the embedded default takes from nothing to its first page.

    python -m benchmarks.cold_start [--rounds 5]

A new process is started each time, on a deployment that stands ready; the clock runs from the start
of the process until the lobby page has been answered in full.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.deployments import HALL
from benchmarks.measuring import machine, percentile, table
from tests.load.deployment import Deployment, deploy


def start(deployment: Deployment) -> tuple[float, float]:
    """Seconds until it says its address, and until its first page is there."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "tinghao", "serve", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        cwd=deployment.folder, env={**os.environ, **deployment.environ},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.:]+", process.stdout.readline())
            assert found is not None
            answering = time.monotonic() - began
            with urllib.request.urlopen(f"{found[0]}/halls/{HALL}/lobby") as page:
                assert b"</html>" in page.read()
            return answering, time.monotonic() - began
        finally:
            process.terminate()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory(prefix="tinghao-bench-") as name:
        deployment = deploy(Path(name), f"sqlite:///{name}/hall.sqlite3")
        start(deployment)  # whatever is read for the first time
        times = [start(deployment) for _ in range(chosen.rounds)]
    rows = [
        (what, *(f"{each:.2f}" for each in (percentile(found, 0.5), min(found), max(found))))
        for what, found in zip(
            ("it says its address, s", "the lobby page is there, s"),
            zip(*times, strict=True),
            strict=True,
        )
    ]
    print(table(("from the start until", "median", "min", "max"), rows))


if __name__ == "__main__":
    main()
