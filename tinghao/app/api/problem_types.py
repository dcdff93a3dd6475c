"""Every type of problem that the JSON API answers with, and its status.

Programs go by `urn:tinghao:problem:…`: a type keeps its name and its status. The manual's page on
the API says what each means; tests hold this table against the code and the page against both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from litestar.openapi.datastructures import ResponseSpec

from tinghao.app.api.shapes import Problem

STATUS: Mapping[str, int] = {
    "bad-request": 400,
    "invalid-input": 400,
    "not-signed-in": 401,
    "session-ended": 401,
    "token-invalid": 401,
    "forbidden": 403,
    "foreign-origin": 403,
    "no-badge": 403,
    "not-yourself": 403,
    "other-hall": 403,
    "other-window": 403,
    "page-outdated": 403,
    "not-found": 404,
    "unknown-hall": 404,
    "unknown-number": 404,
    "unknown-ticket": 404,
    "unknown-window": 404,
    "method-not-allowed": 405,
    "already-called": 409,
    "already-rated": 409,
    "already-settled": 409,
    "category-closed": 409,
    "category-in-use": 409,
    "day-full": 409,
    "day-open": 409,
    "hall-closed": 409,
    "key-reused": 409,
    "no-ticket": 409,
    "nobody-behind": 409,
    "not-at-window": 409,
    "not-finished": 409,
    "not-held": 409,
    "not-paused": 409,
    "nothing-to-rate": 409,
    "nothing-to-undo": 409,
    "rating-late": 409,
    "ticket-in-hand": 409,
    "too-late": 409,
    "waits-already": 409,
    "window-closed": 409,
    "window-in-use": 409,
    "window-paused": 409,
    "window-taken": 409,
    "wrong-state": 409,
    "too-large": 413,
    "appointment": 422,
    "configuration": 422,
    "grade": 422,
    "key-length": 422,
    "minutes": 422,
    "outcome": 422,
    "paper-times": 422,
    "places": 422,
    "priority": 422,
    "reason-code": 422,
    "reason-missing": 422,
    "speed": 422,
    "time": 422,
    "time-ahead": 422,
    "too-long": 422,
    "transfer-nowhere": 422,
    "unknown-category": 422,
    "unknown-item": 422,
    "unknown-staff": 422,
    "value-refused": 422,
    "too-many-requests": 429,
    "internal": 500,
    "clock-ahead": 503,
    "database-unavailable": 503,
}

READING = ("bad-request", "token-invalid", "unknown-hall", "database-unavailable")
"""What any reading of a hall may be answered with."""

GUARDED = ("not-signed-in", "forbidden", "other-hall")
"""What is added where a right is asked for."""

COMMAND = (
    *READING,
    "invalid-input",
    "session-ended",
    "foreign-origin",
    "page-outdated",
    "too-large",
    "key-length",
    "key-reused",
    "time",
    "time-ahead",
    "value-refused",
    "clock-ahead",
)
"""What any command may be refused with."""

AT_WINDOW = (*COMMAND, *GUARDED, "other-window", "no-badge", "unknown-window")
"""What any command at a window may be refused with."""


def refusals(types: Iterable[str]) -> dict[int, ResponseSpec]:
    """The answers of a route that may refuse so, for its `responses=`."""
    by_status: dict[int, list[str]] = {}
    for each in dict.fromkeys(types):
        by_status.setdefault(STATUS[each], []).append(each)
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=", ".join(f"`{each}`" for each in found),
            media_type="application/problem+json",
            generate_examples=False,
        )
        for status, found in sorted(by_status.items())
    }
