"""The first moment of a deployment: what CreateService and UpdateService answer with."""

from collections.abc import Sequence

from longshore.domain.clock import Ids
from longshore.domain.ecs.service import Deployment, Service

SUPERSEDED = "Service deployment was stopped because a newer service deployment started."


def begin(service: Service, current: Sequence[Deployment], *, ids: Ids, now: float) -> list[Deployment]:
    """All deployments of the service that change, the new PRIMARY first. The others go on as ACTIVE until drained.

    `current` are those that are not INACTIVE. A deployment that was still rolling out is stopped: it is no longer
    where the service goes.
    """
    new = Deployment(
        account=service.account,
        region=service.region,
        number=ids.digits(19),
        service_uid=service.uid,
        cluster=service.cluster,
        service_name=service.name,
        created_at=now,
        updated_at=now,
        task_definition_arn=service.task_definition_arn,
        launch_type=service.launch_type,
        platform_version=service.platform_version,
        network_configuration=service.network_configuration,
        load_balancers=service.load_balancers,
        service_connect=service.service_connect,
        service_registries=service.service_registries,
        service_deployment_id=ids.token(21),
        source_numbers=tuple(old.number for old in current),
        target_requested_count=service.desired_count,
    )
    new = new.but(rollout_reason=f"ECS deployment {new.deployment_id} in progress.")
    return [new, *(supersede(old, now) for old in current)]


def supersede(old: Deployment, now: float) -> Deployment:
    """A deployment that another takes over from."""
    if old.status != "PRIMARY":
        return old
    changed = old.but(status="ACTIVE", updated_at=now)
    if old.service_deployment_status in {"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED"}:
        changed = changed.but(
            service_deployment_status="STOPPED",
            status_reason=SUPERSEDED,
            stopped_at=now,
            finished_at=now,
        )
    return changed
