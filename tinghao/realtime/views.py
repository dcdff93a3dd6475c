"""What the hub asks of the screens: one `View` per kind of topic, and nothing else.

The hub knows no screen and a screen no socket. `hall_views` joins the two for our own screens.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tinghao.queue.clock import Clock, hall_time, machine_clock
from tinghao.queue.model import Call, HallState, Micros
from tinghao.queue.people import Directory
from tinghao.realtime import render, screens
from tinghao.realtime.topics import Kind, Topic

Data = Mapping[str, Any]


class View(Struct, frozen=True):
    """How the topics of one kind are shown."""

    find: Callable[[HallState, Topic], Topic | None]
    """The topic as this hall has it, without what it does not know (a zone); None: no such."""
    build: Callable[[HallState, Topic], Data]
    """The state as `data`, without `calls`: the hub puts in those that belong to the frame."""
    calls: Callable[[HallState, Topic, Sequence[Call]], list[dict[str, Any]]]
    """Those of the calls that belong to the topic, oldest first, as they stand in `data`."""
    content: Callable[[Topic, Data, str], str]
    """The HTML fragments for `data` in a language."""


Views = Mapping[Kind, View]


def hall_views(people: Callable[[str], Directory], clock: Clock = machine_clock) -> Views:
    """Our own screens; `people` gives the staff of a hall by its code, `clock` the machine's."""

    def now(state: HallState) -> Micros:
        return hall_time(state.clock, clock(), state.at)

    def view(build: Callable[[HallState, Topic], Data | None]) -> View:
        return View(find=_found, build=_without_calls(build), calls=_calls, content=_content)

    return {
        "lobby": view(lambda state, _: screens.lobby(state, people(state.code), now(state))),
        "category": view(lambda state, topic: screens.category(state, topic.key)),
        "window": view(
            lambda state, topic: screens.window(state, topic.window, people(state.code))
        ),
        "manager": view(lambda state, _: screens.manager(state, people(state.code), now(state))),
    }


def _found(state: HallState, topic: Topic) -> Topic | None:
    if topic.kind == "category" and state.setup.category(topic.key) is None:
        return None
    if topic.kind == "window" and topic.window not in state.windows:
        return None
    # A hall has no zones yet: a display of any zone shows the whole hall.
    return replace(topic, zone="")


def _without_calls(
    build: Callable[[HallState, Topic], Data | None],
) -> Callable[[HallState, Topic], Data]:
    def built(state: HallState, topic: Topic) -> Data:
        data = build(state, topic)
        if data is None:
            raise LookupError(f"hall {state.code} has no {topic.name} any more")
        return {name: value for name, value in data.items() if name != "calls"}

    return built


def _calls(state: HallState, topic: Topic, calls: Sequence[Call]) -> list[dict[str, Any]]:
    return [screens.call_view(state, call) for call in calls if _belongs(topic, call)]


def _belongs(topic: Topic, call: Call) -> bool:
    if topic.kind == "category":
        return call.category == topic.key
    return topic.kind != "window" or call.window == topic.window


def _content(topic: Topic, data: Data, language: str) -> str:
    return render.fragments(topic.kind, data, language)
