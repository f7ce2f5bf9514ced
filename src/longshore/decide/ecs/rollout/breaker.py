"""The deployment circuit breaker: when a rollout has failed, and where it goes back to.

Source: "How the Amazon ECS deployment circuit breaker detects failures", ECS developer guide.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from longshore.domain.ecs.service import Deployment, DeploymentConfiguration, Rollback, Service

FAILED_WITHOUT_ROLLBACK = "Service deployment failed because the circuit breaker threshold was exceeded."
NO_CANDIDATE = "No rollback candidate was found to run the rollback."
BOUNDS = (3, 200)


def threshold(configuration: DeploymentConfiguration, desired_count: int) -> int:
    """How many failures trip the breaker.

    BOUNDED_PERCENT of 50: a service of 1 trips at 3, of 25 at ceil(12.5) = 13, of 1,000 at 200.
    """
    if configuration.breaker_threshold_type == "COUNT":
        return configuration.breaker_threshold
    share = math.ceil(configuration.breaker_threshold / 100 * desired_count)
    if configuration.breaker_threshold_type == "UNBOUNDED_PERCENT":
        return max(share, 1)
    low, high = BOUNDS
    return min(max(share, low), high)


def tripped(deployment: Deployment, configuration: DeploymentConfiguration, desired_count: int) -> bool:
    """Whether a rollout that goes on has failed."""
    return (
        configuration.breaker_enabled
        and deployment.rollout_state == "IN_PROGRESS"
        and deployment.breaker_failures >= threshold(configuration, desired_count)
    )


def candidate(deployments: Iterable[Deployment], failed: Deployment) -> Deployment | None:
    """What a rollback goes back to: the newest other deployment that once completed."""
    completed = [d for d in deployments if d.completed_once and d.number != failed.number]
    return max(completed, key=lambda d: d.updated_at, default=None)


class Cause(NamedTuple):
    """Why a rollout is given up, as its several texts say it."""

    rollout_reason: str
    """`rolloutStateReason` of the deployment that failed."""
    going_back: str
    """`rolloutStateReason` of the one that is returned to, before its id."""
    status_reason: str
    """`statusReason` of the service deployment that is rolled back."""
    event: str


BREAKER = Cause(
    "ECS deployment circuit breaker: tasks failed to start.",
    "ECS deployment circuit breaker: rolling back to deploymentId",
    "Service deployment rolled back because the circuit breaker threshold was exceeded.",
    "deployment failed: tasks failed to start.",
)
USER = Cause(
    "ECS deployment stopped by a StopServiceDeployment request.",
    "ECS deployment stopped by a StopServiceDeployment request: rolling back to deploymentId",
    "Service deployment rolled back because of a StopServiceDeployment request.",
    "deployment stopped by a StopServiceDeployment request.",
)


def fail(deployment: Deployment, now: float, *, cause: Cause, rollback_wanted: bool) -> Deployment:
    """A rollout that failed and stays where it is: nothing to go back to, or no wish to."""
    return deployment.but(
        rollout_state="FAILED",
        rollout_reason=cause.rollout_reason,
        service_deployment_status="ROLLBACK_FAILED" if rollback_wanted else "STOPPED",
        status_reason=NO_CANDIDATE if rollback_wanted else FAILED_WITHOUT_ROLLBACK,
        updated_at=now,
        finished_at=now,
        stopped_at=now,
    )


def roll_back(
    service: Service, failed: Deployment, to: Deployment, now: float, *, cause: Cause
) -> tuple[Service, Deployment, Deployment]:
    """The service, the failed deployment and the one it returns to, as they are once the rollback begins.

    The service's specification follows: what DescribeServices shows is what runs. This is the one case in which the
    controller writes what the user otherwise writes.
    """
    failed = failed.but(
        status="ACTIVE",
        rollout_state="FAILED",
        rollout_reason=cause.rollout_reason,
        service_deployment_status="ROLLBACK_IN_PROGRESS",
        status_reason=cause.status_reason,
        rollback=Rollback(reason=cause.status_reason, started_at=now, to_deployment_id=to.number),
        updated_at=now,
    )
    to = to.but(
        status="PRIMARY",
        rollout_state="IN_PROGRESS",
        rollout_reason=f"{cause.going_back} {to.deployment_id}.",
        updated_at=now,
        launch_failures=0,
        breaker_failures=0,
        retry_at=None,
        last_failure_at=None,
    )
    service = service.but(
        task_definition_arn=to.task_definition_arn,
        platform_version=to.platform_version,
        network_configuration=to.network_configuration,
        load_balancers=to.load_balancers,
        service_connect=to.service_connect,
    )
    return service, failed, to
