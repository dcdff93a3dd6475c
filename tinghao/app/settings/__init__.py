"""Every setting of the service, in one table: name, type, default, allowed values, one line of doc.

The table is the ``Settings`` struct itself. ``tinghao settings`` and docs/settings.md list it,
``tinghao.app.settings.sources`` fills it from a TOML file and the environment.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from tinghao.app.database import normal_url
from tinghao.realtime.redis_link import check_url


def _doc(text: str, **constraints: Any) -> Meta:
    return Meta(description=text, **constraints)


def _checked(text: str, allowed: str, check: Callable[[str], bool]) -> Meta:
    return Meta(description=text, extra={"allowed": allowed, "check": check})


def _is_database_url(value: str) -> bool:
    try:
        normal_url(value)
    except ValueError:
        return False
    return True


def _is_redis_url(value: str) -> bool:
    try:
        if value:
            check_url(value)
    except ValueError:
        return False
    return True


def _is_origin(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port_is_a_number = parts.port is None or parts.port >= 0
    except ValueError:
        return False
    plain = not (parts.path or parts.query or parts.fragment or parts.username)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain and port_is_a_number


def _is_address(value: str) -> bool:
    host, colon, port = value.rpartition(":")
    return bool(host and colon) and port.isdecimal() and int(port) <= 65535


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one deployment. ``{data_directory}`` in a value stands for that setting."""

    data_directory: Annotated[
        str, _doc("Where the database file and the keys lie; relative to the configuration file.")
    ] = "."
    database_url: Annotated[
        str,
        _checked(
            "The database: an SQLite file, or PostgreSQL for more than one process.",
            "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
            _is_database_url,
        ),
    ] = "sqlite:///{data_directory}/tinghao.sqlite3"
    redis_url: Annotated[
        str,
        _checked(
            "A Redis that tells all processes at once what one has done; empty: one process, "
            "or others notice within a second.",
            "empty, redis://HOST[:PORT]/DB, rediss://…, unix:///PATH, "
            "redis+sentinel://HOST:PORT,…/SERVICE or redis+cluster://HOST:PORT",
            _is_redis_url,
        ),
    ] = ""
    host: Annotated[
        str, _doc("The address to listen on; 0.0.0.0 for every address of the machine.")
    ] = "127.0.0.1"
    port: Annotated[
        int, _doc("The port for pages, API and WebSocket; 0 takes any free one.", ge=0, le=65535)
    ] = 8000
    workers: Annotated[
        int,
        _doc(
            "Processes that serve; more than one needs PostgreSQL. Taken at the start.",
            ge=1,
            le=64,
        ),
    ] = 1
    public_url: Annotated[
        str,
        _checked(
            "How browsers and QR codes reach the service; empty: as the request came in.",
            "empty, or http(s)://HOST[:PORT] without a path",
            lambda value: not value or _is_origin(value),
        ),
    ] = ""
    allowed_origins: Annotated[
        tuple[str, ...],
        _checked(
            "Other origins whose pages may send requests with a session cookie.",
            "a list of http(s)://HOST[:PORT]; in the environment separated by commas",
            _is_origin,
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        _doc("Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."),
    ] = ("127.0.0.1",)
    metrics_address: Annotated[
        str,
        _checked(
            "An address of its own for /metrics; empty: on the port of everything else.",
            "empty, or HOST:PORT",
            lambda value: not value or _is_address(value),
        ),
    ] = ""
    session_idle_minutes: Annotated[
        int,
        _doc("Minutes without a request after which a person must sign in again.", ge=5, le=10080),
    ] = 120
    session_hours: Annotated[
        int, _doc("Hours after signing in when a session ends in any case.", ge=1, le=720)
    ] = 12
    secret_file: Annotated[
        str, _doc("The file with the secret that signs cookies; made by init, mode 0600.")
    ] = "{data_directory}/keys/secret.key"  # noqa: S105 - a path
    journal_key_file: Annotated[
        str, _doc("The file with the Ed25519 key that seals the journal's day closes, mode 0600.")
    ] = "{data_directory}/keys/journal.pem"
    body_limit_kib: Annotated[
        int, _doc("The largest body of a request that is read, in KiB.", ge=16, le=102400)
    ] = 256
    drain_seconds: Annotated[
        int, _doc("Seconds that open requests get to end when the service stops.", ge=1, le=300)
    ] = 4
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _doc("The least severity that is logged.")
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], _doc("Log lines for people, or one JSON object a line.")
    ] = "text"
    access_log: Annotated[bool, _doc("Whether each request is logged, without personal data.")] = (
        True
    )

    def __post_init__(self) -> None:
        data = Path(self.data_directory).expanduser().absolute()
        force_setattr(self, "data_directory", str(data))
        for name in ("database_url", "secret_file", "journal_key_file"):
            value = getattr(self, name).replace("{data_directory}", str(data))
            force_setattr(self, name, value)
        scheme, file = self.database_url[:10], self.database_url[10:]
        if scheme == "sqlite:///" and file:
            force_setattr(self, "database_url", f"{scheme}{data / file}")

    @property
    def data_path(self) -> Path:
        return Path(self.data_directory)

    @property
    def secret_path(self) -> Path:
        return self.data_path / self.secret_file

    @property
    def journal_key_path(self) -> Path:
        return self.data_path / self.journal_key_file


class Row(Struct, frozen=True):
    """One line of the table, as people read it."""

    name: str
    kind: str
    """The type in words: text, number, list, yes or no, choice."""
    default: Any
    allowed: str
    doc: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"TINGHAO_{self.name.upper()}"


def table() -> tuple[Row, ...]:
    """Every setting in the order of its declaration."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(Settings):
        plain, meta = get_args(hints[field.name])
        kind, allowed = _in_words(plain, meta)
        rows.append(Row(field.name, kind, field.default, allowed, meta.description))
    return tuple(rows)


def refusal(name: str, value: Any) -> str | None:
    """What is allowed when ``value`` (already of the right type) is not, else None."""
    _, meta = get_args(get_type_hints(Settings, include_extras=True)[name])
    check = (meta.extra or {}).get("check")
    values = value if isinstance(value, tuple) else (value,)
    if check is None or all(check(one) for one in values):
        return None
    return str(meta.extra["allowed"])


def type_of(name: str) -> Any:
    """The annotated type of a setting, for msgspec.convert."""
    return get_type_hints(Settings, include_extras=True)[name]


def _in_words(plain: Any, meta: Meta) -> tuple[str, str]:
    allowed = (meta.extra or {}).get("allowed")
    if get_origin(plain) is Literal:
        return "choice", "one of " + ", ".join(get_args(plain))
    if get_origin(plain) is tuple:
        return "list", allowed or "a list of texts; in the environment separated by commas"
    if plain is bool:
        return "yes or no", "true or false"
    if plain is int:
        return "number", f"a whole number from {meta.ge} to {meta.le}"
    return "text", allowed or "any text"
