"""Removes log events whose group keeps them no longer.

A timer, started by `main`. The store says which streams, the event log trims each by its time: no event is looked at.
"""

import asyncio
from collections.abc import Iterable, Iterator

from longshore.control.loop import Timer
from longshore.domain.clock import Clock
from longshore.domain.log import LogGroup, LogStream
from longshore.store.events import EventLog
from longshore.store.store import Reader, Store

SWEEP_S = 3600.0
DAY_MS = 86_400_000
AT_ONCE = 100
"""Streams trimmed before others have their turn."""


def expired(groups: Iterable[LogGroup], now: float) -> Iterator[tuple[LogGroup, int]]:
    """The groups that keep events for a time only, each with the time (ms) before which they go."""
    for group in groups:
        if group.retention_days is not None:
            yield group, int(now * 1000) - group.retention_days * DAY_MS


def due(reader: Reader, now: float) -> list[tuple[str, int]]:
    """`(stream uid, time in ms before which its events go)` for every stream of those groups."""
    return [
        (stream.uid, before_ms)
        for group, before_ms in expired(reader.all(LogGroup), now)
        for stream in reader.select(LogStream, "group", group.key)
    ]


class Retention:
    """Trims streams, every hour."""

    def __init__(self, store: Store, events: EventLog, clock: Clock) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self.timer = Timer("retention", self.sweep, SWEEP_S)

    async def sweep(self) -> None:
        """Trim every stream that is due. A stream deleted meanwhile has nothing left to trim."""
        for number, (uid, before_ms) in enumerate(due(self._store, self._clock.now()), 1):
            self._events.trim(uid, before_ms)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
