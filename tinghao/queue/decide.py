"""`decide(state, command, now) -> events`, or a `Refusal`: the hall's rules in one call.

Pure. What time itself brings (`rules.days.due`) must have happened to the state before.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tinghao.queue import commands as ask
from tinghao.queue.events import Event
from tinghao.queue.model import HallState, Micros, Ticket
from tinghao.queue.rules import calling, serving, setup, taking, windows

Rule = Callable[[HallState, Any, Micros], list[Event]]
TicketRule = Callable[[HallState, Any, Micros, Ticket | None], list[Event]]

AT_HALL: Mapping[type[ask.Command], Rule] = {
    ask.Configure: setup.configure,
    ask.SetClock: setup.set_clock,
}
TODAY: Mapping[type[ask.Command], Rule] = {
    ask.Take: taking.take,
    ask.EnterPaper: taking.enter_paper,
    ask.Open: windows.open_window,
    ask.Pause: windows.pause,
    ask.Resume: windows.resume,
    ask.Close: windows.close,
    ask.Assign: windows.assign,
    ask.CallNext: calling.call_next,
    ask.CallNumber: calling.call_number,
    ask.Recall: calling.recall,
    ask.Start: calling.start,
    ask.NoShow: calling.no_show,
    ask.Return: calling.return_ticket,
    ask.Finish: serving.finish,
    ask.Hold: serving.hold,
    ask.ResumeTicket: serving.resume_ticket,
    ask.Transfer: serving.transfer,
    ask.Undo: serving.undo,
    ask.Release: serving.release,
}
OF_TICKET: Mapping[type[ask.Command], TicketRule] = {
    ask.Cancel: taking.cancel,
    ask.Defer: taking.defer,
    ask.Rate: taking.rate,
}


def decide(
    state: HallState, command: ask.Command, now: Micros, known: Ticket | None = None
) -> list[Event]:
    """The events that the command brings about; none when there is nothing to do.

    `known` is the ticket that a holder's command names: the open one, or the settled one as
    its row has it. Raises Refusal when the rules forbid the command.
    """
    kind = type(command)
    if kind in OF_TICKET:
        return OF_TICKET[kind](state, command, now, known)
    if kind is ask.Tick:
        return []  # time has brought what it brings
    rule = TODAY.get(kind) or AT_HALL.get(kind)
    if rule is None:
        raise TypeError(f"there is no rule for {command.name}")
    return rule(state, command, now)


def needs_day(command: ask.Command) -> bool:
    """Whether the command is of a business day, so that the first one opens it."""
    return type(command) in TODAY
