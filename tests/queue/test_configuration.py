"""What a configuration must satisfy before it comes into force, and what it may not drop."""

import pytest
from msgspec.structs import replace

from tests.queue.hall import ESTATE, PLAIN, SOCIAL, Hall, with_policy, with_social
from tinghao.queue.founding import PUYANG
from tinghao.queue.model import Category, Closure, HallConfig, Item, WindowConfig
from tinghao.queue.rules.setup import faults_of


def with_window(**changes: object) -> HallConfig:
    return replace(PLAIN, windows=(replace(PLAIN.windows[0], **changes),))


WRONG: list[tuple[HallConfig, str]] = [
    (replace(PLAIN, name=" "), "the hall has no name"),
    (replace(PLAIN, categories=(), windows=()), "the hall has no category"),
    (with_social(code="Social Security"), "category code 'Social Security' is not like"),
    (with_social(code="estate"), "category code estate is used twice"),
    (with_social(prefix="B"), "number prefix B is used twice"),
    (with_social(prefix="a"), "prefix 'a' is not one to three capital letters"),
    (with_social(prefix=""), "prefix '' is not"),
    (with_social(daily_cap=0), "social: the day's cap is not from 1 to 99999"),
    (with_social(daily_cap=100_000), "social: the day's cap is not from 1 to 99999"),
    (with_social(target_minutes=0), "target and standard time are at least one minute"),
    (with_social(standard_minutes=0), "target and standard time are at least one minute"),
    (with_social(target_minutes=2**70), "target and standard time are at most 1440"),
    (
        with_social(items=(Item("a", "x", standard_minutes=-5),)),
        "target and standard time are at least one minute",
    ),
    (with_social(last_take="half past four"), "social: last take: 'half past four' is not a time"),
    (with_social(last_take="24:00"), "is not a time of day"),
    (with_social(items=(Item("养老", "养老保险"),)), "item code '养老' is not letters"),
    (with_social(items=(Item("a", "x"), Item("a", "y"))), "social: item a is used twice"),
    (with_window(number=0), "window number 0 is not from 1 to 999"),
    (with_window(categories=("tea",)), "window 1: no category tea"),
    (with_window(categories=("social", "social")), "category social is used twice"),
    (with_window(weights={"tea": 1}), "window 1: no category tea"),
    (with_window(weights={"social": float("inf")}), "the weight of social is too large"),
    (with_window(weights={"social": float("nan")}), "the weight of social is too large"),
    (replace(PLAIN, windows=PLAIN.windows[:1] * 2), "window number 1 is used twice"),
    (replace(PLAIN, opens="nine"), "opening: 'nine' is not a time"),
    (replace(PLAIN, closes="25:00"), "closing: '25:00' is not a time"),
    (replace(PLAIN, opens="17:00", closes="09:00"), "the hall closes before it opens"),
    (replace(PLAIN, timezone="Asia/Puyang"), "there is no time zone 'Asia/Puyang'"),
    (replace(PLAIN, timezone="Asia"), "there is no time zone 'Asia'"),
    (replace(PLAIN, timezone="a" * 5000), "there is no time zone 'aaaa"),
    (replace(PLAIN, closures=(Closure(2026_02_30, works=False),)), "closure 20260230 is not a day"),
    (replace(PLAIN, closures=(Closure(-5, works=True),)), "closure -5 is not a day"),
    (with_policy(grace_minutes=-1), "the grace minutes are not from 0 to 1440"),
    (with_policy(undo_seconds=86_400), "the seconds for an undo are not from 0 to 3600"),
    (with_policy(return_behind=0), "a returned number comes behind the next 1 to 100"),
    (with_policy(rating_days=0), "the days for a rating are not from 1 to 365"),
]


@pytest.mark.parametrize(("config", "fault"), WRONG, ids=[row[1] for row in WRONG])
def test_a_wrong_configuration_is_named_by_its_fault(config: HallConfig, fault: str) -> None:
    hall = Hall()
    with hall.refuses("configuration", "invalid", saying=fault):
        hall.configure(config)


@pytest.mark.parametrize("config", [PLAIN, PUYANG], ids=["plain", "puyang"])
def test_what_we_deliver_is_sound(config: HallConfig) -> None:
    assert faults_of(config) == []


def test_all_faults_are_named_at_once() -> None:
    config = replace(with_social(prefix="b", daily_cap=0), opens="x")
    assert len(faults_of(config)) == 3


class TestWhatIsInUse:
    ONE = replace(PLAIN, categories=(ESTATE,), windows=(PLAIN.windows[2],))

    @pytest.mark.parametrize("scene", ["take", "called", "serving", "held", "missed"])
    def test_a_category_with_open_numbers_stays(self, scene: str) -> None:
        """Also one whose only ticket is a no-show who may still come back."""
        hall = Hall()
        hall.open(2)
        if scene == "take":
            hall.take()
        else:
            getattr(hall, scene)(2)
        windows = tuple(replace(each, categories=("estate",)) for each in PLAIN.windows)
        with hall.refuses("category-in-use"):
            hall.configure(replace(PLAIN, categories=(ESTATE,), windows=windows))

    def test_an_empty_one_may_go(self, hall: Hall) -> None:
        hall.cancel(hall.take())
        hall.configure(self.ONE)
        with hall.refuses("unknown-category", "invalid"):
            hall.take("social")

    @pytest.mark.parametrize("scene", ["open", "held and left"])
    def test_a_window_in_use_stays(self, hall: Hall, scene: str) -> None:
        hall.open(3)
        if scene != "open":
            hall.held(3)
            hall.close(3)
        with hall.refuses("window-in-use"):
            hall.configure(replace(PLAIN, windows=PLAIN.windows[:2]))

    def test_a_category_that_comes_back_goes_on_with_its_numbers(self, hall: Hall) -> None:
        """Dropped and set up again on one day, it gives no number twice."""
        hall.cancel(hall.take())
        hall.configure(self.ONE)
        hall.configure(PLAIN)
        assert hall.take() == "A002"


def test_measures_of_the_past_use_what_was_in_force_then(hall: Hall) -> None:
    """Each configuration stands in the journal as a whole, from the founding on."""
    stricter = replace(PLAIN, categories=(replace(SOCIAL, target_minutes=5), ESTATE))
    hall.configure(stricter)
    configured = [each.event for each in hall.entries if each.event.kind == "hall-configured"]
    assert [each.config for each in configured] == [PLAIN, stricter]


def test_a_new_category_has_a_queue_at_once(hall: Hall) -> None:
    permits = Category(code="permits", name="许可", prefix="P")
    four = WindowConfig(number=4, name="许可", categories=("permits",))
    hall.configure(
        replace(PLAIN, categories=(*PLAIN.categories, permits), windows=(*PLAIN.windows, four))
    )
    hall.open(4)
    assert hall.served(4) == "P001"
