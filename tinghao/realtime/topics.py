"""What a socket follows: `/ws/halls/{hall}/{topic}?format=&since=&lang=&zone=` taken apart.

Pure. Whether a hall has that category or window is asked of its state later (`views`), and
whether the caller may see it of the application (`handshake`).
"""

import re
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from tinghao.realtime.language import DEFAULT_LANGUAGE, LANGUAGES

Kind = Literal["lobby", "category", "window", "manager", "supervision"]
Format = Literal["json", "html"]
Need = Literal["public", "window", "manager", "supervision"]

PREFIX = "/ws/halls/"

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
_EPOCH = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SEQ = re.compile(r"[0-9]{1,18}")


_NEEDS: dict[Kind, Need] = {
    "lobby": "public",
    "category": "public",
    "window": "window",
    "manager": "manager",
    "supervision": "supervision",
}
_PLAIN: dict[str, Kind] = {
    "lobby": "lobby",
    "manager": "manager",
    "supervision": "supervision",
}


class TopicError(ValueError):
    """An address that names no topic. `status` is the HTTP status to answer with."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Topic(Struct, frozen=True):
    """One thing to follow in a hall. `key` is the category's code or the window's number."""

    hall: str
    kind: Kind
    key: str = ""
    zone: str = ""

    @property
    def name(self) -> str:
        """As it stands in the address and in frames: `lobby`, `category-social`, `window-3`."""
        return f"{self.kind}-{self.key}" if self.key else self.kind

    @property
    def window(self) -> int:
        """The window's number. Raises ValueError for a topic of another kind."""
        if self.kind != "window":
            raise ValueError(f"{self.name} is not the topic of a window")
        return int(self.key)


class Since(Struct, frozen=True):
    """The last frame that a returning client has: the journal's epoch, and its seq."""

    epoch: str
    seq: int


class Wish(Struct, frozen=True):
    """What a client asks for. Equal wishes share their frames."""

    topic: Topic
    format: Format = "json"
    language: str = ""  # "" for JSON, which is the same in every language


def needed(topic: Topic) -> Need:
    """The rights that a topic needs: public is for anyone if the hall allows public reading."""
    return _NEEDS[topic.kind]


def parse(target: str) -> tuple[Wish, Since | None]:
    """The wish in a request's target (path and query), and what the client has already.

    Raises TopicError: 404 for a path that is no topic's, 400 for a format or language that we
    do not speak. A `since` that is no position is as none: the answer is then a snapshot.
    """
    try:
        parts = urlsplit(target)
        asked = dict(parse_qsl(parts.query, max_num_fields=20))
    except ValueError:
        raise TopicError(400, "the address cannot be read") from None
    topic = _topic(unquote(parts.path), asked.get("zone", ""))
    format_ = asked.get("format", "json")
    if format_ not in ("json", "html"):
        raise TopicError(400, "format must be json or html")
    language = asked.get("lang", DEFAULT_LANGUAGE)
    if language not in LANGUAGES:
        raise TopicError(400, f"lang must be one of {', '.join(LANGUAGES)}")
    wish = Wish(topic, "html", language) if format_ == "html" else Wish(topic)
    return wish, position(asked.get("since", ""))


def position(text: str) -> Since | None:
    """The position `EPOCH:SEQ`, or None when the text is none."""
    epoch, colon, seq = text.rpartition(":")
    if colon and _EPOCH.fullmatch(epoch) and _SEQ.fullmatch(seq):
        return Since(epoch, int(seq))
    return None


def _topic(path: str, zone: str) -> Topic:
    hall, slash, name = path.removeprefix(PREFIX).partition("/")
    if not (path.startswith(PREFIX) and slash and _CODE.fullmatch(hall)):
        raise TopicError(404, "there is no topic at this address")
    if zone and not _CODE.fullmatch(zone):
        raise TopicError(400, "zone must be a zone's code")
    if name in _PLAIN:
        return Topic(hall, _PLAIN[name], zone=zone)
    kind, _, key = name.partition("-")
    if kind == "category" and _CODE.fullmatch(key):
        return Topic(hall, "category", key, zone)
    if kind == "window" and _NUMBER.fullmatch(key):
        return Topic(hall, "window", key, zone)
    raise TopicError(404, "there is no topic of this name")
