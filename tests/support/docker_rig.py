"""A DockerEngine with a recording log sink, for tests of the driver against a real Docker Engine.

Real small classes, no mocks: the sink keeps what it is given, the rig keeps every report and waits for one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from longshore.domain.ecs.launch import (
    ContainerLaunch,
    ContainerObservation,
    TaskLaunch,
    TaskNetwork,
    TaskObservation,
)
from longshore.domain.log import LogTarget
from longshore.drivers.docker.engine import DockerEngine
from tests.support import images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from longshore.domain.log import LogEvent
    from longshore.domain.record import Scope

WAIT_S = 60.0


class SystemClock:
    """The real time."""

    def now(self) -> float:
        return time.time()


class RecordingSink:
    """Keeps what containers print, by stream; may outlive the engine that writes to it."""

    def __init__(self) -> None:
        self.streams: dict[str, list[LogEvent]] = defaultdict(list)
        self.missing_groups: set[str] = set()
        self._written = asyncio.Event()
        self.asked, self.on_disk = asyncio.Event(), asyncio.Event()
        self.on_disk.set()

    def write(self, scope: Scope, target: LogTarget, events: Sequence[LogEvent]) -> None:
        assert scope.region == target.region
        self.streams[target.stream] += events
        self._written.set()

    def resume_from_ms(self, scope: Scope, target: LogTarget) -> int | None:  # noqa: ARG002  the port's names
        events = self.streams.get(target.stream)
        return events[-1].timestamp_ms if events else None

    def missing(self, scope: Scope, target: LogTarget) -> str | None:  # noqa: ARG002  the port's names
        return f"The log group {target.group} does not exist." if target.group in self.missing_groups else None

    async def durable(self) -> None:
        """As slow as the test wants it."""
        self.asked.set()
        await self.on_disk.wait()

    def lines(self, stream: str) -> list[str]:
        return [event.message for event in self.streams[stream]]

    async def until(self, stream: str, line: str) -> None:
        """Wait until the stream has a line with this text."""
        async with asyncio.timeout(WAIT_S):
            while not any(line in text for text in self.lines(stream)):
                self._written.clear()
                await self._written.wait()


class Rig:
    """An engine and all that it reported."""

    def __init__(self, engine: DockerEngine, sink: RecordingSink) -> None:
        self.engine = engine
        self.sink = sink
        self.reports: dict[str, list[TaskObservation]] = defaultdict(list)
        self._reported = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for observations in self.engine.observations():
            async with self._reported:
                for observation in observations:
                    self.reports[observation.task_id].append(observation)
                self._reported.notify_all()

    async def until(self, task_id: str, condition: Callable[[TaskObservation], bool]) -> TaskObservation:
        """The first report from now on (the last one so far counts) that meets the condition."""
        try:
            async with asyncio.timeout(WAIT_S), self._reported:
                while not (self.reports[task_id] and condition(self.reports[task_id][-1])):
                    await self._reported.wait()
                return self.reports[task_id][-1]
        except TimeoutError:
            raise AssertionError(f"not reported; the last report was {self.reports[task_id][-1:]}") from None

    async def running(self, task_id: str, *names: str) -> TaskObservation:
        """Wait until these containers run (all, if none is named)."""
        return await self.until(
            task_id,
            lambda seen: (
                seen.ended or all(c.status == "RUNNING" for c in seen.containers if not names or c.name in names)
            ),
        )

    async def run(self, launch: TaskLaunch) -> TaskObservation:
        """Start a task and wait until all its containers run."""
        await self.engine.start(launch)
        seen = await self.running(launch.task_id)
        assert not seen.ended, seen
        return seen

    async def ended(self, task_id: str) -> TaskObservation:
        """Wait for the task's end."""
        return await self.until(task_id, lambda seen: seen.ended)

    async def stop(self, task_id: str) -> TaskObservation:
        """Stop it and wait for its end."""
        await self.engine.stop(task_id)
        return await self.ended(task_id)

    async def run_to_end(self, launch: TaskLaunch) -> TaskObservation:
        """Start a task and wait for its end."""
        await self.engine.start(launch)
        return await self.ended(launch.task_id)

    def abandon(self) -> None:
        """As after kill -9: nobody listens any more, nothing is closed or stopped."""
        self._reader.cancel()
        engine = self.engine
        for task in (engine._watcher, engine._probe):
            if task is not None:
                task.cancel()
        for runner in engine._runners.values():
            for step in (runner._main, *runner._actions.values(), *(p._task for p in runner._logs.pumps.values())):
                if step is not None:
                    step.cancel()

    async def close(self) -> None:
        await self.engine.close()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader


def container(seen: TaskObservation, name: str) -> ContainerObservation:
    return next(c for c in seen.containers if c.name == name)


def sh(name: str, script: str, **fields: Any) -> ContainerLaunch:
    """A container that runs a shell script; its output goes to the stream of its name."""
    fields.setdefault("log", LogTarget(group="group", stream=name, region="eu-west-1"))
    fields.setdefault("stop_timeout_s", 2)
    return ContainerLaunch(name=name, image=images.BUSYBOX, command=("sh", "-c", script), **fields)


SLEEP = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
"""Runs until it is told to stop, and then ends at once with 0: once its shell has come to the trap, that is."""
LISTENS = SLEEP.replace("TERM;", "TERM; echo up;")
"""The same, and prints "up" once it would hear SIGTERM: for tests of exit codes."""


def task(*containers: ContainerLaunch, task_id: str = "1" * 32, **fields: Any) -> TaskLaunch:
    """A task in network mode none unless told otherwise: the quickest to start."""
    fields = {"network_mode": "none", "launch_type": "FARGATE", **fields}
    return TaskLaunch(
        task_id=task_id,
        task_arn=f"arn:aws:ecs:eu-west-1:123456789012:task/test/{task_id}",
        account="123456789012",
        region="eu-west-1",
        cluster="test",
        cluster_arn="arn:aws:ecs:eu-west-1:123456789012:cluster/test",
        family="family",
        revision=3,
        containers=containers,
        **fields,
    )


def network(cidr: str, number: int = 10) -> TaskNetwork:
    """The place of a task in a VPC: address number `number` of its range."""
    base = cidr.split("/", 1)[0].rsplit(".", 1)[0]
    return TaskNetwork(
        vpc_id="vpc-0123456789abcdef0",
        vpc_cidr=cidr,
        subnet_cidr=cidr,
        interface_id=f"eni-{number:017x}",
        address=f"{base}.{number}",
        mac_address=f"0a:00:00:00:00:{number:02x}",
    )


async def make_rig(
    instance: str, url: str, sink: RecordingSink, environment: Mapping[str, str] | None = None, **fields: Any
) -> Rig:
    """An open engine of this instance."""
    engine = DockerEngine(
        instance,
        sink,
        SystemClock(),
        docker_url=url,
        task_environment=lambda _launch, _container: dict(environment or {}),
        **fields,
    )
    await engine.open()
    return Rig(engine, sink)
