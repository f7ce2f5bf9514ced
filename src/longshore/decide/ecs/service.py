"""What a service does next: the whole of the replica scheduler, as one function of a snapshot and the time.

`plan` accounts for tasks that stopped, moves the rollout on (completion, circuit breaker, rollback), and says which
tasks to stop and how many to start. `control/ecs/services.py` takes the snapshot and carries the plan out in the same
transaction, so that a plan is never half done and never done twice. The arithmetic of the minimum and the maximum is
in `rollout/rolling.py`; the life of the deployments in `rollout/progress.py`.
"""

from collections.abc import Iterable
from dataclasses import replace

from longshore.decide.ecs.backoff import IMPAIRED_AFTER, launch_delay_s, passed
from longshore.decide.ecs.rollout import progress, rolling
from longshore.decide.ecs.rollout.snapshot import Plan, ServiceSnapshot, Stop, Wake
from longshore.decide.elbv2 import targets
from longshore.domain.ecs.service import Deployment, Service
from longshore.domain.ecs.task import Task

__all__ = ["Plan", "ServiceSnapshot", "Stop", "plan"]

STEADY_REPEAT_S = 6 * 3600.0
"""How often ECS says again that a service is steady."""


def plan(snapshot: ServiceSnapshot, now: float) -> Plan:
    """What is to change, given how things stand."""
    if snapshot.service.status == "INACTIVE":
        return Plan(service=snapshot.service)
    snapshot, events = _account(snapshot, now)
    if snapshot.service.status == "DRAINING":
        return _drain(snapshot, events, now)
    snapshot, moved = progress.advance(snapshot, now)
    events += moved
    turn = rolling.turn(snapshot, now)
    snapshot, finished = progress.settle(snapshot, turn, now)
    service, steady = _steady(snapshot, turn, now)
    return Plan(
        service=service,
        deployments=snapshot.deployments,
        accounted=snapshot.unaccounted,
        registered=tuple(targets.to_register(snapshot, now)),
        deregistered=tuple(targets.to_deregister(snapshot, (stop.task for stop in turn.stops))),
        starts=turn.starts,
        replaced=turn.replaced,
        stops=turn.stops,
        events=(*events, *turn.events, *finished, *steady),
        wake=Wake.first((*turn.wakes, *_steady_wake(service))),
    )


def _account(snapshot: ServiceSnapshot, now: float) -> tuple[ServiceSnapshot, list[str]]:
    """Count the tasks that stopped since the last plan, and forget failures that a healthy task shows overcome."""
    deployments = {d.number: d for d in snapshot.deployments}
    events: list[str] = []
    for task in snapshot.unaccounted:
        deployment = deployments.get(task.deployment_id)
        if deployment is not None and failed_to_start(task, snapshot):
            deployments[deployment.number] = _count_failure(deployment, task, now)
            if deployments[deployment.number].launch_failures == IMPAIRED_AFTER:
                events.append(f"(service {snapshot.service.name}) is unable to consistently start tasks successfully.")
    for number, deployment in deployments.items():
        deployments[number] = _recover(deployment, snapshot.tasks_of(number), snapshot, now)
    return replace(snapshot, deployments=tuple(deployments.values())), events


def failed_to_start(task: Task, snapshot: ServiceSnapshot) -> bool:
    """Whether a stopped task counts as a failed launch.

    It does when it ended by itself before it had ever counted as healthy, or was replaced because it was unhealthy.
    ECS counts only tasks that never ran; since ours crash seconds after they were asked for instead of minutes, one
    that crashes before it is healthy counts too, or a crash loop would spin.
    """
    if task.stopped_reason.startswith(rolling.UNHEALTHY_REASONS):
        return True
    if task.stop_code not in {"TaskFailedToStart", "EssentialContainerExited"}:
        return False
    if task.started_at is None:
        return True
    checked, balanced = snapshot.checked(task), bool(snapshot.load_balancers_of(task))
    if checked or balanced:
        return (checked and task.first_healthy_at is None) or (balanced and task.first_in_service_at is None)
    until = task.execution_stopped_at or task.stopped_at or task.started_at
    return not passed(task.started_at, snapshot.healthy_after_s, until)


def _count_failure(deployment: Deployment, task: Task, now: float) -> Deployment:
    failures = deployment.launch_failures + 1
    return deployment.but(
        failed_tasks=deployment.failed_tasks + 1,
        breaker_failures=deployment.breaker_failures + 1,
        launch_failures=failures,
        retry_at=now + launch_delay_s(failures),
        last_failure_at=max(task.created_at, deployment.last_failure_at or 0.0),
        updated_at=now,
    )


def _recover(deployment: Deployment, tasks: Iterable[Task], snapshot: ServiceSnapshot, now: float) -> Deployment:
    tasks = list(tasks)
    if not deployment.ran_once and any(task.started_at is not None for task in tasks):
        deployment = deployment.but(ran_once=True)
    if deployment.last_failure_at is None:
        return deployment
    since = deployment.last_failure_at
    if not any(task.created_at > since and snapshot.healthy(task, now) for task in tasks):
        return deployment
    recovered = deployment.but(launch_failures=0, retry_at=None, last_failure_at=None)
    if snapshot.service.deployment_configuration.breaker_reset_on_healthy_task:
        recovered = recovered.but(breaker_failures=0)
    return recovered


def _drain(snapshot: ServiceSnapshot, events: list[str], now: float) -> Plan:
    """A service that is being deleted: all its tasks stop; it is INACTIVE once all are STOPPING, as on ECS.

    Before, while they drain, who sends them requests is told by their deployments, which a service that takes the
    name removes.
    """
    stops = tuple(Stop(task, rolling.scaling_reason(task)) for task in snapshot.tasks if task.wanted)
    service, deployments = snapshot.service, snapshot.deployments
    if not stops and not any(rolling.occupies(task) or task.last_status == "DEACTIVATING" for task in snapshot.tasks):
        service = service.but(status="INACTIVE")
        deployments = tuple(progress.retire(deployment, now) for deployment in deployments)
    return Plan(
        service=service,
        deployments=deployments,
        accounted=snapshot.unaccounted,
        deregistered=tuple(targets.to_deregister(snapshot, (stop.task for stop in stops))),
        stops=stops,
        events=tuple(events),
    )


def _steady(snapshot: ServiceSnapshot, turn: rolling.Turn, now: float) -> tuple[Service, tuple[str, ...]]:
    """Whether the service is where it should be; said when it gets there, and again every six hours."""
    service = snapshot.service
    wanted = [task for task in snapshot.tasks if task.wanted]
    steady = (
        sum(d.status != "INACTIVE" for d in snapshot.deployments) == 1
        and snapshot.primary.rollout_state == "COMPLETED"
        and not turn.starts
        and not turn.stops
        and len(wanted) == service.desired_count
        and all(task.last_status == "RUNNING" for task in wanted)
        and not any(rolling.occupies(task) and not task.wanted for task in snapshot.tasks)
    )
    if not steady:
        return (service if service.steady_since is None else service.but(steady_since=None)), ()
    announced = service.steady_since is not None and service.steady_announced_at is not None
    if announced and not passed(service.steady_announced_at or 0.0, STEADY_REPEAT_S, now):
        return service, ()
    since = service.steady_since or now
    said = f"(service {service.name}) has reached a steady state."
    return service.but(steady_since=since, steady_announced_at=now), (said,)


def _steady_wake(service: Service) -> tuple[float, ...]:
    if service.steady_since is None or service.steady_announced_at is None:
        return ()
    return (service.steady_announced_at + STEADY_REPEAT_S,)
