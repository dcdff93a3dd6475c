"""A Redis, one server, behind Sentinels or a cluster, by its URL.

    redis://HOST:PORT/DB   rediss://…   unix:///PATH
    redis+sentinel://HOST:PORT,HOST:PORT/SERVICE[/DB]
    redis+cluster://HOST:PORT

Every wait on it is short and nothing is retried in here: whoever uses it decides what a Redis
that is away means. Nothing of ours is kept in Redis that could not be lost.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 1.0

_SENTINEL = "redis+sentinel"
_CLUSTER = "redis+cluster"
SCHEMES = ("redis", "rediss", "unix", _SENTINEL, _CLUSTER)


def check_url(url: str) -> None:
    """Raises ValueError, with what is allowed, for a URL that names no Redis."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"{parts.scheme or url!r} is not one of {', '.join(SCHEMES)}")
    if parts.scheme == _SENTINEL:
        _sentinels(url)
    elif parts.scheme == "unix":
        if not parts.path:
            raise ValueError("unix:// needs the path of a socket")
    elif not parts.hostname:
        raise ValueError("the URL names no host")


def connect(url: str) -> "Redis | RedisCluster":
    """A client for the URL; nothing is sent yet. Raises ValueError as `check_url` does."""
    check_url(url)
    parts = urlsplit(url)
    if parts.scheme == _SENTINEL:
        hosts, service, database = _sentinels(url)
        sentinel = Sentinel(hosts, sentinel_kwargs=_limits(), **_limits(), **_login(url))
        client: Redis = sentinel.master_for(service, db=database)
        return client
    if parts.scheme == _CLUSTER:
        return RedisCluster.from_url(
            url.replace(_CLUSTER, "redis", 1),
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
        )
    return Redis.from_url(url, **_limits())


async def next_message(subscription: Any, seconds: float) -> Mapping[str, Any] | None:
    """The next message, or None when there was none for so long."""
    read = getattr(subscription, "get_sharded_message", None) or subscription.get_message
    message: Mapping[str, Any] | None = await read(ignore_subscribe_messages=True, timeout=seconds)
    return message


def _limits() -> dict[str, Any]:
    return {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }


def _login(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    given = {"username": parts.username, "password": parts.password}
    return {name: unquote(value) for name, value in given.items() if value}


def _sentinels(url: str) -> tuple[list[tuple[str, int]], str, int]:
    parts = urlsplit(url)
    service, _, database = parts.path.strip("/").partition("/")
    hosts = []
    for each in parts.netloc.rpartition("@")[2].split(","):
        host, _, port = each.partition(":")
        if not host or (port and not port.isdecimal()):
            raise ValueError("redis+sentinel:// names hosts as HOST:PORT,HOST:PORT")
        hosts.append((host, int(port or 26379)))
    if not service or (database and not database.isdecimal()):
        raise ValueError("redis+sentinel://HOSTS/SERVICE[/DB] names the service")
    return hosts, service, int(database or 0)
