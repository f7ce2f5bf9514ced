"""A service's targets: which of its tasks are to be registered in target groups, and which deregistered.

A task is registered when it runs, and deregistered as soon as it is to stop: its containers are told only when its
targets have drained (`control/ecs/tasks.py` waits for that). Called by `service.plan`; the second half, what becomes of
a target once it is registered, by `control/balancers.py`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from longshore.decide.ecs import task as life
from longshore.decide.ecs.rollout.snapshot import IN_SERVICE, ServiceSnapshot
from longshore.domain.ecs.task import Task
from longshore.domain.elbv2.balancer import NOT_IN_USE, REGISTERING, Target, TargetGroup, TargetState
from longshore.domain.elbv2.balancer_attributes import group_attributes
from longshore.domain.elbv2.balancing import TargetObservation

UNCHECKED = ("Target.HealthCheckDisabled", "Health checks are disabled for this target group")


def to_register(snapshot: ServiceSnapshot, now: float) -> list[Target]:
    """The targets of running tasks that are not registered yet."""
    running = (task for task in snapshot.tasks if task.wanted and task.last_status == "RUNNING")
    return [target for task in running for target in _missing(snapshot, task, now)]


def _missing(snapshot: ServiceSnapshot, task: Task, now: float) -> Iterator[Target]:
    if task.attachment is None:
        return
    have = {(target.group_id, target.port) for target in snapshot.targets_of(task) if not target.draining}
    for use in snapshot.load_balancers_of(task):
        if (use.group_id, use.container_port) not in have:
            yield Target(
                account=task.account,
                region=task.region,
                group_id=use.group_id,
                target_id=task.attachment.private_ip,
                port=use.container_port,
                address=task.attachment.private_ip,
                availability_zone=task.availability_zone,
                registered_at=now,
                cluster=task.cluster,
                task_id=task.task_id,
                service_uid=task.service_uid,
            )


def to_deregister(snapshot: ServiceSnapshot, stopping: Iterable[Task]) -> list[Target]:
    """The targets in service of tasks that are to stop, or are about to be told to."""
    keep = {task.task_id for task in snapshot.tasks if task.wanted} - {task.task_id for task in stopping}
    return [
        target
        for task_id, targets in snapshot.targets.items()
        for target in targets
        if task_id not in keep and not target.draining
    ]


def registered_events(name: str, arns: Sequence[str]) -> list[str]:
    """What the service says of newly registered targets, given the target group's ARN of each."""
    return [f"(service {name}) registered {n} targets in (target-group {arn})" for arn, n in Counter(arns).items()]


def deregistered_events(name: str, arns: Sequence[str], deployments: Sequence[str]) -> list[str]:
    """What it says of those that leave: the target group's ARN of each target, the deployment's id of each task."""
    return [
        *(f"(service {name}) deregistered {n} targets in (target-group {arn})" for arn, n in Counter(arns).items()),
        *(
            f"(service {name}, taskSet {deployment}) has begun draining connections on {n} tasks."
            for deployment, n in Counter(deployments).items()
        ),
    ]


# -------------------------------------------------------------------------------------------------- a target's life


def drained_at(target: Target, group: TargetGroup | None, task: Task | None) -> float:
    """When a target that drains is cut off, though connections are left: after the group's deregistration delay.

    At once where nobody answers any more: its task's containers have ended.
    """
    began = target.deregistered_at or 0.0
    if target.task_id and (task is None or life.ended(task)):
        return began
    return began + (float(group_attributes(group)["deregistration_delay.timeout_seconds"]) if group else 0.0)


def ended_since(before: Task, after: Task) -> bool:
    """Whether the last container of a task has ended now."""
    return life.ended(after) and not life.ended(before)


def registering(target: Target, now: float) -> Target:
    """A target whose group has come into use."""
    return target.but(state="initial", reason=REGISTERING[0], description=REGISTERING[1], changed_at=now)


def unused(target: Target, now: float) -> Target:
    """A target to whose group nothing forwards."""
    return target.but(state="unused", reason=NOT_IN_USE[0], description=NOT_IN_USE[1], changed_at=now)


def observed(target: Target, seen: TargetObservation, *, checked: bool, now: float) -> Target:
    """The target with what the data plane sees of it; the same if that is nothing new.

    `checked`: its group has health checks. Without, a target that gets requests is `unavailable`, as on AWS.
    """
    if seen.state == "drained":
        return target
    state: TargetState = seen.state
    reason, description = seen.reason, seen.description
    if state == "healthy":
        state, reason, description = ("healthy", "", "") if checked else ("unavailable", *UNCHECKED)
    if (state, reason, description) == (target.state, target.reason, target.description):
        return target
    changed_at = now if state != target.state else target.changed_at
    return target.but(state=state, reason=reason, description=description, changed_at=changed_at)


def all_in_service(targets: Iterable[Target]) -> bool:
    """Whether all of a task's targets get requests."""
    return all(target.state in IN_SERVICE and not target.draining for target in targets)
