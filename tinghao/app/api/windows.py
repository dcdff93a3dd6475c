"""`POST /api/v1/halls/{hall}/windows/{no}/{command}`: one route a command."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from tinghao.app.api import shapes
from tinghao.app.api.answers import empty, json_answer
from tinghao.app.api.bodies import RatingBody
from tinghao.app.api.describing import IdempotencyKey, operation_of, who_may
from tinghao.app.api.problem_types import AT_WINDOW, refusals
from tinghao.app.api.window_commands import WINDOW_COMMANDS, At, WindowCommand
from tinghao.app.auth.visit import caller_of
from tinghao.app.performing import (
    asked,
    at_own_window,
    perform,
    stated_time,
    ticket_answer,
    window_now,
)
from tinghao.app.words import kept_text
from tinghao.queue.commands import Rate
from tinghao.queue.desk import Desk
from tinghao.queue.journal import Done
from tinghao.queue.journal.work import Answer
from tinghao.queue.refusals import conflict
from tinghao.queue.rules.finding import window_of
from tinghao.realtime import screens

NOBODY_ELIGIBLE = ResponseSpec(None, description="Nobody is eligible.", generate_examples=False)

RATING = ("grade", "not-finished", "already-rated", "rating-late", "reason-code", "too-long")
"""What a rating may be refused with."""


def routes() -> list[HTTPRouteHandler]:
    """The routes of all commands at a window."""
    return [*(_route(command) for command in WINDOW_COMMANDS), rate_at_window]


def _route(command: WindowCommand) -> HTTPRouteHandler:
    async def run(
        request: Request[Any, Any, Any],
        hall: FromPath[str],
        number: FromPath[int],
        desk: NamedDependency[Desk],
        idempotency_key: IdempotencyKey = None,
        data: Any = None,
    ) -> Response[Any]:
        caller = caller_of(request)
        at_own_window(desk, caller, hall, number, command.name)
        body = data if data is not None else empty(command.body)
        result = await perform(
            desk,
            hall,
            command.build(At(desk, caller, hall, number), body),
            await asked(request, caller),
            _window_answer(desk, hall, number) if command.about == "window" else ticket_answer,
            stated_time(desk, caller, hall, body.at),
        )
        return json_answer(result)

    body_of: Any = JSONBody
    run.__annotations__["data"] = body_of[command.body | None]
    answer = shapes.WindowNow if command.about == "window" else shapes.Ticket
    run.__annotations__["return"] = Response[answer]  # type: ignore[valid-type]
    run.__doc__ = who_may(command.name)
    return post(
        f"/halls/{{hall:str}}/windows/{{number:int}}/{command.name}",
        operation_id=f"window-{command.name}",
        summary=command.summary,
        status_code=200,
        tags=["windows"],
        name=f"window-{command.name}",
        operation_class=operation_of(command.body),
        responses={
            **({204: NOBODY_ELIGIBLE} if command.name == "call-next" else {}),
            **refusals((*AT_WINDOW, *command.refusals)),
        },
    )(run)


def _window_answer(desk: Desk, hall: str, number: int) -> Answer:
    people = desk.people(hall)

    def answer(done: Done) -> dict[str, Any]:
        view = screens.window(done.state, number, people)
        return {} if view is None else dict(view["window"])

    return answer


@post(
    "/halls/{hall:str}/windows/{number:int}/rating",
    operation_id="window-rating",
    summary="Rate the last service of the window, at its evaluator",
    status_code=200,
    tags=["windows"],
    responses=refusals((*AT_WINDOW, "nothing-to-rate", *RATING)),
)
async def rate_at_window(
    request: Request[Any, Any, Any],
    hall: FromPath[str],
    number: FromPath[int],
    desk: NamedDependency[Desk],
    data: JSONBody[RatingBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[shapes.Ticket]:
    """The evaluator of a window rates the ticket that was finished there last."""
    caller = caller_of(request)
    at_own_window(desk, caller, hall, number, "evaluate")
    state = desk.live(hall).state
    last = window_of(state, number).last_finished
    if last is None:
        raise conflict(
            "nothing-to-rate",
            "Window {window} has finished nothing yet today.",
            window=number,
            state=window_now(state, number),
        )
    command = rating_of(last, data, device=caller.id)
    answer = await perform(
        desk,
        hall,
        command,
        await asked(request, caller),
        ticket_answer,
        stated_time(desk, caller, hall, data.at),
    )
    return json_answer(answer)


def rating_of(ticket: int, body: RatingBody, device: str | None) -> Rate:
    """The wish to rate a ticket."""
    return Rate(
        ticket=ticket,
        grade=body.grade,
        reasons=tuple(body.reasons),
        text=kept_text(body.text),
        device=device,
    )
