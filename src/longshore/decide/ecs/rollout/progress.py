"""The life of a service's deployments: begun, failed and rolled back, completed, retired."""

from dataclasses import replace

from longshore.decide.ecs.rollout import breaker
from longshore.decide.ecs.rollout.rolling import Turn, occupies
from longshore.decide.ecs.rollout.snapshot import ServiceSnapshot
from longshore.domain.ecs.service import Deployment


def advance(snapshot: ServiceSnapshot, now: float) -> tuple[ServiceSnapshot, list[str]]:
    """Before a turn: begin what is new, and give up what has failed."""
    primary = snapshot.primary
    if primary.service_deployment_status == "PENDING":
        begun = primary.but(service_deployment_status="IN_PROGRESS", started_at=now)
        snapshot = _with(snapshot, begun)
        primary = begun
    if primary.service_deployment_status in {"STOP_REQUESTED", "ROLLBACK_REQUESTED"}:
        return _give_up(snapshot, now, cause=breaker.USER, rollback=True)
    configuration = snapshot.service.deployment_configuration
    if breaker.tripped(primary, configuration, snapshot.service.desired_count):
        return _give_up(snapshot, now, cause=breaker.BREAKER, rollback=configuration.breaker_rollback)
    return snapshot, []


def settle(snapshot: ServiceSnapshot, turn: Turn, now: float) -> tuple[ServiceSnapshot, list[str]]:
    """After a turn: retire what has drained, and complete what is where it should be."""
    primary = snapshot.primary
    drained = [d for d in snapshot.deployments if d.status != "PRIMARY" and not _remains(snapshot, d, primary)]
    for deployment in drained:
        snapshot = _with(snapshot, retire(deployment, now))
    # Retired ones are still written by this plan, but are no longer part of the picture.
    current = [d for d in snapshot.deployments if d.status != "INACTIVE"]
    if primary.rollout_state != "IN_PROGRESS" or len(current) > 1 or turn.starts or turn.stops:
        return snapshot, []
    healthy = sum(snapshot.healthy(task, now) for task in snapshot.tasks_of(primary.number))
    if healthy < snapshot.service.desired_count:
        return snapshot, []
    snapshot = _complete(snapshot, now)
    name = snapshot.service.name
    return snapshot, [f"(service {name}) (deployment {primary.deployment_id}) deployment completed."]


def retire(deployment: Deployment, now: float) -> Deployment:
    """A deployment that is no longer in `deployments[]`."""
    retired = deployment.but(status="INACTIVE", updated_at=now)
    if retired.service_deployment_status in {"PENDING", "IN_PROGRESS"}:
        retired = retired.but(service_deployment_status="STOPPED", stopped_at=now, finished_at=now)
    return retired


def _complete(snapshot: ServiceSnapshot, now: float) -> ServiceSnapshot:
    primary = snapshot.primary
    completed = primary.but(
        rollout_state="COMPLETED",
        rollout_reason=f"ECS deployment {primary.deployment_id} completed.",
        completed_once=True,
        updated_at=now,
    )
    if completed.service_deployment_status == "IN_PROGRESS":
        completed = completed.but(service_deployment_status="SUCCESSFUL", finished_at=now)
    snapshot = _with(snapshot, completed)
    for deployment in (*snapshot.deployments, *snapshot.past):
        rolled_back = deployment.rollback is not None and deployment.rollback.to_deployment_id == primary.number
        if rolled_back and deployment.service_deployment_status == "ROLLBACK_IN_PROGRESS":
            done = deployment.but(service_deployment_status="ROLLBACK_SUCCESSFUL", finished_at=now, updated_at=now)
            snapshot = _with(snapshot, done)
    return snapshot


def _give_up(
    snapshot: ServiceSnapshot, now: float, *, cause: breaker.Cause, rollback: bool
) -> tuple[ServiceSnapshot, list[str]]:
    name, failed = snapshot.service.name, snapshot.primary
    to = breaker.candidate((*snapshot.deployments, *snapshot.past), failed) if rollback else None
    events = [f"(service {name}) (deployment {failed.deployment_id}) {cause.event}"]
    if to is None:
        return _with(snapshot, breaker.fail(failed, now, cause=cause, rollback_wanted=rollback)), events
    service, failed, to = breaker.roll_back(snapshot.service, failed, to, now, cause=cause)
    snapshot = _with(_with(replace(snapshot, service=service), failed), to)
    events.append(f"(service {name}) rolling back to deployment {to.deployment_id}.")
    return snapshot, events


def _remains(snapshot: ServiceSnapshot, deployment: Deployment, primary: Deployment) -> bool:
    """Whether a deployment still has something of its own running, or is what a failed PRIMARY leaves in charge."""
    return primary.rollout_state == "FAILED" or any(map(occupies, snapshot.tasks_of(deployment.number)))


def _with(snapshot: ServiceSnapshot, changed: Deployment) -> ServiceSnapshot:
    others = tuple(d for d in snapshot.deployments if d.number != changed.number)
    return replace(snapshot, deployments=(*others, changed))
