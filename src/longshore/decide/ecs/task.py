"""The life of a task. All that moves a task from one state to another is in this file.

The moves are one table; the functions below say which events a report or a wish amounts to. Called by the API
(`request_stop`) and by `control/ecs/tasks.py` and `control/ecs/observe.py`.
"""

import msgspec

from longshore.domain.ecs.launch import ContainerObservation, TaskObservation
from longshore.domain.ecs.task import Attachment, Container, HealthStatus, StopCode, Task, TaskStatus

MOVES: dict[tuple[TaskStatus, str], TaskStatus] = {
    ("PROVISIONING", "attached"): "PENDING",
    ("PENDING", "started"): "RUNNING",
    # What must be told of a stop (targets, names) is told while DEACTIVATING.
    ("PROVISIONING", "stop"): "DEPROVISIONING",
    ("PENDING", "stop"): "STOPPING",
    ("RUNNING", "stop"): "DEACTIVATING",
    ("DEACTIVATING", "withdrawn"): "STOPPING",
    ("STOPPING", "ended"): "DEPROVISIONING",
    ("DEPROVISIONING", "released"): "STOPPED",
}

ESSENTIAL_EXITED = "Essential container in task exited"
LOST = "The task's containers were gone when Longshore looked for them."


class IllegalMove(Exception):  # noqa: N818  a broken invariant, not an error to handle
    """An event that the table does not know in this state; carries the task's story."""


def move(task: Task, event: str) -> Task:
    """The task after an event, or IllegalMove."""
    after = MOVES.get((task.last_status, event))
    if after is None:
        raise IllegalMove(
            f"task {task.task_id}: no move for {event!r} in {task.last_status}"
            f" (desired {task.desired_status}, version {task.version}, stop {task.stop_code!r} {task.stopped_reason!r})"
        )
    return task.but(last_status=after, version=task.version + 1)


def attached(task: Task, attachment: Attachment | None) -> Task:
    """Its interface has an address (or it needs none): the engine may be told to start it."""
    return move(task, "attached").but(attachment=attachment)


def request_stop(task: Task, code: StopCode, reason: str) -> Task:
    """The wish that a task stop. The first wish names the reason; later ones change nothing."""
    if task.desired_status == "STOPPED":
        return task
    return task.but(desired_status="STOPPED", stop_code=code, stopped_reason=reason, version=task.version + 1)


def stopping(task: Task, now: float, *, withdrawn: bool) -> Task:
    """A task that is to stop, moved as far as it can go without waiting for anybody.

    Ends in DEACTIVATING (its targets must drain), STOPPING (the engine must stop it) or DEPROVISIONING (nothing runs
    any more). `withdrawn`: none of its targets is left. Who has nobody to answer with is withdrawn at once.
    """
    if task.last_status in {"PROVISIONING", "PENDING", "RUNNING"}:
        task = move(task, "stop").but(stopping_at=now)
    if task.last_status == "DEACTIVATING" and (withdrawn or ended(task)):
        task = move(task, "withdrawn")
    if task.last_status == "STOPPING" and ended(task):
        task = move(task, "ended").but(execution_stopped_at=task.execution_stopped_at or now)
    return task


def released(task: Task, now: float) -> Task:
    """Nothing is left of the task but its record."""
    attachment = task.attachment and _with_status(task.attachment, "DELETED")
    containers = tuple(_never_ran(container) for container in task.containers)
    return move(task, "released").but(attachment=attachment, stopped_at=now, containers=containers)


def ended(task: Task) -> bool:
    """Whether every container has stopped."""
    return all(container.last_status == "STOPPED" for container in task.containers)


def observe(task: Task, seen: TaskObservation, now: float) -> Task:
    """The task with an engine's report in it. Reports that are not newer than what is known change nothing."""
    if seen.sequence <= task.observed or not task.live:
        return task
    by_name = {container.name: container for container in seen.containers}
    containers = tuple(_observe_container(known, by_name.get(known.name), now) for known in task.containers)
    if seen.ended:
        containers = tuple(_never_ran(container) for container in containers)
    stopped = _essential_stopped(containers)
    after = task.but(
        observed=seen.sequence,
        containers=containers,
        health=roll_up(containers),
        pull_started_at=task.pull_started_at or seen.pull_started_at,
        pull_stopped_at=task.pull_stopped_at or seen.pull_stopped_at,
    )
    if after.health == "HEALTHY" and after.first_healthy_at is None:
        after = after.but(first_healthy_at=now)
    if after.last_status == "PENDING" and containers and all(container.started_at for container in containers):
        after = move(after, "started").but(started_at=now)
    if stopped or seen.failure:
        after = _stop_for(after, seen)
    if stopped and after.execution_stopped_at is None:
        after = after.but(execution_stopped_at=now)
    if after.version == task.version and _public(after) != _public(task):
        after = after.but(version=task.version + 1)
    return after


def lost(task: Task, now: float) -> Task:
    """A task that had been started and of which the engine finds nothing: its containers are gone."""
    containers = tuple(
        container
        if container.last_status == "STOPPED"
        else _but(container, last_status="STOPPED", finished_at=now, reason=container.reason or LOST)
        for container in task.containers
    )
    gone = task.but(containers=containers, health=roll_up(containers), execution_stopped_at=now)
    return request_stop(gone, "EssentialContainerExited", LOST)


def was_started(task: Task) -> bool:
    """Whether the engine ever made anything of the task."""
    return any(container.runtime_id or container.last_status != "PENDING" for container in task.containers)


def whole(task: Task) -> bool:
    """Whether the engine has made all of its containers: nothing is needed any more to make one."""
    return all(container.runtime_id or container.last_status == "STOPPED" for container in task.containers)


def roll_up(containers: tuple[Container, ...]) -> HealthStatus:
    """A task's health: over the essential containers that have a check, UNHEALTHY before UNKNOWN before HEALTHY."""
    states = {c.health for c in containers if c.essential and c.has_health_check}
    if "UNHEALTHY" in states:
        return "UNHEALTHY"
    return "HEALTHY" if states == {"HEALTHY"} else "UNKNOWN"


def _stop_for(task: Task, seen: TaskObservation) -> Task:
    """A task that its own fate ends: it could not start, or an essential container has stopped."""
    if seen.failure:
        return request_stop(task, "TaskFailedToStart", seen.failure)
    never_started = [c for c in task.containers if c.essential and c.last_status == "STOPPED" and c.started_at is None]
    if never_started and task.started_at is None:
        reason = next((c.reason for c in never_started if c.reason), "Task failed to start")
        return request_stop(task, "TaskFailedToStart", reason)
    return request_stop(task, "EssentialContainerExited", ESSENTIAL_EXITED)


def _essential_stopped(containers: tuple[Container, ...]) -> bool:
    return any(c.essential and c.last_status == "STOPPED" for c in containers)


def _observe_container(known: Container, seen: ContainerObservation | None, now: float) -> Container:
    if seen is None:
        return known
    return _but(
        known,
        last_status=seen.status,
        runtime_id=seen.runtime_id or known.runtime_id,
        image_digest=seen.image_digest or known.image_digest,
        exit_code=seen.exit_code,
        reason=seen.reason[:1024],
        health=seen.health if known.has_health_check else "UNKNOWN",
        health_changed_at=known.health_changed_at if seen.health == known.health else now,
        network_bindings=seen.network_bindings or known.network_bindings,
        created_at=known.created_at or seen.created_at,
        started_at=seen.started_at or known.started_at,
        finished_at=seen.finished_at,
        restart_count=seen.restart_count,
    )


def _never_ran(container: Container) -> Container:
    return container if container.last_status == "STOPPED" else _but(container, last_status="STOPPED")


def _but(container: Container, **changes: object) -> Container:
    return msgspec.structs.replace(container, **changes)


def _with_status(attachment: Attachment, status: str) -> Attachment:
    return msgspec.structs.replace(attachment, status=status)


def _public(task: Task) -> tuple[object, ...]:
    """What an observer of the API would call a change."""
    return (
        task.last_status,
        task.desired_status,
        task.health,
        tuple((c.last_status, c.exit_code) for c in task.containers),
    )
