"""How commands stand in the OpenAPI description: body, who may, the header of every POST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar.openapi.spec import Operation, RequestBody, Schema
from litestar.params import HeaderParameter

from tinghao.app.api.bodies import Body
from tinghao.app.auth.caller import RIGHTS

IDEMPOTENCY = "Idempotency-Key"

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name=IDEMPOTENCY,
        description="1 to 128 characters of your own. A repeated request with the same key and "
        "body within 24 hours gets the first one's answer and changes nothing.",
    ),
]


@dataclass
class OptionalBody(Operation):
    """A command that can be asked without a body."""

    def __post_init__(self) -> None:
        _plain(self.request_body, required=False)


@dataclass
class RequiredBody(Operation):
    """A command that needs a body."""

    def __post_init__(self) -> None:
        _plain(self.request_body, required=True)


def operation_of(body: type[Body]) -> type[Operation]:
    """How a command with that body is described."""
    needed = any(field.required for field in msgspec.structs.fields(body))
    return RequiredBody if needed else OptionalBody


def who_may(action: str) -> str:
    """The roles that have the right, as a sentence."""
    roles = sorted(role for role, rights in RIGHTS.items() if action in rights)
    return f"Roles: {', '.join(roles)}."


def _plain(body: object, *, required: bool) -> None:
    """Take the null away that stands for no body at all."""
    if not isinstance(body, RequestBody):
        return
    body.required = required
    for content in body.content.values():
        schema = content.schema
        if isinstance(schema, Schema) and schema.one_of:
            content.schema = schema.one_of[0]
