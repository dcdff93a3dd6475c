"""A refusal: why a hall does not do what it is asked, in words that a person can act on."""

from typing import Any, Literal

Kind = Literal["unknown", "invalid", "conflict", "forbidden", "ahead"]


class Refusal(Exception):
    """What was asked cannot be done. Nothing has changed.

    `kind` says whose turn it is: unknown (no such thing), invalid (ask differently), conflict
    (the hall's present state forbids it), forbidden (not by you), ahead (the clock is wrong).
    `slug` is stable, for programs; `text` is English with {places} for `params`, for people.
    """

    def __init__(self, kind: Kind, slug: str, text: str, **params: Any) -> None:
        super().__init__(text.format(**params))
        self.kind: Kind = kind
        self.slug = slug
        self.text = text
        self.params = params


def conflict(slug: str, text: str, **params: Any) -> Refusal:
    """The present state of the hall forbids it."""
    return Refusal("conflict", slug, text, **params)


def invalid(slug: str, text: str, **params: Any) -> Refusal:
    """The request itself is wrong."""
    return Refusal("invalid", slug, text, **params)


def unknown(slug: str, text: str, **params: Any) -> Refusal:
    """There is no such thing."""
    return Refusal("unknown", slug, text, **params)
