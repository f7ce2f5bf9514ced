"""A machine that only seems to run containers. It outlives the engine that talks to it, as a real one does.

Time is the event loop's: under a simulated clock, simulated.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from longshore.domain.clock import Clock
from longshore.domain.ecs.launch import ContainerLaunch, ContainerObservation, TaskLaunch, TaskObservation
from longshore.drivers.ordering import next_starts, next_stops
from longshore.drivers.sim.script import script_of


class Timings(NamedTuple):
    """How long things take, in seconds."""

    pull_s: float = 0.02
    start_s: float = 0.02
    health_s: float = 0.05
    stop_s: float = 0.02


@dataclass
class SimTask:
    """What the machine has of a task."""

    launch: TaskLaunch
    containers: dict[str, ContainerObservation]
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    failure: str = ""
    stopping: bool = False
    beginning: set[str] = field(default_factory=set)
    """Containers that are being started or stopped just now."""
    ending: set[str] = field(default_factory=set)

    @property
    def ended(self) -> bool:
        """Whether nothing runs and nothing will."""
        over = all(c.status == "STOPPED" for c in self.containers.values())
        halted = self.stopping or bool(self.failure)
        return over or (halted and not any(c.status == "RUNNING" for c in self.containers.values()))


class SimMachine:
    """Tasks, and what happens to them as time goes by."""

    def __init__(self, clock: Clock, timings: Timings | None = None) -> None:
        self.clock = clock
        self.timings = timings or Timings()
        self.tasks: dict[str, SimTask] = {}
        self.started: Counter[tuple[str, str]] = Counter()
        """How often each `(task, container)` was started: more than once, beyond restarts, is a broken promise."""
        self.changed: Callable[[str], None] = lambda _task_id: None
        self.printed: Callable[[SimTask, ContainerLaunch, str], None] = lambda _task, _container, _line: None
        self._sequence = 0

    def begin(self, launch: TaskLaunch) -> None:
        """Pull, then start in order."""
        if launch.task_id in self.tasks:
            return
        containers = {c.name: ContainerObservation(name=c.name, status="PENDING") for c in launch.containers}
        task = SimTask(launch, containers, pull_started_at=self.clock.now())
        self.tasks[launch.task_id] = task
        self._after(self.timings.pull_s, self._pulled, task)

    def resume(self, launch: TaskLaunch) -> None:
        """Go on with a task of an earlier life as it was last seen, if anything of it had been made by then."""
        if not launch.known:
            return
        now = self.clock.now()
        task = SimTask(launch, {seen.name: seen for seen in launch.known}, pull_started_at=now, pull_stopped_at=now)
        self.tasks[launch.task_id] = task
        self._sequence = max(self._sequence, launch.observed)
        running = {name: seen for name, seen in task.containers.items() if seen.status == "RUNNING"}
        for container in launch.containers:
            if container.name in running:
                self._foresee(task, container, now - (running[container.name].started_at or now))
        if len(running) < len(task.containers):
            self._advance(task)

    def stop(self, task_id: str) -> None:
        """Stop the containers, dependents first."""
        task = self.tasks.get(task_id)
        if task is not None and not task.stopping:
            task.stopping = True
            self._advance(task)

    def remove(self, task_id: str) -> None:
        """Forget a task."""
        self.tasks.pop(task_id, None)

    def kill(self, task_id: str, container: str, exit_code: int = 137) -> None:
        """A container dies."""
        task = self.tasks.get(task_id)
        if task is not None and task.containers[container].status == "RUNNING":
            self._exited(task, container, exit_code)

    def set_health(self, task_id: str, container: str, *, healthy: bool) -> None:
        """A health check changes its mind."""
        task = self.tasks.get(task_id)
        if task is not None and task.containers[container].status == "RUNNING":
            self._put(task, container, health="HEALTHY" if healthy else "UNHEALTHY")
            self._advance(task)

    def observe(self, task_id: str) -> TaskObservation:
        """All that is seen of a task now; one that is not there has ended."""
        # The clock alone could stand still, or go back, between two reports.
        self._sequence = max(self._sequence + 1, int(self.clock.now() * 1e6))
        task = self.tasks.get(task_id)
        if task is None:
            return TaskObservation(task_id=task_id, sequence=self._sequence, ended=True)
        return TaskObservation(
            task_id=task_id,
            sequence=self._sequence,
            containers=tuple(task.containers.values()),
            pull_started_at=task.pull_started_at,
            pull_stopped_at=task.pull_stopped_at,
            failure=task.failure,
            ended=task.ended,
        )

    def _pulled(self, task: SimTask) -> None:
        task.pull_stopped_at = self.clock.now()
        for container in task.launch.containers:
            if script_of(container).fail == "pull":
                reason = f"CannotPullContainerError: pull access denied for {container.image} (simulated)"
                self._put(task, container.name, status="STOPPED", reason=reason)
                task.failure = task.failure or reason
        self._advance(task)

    def _advance(self, task: SimTask) -> None:
        """Begin whatever is due: stops of a task that is to end, else starts in order."""
        if task.stopping or task.failure:
            self._begin_stops(task)
        elif task.pull_stopped_at is not None:
            starts = next_starts(task.launch, task.containers, self.clock.now())
            for name in starts.ready:
                if name not in task.beginning:
                    task.beginning.add(name)
                    self._after(self.timings.start_s, self._started, task, name)
            if starts.doomed:
                name, reason = starts.doomed[0]
                self._put(task, name, status="STOPPED", reason=reason)
                task.failure = reason
                self._begin_stops(task)
            elif starts.wake_at is not None:
                self._after(max(0.0, starts.wake_at - self.clock.now()), self._advance, task)
        self.changed(task.launch.task_id)

    def _begin_stops(self, task: SimTask) -> None:
        running = [name for name, c in task.containers.items() if c.status == "RUNNING"]
        for name in next_stops(task.launch, running):
            if name not in task.ending:
                task.ending.add(name)
                self._after(self.timings.stop_s, self._stopped, task, name)

    def _started(self, task: SimTask, name: str) -> None:
        task.beginning.discard(name)
        if task.stopping or task.failure or task.containers[name].status == "STOPPED":
            self.changed(task.launch.task_id)
            return
        container = next(c for c in task.launch.containers if c.name == name)
        script = script_of(container)
        if script.fail == "start":
            reason = "CannotStartContainerError: simulated"
            self._put(task, name, status="STOPPED", reason=reason)
            task.failure = reason
            self._advance(task)
            return
        now = self.clock.now()
        self.started[task.launch.task_id, name] += 1
        runtime_id = f"sim-{task.launch.task_id}-{name}"
        self._put(task, name, status="RUNNING", runtime_id=runtime_id, created_at=now, started_at=now)
        if script.output:
            self.printed(task, container, script.output)
        self._foresee(task, container, ran_s=0.0)
        self._advance(task)

    def _foresee(self, task: SimTask, container: ContainerLaunch, ran_s: float) -> None:
        """What will come of a container that has run for so long."""
        script = script_of(container)
        if container.health_check is not None:
            self._after(self.timings.health_s, self._checked, task, container.name, script.healthy)
        if script.run_s is not None:
            left_s = max(0.0, script.run_s - ran_s)
            self._after(left_s, self._exited, task, container.name, script.exit_code)

    def _checked(self, task: SimTask, name: str, healthy: bool) -> None:
        self.set_health(task.launch.task_id, name, healthy=healthy)

    def _stopped(self, task: SimTask, name: str) -> None:
        self._exited(task, name, 143)

    def _exited(self, task: SimTask, name: str, exit_code: int) -> None:
        if task.containers[name].status == "RUNNING":
            self._put(task, name, status="STOPPED", exit_code=exit_code, finished_at=self.clock.now())
            self._advance(task)

    def _put(self, task: SimTask, name: str, **changes: object) -> None:
        task.containers[name] = msgspec.structs.replace(task.containers[name], **changes)

    def _after(self, delay_s: float, act: Callable[..., None], task: SimTask, *args: object) -> None:
        """Do something later, unless the task has been removed by then."""

        def due() -> None:
            if self.tasks.get(task.launch.task_id) is task:
                act(task, *args)

        asyncio.get_running_loop().call_later(delay_s, due)
