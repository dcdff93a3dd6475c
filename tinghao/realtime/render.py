"""Turns views into HTML: whole pages, and the fragments that travel in WebSocket frames.

A page and the frames that keep it alive are made from the same part templates, so that what a
visitor sees first and what arrives later cannot differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tinghao.realtime import language as languages
from tinghao.realtime.show import FILTERS

STATIC = Path(__file__).parent.parent / "static"

TOPIC_KINDS = ("lobby", "category", "window", "manager")

SCREEN_CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
"""What our pages may load: only what this server gives, and no inline script or style."""


@cache
def environment(language: str = languages.DEFAULT_LANGUAGE) -> Environment:
    """The templates in one language; built once."""
    templates = Environment(
        loader=PackageLoader("tinghao", "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    install = templates.install_gettext_callables  # type: ignore[attr-defined]
    install(
        lambda msgid: languages.plain_text(language, msgid),
        lambda one, many, n: languages.plural_text(language, one, many, n),
        newstyle=True,
    )
    templates.globals.update(language=language, asset=asset, user=None, csrf_token="")
    for name, show in FILTERS.items():
        templates.filters[name] = _in_language(show, language)
    return templates


def page(template: str, language: str, /, **context: object) -> str:
    """A page or a named fragment file of `templates/`, e.g. `lobby.html`.

    Raises jinja2.UndefinedError when the context lacks what the template needs.
    """
    return environment(language).get_template(template).render(context)


def fragments(topic_kind: str, view: Mapping[str, Any], language: str) -> str:
    """The htmx partials that bring a page of this kind of topic up to `view`.

    Raises ValueError for a kind of topic that has no page.
    """
    if topic_kind not in TOPIC_KINDS:
        raise ValueError(f"no page shows the topic kind {topic_kind!r}")
    return page(f"fragments/{topic_kind}.html", language, view=view)


def notice(text: str, language: str, tone: str = "refusal") -> str:
    """The fragment that shows one sentence in a page's notice line.

    `text` is already in the visitor's language; `tone` is refusal, done or quiet.
    """
    return page("fragments/notice.html", language, text=text, tone=tone)


@cache
def asset(path: str) -> str:
    """The address of a static file, with its content's hash so that it may be cached for good."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]
    return f"/static/{path}?v={digest}"


def _in_language(show: Callable[..., str | Markup], language: str) -> Callable[..., str | Markup]:
    def shown(value: Any, *args: Any, **kwargs: Any) -> str | Markup:
        return show(value, language, *args, **kwargs)

    return shown
