"""Which of our languages a request wants: ``?lang=``, else the cookie, else Accept-Language."""

from __future__ import annotations

from urllib.parse import parse_qs

from litestar.types import Scope

from tinghao.app.auth.headers import cookies, header
from tinghao.realtime.language import DEFAULT_LANGUAGE, LANGUAGES

COOKIE = "lang"


def language_of(scope: Scope) -> str:
    """``zh`` or ``en``."""
    headers = scope["headers"]
    wish = asked(scope) or cookies(headers).get(COOKIE)
    if wish in LANGUAGES:
        return wish
    return accepted(header(headers, b"accept-language") or "")


def asked(scope: Scope) -> str | None:
    """The language that the address itself asks for, if it is one of ours."""
    query = scope.get("query_string", b"")
    if b"lang=" not in query:
        return None
    wish = parse_qs(query.decode("latin-1")).get("lang", [""])[0]
    return wish if wish in LANGUAGES else None


def accepted(value: str) -> str:
    """The best of our languages for an Accept-Language header."""
    best, best_weight = DEFAULT_LANGUAGE, 0.0
    for part in value.split(","):
        tag, _, weight_text = part.strip().partition(";q=")
        language = tag.lower().split("-")[0]
        try:
            weight = float(weight_text) if weight_text else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best
