"""The rights of sockets: what the WebSocket gateway asks of the application."""

from __future__ import annotations

from collections.abc import Callable

from tinghao.app.auth.caller import Caller
from tinghao.app.auth.gate import Gate, NotAuthenticatedError
from tinghao.queue.model import HallState
from tinghao.realtime.handshake import PUBLIC, Authorise, Handshake, Recheck, Rights
from tinghao.realtime.topics import Need, Topic, needed

UNKNOWN = 4401
FORBIDDEN = 4403

_ACTIONS: dict[Need, str] = {
    "public": "read-lobby",
    "window": "read-window",
    "manager": "read-manager",
    "supervision": "read-manager",
}


def rights_of_sockets(
    gate: Gate, hall_now: Callable[[str], HallState | None]
) -> tuple[Authorise, Recheck]:
    """The two functions for ``gateway.bind``; ``hall_now`` gives a hall's present state."""

    def is_public(topic: Topic) -> bool:
        state = hall_now(topic.hall)
        return needed(topic) == "public" and state is not None and state.setup.policy.public_read

    async def authorise(handshake: Handshake, topic: Topic) -> Rights | int:
        headers = [
            (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in handshake.headers.items()
        ]
        try:
            caller = await gate.authenticate(headers, address=handshake.address)
        except NotAuthenticatedError:
            return UNKNOWN
        if is_public(topic):
            # Everybody's right hangs on nothing that could be revoked.
            return PUBLIC
        if may_follow(caller, topic) and caller.subject is not None:
            return Rights(caller.subject)
        return UNKNOWN if caller.kind == "citizen" else FORBIDDEN

    async def recheck(rights: Rights, topic: Topic) -> int | None:
        if rights == PUBLIC:
            return None if is_public(topic) else UNKNOWN
        caller = await gate.holder(rights.subject)
        if caller is None:
            return UNKNOWN
        return None if may_follow(caller, topic) else FORBIDDEN

    return authorise, recheck


def may_follow(caller: Caller, topic: Topic) -> bool:
    """Whether the caller's role has the topic, in its hall and at its window."""
    if not caller.may(_ACTIONS[needed(topic)], topic.hall):
        return False
    return topic.kind != "window" or caller.window in {None, topic.window}
