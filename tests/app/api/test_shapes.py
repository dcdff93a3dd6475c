"""The answers are of the shapes that OpenAPI shows: no field too few, none too many."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.app.api.scenes import Scene
from tests.app.house import House
from tinghao.app.api import shapes
from tinghao.app.api.window_commands import WINDOW_COMMANDS
from tinghao.queue.model import HallConfig

NINE = "2025-11-25T09:00"
HALL = "/api/v1/halls/puyang"


def fits(answer: Any, shape: Any) -> None:
    """Read as the shape and written again, it is what it was."""
    told = answer.json()
    assert msgspec.json.decode(msgspec.json.encode(msgspec.convert(told, shape))) == told


async def test_readings_fit_their_shapes(house: House) -> None:
    """Of an empty hall and of one at work."""
    scene = Scene(house)
    manager = house.bearer("manager")
    for lines in ((), ("open 1 staff=001", "take", "take", "call-next 1", "open 2", "pause 2")):
        await scene.play(*lines)
        fits(await manager.get("/api/v1/halls"), shapes.Halls)
        fits(await manager.get(HALL), shapes.Hall)
        fits(await manager.get(f"{HALL}/state"), shapes.HallNow)
        fits(await manager.get(f"{HALL}/journal"), shapes.Journal)
        fits(await manager.get(f"{HALL}/configuration"), HallConfig)
    fits(await manager.get(f"/api/v1/tickets/{scene.tokens[1]}"), shapes.OwnTicket)


async def test_commands_fit_their_shapes(house: House) -> None:
    """Each command of a window answers with the ticket, or with the window it changed."""
    scene = Scene(house)
    taken = await scene.ask("take", priority="elderly")
    fits(taken, shapes.Taken)
    lines = (
        "open 1 staff=002", "pause 1 reason=meal", "resume 1", "categories 1 categories=social",
        "call-next 1", "recall 1", "no-show 1", "undo 1", "return 1 reason=mistake",
        "call 1 number=A001 reason=vip", "start 1", "hold 1 reason=form",
        "resume-ticket 1 number=A001", "transfer 1 category=estate",
        "call 1 number=A001 reason=vip", "release 1 outcome=waiting reason=system",
        "call 1 number=A001 reason=vip", "start 1", "finish 1", "close 1", "open 1",
        f"paper 1 category=social taken_at={NINE} called_at={NINE} finished_at={NINE}",
    )  # fmt: skip
    shape = {
        each.name: shapes.WindowNow if each.about == "window" else shapes.Ticket
        for each in WINDOW_COMMANDS
    }
    for line in lines:
        fits(await scene.ask(line), shape[line.split()[0]])
    assert {line.split()[0] for line in lines} == shape.keys()
    rated = await house.bearer("evaluator").post(f"{HALL}/windows/1/rating", json={"grade": 5})
    fits(rated, shapes.Ticket)


async def test_what_a_holder_is_told_fits(house: House) -> None:
    """Deferring, giving back, rating."""
    scene = Scene(house)
    await scene.play("take", "take", "open 1", "call-next 1", "start 1", "finish 1")
    first, second = scene.tokens
    scene.tokens.append(first)
    fits(await scene.ask("rate grade=3"), shapes.HeldTicket)
    scene.tokens.append(second)
    await scene.play("take")
    scene.tokens.append(second)
    fits(await scene.ask("defer places=1"), shapes.HeldTicket)
    fits(await scene.ask("cancel"), shapes.HeldTicket)


async def test_problems_fit_their_shape(house: House) -> None:
    """With fields at fault, with the present state, and plain."""
    scene = Scene(house)
    for line in ("call-next 1", "open 1 staff=999", "open 77"):
        fits(await scene.ask(line), shapes.Problem)
    fits(await house.bearer("kiosk").post(f"{HALL}/tickets", json={}), shapes.Problem)
    fits(await house.bearer(None).get("/api/v1/nowhere"), shapes.Problem)


async def test_a_clock_fits_its_shape(house: House) -> None:
    """As a replay sets it."""
    answer = await house.bearer("replay").post(f"{HALL}/clock", json={"mode": "machine"})
    fits(answer, shapes.ClockNow)
