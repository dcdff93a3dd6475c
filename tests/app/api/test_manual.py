"""docs/api.md tells what the API does: every problem, every command, every example."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.app import texts
from tests.app.house import House
from tests.conftest import found, present
from tinghao.app.api import tickets, windows
from tinghao.app.api.problem_types import AT_WINDOW, COMMAND, STATUS
from tinghao.app.api.window_commands import WINDOW_COMMANDS
from tinghao.app.auth.caller import RIGHTS

MANUAL = Path(__file__).parents[3] / "docs" / "api.md"
TEXT = MANUAL.read_text()

ELSEWHERE = {
    "badge-taken",  # the command line's: adding staff
    "category-gone", "unknown-command",  # the pages' own addresses
    "hall-exists", "not-empty", "not-older",  # the command line's: founding and import
    "result",  # the API's own type of the field is narrower
}  # fmt: skip
"""Types of problems that no address of the API answers with."""


def rows(section: str, columns: int) -> list[list[str]]:
    """The cells of the table under a heading."""
    body = TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in body.splitlines() if line.startswith("| `")]
    assert all(len(line) == columns for line in lines)
    return [[cell.strip() for cell in line] for line in lines]


def codes(cell: str) -> set[str]:
    """What stands in backquotes."""
    return set(re.findall(r"`([^`]+)`", cell))


def test_every_type_of_problem_is_told_with_its_status() -> None:
    """The manual, the description and the code know the same ones."""
    in_code = {each.slug: each.status for each in texts.problems() if each.slug not in ELSEWHERE}
    assert dict(STATUS) == in_code
    told = {row[0].strip("`"): int(row[1]) for row in rows("When it is refused", 3)}
    assert told == in_code


def test_every_command_of_a_window_is_told_with_its_refusals() -> None:
    """And with the fields of its body."""
    told = {row[0].strip("`"): row for row in rows("At a window", 4)}
    rating = set(told.pop("rating")[3].replace("`", "").split())
    assert rating == {"nothing-to-rate", *windows.RATING}
    assert told.keys() == {each.name for each in WINDOW_COMMANDS}
    for command in WINDOW_COMMANDS:
        _, body, answer, refusals = told[command.name]
        fields = set(command.body.__struct_fields__) - {"at"}
        assert codes(body) == fields, command.name
        assert answer.split(",")[0] == command.about
        assert codes(refusals) == set(command.refusals), command.name


def test_the_refusals_of_tickets_are_told() -> None:
    """Of taking and of what a holder may do."""
    told = {row[0].rpartition("/")[2].strip("`"): codes(row[3]) for row in rows(
        "A ticket and its holder", 4)}  # fmt: skip
    waiting = {"unknown-ticket", *tickets.WAITING}
    assert told.pop("cancel") == waiting
    assert told.pop("defer") == waiting | {"places", "nobody-behind"}
    assert told.pop("rating") == {"unknown-ticket", *windows.RATING}
    assert told.pop("tickets") == set(tickets.TAKING)
    assert told == {}


async def test_every_address_is_told(house: House) -> None:
    """Reading, tickets and setting up by their addresses, windows by their commands."""
    described = (await house.bearer(None).get("/schema/openapi.json")).json()
    there = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, route in described["paths"].items()
        for method in route
        if path.startswith("/api/v1")
    }
    tables = (("Reading", 3), ("A ticket and its holder", 4), ("Setting up, and recorded days", 4))
    told = {row[0].strip("`") for section, columns in tables for row in rows(section, columns)}
    at_window = {row[0].strip("`") for row in rows("At a window", 4)}
    told |= {f"POST /halls/{{hall}}/windows/{{number}}/{each}" for each in at_window}
    assert told == there


def test_every_role_is_told() -> None:
    """All that a token can be made for."""
    assert {row[0].strip("`") for row in rows("Who is asking", 2)} == RIGHTS.keys() - {"citizen"}


def test_common_refusals_have_their_place() -> None:
    """What every command may answer is not repeated in its row."""
    own = {type_ for each in WINDOW_COMMANDS for type_ in each.refusals}
    assert own & (set(COMMAND) | set(AT_WINDOW)) == set()


@pytest.fixture
def curl(request: pytest.FixtureRequest) -> Path:
    """The program that the examples are written for."""
    return present(request, found(lambda: servers.executable("curl", package="curl")))


async def test_the_examples_do_what_they_say(house: House, curl: Path) -> None:
    """From the first to the last, each in its turn, as a shell runs them."""
    house.clock.wait(minutes=1)
    names = {role.upper(): token for role, token in house.tokens.items()}
    environment = {"URL": house.url, "PATH": f"{curl.parent}:/usr/bin:/bin", **names}
    told: list[Any] = []
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            told.append(json.loads(await shell(line, environment)))
    assert [each for each in told if str(each.get("type", "")).startswith("urn:")] == []
    assert [each["number"] for each in told if "attempts" in each] == ["A001"] * 4
    assert told[-1]["speed"] == 30


async def shell(line: str, environment: dict[str, str]) -> str:
    """What a command prints."""
    running = await asyncio.create_subprocess_shell(
        line, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await running.communicate()
    assert (running.returncode, errors) == (0, b""), line
    return output.decode()
