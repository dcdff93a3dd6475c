"""A caller and the one table of what each role may do."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from msgspec import Struct

AccountRole: TypeAlias = Literal["clerk", "manager", "inspector", "administrator"]
DeviceRole: TypeAlias = Literal["kiosk", "guide", "display", "evaluator", "integration", "replay"]
Role: TypeAlias = Literal[AccountRole, DeviceRole, "citizen"]

ACCOUNT_ROLES: tuple[AccountRole, ...] = get_args(AccountRole)
TOKEN_ROLES: tuple[AccountRole | DeviceRole, ...] = (*ACCOUNT_ROLES, *get_args(DeviceRole))

# What a role may do, named like the commands of the API. Whose window, and what the state allows,
# is asked elsewhere; cancel, defer and rating belong to whoever holds the ticket's own token.
OF_A_TICKET = frozenset({"cancel", "defer", "rating"})
OF_A_WINDOW = frozenset(
    {
        "open",
        "pause",
        "resume",
        "close",
        "call-next",
        "call",
        "recall",
        "no-show",
        "start",
        "finish",
        "hold",
        "resume-ticket",
        "return",
        "transfer",
        "undo",
        "paper",
    }
)
OF_A_MANAGER = frozenset({"release", "categories"})
READS = frozenset({"read-lobby", "read-window", "read-manager", "read-journal"})

_CLERK = OF_A_TICKET | OF_A_WINDOW | {"take", "read-lobby", "read-window"}
_INTEGRATION = _CLERK | {"read-journal"}
_MANAGER = _CLERK | OF_A_MANAGER | READS

RIGHTS: dict[Role, frozenset[str]] = {
    "citizen": OF_A_TICKET,
    "kiosk": OF_A_TICKET | {"take", "read-lobby"},
    "guide": OF_A_TICKET | {"take", "return", "read-lobby"},
    "display": frozenset({"read-lobby"}),
    # Nobody but the citizen rates: with the ticket's token, or at the evaluator of a window.
    "evaluator": frozenset({"evaluate", "read-lobby"}),
    "clerk": _CLERK,
    "inspector": READS,
    "integration": _INTEGRATION,
    # Only a replay may say when something happened; everybody else acts now.
    "replay": _INTEGRATION | {"categories", "state-times"},
    "manager": _MANAGER,
    "administrator": _MANAGER | {"administer"},
}

ACTIONS: frozenset[str] = frozenset().union(*RIGHTS.values())


class Caller(Struct, frozen=True):
    """Whoever sent a request or opened a socket.

    ``id`` names the caller for idempotency keys: ``account:3``, ``token:7``, or for a citizen a
    keyed hash of the visitor's cookie or address.
    """

    kind: Literal["person", "token", "citizen"]
    id: str
    role: Role = "citizen"
    hall: str | None = None
    """The only hall this caller may act in; None is every hall."""
    staff_id: int | None = None
    window: int | None = None
    """The only window of a token that was made for one."""
    name: str = ""
    session: str | None = None
    """SHA-256 of the session that spoke, to ask later whether it still holds."""
    token_id: int | None = None

    def may(self, action: str, hall: str | None = None) -> bool:
        """Whether the role has the right, and the hall (if one is meant) is the caller's."""
        return action in RIGHTS[self.role] and (hall is None or self.hall in {None, hall})

    @property
    def subject(self) -> str | None:
        """What an open socket's right hangs on: the session or the token; None for a citizen."""
        if self.session is not None:
            return f"session:{self.session}"
        return None if self.token_id is None else f"token:{self.token_id}"

    @property
    def actor(self) -> str:
        """Who stands in a journal entry: ``staff:3``, ``account:3``, ``token:7``, ``citizen``."""
        if self.kind == "citizen":
            return "citizen"
        return self.id if self.staff_id is None else f"staff:{self.staff_id}"
