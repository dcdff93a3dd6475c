"""The bus of one process."""

import logging

import pytest

from tinghao.realtime.bus import MemoryBus


def test_every_subscriber_hears_every_word_until_it_leaves() -> None:
    bus = MemoryBus()
    one: list[tuple[str, int]] = []
    two: list[tuple[str, int]] = []
    leave = bus.subscribe(lambda hall, seq: one.append((hall, seq)))
    bus.subscribe(lambda hall, seq: two.append((hall, seq)))
    bus.publish("puyang", 7)
    leave()
    leave()
    bus.publish("puyang", 8)
    assert one == [("puyang", 7)]
    assert two == [("puyang", 7), ("puyang", 8)]


def test_a_subscriber_that_fails_keeps_nobody_from_hearing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus = MemoryBus()
    heard: list[int] = []

    def fails(hall: str, seq: int) -> None:
        raise ValueError("broken")

    bus.subscribe(fails)
    bus.subscribe(lambda hall, seq: heard.append(seq))
    with caplog.at_level(logging.ERROR):
        bus.publish("puyang", 1)
    assert heard == [1]
    assert "puyang" in caplog.text
