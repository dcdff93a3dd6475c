"""What every benchmark needs: the CPU of a process, a light HTTP client, tables to read."""

import asyncio
import json
import os
import resource
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def cpu_seconds(pid: int) -> float:
    """User and system time that a process and its threads have used, to the nanosecond."""
    # The CPU clock of another process, as clock_getcpuclockid(3) of Linux makes its number.
    return time.clock_gettime((~pid << 3) | 2)


def resident_kib(pid: int) -> int:
    """Memory of a process that lies in RAM."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1])
    raise ValueError(f"the memory of process {pid} cannot be told")


def raise_file_limit() -> int:
    """As many open sockets as the system lets this process have; returns how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def machine() -> str:
    """Where and under what load the figures come from."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, load average {load:.1f}"


def percentile(values: Iterable[float], share: float) -> float:
    """The value that so large a share of all does not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Http:
    """One kept-alive connection; as little work on this side as will do."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Http":
        """Connect to a server on this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, Any]:
        """The status and the JSON body of the answer, None when it has none."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = 0
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
        content = await self._reader.readexactly(length) if length else b""
        status = int(head.split(" ", 2)[1])
        return status, json.loads(content) if content else None

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)
