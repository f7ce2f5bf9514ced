"""A disk that takes its time, fills up, and keeps after a crash just what it had promised (or a little more)."""

import asyncio
import random
from collections.abc import Sequence

from longshore.domain.record import Key
from longshore.store.errors import StoreFailed
from longshore.store.journal import Row


class SimDisk:
    """What is on disk: it outlives the control plane."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.rows: dict[tuple[str, Key], Row] = {}
        self.revision = 0
        self.full = False
        self.flush_s = (0.0005, 0.01)

    def commit(self, revision: int, rows: Sequence[Row]) -> None:
        """Write one whole commit."""
        for row in rows:
            if row.document:
                self.rows[row.kind, row.key] = row
            else:
                self.rows.pop((row.kind, row.key), None)
        self.revision = revision

    def delay_s(self) -> float:
        """How long the next flush takes."""
        return self._dice.uniform(*self.flush_s)

    def survives(self) -> bool:
        """Whether a commit that was being written when the power went made it: nobody was promised anything."""
        return self._dice.random() < 0.5


class SimJournal:
    """A journal on a simulated disk."""

    def __init__(self, disk: SimDisk) -> None:
        self._disk = disk
        self._queue: list[tuple[int, Sequence[Row]]] = []
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._flushing = False
        self.durable_revision = disk.revision
        self.failed: StoreFailed | None = None
        self.dead = False

    def append(self, revision: int, rows: Sequence[Row]) -> None:
        """Take one commit; it is written a moment later, with all that came meanwhile."""
        if self.failed is not None:
            raise self.failed
        self._queue.append((revision, list(rows)))
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_later(self._disk.delay_s(), self._flush)

    async def durable(self, revision: int) -> None:
        """Wait for a commit."""
        if self.failed is not None:
            raise self.failed
        if revision <= self.durable_revision:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiters.append((revision, future))
        await future

    async def close(self) -> None:
        """Write what is left."""
        if not self.dead:
            self._flush()

    def crash(self) -> None:
        """The power goes: of what was queued, some first part may have reached the disk."""
        self.dead = True
        for revision, rows in self._queue:
            if not self._disk.survives():
                break
            self._disk.commit(revision, rows)
        self._queue.clear()

    def _flush(self) -> None:
        self._flushing = False
        if self.dead:
            return
        if self._disk.full:
            self.failed = StoreFailed("The disk is full (simulated).")
            self._queue.clear()
        for revision, rows in self._queue:
            self._disk.commit(revision, rows)
            self.durable_revision = revision
        self._queue.clear()
        waiters, self._waiters = self._waiters, []
        for revision, future in waiters:
            if future.done():
                continue
            if revision <= self.durable_revision:
                future.set_result(None)
            elif self.failed is not None:
                future.set_exception(self.failed)
            else:
                self._waiters.append((revision, future))
