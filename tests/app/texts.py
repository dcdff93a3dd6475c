"""What the package can say to people: found in its source, so that none is forgotten.

Texts are English with {places}; each is said under a slug with a status, or is a title.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[2] / "tinghao"

_STATUS = {"unknown": 404, "invalid": 422, "conflict": 409, "forbidden": 403, "ahead": 503}
_HELPERS = {"unknown", "invalid", "conflict"}


class Said(NamedTuple):
    """One text: who says it, under which slug and with which status."""

    module: str
    slug: str
    status: int
    text: str


def problems() -> list[Said]:
    """Every refusal and problem of the package, as its source has them."""
    paths = (each for each in _sources() if each != PACKAGE / "queue" / "refusals.py")
    return [each for path in paths for each in _problems_of(path)]


def titles() -> set[str]:
    """The titles of problems."""
    return set(_constants(PACKAGE / "app" / "web" / "problems.py", "TITLES"))


def constants() -> set[str]:
    """Every string that stands in the package's Python."""
    return {
        node.value
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _problems_of(path: Path) -> Iterator[Said]:
    tree = ast.parse(path.read_text())
    module = str(path.relative_to(PACKAGE))
    names = _assigned(tree)

    def text_of(node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return names.get(node.id)
        return (
            node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
        )

    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) >= 2:
            arguments = node.args
            if node.func.id in _HELPERS:
                status, (slug, text) = _STATUS[node.func.id], arguments[:2]
            elif node.func.id == "Refusal" and isinstance(arguments[0], ast.Constant):
                status, (slug, text) = _STATUS[str(arguments[0].value)], arguments[1:3]
            elif node.func.id in {"ProblemError", "Problem"} and isinstance(
                arguments[0], ast.Constant
            ):
                status, (slug, text) = int(str(arguments[0].value)), arguments[1:3]
            else:
                continue
            said = text_of(text)
            assert said is not None, f"{module}:{node.lineno} says what nobody can translate"
            assert isinstance(slug, ast.Constant)
            yield Said(module, str(slug.value), status, said)
    if module == "app/web/problems.py":
        for status, (slug, text) in _plain(tree).items():
            yield Said(module, slug, status, text)


def _assigned(tree: ast.Module) -> dict[str, str]:
    return {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _plain(tree: ast.Module) -> dict[int, tuple[str, str]]:
    """The framework's own refusals."""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "_PLAIN":
            assert node.value is not None
            found: dict[int, tuple[str, str]] = ast.literal_eval(node.value)
            return found
    raise LookupError("_PLAIN")


def _constants(path: Path, name: str) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == name:
            assert node.value is not None
            yield from ast.literal_eval(node.value).values()
