"""The order of a task's containers: what may start now, what can never start, what to stop next. Pure.

Used by the engines that start containers themselves (docker, sim). They observe and act; here is only the rule.
Must not decide whether a task should run: that an essential container exited is for `control` to judge.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from longshore.domain.ecs.launch import ContainerLaunch, ContainerObservation, Dependency, TaskLaunch

NEVER_SEEN = ContainerObservation(name="", status="PENDING")


class Starts(NamedTuple):
    """What the order of starting says at one moment."""

    ready: tuple[str, ...] = ()
    """Containers not started yet whose dependencies are all met."""
    doomed: tuple[tuple[str, str], ...] = ()
    """`(container, reason)` of those whose dependency can never be met any more: the task fails."""
    wake_at: float | None = None
    """When to ask again even if nothing happens: the next startTimeout runs out."""


def dependencies(container: ContainerLaunch) -> tuple[Dependency, ...]:
    """What a container waits for: its dependsOn; and links and volumesFrom, which imply START."""
    named = {dependency.container for dependency in container.depends_on}
    implied = [link.split(":", 1)[0] for link in container.links]
    implied += [source for source, _ in container.volumes_from]
    extra = dict.fromkeys(name for name in implied if name not in named)
    return container.depends_on + tuple(Dependency(container=name, condition="START") for name in extra)


def next_starts(launch: TaskLaunch, seen: Mapping[str, ContainerObservation], now: float) -> Starts:
    """What may be started now, given what is seen of each container (absent: nothing yet)."""
    ready: list[str] = []
    doomed: list[tuple[str, str]] = []
    deadlines: list[float] = []
    timeouts = {container.name: container.start_timeout_s for container in launch.containers}
    for container in launch.containers:
        state = seen.get(container.name, NEVER_SEEN)
        if state.status not in {"PENDING", "CREATED"}:
            continue
        waiting = False
        for dependency in dependencies(container):
            target = seen.get(dependency.container, NEVER_SEEN)
            if is_met(dependency, target):
                continue
            waiting = True
            deadline = _deadline(dependency, target, timeouts.get(dependency.container))
            reason = why_never(dependency, target, expired=deadline is not None and now >= deadline)
            if reason:
                doomed.append((container.name, f"TaskDependencyError: container {container.name} waits for {reason}"))
                break
            if deadline is not None:
                deadlines.append(deadline)
        if not waiting:
            ready.append(container.name)
    return Starts(tuple(ready), tuple(doomed), min(deadlines, default=None))


def is_met(dependency: Dependency, target: ContainerObservation) -> bool:
    """Whether the container that is waited for is in the condition."""
    match dependency.condition:
        case "START":
            return target.status == "RUNNING" or (target.status == "STOPPED" and target.started_at is not None)
        case "COMPLETE":
            return target.status == "STOPPED" and target.exit_code is not None
        case "SUCCESS":
            return target.status == "STOPPED" and target.exit_code == 0
        case "HEALTHY":
            return target.status == "RUNNING" and target.health == "HEALTHY"


def why_never(dependency: Dependency, target: ContainerObservation, *, expired: bool) -> str:
    """Why an unmet dependency can't be met any more, or nothing while it still can."""
    name = dependency.container
    if target.status == "STOPPED":
        ended = f"exited with code {target.exit_code}" if target.exit_code is not None else "never started"
        match dependency.condition:
            case "START" | "COMPLETE":
                return f"container {name}, which {ended}."
            case "SUCCESS":
                return f"container {name} to succeed, but it {ended}."
            case "HEALTHY":
                return f"container {name} to become healthy, but it {ended}."
    if dependency.condition == "HEALTHY" and target.health == "UNHEALTHY":
        return f"container {name} to become healthy, but its health check reports it unhealthy."
    if expired:
        return f"container {name} to reach {dependency.condition}, which took longer than its startTimeout."
    return ""


def _deadline(dependency: Dependency, target: ContainerObservation, timeout_s: int | None) -> float | None:
    """When waiting ends: startTimeout of the container that is waited for, counted from its start."""
    if timeout_s is None or dependency.condition == "START" or target.started_at is None:
        return None
    return target.started_at + timeout_s


def next_stops(launch: TaskLaunch, running: Collection[str]) -> frozenset[str]:
    """The running containers that may be stopped now: those on which no other running container depends.

    Ask again whenever one has stopped; a cycle (which registering refuses) stops all at once rather than never.
    """
    needed = {
        dependency.container
        for container in launch.containers
        if container.name in running
        for dependency in dependencies(container)
    }
    free = frozenset(name for name in running if name not in needed)
    return free or frozenset(running)
