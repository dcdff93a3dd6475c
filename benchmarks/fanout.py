"""One frame to every socket: this server beside four other ways, interleaved in one run.

    python -m benchmarks.fanout [--sockets 1000 5000] [--idle 10000] [--seconds N]

Each way is a server in a process of its own; its clients are in another. The ways take turns,
block by block, and each block sends a few frames of 1 KB to all sockets. The figures are the CPU
of the server's process by delivered frame and its ratio to a bare `transport.write` in the same
block, the time from just before the sending to when a client has read it, and the memory that a
socket takes which has been opened and has nothing to say.
"""

import argparse
import time
from contextlib import ExitStack

from benchmarks.measuring import cpu_seconds, machine, percentile, resident_kib, table
from benchmarks.reader import Reader, reading
from benchmarks.variants import BARE, OURS, PATH, VARIANTS, Sender, Variant, sending

FIRST = 100  # sockets that are open before memory is measured
PAUSE = 0.11  # seconds between two frames: this server sends at most ten a second
BLOCKS = 6


class Figures:
    """What was measured of one way."""

    def __init__(self) -> None:
        self.cpu: list[float] = []  # µs a frame, of each block
        self.latencies: list[float] = []
        self.idle_kib = 0.0  # of a socket


def fan_out(sockets: int, frames: int) -> str:
    """The table for so many sockets; `frames` are sent in each block."""
    figures = {name: Figures() for name in VARIANTS}
    with ExitStack() as stack:
        ways = {}
        for name, variant in VARIANTS.items():
            sender, reader = _opened(stack, variant)
            figures[name].idle_kib = idle_kib(sender, reader, sockets)
            ways[name] = sender, reader
        for block in range(BLOCKS + 1):
            for name, (sender, reader) in ways.items():
                spent, latencies = _block(sender, reader, frames)
                if block:  # the first one warms up
                    figures[name].cpu.append(spent / frames / sockets * 1e6)
                    figures[name].latencies += latencies
    base = figures[BARE].cpu
    return table(
        (f"{sockets:,} sockets", "CPU µs a frame", "× bare", "p50 ms", "p99 ms", "idle KB"),
        [_row(name, each, base) for name, each in figures.items()],
    )


def _opened(stack: ExitStack, variant: Variant) -> tuple[Sender, Reader]:
    return stack.enter_context(sending(variant)), stack.enter_context(reading())


def _block(sender: Sender, reader: Reader, frames: int) -> tuple[float, list[float]]:
    """The CPU that some frames took, and the latency of each at each socket."""
    latencies: list[float] = []
    before = cpu_seconds(sender.pid)
    for _ in range(frames):
        reader.expect()
        sent = sender.send()
        latencies += [at - sent for at in reader.arrivals()]
        time.sleep(PAUSE)
    return cpu_seconds(sender.pid) - before, latencies


def idle_kib(sender: Sender, reader: Reader, sockets: int) -> float:
    """Open the sockets; the memory that each of them took."""
    reader.open(sender.port, PATH, FIRST)
    base = _settled(sender)
    reader.open(sender.port, PATH, sockets - FIRST)
    return (_settled(sender) - base) / (sockets - FIRST)


def _settled(sender: Sender) -> int:
    time.sleep(0.5)
    sender.collect()
    return resident_kib(sender.pid)


def _row(name: str, figures: Figures, base: list[float]) -> tuple[str, ...]:
    ratios = [own / bare for own, bare in zip(figures.cpu, base, strict=True)]
    return (
        name,
        f"{percentile(figures.cpu, 0.5):.1f} ({min(figures.cpu):.1f} – {max(figures.cpu):.1f})",
        f"{percentile(ratios, 0.5):.2f}",
        f"{percentile(figures.latencies, 0.5) * 1e3:.1f}",
        f"{percentile(figures.latencies, 0.99) * 1e3:.1f}",
        f"{figures.idle_kib:.1f}",
    )


def idle(sockets: int) -> str:
    """The memory of so many sockets with nothing to say, for this server and the bare one."""
    rows = []
    for name in (BARE, OURS):
        with ExitStack() as stack:
            sender, reader = _opened(stack, VARIANTS[name])
            rows.append((name, f"{idle_kib(sender, reader, sockets):.1f}"))
    return table((f"{sockets:,} idle sockets", "KB a socket"), rows)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, nargs="*", default=[1_000, 5_000])
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--frames", type=int, default=8, help="in each block, at 1,000 sockets")
    chosen = parser.parse_args()
    print(f"{machine()}\n")
    for sockets in chosen.sockets:
        frames = max(2, round(chosen.frames * min(1.0, 1_000 / sockets)))
        print(fan_out(sockets, frames), end="\n\n")
    if chosen.idle:
        print(idle(chosen.idle))


if __name__ == "__main__":
    main()
