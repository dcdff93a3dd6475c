"""Run every benchmark, one after the other: `python -m benchmarks`. About twenty minutes.

Each can be run alone, `python -m benchmarks.NAME`, and then takes options; `--help` lists them.
"""

import subprocess
import sys

from tests.servers import MissingError, postgres


def run(title: str, *words: str) -> None:
    """One of them, in a process of its own."""
    print(f"\n## {title}\n\n`python -m benchmarks.{' '.join(words)}`\n", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{words[0]}", *words[1:]], check=False)


def main() -> None:
    """Run them."""
    run("A command", "commands")
    try:
        with postgres(durable=True) as database:
            database.create("bench")
            run("A command on PostgreSQL", "commands", "--database", database.url("bench"))
    except MissingError as error:
        print(f"Not run on PostgreSQL: {error}.")
    run("Fan-out", "fanout")
    run("From a call to its frame", "call_to_frame")
    run("Slow sockets", "slow_sockets")
    run("Faults", "faults")
    run("A city's working day", "city_day")
    run("Cold start", "cold_start")


if __name__ == "__main__":
    main()
