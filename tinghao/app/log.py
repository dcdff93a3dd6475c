"""Log lines: for people, or one JSON object a line. Never a token, a name or an address.

The access log names the route's path without its query; the parts of a path that are secrets are
blotted out.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from tinghao.app.settings import Settings

access = logging.getLogger("tinghao.access")

_SECRET_IN_PATH = re.compile(r"^(/t/|/api/v1/tickets/)[^/]+")

UNLOGGED = ("/static/", "/health/", "/metrics")
"""Asked for so often that they would hide the rest."""


def configure(settings: Settings, *, many: bool = False) -> None:
    """Send every log line of the process to standard error in the chosen format.

    Where ``many`` processes write, each line says which one it is from.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(many) if settings.log_format == "json" else TextLines(many))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    # Their ordinary lines say what ours say already; their errors are kept.
    for chatty in ("uvicorn", "alembic", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    access.setLevel(logging.INFO if settings.access_log else logging.CRITICAL)


class _Lines(logging.Formatter):
    def __init__(self, many: bool = False) -> None:
        super().__init__()
        self._many = many


class TextLines(_Lines):
    """``2026-11-24 09:30:00 info    access: request method=GET path=/ status=200``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it if there is one."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        name = record.name.removeprefix("tinghao.")
        who = f"[{record.process}] " if self._many else ""
        line = f"{when} {record.levelname.lower():7} {who}{name}: {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(_Lines):
    """``{"time": …, "level": …, "logger": …, "event": …}`` and the line's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **({"process": record.process} if self._many else {}),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def masked(path: str) -> str:
    """A path as it may be logged: the token of a ticket is the right to see and cancel it."""
    return _SECRET_IN_PATH.sub(r"\1…", path)


class AccessLog:
    """Wraps the application: one line for each request, when its answer begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and log it."""
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith(UNLOGGED):
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = {
                    "method": scope["method"],
                    "path": masked(scope["path"]),
                    "status": message["status"],
                    "ms": round((time.perf_counter() - began) * 1000, 1),
                    "role": getattr(scope.get("user"), "role", "-"),
                }
                access.info("request", extra={"fields": fields})
            await send(message)

        await self._app(scope, receive, noting)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = getattr(record, "fields", None)
    return fields if isinstance(fields, dict) else {}


def say(text: str) -> None:
    """A sentence for whoever started the service, on standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
