"""The AsyncAPI 3.0 description of the sockets, made from what the code has.

Topics, parameters, types and codes come from `realtime`, schemas from the shapes of frames. The
prose of the protocol (when to come back, and how) is docs/websocket.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from tinghao import __version__
from tinghao.app.api import shapes
from tinghao.app.asyncapi.shapes import Beat, Category, Manager, Snapshot, Update, Window
from tinghao.app.sockets import FORBIDDEN, UNKNOWN
from tinghao.realtime.connection import FAILED, FLOODING, RESTART
from tinghao.realtime.frames import FrameType
from tinghao.realtime.gate import TOO_SLOW
from tinghao.realtime.language import DEFAULT_LANGUAGE, LANGUAGES
from tinghao.realtime.topics import PREFIX, Format, Kind, Topic, needed

TITLE = "Tinghao 厅好: following a hall over WebSocket"

DESCRIPTION = """\
Everything a screen shows arrives over a WebSocket, the moment it happens. The server sends; nothing
that a client sends means anything. Each frame is one text message with one JSON object.

Take the last `epoch` and `seq` you have into `since` when you connect again: the answer is an
update with every call you missed, or a snapshot. An update whose `prev` is not your `seq` says that
you missed something: connect again. After 5 s without any frame, what you have is not live.
State is merged, calls are not: tell calls apart by `id`.
"""

CLOSES: Final[Mapping[int, tuple[str, str]]] = {
    1002: ("what you sent is not the WebSocket protocol", "mend the client"),
    FLOODING: ("you sent too many messages", "mend the client"),
    1009: ("you sent a message that is too large", "mend the client"),
    FAILED: ("the topic could not be shown", "come back"),
    RESTART: ("the server restarts", "come back"),
    UNKNOWN: ("nobody we know, or the session has ended", "sign in; do not retry"),
    FORBIDDEN: ("somebody who may not", "do not retry"),
    TOO_SLOW: ("too slow: you took nothing for 20 s", "come back"),
}
"""Why the server closes a socket, and what to do then."""

REFUSALS: Final[Mapping[int, str]] = {
    400: "`format`, `lang` or `zone` is none, or it is no proper WebSocket request",
    403: "the page's origin may not connect",
    404: "there is no such hall or topic",
    500: "the rights or the topic could not be read",
    503: "too many connections, or the server is stopping; `Retry-After` says when to try again",
}
"""HTTP statuses of a request that cannot become a socket."""

PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "format": {
        "type": "string",
        "enum": list(get_args(Format)),
        "default": "json",
        "description": "`html`: the same frames with `content`, fragments for our own pages.",
    },
    "since": {
        "type": "string",
        "pattern": r"^[A-Za-z0-9._-]{1,64}:[0-9]{1,18}$",
        "description": "EPOCH:SEQ of the last frame you have.",
    },
    "lang": {
        "type": "string",
        "enum": list(LANGUAGES),
        "default": DEFAULT_LANGUAGE,
        "description": "The language of `content`. JSON is the same in all.",
    },
    "zone": {
        "type": "string",
        "description": "The zone of a display. A hall without zones shows the whole hall.",
    },
}
"""Of the address's query."""


class Described(Struct, frozen=True):
    """What there is to say of one kind of topic."""

    summary: str
    data: Any = None  # the shape of `data`; None: nothing is shown there yet
    key: str = ""  # what stands after the kind's name, as a parameter of the address
    key_is: str = ""


TOPICS: Final[Mapping[Kind, Described]] = {
    "lobby": Described("The wall: calls, windows, waiting and expected time", shapes.Lobby),
    "category": Described(
        "One category: who is before whom, who is called", Category, "code", "A category's code."
    ),
    "window": Described("The console of one window", Window, "number", "A window's number."),
    "manager": Described("The lobby with names, figures, waits and the feed", Manager),
    "supervision": Described("The cards. The address is kept for them; until then it is a 404"),
}

_RIGHTS: Final[Mapping[str, str]] = {
    "public": "Everybody, if the hall allows public reading.",
    "window": "The window's clerk, managers, and tokens that may work there.",
    "manager": "Managers, inspectors, and tokens that may read the manager's screen.",
    "supervision": "Managers and inspectors.",
}


def document(host: str, *, secure: bool) -> dict[str, Any]:
    """The description as plain data. `host` is the server's name and port as clients reach it."""
    messages, schemas = _messages_and_schemas()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": TITLE,
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
            "externalDocs": {"url": "/docs", "description": "The JSON API"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "hall": {
                "host": host,
                "protocol": "wss" if secure else "ws",
                "description": "The port of pages and API.",
            }
        },
        "channels": {kind: _channel(kind) for kind in TOPICS},
        "operations": {f"show-{kind}": _operation(kind) for kind in TOPICS if _types(kind)},
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A device or integration token.",
                },
                "session": {
                    "type": "httpApiKey",
                    "name": "tinghao_session",
                    "in": "cookie",
                    "description": "A signed-in person's cookie, from a page whose origin is "
                    "the server's own or an allowed one.",
                },
            },
        },
        "x-close-codes": [
            {"code": code, "why": why, "then": then} for code, (why, then) in CLOSES.items()
        ],
        "x-refusals": [{"status": status, "why": why} for status, why in REFUSALS.items()],
    }


def _channel(kind: Kind) -> dict[str, Any]:
    told = TOPICS[kind]
    name = f"{kind}-{{{told.key}}}" if told.key else kind
    parameters = {"hall": {"description": "A hall's code."}}
    if told.key:
        parameters[told.key] = {"description": told.key_is}
    return {
        "address": f"{PREFIX}{{hall}}/{name}",
        "title": kind,
        "summary": told.summary,
        "description": _RIGHTS[needed(Topic("hall", kind))],
        "parameters": parameters,
        "messages": {
            type_: {"$ref": f"#/components/messages/{_message_name(kind, type_)}"}
            for type_ in _types(kind)
        },
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {"type": "object", "properties": dict(PARAMETERS)},
                "bindingVersion": "0.1.0",
            }
        },
    }


def _operation(kind: Kind) -> dict[str, Any]:
    here = f"#/channels/{kind}"
    operation: dict[str, Any] = {
        "action": "send",
        "channel": {"$ref": here},
        "summary": TOPICS[kind].summary,
        "messages": [{"$ref": f"{here}/messages/{type_}"} for type_ in _types(kind)],
    }
    if needed(Topic("hall", kind)) != "public":
        operation["security"] = [
            {"$ref": f"#/components/securitySchemes/{scheme}"} for scheme in ("token", "session")
        ]
    return operation


def _messages_and_schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    frames = {_message_name(kind, type_): frame_of(kind, type_) for kind, type_ in _every_frame()}
    made = msgspec.json.schema_components(
        frames.values(), ref_template="#/components/schemas/{name}"
    )
    # `Snapshot[Lobby]` comes out as Snapshot_Lobby_: named so that programs can use it.
    text = re.sub(r"\b(Snapshot|Update)_([A-Za-z]+)_", r"\2\1", msgspec.json.encode(made).decode())
    payloads, schemas = msgspec.json.decode(text)
    messages = {
        name: {"name": name, "payload": payload}
        for name, payload in zip(frames, payloads, strict=True)
    }
    return messages, schemas


def _every_frame() -> list[tuple[Kind, FrameType]]:
    return [(kind, type_) for kind in TOPICS for type_ in _types(kind)]


def _types(kind: Kind) -> tuple[FrameType, ...]:
    return () if TOPICS[kind].data is None else get_args(FrameType)


def frame_of(kind: Kind, type_: FrameType) -> Any:
    """The shape of a frame of a topic of that kind."""
    if type_ == "beat":
        return Beat
    frame: Any = Snapshot if type_ == "snapshot" else Update
    return frame[TOPICS[kind].data]


def _message_name(kind: Kind, type_: FrameType) -> str:
    return type_ if type_ == "beat" else f"{kind}-{type_}"
