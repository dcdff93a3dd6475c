"""Everything under /static, held in memory: a few small files that every screen asks for.

What is not in the folder at the start does not exist, so no path can lead out of it. An address
with the hash of its content (as ``asset`` makes it) may be kept for good; any other is asked for
again each time, which costs a 304.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from msgspec import Struct

from tinghao.app.auth.headers import header
from tinghao.app.auth.middleware import NO_CALLER
from tinghao.realtime.render import STATIC

# Python's own table differs from machine to machine.
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".txt": "text/plain",
    ".md": "text/plain",
}
_PACKABLE = frozenset({".css", ".js", ".svg", ".txt", ".md"})


class StaticFile(Struct, frozen=True):
    """A file ready to be sent. ``digest`` is how its address begins to name its content."""

    content: bytes
    packable: bool
    media_type: str
    digest: str


@cache
def files(folder: Path = STATIC) -> dict[str, StaticFile]:
    """Every file of the folder by its path within it."""
    return {
        path.relative_to(folder).as_posix(): _loaded(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@get(
    "/static/{path:path}",
    opt={NO_CALLER: True},
    include_in_schema=False,
    sync_to_thread=False,
)
def static_file(request: Request[Any, Any, Any], path: FromPath[Path]) -> Response[bytes]:
    """One static file, whole or as "not modified"."""
    name = path.as_posix().lstrip("/")
    file = files().get(name)
    if file is None:
        raise NotFoundException
    named = f"v={file.digest[:10]}".encode() in request.scope["query_string"]
    etag = f'"{file.digest[:20]}"'
    headers = {
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": "public, max-age=31536000, immutable" if named else "no-cache",
    }
    asked = request.scope["headers"]
    if etag in (header(asked, b"if-none-match") or ""):
        return Response(b"", status_code=304, headers=headers)
    if file.packable and "gzip" in (header(asked, b"accept-encoding") or ""):
        headers["Content-Encoding"] = "gzip"
        return Response(_packed(name), media_type=file.media_type, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


@cache
def _packed(name: str) -> bytes:
    """A file as it travels, packed when somebody asks for it first."""
    return gzip.compress(files()[name].content, 6, mtime=0)


def _loaded(path: Path) -> StaticFile:
    content = path.read_bytes()
    return StaticFile(
        content,
        path.suffix in _PACKABLE,
        _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        hashlib.sha256(content).hexdigest(),
    )
