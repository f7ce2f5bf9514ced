"""Writes what the engine reports into tasks: the only writer of what is observed of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import structlog

from longshore.decide.ecs import task as life
from longshore.domain.clock import Clock
from longshore.domain.ecs.launch import TaskObservation
from longshore.domain.ecs.task import Task
from longshore.store.store import Store, Transaction

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 500
"""Reports in one transaction: at a start there may be one of each task, and requests have their turn in between."""


class Observer:
    """One reader of an engine's reports."""

    def __init__(self, store: Store, reports: AsyncIterator[Sequence[TaskObservation]], clock: Clock) -> None:
        self._store = store
        self._reports = reports
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._read(), name="observe")

    async def stop(self) -> None:
        """End reading. What is missed is seen again when the engine is asked to adopt."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def wait(self) -> None:
        """Wait until there is nothing more to read. Raises what the engine ended with, if it was a fault."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _read(self) -> None:
        async for reports in self._reports:
            for first in range(0, len(reports), MOST_AT_ONCE):
                self.write(reports[first : first + MOST_AT_ONCE])
                await asyncio.sleep(0)

    def write(self, reports: Sequence[TaskObservation]) -> None:
        """Put reports into their tasks, in one transaction. One that can't be written takes no other with it."""
        with self._store.transaction() as tx:
            for report in reports:
                try:
                    self._write(tx, report)
                except Exception:
                    log.exception("a report could not be written", task=report.task_id)

    def _write(self, tx: Transaction, report: TaskObservation) -> None:
        """Reports on tasks that are not there any more are of no interest."""
        # Ids stay where they are: the store's own index, which no change of this transaction has touched, finds them.
        keys = self._store.select_keys(Task, "id", (report.task_id,))
        task = tx.get(Task, keys[0]) if keys else None
        if task is None:
            return
        after = life.observe(task, report, self._clock.now())
        if after is not task:
            tx.put(after)
