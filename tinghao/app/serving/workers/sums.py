"""The figures of all workers as one service's, for whichever of them is scraped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, ProcessCollector

from tinghao.app.serving.workers.child import Child
from tinghao.monitoring.figures import Figures, collected, lasting, summed


class Sums:
    """Adds up. Of workers that are gone it keeps what they had counted."""

    def __init__(self, children: Callable[[], Iterable[Child]]) -> None:
        self._children = children
        self._past: Figures = ()
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)

    def gone(self, child: Child) -> None:
        """A worker has ended; to be called when it leaves the children."""
        self._past = summed([self._past, lasting(child.figures)])

    async def over_all(self, asking: Child) -> Figures:
        """The sum now, the launcher itself included.

        Of a worker that does not answer in time what it had counted is in it, not what it has.
        """
        asked = [each for each in self._children() if each is not asking and each.ready.is_set()]
        answers = await asyncio.gather(*(each.tell() for each in asked))
        present = {asking, *(each for each, told in zip(asked, answers, strict=True) if told)}
        # From here to the end nothing waits, so that no worker is counted twice or left out.
        return summed(
            [
                collected(self._registry),
                self._past,
                *(
                    each.figures if each in present else lasting(each.figures)
                    for each in self._children()
                ),
            ]
        )
