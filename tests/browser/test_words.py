"""Every sentence of the screens, in both languages."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from tests.browser.conftest import KIOSK, Hall
from tinghao.app.web import problems
from tinghao.realtime import language, show

PACKAGE = Path(language.__file__).parent.parent
REFUSALS = {"conflict", "invalid", "unknown", "Refusal", "ProblemError", "Problem"}


def in_templates() -> Iterator[str]:
    """What the templates say."""
    for _, _, message, _, _ in extract_from_dir(
        PACKAGE / "templates",
        [("**.html", "jinja2")],
        options_map={"**.html": {"trim_blocks": "1"}},
    ):
        yield from [message] if isinstance(message, str) else message


def in_tables() -> Iterator[str]:
    """What codes are called, and what titles problems have."""
    for table in show.TABLES:
        yield from table.values()
    yield from show.WEEKDAYS
    yield from problems.TITLES.values()


def in_code() -> Iterator[str]:
    """What Python translates or refuses with."""
    for tree in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            texts = [
                each.value
                for each in node.args
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            if name == "translate":
                yield from texts
            elif name in REFUSALS:
                yield from (text for text in texts if " " in text)


def modules() -> Iterator[ast.Module]:
    """Every module of the package, parsed."""
    for path in PACKAGE.rglob("*.py"):
        yield ast.parse(path.read_text("utf-8"))


def test_everything_that_is_said_has_a_chinese_text() -> None:
    """A hall speaks Chinese first."""
    said = {*in_templates(), *in_tables(), *in_code()}
    assert sorted(said - language.chinese().keys()) == []


def test_no_chinese_text_is_left_over() -> None:
    """What nobody says any more is deleted."""
    constants = {
        node.value
        for tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(language.chinese().keys() - constants - set(in_templates())) == []


def test_a_translation_names_no_place_that_its_sentence_lacks() -> None:
    """Such a sentence could not be shown at all."""
    pairs = language.chinese().items()
    assert [english for english, chinese in pairs if not places(chinese) <= places(english)] == []


def places(text: str) -> set[str]:
    """The {names} and %(names)s of a sentence."""
    braces = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return braces | {part.split(")")[0] for part in text.split("%(")[1:]}


@pytest.mark.parametrize(
    ("p50", "p90", "said"),
    [
        (0, 0, "约 5 分钟"),
        (3, 4, "约 5 分钟"),
        (7, 9, "约 5–10 分钟"),
        (13, 24, "约 15–25 分钟"),
        (40, 58, "约 40–60 分钟"),
        (44, 61, "约 45–70 分钟"),
        (72, 118, "约 70–120 分钟"),
    ],
)
def test_a_wait_is_said_as_a_rounded_range(p50: int, p90: int, said: str) -> None:
    """To five minutes, above an hour to ten, never finer than one can know."""
    assert language.wait_text("zh", {"p50_minutes": p50, "p90_minutes": p90}) == said


def test_an_unknown_wait_is_said_as_unknown() -> None:
    """Nobody is told a number that was made up."""
    assert language.wait_text("zh", None) == "暂无法估计"
    assert language.wait_text("en", None) == "Cannot be estimated now"


async def test_the_pages_say_a_wait_as_the_server_does(hall: Hall) -> None:
    """Two roundings of one wait would contradict each other on one card."""
    page = await hall.screen("/halls/puyang/kiosk", KIOSK)
    cases = [(p50, p50 + more) for p50 in range(0, 130, 3) for more in (0, 1, 7, 20, 45)]
    said = await page.evaluate(
        """async cases => {
          const loaded = performance.getEntriesByType("resource").map((each) => each.name);
          const { waitText } = await import(loaded.find((name) => name.includes("js/words")));
          return cases.map(([p50, p90]) => waitText(p50, p90));
        }""",
        cases,
    )
    assert said == [
        language.wait_text("zh", {"p50_minutes": p50, "p90_minutes": p90}) for p50, p90 in cases
    ]


async def test_an_english_screen_is_english(hall: Hall) -> None:
    """Apart from names of halls and categories, which stand in both languages."""
    await hall.open(1)
    await hall.take("social", 3)
    for path, who in (
        ("/halls/puyang/manager?lang=en", "boss"),
        ("/halls/puyang/console/1?lang=en", "root"),
        ("/halls/puyang/console?lang=en", "root"),
        ("/sign-in?lang=en", None),
        ("/halls/nowhere/lobby?lang=en", None),
    ):
        page = await hall.screen(path, who=who, language="en")
        text = await page.locator("main").inner_text()
        chinese = [line for line in text.splitlines() if any("一" <= c <= "鿿" for c in line)]
        assert [line for line in chinese if line.strip() != "中文"] == [], path
        await page.close()
