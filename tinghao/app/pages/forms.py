"""A form's fields as the body that the API takes."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar.datastructures import FormMultiDict

from tinghao.app.api.bodies import Body
from tinghao.app.web.problems import ProblemError

B = TypeVar("B", bound=Body)

_MANY = frozenset({"categories", "reasons"})
_SWITCHES = frozenset({"complex"})


def text_of(form: FormMultiDict, name: str) -> str:
    """What was written into a field; empty without it, and for a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def body_of(form: FormMultiDict, shape: type[B]) -> B:
    """The form's fields as a body; what was left empty was not given.

    Nobody states times in a form. Raises ProblemError `invalid-input`.
    """
    given: dict[str, Any] = {}
    for name in shape.__struct_fields__:
        if name in _MANY:
            given[name] = [each for each in form.getall(name, []) if isinstance(each, str)]
        elif written := text_of(form, name):
            given[name] = written == "on" if name in _SWITCHES else written
    given.pop("at", None)
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as fault:
        raise ProblemError(
            400,
            "invalid-input",
            "The request is not written as it should be: {fault}.",
            fault=str(fault),
        ) from None
