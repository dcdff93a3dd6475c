"""Every refusal of the package can be said in Chinese, with the same places to fill."""

from string import Formatter

import pytest

from tests.app import texts
from tinghao.app.naming import STATES, Named
from tinghao.app.web.problems import in_words
from tinghao.realtime.language import chinese

SAID = sorted({each.text for each in texts.problems()})


def places(text: str) -> set[str]:
    """The names in the braces of a sentence."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("text", SAID)
def test_a_refusal_says_the_same_in_both_languages(text: str) -> None:
    """Nothing that the English sentence names is left out of the Chinese one, or added."""
    assert text in chinese(), "no Chinese text"
    assert places(chinese()[text]) == places(text)


def test_titles_and_states_have_chinese_names() -> None:
    """What stands above a sentence, and what stands in one."""
    assert (texts.titles() | STATES) - chinese().keys() == set()


def test_a_type_of_problem_has_one_status() -> None:
    """A program that knows the type knows what kind of answer it is."""
    statuses: dict[str, set[int]] = {}
    for each in texts.problems():
        statuses.setdefault(each.slug, set()).add(each.status)
    assert {slug: found for slug, found in statuses.items() if len(found) > 1} == {}


def test_codes_become_words_in_the_readers_language() -> None:
    """A clerk reads what a state or category is called, not its code."""
    text = "{number} is {present} at window {window}; this needs it {needed}."
    given = {"number": "A001", "present": "held", "window": 3, "needed": "called / no-show"}
    assert in_words("en", text, given) == (
        "A001 is held at window 3; this needs it called / no-show."
    )
    assert in_words("zh", text, given) == (
        "A001 在 3 号窗口，已挂起；这一步只能对已叫号 / 已过号的号做。"
    )
    closed = "{category} gives no numbers now."
    social = {"category": Named("社保民生", "Social security")}
    assert in_words("en", closed, social) == "Social security gives no numbers now."
    assert in_words("zh", closed, social) == "社保民生现在不取号。"
