"""Simulated time: an event loop that never waits. When nothing is left to do now, it is the time of the next timer."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH = 1_800_000_000.0
"""When every world begins."""


class Stuck(Exception):  # noqa: N818  says what happened, not who is to blame
    """Something waits for what will never happen: no timer is set and nothing is ready."""


class _Selector(selectors.SelectSelector):
    """Polls real files without waiting, and lets time pass instead."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("no timer is set and nothing is ready: something waits for ever")
        if timeout > 0:
            self.elapsed += timeout
        return super().select(0)


class SimLoop(asyncio.SelectorEventLoop):
    """An event loop in simulated time."""

    def __init__(self) -> None:
        self._sim = _Selector()
        super().__init__(self._sim)

    def time(self) -> float:
        """Seconds since this world began."""
        return self._sim.elapsed


class SimClock:
    """The wall clock of a world. It may be set wrongly, which changes no timer."""

    def __init__(self, loop: SimLoop) -> None:
        self._loop = loop
        self.offset_s = 0.0

    def now(self) -> float:
        """Epoch seconds."""
        return EPOCH + self._loop.time() + self.offset_s


def run(make: "Coroutine[Any, Any, T]", loop: SimLoop) -> T:
    """Run a coroutine to its end in simulated time."""
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(make)
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
