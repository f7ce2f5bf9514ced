"""The proxies of all tasks with Service Connect. See ports.ConnectDriver and ports.TaskProxies.

Each has a folder of its own, named by the task's id: what runs is found there again after a restart. The engine says
when a proxy begins and ends, since it knows the namespace; control says what is to be in it.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from longshore.domain.clock import Clock
from longshore.domain.names.connect import ConnectCounts, ConnectPlan, Endpoint
from longshore.drivers.connect.logs import ProxyLogs
from longshore.drivers.connect.proxy import LOG_SOCKET, TaskProxy
from longshore.drivers.ports import LogSink, Permanent

ANSWER_S = 1.0
AT_ONCE = 4
"""Proxies started at the same time: a HAProxy is a moment's work of a core."""


class HaproxyConnect:
    """The proxies of one Longshore. `folder` should be in memory, and its path short: sockets are in it."""

    def __init__(self, folder: Path, sink: LogSink, clock: Clock) -> None:
        self._folder = folder
        self._sink = sink
        self._clock = clock
        self._proxies: dict[str, TaskProxy] = {}
        self._plans: dict[str, ConnectPlan] = {}
        """What control said last, perhaps before the task's proxy begins."""
        self._turn = asyncio.Semaphore(AT_ONCE)

    # ---------------------------------------------------------------------------------------------- for the engine

    async def begin(self, task_id: str, pid: int, plan: ConnectPlan, hosts: Path | None = None) -> None:
        """See TaskProxies."""
        nsenter = shutil.which("nsenter")
        if nsenter is None:
            raise Permanent("Service Connect needs nsenter, and this machine has none: install util-linux.")
        enter = (nsenter, f"--net=/proc/{pid}/ns/net")
        proxy = self._proxies.get(task_id)
        if proxy is not None and proxy.enter != enter:  # the namespace was made again
            async with proxy.lock:
                await proxy.stop()
            proxy = None
        if proxy is None:
            proxy = self._proxies[task_id] = TaskProxy(self._folder / task_id, enter, hosts, self._logs(task_id, plan))
        async with proxy.lock, self._turn:
            await proxy.begin(self._plans.setdefault(task_id, plan))

    def _logs(self, task_id: str, plan: ConnectPlan) -> ProxyLogs | None:
        """Raises Permanent where what a new proxy logs has nowhere to go; one of an earlier life goes on."""
        if plan.log is None:
            return None
        folder = self._folder / task_id
        logs = ProxyLogs(folder / LOG_SOCKET, plan.log, self._sink, self._clock)
        if not folder.exists() and (missing := logs.missing()):
            raise Permanent(f"failed to validate logger args: {missing}")
        return logs

    async def end(self, task_id: str) -> None:
        """See TaskProxies."""
        self._plans.pop(task_id, None)
        proxy = self._proxies.pop(task_id, None)
        folder = self._folder / task_id
        if proxy is None and folder.exists():
            proxy = TaskProxy(folder, ())
        if proxy is not None:
            async with proxy.lock:
                await proxy.stop()

    async def keep(self, task_ids: Collection[str]) -> None:
        """See TaskProxies."""
        left = [path.name for path in self._folder.iterdir()] if self._folder.exists() else []
        await asyncio.gather(*(self.end(task_id) for task_id in left if task_id not in task_ids))

    async def close(self) -> None:
        """See TaskProxies."""
        await asyncio.gather(*(proxy.close() for proxy in self._proxies.values()))

    # ------------------------------------------------------------------------------------------------ for control

    async def apply(self, task_id: str, plan: ConnectPlan) -> None:
        """See ConnectDriver."""
        self._plans[task_id] = plan
        proxy = self._proxies.get(task_id)
        if proxy is None:
            return
        async with proxy.lock:
            if self._proxies.get(task_id) is proxy:
                await proxy.apply(plan)

    async def busy(self, task_id: str) -> frozenset[Endpoint]:
        """See ConnectDriver."""
        proxy = self._proxies.get(task_id)
        if proxy is None:
            return frozenset()
        async with proxy.lock:
            return await proxy.busy()

    async def answers(self, endpoint: Endpoint) -> bool:
        """See ConnectDriver."""
        try:
            async with asyncio.timeout(ANSWER_S):
                _, writer = await asyncio.open_connection(*endpoint)
        except OSError:  # TimeoutError too
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def counts(self, task_id: str) -> Sequence[ConnectCounts]:
        """See ConnectDriver."""
        proxy = self._proxies.get(task_id)
        return await proxy.counts() if proxy is not None else ()
