"""Keeps pushes and collections apart: a collection would take what is just being pushed, and not named yet."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from longshore.domain.clock import Clock


class Gate:
    """Open for pushes unless a collection is under way, which begins only when nothing was pushed for a while."""

    def __init__(self, clock: Clock, quiet_s: float) -> None:
        self._clock = clock
        self._quiet_s = quiet_s
        self._inside = 0
        self._last: float | None = None
        """When a step of a push was last under way."""
        self._open = asyncio.Event()
        self._open.set()

    @contextlib.asynccontextmanager
    async def pushing(self) -> AsyncIterator[None]:
        """One step of a push; waits for the end of a collection."""
        while not self._open.is_set():
            await self._open.wait()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._last = self._clock.now()

    @property
    def wait_s(self) -> float:
        """How long a collection has yet to wait, as far as is known: it may not begin before this is 0."""
        wait_s = 0.0 if self._last is None else self._last + self._quiet_s - self._clock.now()
        # A clock that was set back must not keep it waiting for longer than this.
        return min(max(wait_s, 1.0), self._quiet_s + 1.0) if self._inside or wait_s > 0 else 0.0

    @contextlib.contextmanager
    def collecting(self) -> Iterator[None]:
        """A collection: pushes wait for its end."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()
