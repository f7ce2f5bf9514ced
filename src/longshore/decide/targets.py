"""A service's targets: which of its tasks are to be registered in target groups, and which deregistered.

A task is registered when it runs, and deregistered as soon as it is to stop: its containers are told only when its
targets have drained (`control/tasks.py` waits for that). Called by `service.plan`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from longshore.decide.rollout.snapshot import ServiceSnapshot
from longshore.domain.balancer import Target, group_key_of
from longshore.domain.task import Task


def to_register(snapshot: ServiceSnapshot, now: float) -> list[Target]:
    """The targets of running tasks that are not registered yet."""
    found = []
    for task in snapshot.tasks:
        if not task.wanted or task.last_status != "RUNNING" or task.attachment is None:
            continue
        have = {(target.group_id, target.port) for target in snapshot.targets_of(task) if not target.draining}
        for use in snapshot.load_balancers_of(task):
            key = group_key_of(use.target_group_arn)
            if key is not None and (key[2], use.container_port) not in have:
                found.append(
                    Target(
                        account=task.account,
                        region=task.region,
                        group_id=key[2],
                        target_id=task.attachment.private_ip,
                        port=use.container_port,
                        address=task.attachment.private_ip,
                        availability_zone=task.availability_zone,
                        registered_at=now,
                        cluster=task.cluster,
                        task_id=task.task_id,
                        service_uid=task.service_uid,
                    )
                )
    return found


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
