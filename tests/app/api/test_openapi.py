"""The OpenAPI description names every route, in full."""

from __future__ import annotations

from typing import Any

import pytest_asyncio

from tests.app.house import House
from tinghao.app.api.problem_types import STATUS

METHODS = ("get", "post", "put", "delete", "patch")
WINDOW_COMMANDS = (
    "open", "pause", "resume", "close", "categories", "call-next", "call", "recall", "no-show",
    "start", "finish", "hold", "resume-ticket", "return", "transfer", "undo", "release", "paper",
    "rating",
)  # fmt: skip
CONTRACT = {
    "GET /api/v1/halls/{hall}",
    "GET /api/v1/halls/{hall}/state",
    "POST /api/v1/halls/{hall}/tickets",
    "GET /api/v1/tickets/{token}",
    *(f"POST /api/v1/tickets/{{token}}/{each}" for each in ("cancel", "defer", "rating")),
    *(f"POST /api/v1/halls/{{hall}}/windows/{{number}}/{each}" for each in WINDOW_COMMANDS),
    "GET /api/v1/halls/{hall}/journal",
    "GET /metrics",
    "GET /health/live",
    "GET /health/ready",
}
"""The public contract."""

BESIDE = {
    "GET /api/v1/halls",
    "GET /api/v1/halls/{hall}/configuration",
    "PUT /api/v1/halls/{hall}/configuration",
    "POST /api/v1/halls/{hall}/clock",
    "GET /api/v1/halls/{hall}/presence",
}
"""What there is besides."""


@pytest_asyncio.fixture
async def described(house: House) -> Any:
    """The description, as a program gets it."""
    return (await house.bearer(None).get("/schema/openapi.json")).json()


def operations(described: Any) -> dict[str, Any]:
    """Every operation under its method and path."""
    return {
        f"{method.upper()} {path}": route[method]
        for path, route in described["paths"].items()
        for method in METHODS
        if method in route
    }


async def test_it_names_every_route_and_no_page(described: Any) -> None:
    """What is promised, and nothing that only our own pages use."""
    assert operations(described).keys() == CONTRACT | BESIDE


async def test_each_route_says_what_it_is(described: Any) -> None:
    """Summary, tags, a name for generated clients, and a sentence more."""
    found = operations(described)
    bare = [
        name
        for name, each in found.items()
        if not (each.get("summary") and each.get("tags") and each.get("description"))
    ]
    assert bare == []
    names = [each["operationId"] for each in found.values()]
    assert len(set(names)) == len(names)


async def test_each_route_of_the_api_has_shapes_for_all_it_takes_and_answers(
    described: Any,
) -> None:
    """A body with named fields, an answer with named fields, and its refusals as problems."""
    shapes = described["components"]["schemas"]
    for name, each in operations(described).items():
        if "/api/" not in name:
            continue
        if name.startswith(("POST", "PUT")):
            body = each["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert shapes[body.rpartition("/")[2]]["properties"], name
            keys = [one["name"] for one in each["parameters"] if one["in"] == "header"]
            assert keys == ["Idempotency-Key"], name
        answers = each["responses"]
        good = "201" if name.endswith("/tickets") else "200"
        shape = answers[good]["content"]["application/json"]["schema"]["$ref"]
        assert shapes[shape.rpartition("/")[2]]["properties"], name
        refused = {status: one for status, one in answers.items() if status >= "400"}
        assert {"401", "503"} <= refused.keys(), name
        for status, answer in refused.items():
            content = answer["content"]["application/problem+json"]["schema"]
            assert content == {"$ref": "#/components/schemas/Problem"}, name
            types = answer["description"].replace("`", "").split(", ")
            assert {STATUS[one] for one in types} == {int(status)}, name


async def test_only_call_next_may_have_nothing_to_say(described: Any) -> None:
    """204: nobody is eligible."""
    quiet = [name for name, each in operations(described).items() if "204" in each["responses"]]
    assert quiet == ["POST /api/v1/halls/{hall}/windows/{number}/call-next"]


async def test_a_body_that_may_be_left_out_is_described_so(described: Any) -> None:
    """Whoever generates a client from it need not invent an empty object."""
    found = operations(described)
    at_window = "POST /api/v1/halls/{hall}/windows/{number}/"
    assert found[f"{at_window}recall"]["requestBody"]["required"] is False
    assert found[f"{at_window}call"]["requestBody"]["required"] is True
    assert found["POST /api/v1/tickets/{token}/cancel"]["requestBody"]["required"] is False


async def test_the_roles_stand_with_each_command(described: Any) -> None:
    """As the table of rights has them."""
    release = operations(described)["POST /api/v1/halls/{hall}/windows/{number}/release"]
    assert release["description"] == "Roles: administrator, manager."


async def test_the_manual_for_machines_is_served_from_here(house: House) -> None:
    """The page and all that it loads come from this server."""
    page = await house.bearer(None).get("/docs", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "/static/vendor/swagger-ui/" in page.text
