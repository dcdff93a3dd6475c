"""How the JSON API answers: what the command remembered, as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from litestar import MediaType, Response

from tinghao.app.web.problems import ProblemError
from tinghao.queue.desk import Result

B = TypeVar("B")


def empty(body: type[B]) -> B:
    """The body of a request that has none. Raises ProblemError when it must have one."""
    try:
        return msgspec.convert({}, body)
    except msgspec.ValidationError as fault:
        raise ProblemError(
            400,
            "invalid-input",
            "The request is not written as it should be: {fault}.",
            fault=str(fault),
        ) from None


def shown(view: Mapping[str, Any]) -> Response[Any]:
    """A view as an answer; the handler's annotation says of which shape it is."""
    return Response(view, media_type=MediaType.JSON)


def json_answer(result: Result, status: int = 200) -> Response[Any]:
    """The answer of a command; 204 when there was nothing to do. A remembered one says so."""
    headers = {"Idempotency-Replayed": "true"} if result.replayed else {}
    if result.answer is None:
        return Response(b"", status_code=204, media_type="application/json", headers=headers)
    return Response(
        result.answer, status_code=status, media_type="application/json", headers=headers
    )
