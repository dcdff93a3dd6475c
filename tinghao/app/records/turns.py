"""Which recorded calls are the hall's own next, and which have to be asked for by number.

A recorded hall had its own rules; merged queues and priorities make its calls come out of the
order that our hall would choose. A call that our hall would choose anyway is `call-next`, every
other one is `call` with a number and the reason that the record says so.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

from msgspec.structs import replace

from tinghao.app.records.steps import PlanHall, Step
from tinghao.queue.model import MINUTE, Micros

_Place = tuple[Micros, int, str]  # due, order of taking, recorded ticket


def in_turn(steps: Sequence[Step], hall: PlanHall) -> list[Step]:
    """The same steps, with `call` made `call-next` where the ticket is next anyhow.

    Next is by due time and then by order of taking, among all that the window serves.
    """
    windows = {each.number: each for each in hall.windows}
    serves = {each.number: each.categories for each in hall.windows}
    queues: dict[str, list[_Place]] = {each.code: [] for each in hall.categories}
    gone: set[str] = set()
    turned: list[Step] = []
    for order, step in enumerate(steps):
        if step.kind == "assign" and step.window is not None:
            serves[step.window] = step.categories
        elif step.kind == "take" and step.category is not None and step.ticket is not None:
            minutes = hall.priority_minutes if step.priority else hall.normal_minutes
            heappush(queues[step.category], (step.at + minutes * MINUTE, order, step.ticket))
        elif step.kind == "cancel" and step.ticket is not None:
            gone.add(step.ticket)
        elif step.kind == "call" and step.ticket is not None and step.window is not None:
            served = serves[step.window]
            foreseen = len(served) == 1 or not windows[step.window].weighted
            if foreseen and _next(served, queues, gone) == step.ticket:
                turned.append(replace(step, kind="call-next"))
            else:
                turned.append(step)
            gone.add(step.ticket)
            continue
        turned.append(step)
    return turned


def _next(served: Sequence[str], queues: dict[str, list[_Place]], gone: set[str]) -> str | None:
    heads = []
    for code in served:
        queue = queues[code]
        while queue and queue[0][2] in gone:
            heappop(queue)
        heads += queue[:1]
    return min(heads)[2] if heads else None
