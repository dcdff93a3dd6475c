"""Addresses of topics, taken apart."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinghao.realtime.topics import (
    Format,
    Since,
    Topic,
    TopicError,
    Wish,
    needed,
    parse,
    position,
)


@pytest.mark.parametrize(
    ("target", "topic"),
    [
        ("/ws/halls/puyang/lobby", Topic("puyang", "lobby")),
        ("/ws/halls/puyang/category-social", Topic("puyang", "category", "social")),
        ("/ws/halls/puyang/category-real-estate", Topic("puyang", "category", "real-estate")),
        ("/ws/halls/puyang/window-12", Topic("puyang", "window", "12")),
        ("/ws/halls/puyang/manager", Topic("puyang", "manager")),
        ("/ws/halls/puyang/supervision", Topic("puyang", "supervision")),
        ("/ws/halls/puyang/lobby?zone=east", Topic("puyang", "lobby", zone="east")),
    ],
)
def test_a_path_names_a_topic_and_a_topic_its_path(target: str, topic: Topic) -> None:
    assert parse(target) == (Wish(topic), None)
    assert target.partition("?")[0] == f"/ws/halls/{topic.hall}/{topic.name}"


@pytest.mark.parametrize(
    ("query", "format_", "language", "since"),
    [
        ("", "json", "", None),
        ("format=json&lang=en", "json", "", None),
        ("format=html", "html", "zh", None),
        ("format=html&lang=en&since=ab12:7", "html", "en", Since("ab12", 7)),
        ("since=e%3A1:9&other=x", "json", "", None),
        ("since=e1%3A9", "json", "", Since("e1", 9)),
    ],
)
def test_a_query_says_how_it_is_wanted(
    query: str, format_: Format, language: str, since: Since | None
) -> None:
    topic = Topic("puyang", "lobby")
    assert parse(f"/ws/halls/puyang/lobby?{query}") == (Wish(topic, format_, language), since)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 404),
        ("/ws/halls/puyang", 404),
        ("/ws/halls/puyang/", 404),
        ("/ws/halls//lobby", 404),
        ("/ws/halls/../lobby", 404),
        ("/ws/halls/puyang/lobbies", 404),
        ("/ws/halls/puyang/lobby-x", 404),
        ("/ws/halls/puyang/window-", 404),
        ("/ws/halls/puyang/window-03", 404),
        ("/ws/halls/puyang/window-12345", 404),
        ("/ws/halls/puyang/category-<b>", 404),
        ("/ws/halls/puyang/lobby?format=xml", 400),
        ("/ws/halls/puyang/lobby?format=html&lang=fr", 400),
        ("/ws/halls/puyang/lobby?zone=a/b", 400),
        ("/ws/halls/puyang/lobby?" + "a=1&" * 50, 400),
        ("//[/ws", 400),
    ],
)
def test_anything_else_is_refused(target: str, status: int) -> None:
    with pytest.raises(TopicError) as refused:
        parse(target)
    assert refused.value.status == status


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    with suppress(TopicError):
        wish, _ = parse(f"/ws/halls/{text}")
        assert parse(f"/ws/halls/{wish.topic.hall}/{wish.topic.name}")[0].topic.hall


@given(st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_a_position_is_read_as_it_is_written(epoch: str, seq: int) -> None:
    assert position(f"{epoch}:{seq}") == Since(epoch, seq)


def test_what_the_hall_shows_to_all_is_public_and_the_rest_is_not() -> None:
    assert needed(Topic("h", "lobby")) == needed(Topic("h", "category", "a")) == "public"
    assert needed(Topic("h", "window", "3")) == "window"
    assert needed(Topic("h", "manager")) == "manager"
    assert needed(Topic("h", "supervision")) == "supervision"


def test_only_a_window_has_a_number() -> None:
    assert Topic("h", "window", "3").window == 3
    with pytest.raises(ValueError, match="lobby"):
        _ = Topic("h", "lobby").window
