"""The description as the page shows it: names for references, a table for each schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def readable(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the template `docs_websocket.html` needs."""
    server = next(iter(document["servers"].values()))
    schemas = document["components"]["schemas"]
    secured = {
        operation["channel"]["$ref"].rpartition("/")[2]
        for operation in document["operations"].values()
        if "security" in operation
    }
    return {
        "title": document["info"]["title"],
        "paragraphs": document["info"]["description"].strip().split("\n\n"),
        "topics": [
            {
                "name": channel["address"].rpartition("/")[2],
                "kind": kind,
                "address": f"{server['protocol']}://{server['host']}{channel['address']}",
                "summary": channel["summary"],
                "who": channel["description"],
                "secured": kind in secured,
                "data": _data_of(document, kind),
            }
            for kind, channel in document["channels"].items()
        ],
        "parameters": [
            {"name": name, "type": in_words(schema), "text": schema["description"]}
            for name, schema in _query(document).items()
        ],
        "frames": [_struct(name, schemas) for name in ("LobbySnapshot", "Beat")],
        "structs": [
            _struct(name, schemas)
            for name in sorted(schemas)
            if not name.endswith(("Snapshot", "Update", "Beat"))
        ],
        "closes": document["x-close-codes"],
        "refusals": document["x-refusals"],
    }


def _query(document: Mapping[str, Any]) -> Mapping[str, Any]:
    channel = next(iter(document["channels"].values()))
    properties: Mapping[str, Any] = channel["bindings"]["ws"]["query"]["properties"]
    return properties


def _data_of(document: Mapping[str, Any], kind: str) -> str:
    message = document["components"]["messages"].get(f"{kind}-snapshot")
    if message is None:
        return ""
    name = _name(message["payload"])
    frame = document["components"]["schemas"][name]
    return in_words(frame["properties"]["data"])


def _struct(name: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    schema = schemas[name]
    needed = schema.get("required", ())
    return {
        "name": name.removeprefix("Lobby") or name,
        "text": schema.get("description", ""),
        "fields": [
            {
                "name": field,
                "type": in_words(told),
                "text": told.get("description", ""),
                "always": field in needed,
            }
            for field, told in schema.get("properties", {}).items()
        ],
    }


def in_words(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: `text`, `list of Call`, `number or null`."""
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " or ".join(in_words(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join("null" if each is None else str(each) for each in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        return f"list of {in_words(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object: {in_words(schema['additionalProperties'])} by name"
    return {"string": "text", "integer": "whole number", "boolean": "true | false"}.get(
        str(kind), str(kind or "anything")
    )


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"].rpartition("/")[2])
