"""Guards for routes: may the caller do this, in the hall of the address?"""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from tinghao.app.auth.caller import ACTIONS, Caller
from tinghao.app.auth.visit import caller_of
from tinghao.app.web.problems import ProblemError


def require(action: str) -> Guard:
    """A guard that lets those through who may do ``action`` in the hall that the path names."""
    if action not in ACTIONS:
        raise LookupError(f"no role has the right {action!r}")

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        demand(caller_of(connection), action, connection.path_params.get("hall"))

    return guard


def demand(caller: Caller, action: str, hall: str | None = None) -> None:
    """Raise ProblemError, 401 for an unknown and 403 for a known caller, unless it may."""
    if caller.may(action, hall):
        return
    if caller.kind == "citizen":
        raise ProblemError(
            401, "not-signed-in", "Sign in first.", headers={"WWW-Authenticate": "Bearer"}
        )
    if hall is not None and caller.may(action):
        raise ProblemError(
            403, "other-hall", "You may act in the hall {own} only.", own=caller.hall
        )
    raise ProblemError(403, "forbidden", "You are not allowed to do this.")
