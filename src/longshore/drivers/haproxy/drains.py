"""Draining targets: when the last connection of each has ended. Used by targets.py, which says what is done then."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from longshore.drivers.haproxy import orders
from longshore.drivers.haproxy.process import HaproxyProcess
from longshore.drivers.haproxy.render.text import group_backend, open_backend
from longshore.drivers.haproxy.runtime import RuntimeFailure
from longshore.drivers.haproxy.slots import Placement, Slots
from longshore.drivers.ports import Retryable

log = logging.getLogger(__name__)

POLL_S = 0.05
AGAIN_S = 0.5


class Drains:
    """All targets of one HAProxy that are on their way out. `drained` is called for each; it may raise Retryable."""

    def __init__(self, process: HaproxyProcess, slots: Slots, drained: Callable[[Placement], Awaitable[None]]) -> None:
        self._process = process
        self._slots = slots
        self._drained = drained
        self._some = asyncio.Event()

    def begin(self) -> None:
        """A target gets nothing new from now on."""
        self._some.set()

    async def follow(self) -> None:
        """Ask for the connections of draining targets, as long as there are any."""
        while True:
            await self._some.wait()
            await asyncio.sleep(POLL_S)
            draining = [placement for placement in self._slots if placement.is_draining() and placement.withheld]
            if not draining:
                self._some.clear()
                continue
            try:
                open_now = await self._connections({placement.target.group_id for placement in draining})
                done = [placement for placement in draining if not any(map(open_now.get, orders.rows_of(placement)))]
                await asyncio.gather(*map(self._drained, done))
            except (RuntimeFailure, Retryable) as error:
                log.debug("asking for draining targets again: %s", error)
                await asyncio.sleep(AGAIN_S)

    async def _connections(self, group_ids: Iterable[str]) -> dict[tuple[str, str], int]:
        """Open connections by backend and server, over all workers, old ones too."""
        total: dict[tuple[str, str], int] = {}
        if not self._process.running:
            return total
        queries = [
            f"{name} 4 -1" for group_id in group_ids for name in (group_backend(group_id), open_backend(group_id))
        ]
        # A worker that begins meanwhile has nothing for what is draining: its configuration says so.
        for worker in (await self._process.runtime.processes()).workers:
            for row in await self._process.runtime.stat(worker, *queries):
                key = (row["pxname"], row["svname"])
                total[key] = total.get(key, 0) + int(row["scur"] or 0)
        return total
