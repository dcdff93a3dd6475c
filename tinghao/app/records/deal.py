"""Dealing the recorded queues to the categories of a hall.

A record has its own queues (twenty-three letters of four offices, say), a hall has its own
categories (the four of the notice). Each recorded queue goes wholly to one category, so that
its order stays recognisable; several may share one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from tinghao.app.records.record import RecordedTicket


class DealError(ValueError):
    """A mapping that does not fit the record or the hall; the message says what does."""


def deal(
    tickets: Iterable[RecordedTicket],
    categories: Sequence[str],
    maps: Sequence[str] = (),
) -> dict[str, str]:
    """Which category each recorded queue goes to, by queue name.

    `maps` are wishes `QUEUE=CATEGORY`; QUEUE is `UD_Zoliborz/N`, or `N` for that letter at every
    site, or a pattern with `*`. What is not mapped is dealt largest queue first to the category
    with the fewest tickets so far, so that the categories come out balanced. The result depends
    on nothing but the arguments. Raises DealError for a map that names no queue or no category.
    """
    if not categories:
        raise DealError("the hall has no categories to deal the recorded queues to")
    volume = Counter(each.queue for each in tickets)
    dealt: dict[str, str] = {}
    for wish in maps:
        dealt.update(_granted(wish, volume, categories))
    load = Counter(dict.fromkeys(categories, 0))
    for queue, category in dealt.items():
        load[category] += volume[queue]
    for queue in sorted(volume, key=lambda name: (-volume[name], name)):
        if queue not in dealt:
            dealt[queue] = min(categories, key=lambda code: load[code])
            load[dealt[queue]] += volume[queue]
    return dict(sorted(dealt.items()))


def _granted(
    wish: str, queues: Iterable[str], categories: Sequence[str]
) -> Iterable[tuple[str, str]]:
    pattern, separator, category = wish.rpartition("=")
    if not separator or not pattern or not category:
        raise DealError(f"{wish!r} is not QUEUE=CATEGORY")
    if category not in categories:
        raise DealError(
            f"{wish!r}: the hall has no category {category!r}; it has {', '.join(categories)}"
        )
    found = [
        queue
        for queue in sorted(queues)
        if fnmatchcase(queue, pattern) or fnmatchcase(queue.rpartition("/")[2], pattern)
    ]
    if not found:
        raise DealError(
            f"{wish!r}: the record has no queue {pattern!r}; it has {', '.join(sorted(queues))}"
        )
    return [(queue, category) for queue in found]
