"""Dealing recorded queues to a hall's categories."""

from datetime import date

import pytest

from tinghao.app.records.deal import DealError, deal
from tinghao.app.records.record import RecordedTicket

HALL = ["social", "realestate", "business"]


def tickets(**volumes: int) -> list[RecordedTicket]:
    return [
        RecordedTicket(f"{letter}{n}", "office", letter, date(2020, 1, 13), n)
        for letter, volume in volumes.items()
        for n in range(volume)
    ]


def test_the_largest_queue_goes_first_and_all_come_out_balanced() -> None:
    """Five queues in three categories: no category carries more than it must."""
    assert deal(tickets(A=50, B=40, C=30, D=20, E=10), HALL) == {
        "office/A": "social",
        "office/B": "realestate",
        "office/C": "business",
        "office/D": "business",
        "office/E": "realestate",
    }


def test_a_wish_is_kept_and_the_rest_is_balanced_around_it() -> None:
    """By full name, by letter or by pattern; the last wish for a queue counts."""
    recorded = tickets(A=50, B=40, C=30)

    assert deal(recorded, HALL, ["office/A=business"])["office/A"] == "business"
    assert deal(recorded, HALL, ["B=social"])["office/B"] == "social"
    assert set(deal(recorded, HALL, ["*=social"]).values()) == {"social"}
    assert deal(recorded, HALL, ["*=social", "C=business"])["office/C"] == "business"


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ("A", "'A' is not QUEUE=CATEGORY"),
        ("=social", "is not QUEUE=CATEGORY"),
        ("A=tax", "no category 'tax'; it has social, realestate, business"),
        ("X=social", "no queue 'X'; it has office/A"),
    ],
)
def test_a_wish_that_cannot_be_met_says_what_there_is(wish: str, problem: str) -> None:
    """A typing error does not silently deal otherwise."""
    with pytest.raises(DealError, match=problem):
        deal(tickets(A=1), HALL, [wish])
