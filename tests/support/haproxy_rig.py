"""A HAProxy driver under test: with its own folder and process, what it has reported, and ways to wait for that."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longshore.domain.elbv2.balancing import TargetObservation, TargetPlan
from longshore.drivers.haproxy.driver import HaproxyBalancer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.targets import Target

PATIENCE_S = 20.0
NET = f"127.{20 + os.getpid() % 230}"
"""Addresses of this process's tests: others may run beside it."""


class Rig:
    """A driver and what it reported."""

    def __init__(self, folder: Path, **options: Any) -> None:
        given = {"cookie_key": "test", "host_ports": {}, **options}
        self.driver = HaproxyBalancer(folder, **given)
        self.reports: list[TargetObservation] = []
        self._news = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the driver and read what it reports."""
        await self.driver.open()
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Close the driver; HAProxy goes on."""
        await self.driver.close()
        if self._reader is not None:
            await self._reader

    async def _read(self) -> None:
        async for report in self.driver.observations():
            async with self._news:
                self.reports.append(report)
                self._news.notify_all()

    def state(self, target: TargetPlan) -> str | None:
        """The last state reported of a target."""
        return next((report.state for report in reversed(self.reports) if report.target == target), None)

    async def until(self, target: TargetPlan, state: str) -> TargetObservation:
        """Wait until a state is the last one reported."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: self.state(target) == state)
        return next(report for report in reversed(self.reports) if report.target == target)

    async def healthy(self, *targets: TargetPlan) -> None:
        """Take targets in and wait until they serve."""
        await asyncio.gather(*(self.driver.serve(target) for target in targets))
        for target in targets:
            await self.until(target, "healthy")


def planned(target: Target, group_id: str = "0a") -> TargetPlan:
    """A target as the driver is told of it."""
    return TargetPlan(group_id=group_id, address=target.address, port=target.port)


@contextlib.asynccontextmanager
async def rig(**options: Any) -> AsyncIterator[Rig]:
    """A driver in a folder of its own; HAProxy and folder are gone afterwards."""
    # Not pytest's folder: paths of sockets have to be short.
    folder = Path(tempfile.mkdtemp(prefix="ls-"))
    made = Rig(folder / "h", **options)
    try:
        await made.open()
        try:
            yield made
        finally:
            await made.driver.stop()
            await made.close()
    finally:
        shutil.rmtree(folder)
