"""A client of the public API that never does a thing twice.

Every POST carries an Idempotency-Key of its own. When the connection breaks or the server
answers 5xx, the same request goes out again with the same key: a command that was done already
is answered again instead of being done again.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from random import Random
from typing import Any, Self

import httpx
import msgspec
from msgspec import Struct

PATIENCE = 60.0
"""Seconds of machine time to keep trying: a server that restarts is waited for."""
FIRST_WAIT = 0.05
LONGEST_WAIT = 2.0


class Unreachable(OSError):
    """The server did not answer for as long as we were ready to wait."""


class Refused(Exception):
    """The server refuses (4xx). `slug` is the end of the problem's type."""

    def __init__(self, status: int, slug: str, detail: str) -> None:
        super().__init__(f"{status} {slug}: {detail}")
        self.status = status
        self.slug = slug
        self.detail = detail


class Answer(Struct, frozen=True):
    """A successful answer; `body` is None for 204."""

    status: int
    body: Any = None


class Client:
    """One caller of one server, over connections that stay open."""

    def __init__(self, url: str, token: str, patience: float = PATIENCE) -> None:
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/api/v1",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx.Timeout(15.0),
            # A hall's server is reached directly; a proxy set for the internet would not find it.
            trust_env=False,
        )
        self._patience = patience
        self._run = secrets.token_hex(8)
        self._posts = 0
        self._random = Random(self._run)  # noqa: S311 (spreads retries)
        self.retries = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: str | int) -> Any:
        """The JSON at a path. Raises Refused or Unreachable."""
        return (await self._ask("GET", path, None, {}, query)).body

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Do what the path says, exactly once. Raises Refused or Unreachable."""
        self._posts += 1
        headers = {
            "Idempotency-Key": f"{self._run}-{self._posts}",
            "Content-Type": "application/json",
        }
        return await self._ask("POST", path, msgspec.json.encode(body or {}), headers, {})

    async def take(self, hall: str, category: str, **body: Any) -> dict[str, Any]:
        """Take a number; the answer with its `token`, `number`, `ahead` and `estimate`."""
        answer = await self.post(f"/halls/{hall}/tickets", {"category": category, **body})
        taken: dict[str, Any] = answer.body
        return taken

    async def at_window(
        self, hall: str, window: int, command: str, **body: Any
    ) -> dict[str, Any] | None:
        """Give a command at a window (`call-next`, `start`, `finish` …; docs/api.md).

        The ticket, or the window for open, pause, resume, close and categories; None when
        nobody was there to be called.
        """
        answer = await self.post(f"/halls/{hall}/windows/{window}/{command}", body)
        found: dict[str, Any] | None = answer.body
        return found

    async def _ask(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
        query: Mapping[str, str | int],
    ) -> Answer:
        until = time.monotonic() + self._patience
        wait = FIRST_WAIT
        while True:
            try:
                response = await self._http.request(
                    method, path, content=content, headers=headers, params=dict(query)
                )
            except httpx.TransportError as error:
                problem = f"{type(error).__name__} {error}".strip()
            else:
                if response.status_code < 500 and response.status_code != 429:
                    return _answered(response)
                problem = f"status {response.status_code}"
            if time.monotonic() + wait > until:
                raise Unreachable(f"{self._http.base_url} does not answer: {problem}")
            self.retries += 1
            await asyncio.sleep(wait * self._random.uniform(0.5, 1.0))
            wait = min(wait * 2, LONGEST_WAIT)


def _answered(response: httpx.Response) -> Answer:
    if response.status_code == 204:
        return Answer(204)
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        body = None
    if response.is_success and body is not None:
        return Answer(response.status_code, body)
    known = body if isinstance(body, dict) else {}
    slug = str(known.get("type", "")).rpartition(":")[2] or "no-api"
    detail = str(known.get("detail", "this is not the API of Tinghao"))
    raise Refused(response.status_code, slug, detail)
