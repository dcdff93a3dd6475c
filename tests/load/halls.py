"""A hall with sixteen windows for one category."""

from msgspec.structs import replace

from tests.queue.hall import ESTATE, PLAIN, SOCIAL
from tinghao.queue.model import HallConfig, WindowConfig

CITIZENS = 2_000
KIOSKS = 8
WINDOWS = 16

CROWDED: HallConfig = replace(
    PLAIN,
    categories=(replace(SOCIAL, daily_cap=9_999), ESTATE),
    windows=tuple(
        WindowConfig(number=number, name="综合受理", categories=("social",))
        for number in range(1, WINDOWS + 1)
    ),
)


def numbers(count: int) -> list[str]:
    """The first numbers of the category, in order."""
    return [f"A{place:03d}" for place in range(1, count + 1)]
