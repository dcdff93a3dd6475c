"""Scenes of a hall, told in short lines and played through the API.

"open 1", "take", "take estate", "call-next 1", "finish 1 result=not-done", "wait 61" (seconds):
each line is one request of the administrator, which must succeed.
"""

from __future__ import annotations

from typing import Any

import httpx

from tests.app.house import House

Answer = httpx.Response

ANY_HALL = "any-hall"
"""The name of an administrator's token that is of no hall in particular."""

_NUMBERS = frozenset({"places", "minutes", "grade", "window"})


class Scene:
    """A hall with what has happened in it so far."""

    def __init__(self, house: House, hall: str = "puyang", role: str = "administrator") -> None:
        self.house = house
        self.hall = hall
        self.clients = {language: house.bearer(role, language) for language in ("en", "zh")}
        self.tokens: list[str] = []
        """Of the tickets taken, first to last."""

    async def play(self, *lines: str) -> None:
        """Let it happen."""
        for line in lines:
            word, *rest = line.split()
            if word == "wait":
                self.house.clock.wait(seconds=float(rest[0]))
                continue
            answer = await self.ask(line)
            assert answer.is_success, f"{line}: {answer.text}"

    async def ask(self, line: str, language: str = "en", **body: Any) -> Answer:
        """One request, told as a line or with its body; its answer, whatever it is."""
        path, told = self.request(line)
        answer = await self.clients[language].post(path, json=told | body)
        if answer.status_code == 201:
            self.tokens.append(answer.json()["token"])
        return answer

    def request(self, line: str) -> tuple[str, dict[str, Any]]:
        """The path and the body that a line stands for."""
        word, *rest = line.split()
        body = dict(_field(each) for each in rest if "=" in each)
        where = [each for each in rest if "=" not in each]
        if word == "take":
            category = where[0] if where else "social"
            return f"/api/v1/halls/{self.hall}/tickets", {"category": category, **body}
        if word in {"cancel", "defer", "rate"}:
            command = "rating" if word == "rate" else word
            return f"/api/v1/tickets/{self.tokens[-1]}/{command}", body
        return f"/api/v1/halls/{self.hall}/windows/{where[0]}/{word}", body


def _field(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if name in _NUMBERS:
        return name, int(value)
    return name, value.split(",") if name in {"categories", "reasons"} else value


def problem(answer: Answer) -> tuple[int, str]:
    """The status and the type of a refusal; checks that it is a problem as RFC 9457 has it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["title"]
    assert "{" not in told["detail"]
    kind, _, slug = told["type"].rpartition(":")
    assert kind == "urn:tinghao:problem"
    return answer.status_code, slug
