"""The engine of a simulated machine: the port of a real one, without containers.

For `longshore up --engine sim` (users' unit tests), for the simulator and for the benchmarks of the control plane.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from longshore.domain.clock import Clock
from longshore.domain.ecs.launch import ContainerLaunch, TaskLaunch, TaskObservation, WarmNetwork
from longshore.domain.log import LogEvent
from longshore.domain.record import Scope
from longshore.drivers.ports import EngineCapacity, LogSink
from longshore.drivers.sim.machine import SimMachine, SimTask

DEFAULT_CAPACITY = EngineCapacity(cpu_units=1024 * 1024, memory_mib=1024 * 1024 * 4, architecture="X86_64")
"""Room for ten thousand tasks: a unit test should not have to think of it."""


class SimEngine:
    """A `TaskEngine` whose tasks only seem to run."""

    name = "sim"

    def __init__(
        self,
        clock: Clock,
        sink: LogSink | None = None,
        *,
        machine: SimMachine | None = None,
        capacity: EngineCapacity = DEFAULT_CAPACITY,
    ) -> None:
        self._clock = clock
        self._sink = sink
        self._capacity = capacity
        self.machine = machine or SimMachine(clock)
        self._forgetful = machine is None
        """Whether the machine is as old as this process, and knows of earlier tasks only what it is told."""
        self._reports: list[TaskObservation] = []
        self._reported = asyncio.Event()
        self._closed = False

    async def open(self) -> None:
        """Listen to the machine."""
        self.machine.changed = self._report
        self.machine.printed = self._print

    async def close(self) -> None:
        """Stop listening; the machine goes on."""
        self.machine.changed = lambda _task_id: None
        self.machine.printed = lambda _task, _container, _line: None
        self._closed = True
        self._reported.set()

    async def capacity(self) -> EngineCapacity:
        """What the machine is said to have."""
        return self._capacity

    async def free_vpc_cidr(self, candidates: Sequence[str]) -> str:
        """Nothing collides here."""
        return candidates[0]

    async def networks(self) -> Sequence[str] | None:
        """Addresses only seem to be there: VPCs can't collide."""
        return None

    async def remove_network(self, vpc_id: str) -> None:
        """There are no networks."""

    async def adopt(self, expected: Collection[TaskLaunch]) -> frozenset[str]:
        """Report what exists of the expected tasks; forget all others. A new machine goes on with what ran before."""
        if self._forgetful:
            for launch in expected:
                self.machine.resume(launch)
            return frozenset(self.machine.tasks)
        wanted = {launch.task_id for launch in expected}
        for task_id in [task_id for task_id in self.machine.tasks if task_id not in wanted]:
            self.machine.remove(task_id)
        for task_id in self.machine.tasks:
            self._report(task_id)
        return frozenset(self.machine.tasks)

    async def prepare(self, networks: Sequence[WarmNetwork]) -> None:
        """Nothing here takes time to get ready."""

    async def start(self, launch: TaskLaunch) -> None:
        """Begin the task, unless it is there already."""
        self.machine.begin(launch)

    async def stop(self, task_id: str) -> None:
        """Begin to stop it."""
        self.machine.stop(task_id)
        self._report(task_id)

    async def remove(self, task_id: str) -> None:
        """Forget it."""
        self.machine.remove(task_id)

    async def observations(self) -> AsyncIterator[Sequence[TaskObservation]]:
        """Every report, until closed."""
        while True:
            await self._reported.wait()
            self._reported.clear()
            reports, self._reports = self._reports, []
            if reports:
                yield reports
            if self._closed:
                return

    async def stats(self, task_id: str) -> dict[str, dict[str, Any]]:
        """A simulated container uses nothing."""
        task = self.machine.tasks.get(task_id)
        return {name: {"name": name} for name in task.containers} if task else {}

    def clear(self) -> None:
        """Forget every task (`POST /_longshore/reset`)."""
        self.machine.tasks.clear()

    def _report(self, task_id: str) -> None:
        self._deliver(self.machine.observe(task_id))

    def _deliver(self, report: TaskObservation) -> None:
        self._reports.append(report)
        self._reported.set()

    def _print(self, task: SimTask, container: ContainerLaunch, line: str) -> None:
        if self._sink is not None and container.log is not None:
            scope = Scope(task.launch.account, task.launch.region)
            event = LogEvent(timestamp_ms=int(self._clock.now() * 1000), message=line)
            self._sink.write(scope, container.log, [event])
