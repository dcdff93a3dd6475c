"""A browser as far as HTTP goes: it keeps cookies, sends the page's token and follows nothing."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import httpx

from tests.app.house import House
from tinghao.app.auth.gate import SESSION_COOKIE

PAGE = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


class Browser:
    """One visitor's browser."""

    def __init__(self, house: House, who: str | None = None, language: str = "zh") -> None:
        """`who` is the user name of an account that has signed in."""
        headers = {"Accept-Language": language, "Origin": house.url}
        self.client = httpx.AsyncClient(
            base_url=house.url, headers=PAGE | headers, timeout=30, verify=False
        )
        if who is not None:
            self.client.cookies.set(SESSION_COOKIE, house.sessions[who])
        self.token = ""

    async def get(self, path: str) -> httpx.Response:
        """A page; the token that it carries is kept for the next form."""
        answer = await self.client.get(path)
        found = re.search(r"hx-headers:inherited='([^']*)'", answer.text)
        if found:
            self.token = json.loads(html.unescape(found[1]))["x-csrftoken"]
        return answer

    async def press(self, path: str, key: str | None = None, **fields: Any) -> httpx.Response:
        """A button of a page: htmx sends the form."""
        headers = {"HX-Request": "true", "x-csrftoken": self.token, "Accept": "text/html"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.client.post(path, data=fields, headers=headers)

    async def submit(self, path: str, **fields: Any) -> httpx.Response:
        """The same form where no script runs."""
        return await self.client.post(path, data={"_csrf_token": self.token, **fields})


def notice(answer: httpx.Response) -> str:
    """The one sentence that an answer puts into the page's notice line; empty without one."""
    found = re.search(r'class="notice-text"[^>]*>([^<]*)<', answer.text)
    return html.unescape(found[1]) if found else ""
