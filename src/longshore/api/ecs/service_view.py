"""A service as ECS answers it. Counts come from its live tasks; called by every operation that answers with services.

It reads, and changes nothing. Terraform plans against this shape: what it reads back
(`deploymentController`, `schedulingStrategy`, `availabilityZoneRebalancing` …) is always there, and
`networkConfiguration` is there only with something in it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from longshore.api.ecs import balancing, connecting, registries
from longshore.domain.arn import ecs_arn
from longshore.domain.ecs.service import Deployment, DeploymentConfiguration, Service, ServiceEvent
from longshore.domain.ecs.task import STARTING, Task
from longshore.domain.tag import tags_list
from longshore.store.store import Reader

CURRENT_PLATFORM_VERSION = "1.4.0"
UNDER_WAY = {"STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many tasks of a service, or of one deployment, are in which state."""

    running: int = 0
    pending: int = 0
    wanted: int = 0
    """That are to go on running."""


def counts_of(tasks: Iterable[Task]) -> dict[str, Counts]:
    """Counts by deployment number."""
    running: Counter[str] = Counter()
    pending: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    for task in tasks:
        number = task.deployment_id
        running[number] += task.last_status == "RUNNING"
        pending[number] += task.last_status in STARTING
        wanted[number] += task.wanted
    return {n: Counts(running=running[n], pending=pending[n], wanted=wanted[n]) for n in running}


def requested(service: Service, deployment: Deployment, counts: Counts) -> int:
    """The desired count of a deployment: the service's for the PRIMARY, what is left for those that give way."""
    return service.desired_count if deployment.status == "PRIMARY" else counts.wanted


def service(reader: Reader, service: Service, *, include_tags: bool = False) -> dict[str, Any]:
    """`Service` of the ECS model."""
    deployments = sorted(
        reader.select(Deployment, "current", (service.uid,)),
        key=lambda d: (d.status != "PRIMARY", -d.created_at, d.number),
    )
    counts = counts_of(reader.select(Task, "live_service", (service.uid,)))
    events = sorted(reader.select(ServiceEvent, "service", (service.uid,)), key=lambda e: -e.sequence)[:100]
    view: dict[str, Any] = {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": ecs_arn(service.scope, "cluster", service.cluster),
        "loadBalancers": balancing.view(service.load_balancers),
        "serviceRegistries": registries.view(service.service_registries),
        "status": service.status,
        "desiredCount": service.desired_count,
        "runningCount": sum(each.running for each in counts.values()),
        "pendingCount": sum(each.pending for each in counts.values()),
        "launchType": service.launch_type,
        "taskDefinition": service.task_definition_arn,
        "deploymentConfiguration": deployment_configuration(service.deployment_configuration),
        "deployments": [_deployment(service, each, counts.get(each.number, Counts())) for each in deployments],
        "roleArn": service.role_arn or None,
        "events": [{"id": e.event_id, "createdAt": e.created_at, "message": e.message} for e in events],
        "createdAt": service.created_at,
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": service.network_configuration or None,
        "healthCheckGracePeriodSeconds": service.health_check_grace_s,
        "schedulingStrategy": service.scheduling_strategy,
        "deploymentController": {"type": service.deployment_controller},
        "tags": tags_list(service.tags) if include_tags else None,
        "createdBy": service.created_by,
        "enableECSManagedTags": service.enable_ecs_managed_tags,
        "propagateTags": service.propagate_tags,
        "enableExecuteCommand": service.enable_execute_command,
        "availabilityZoneRebalancing": service.availability_zone_rebalancing,
        "resourceManagementType": "CUSTOMER",
        **platform(service.launch_type, service.platform_version),
        **_current(service, deployments, counts),
    }
    return {name: value for name, value in view.items() if value is not None}


def deployment_configuration(configuration: DeploymentConfiguration) -> dict[str, Any]:
    """`deploymentConfiguration`, the circuit breaker's finer settings only where they are not the usual ones."""
    breaker: dict[str, Any] = {"enable": configuration.breaker_enabled, "rollback": configuration.breaker_rollback}
    if not configuration.breaker_reset_on_healthy_task:
        breaker["resetOnHealthyTask"] = False
    if (configuration.breaker_threshold_type, configuration.breaker_threshold) != ("BOUNDED_PERCENT", 50):
        breaker["thresholdConfiguration"] = {
            "type": configuration.breaker_threshold_type,
            "value": configuration.breaker_threshold,
        }
    return {
        "deploymentCircuitBreaker": breaker,
        "maximumPercent": configuration.maximum_percent,
        "minimumHealthyPercent": configuration.minimum_healthy_percent,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }


def platform(launch_type: str, version: str) -> dict[str, str]:
    """The members that say on what platform FARGATE tasks run."""
    return {"platformVersion": version, "platformFamily": "Linux"} if launch_type == "FARGATE" else {}


def resolved(version: str) -> str:
    """The platform version that LATEST stands for, where ECS shows it resolved."""
    return CURRENT_PLATFORM_VERSION if version in {"", "LATEST"} else version


def _current(service: Service, deployments: list[Deployment], counts: dict[str, Counts]) -> dict[str, Any]:
    if not deployments:
        return {}
    shown = next((d for d in deployments if d.service_deployment_status in UNDER_WAY), deployments[0])
    revisions = []
    for each in deployments:
        have = counts.get(each.number, Counts())
        revisions.append(
            {
                "arn": each.revision_arn,
                "requestedTaskCount": requested(service, each, have),
                "runningTaskCount": have.running,
                "pendingTaskCount": have.pending,
            }
        )
    return {"currentServiceDeployment": shown.service_deployment_arn, "currentServiceRevisions": revisions}


def _deployment(service: Service, deployment: Deployment, counts: Counts) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": deployment.deployment_id,
        "status": deployment.status,
        "taskDefinition": deployment.task_definition_arn,
        "desiredCount": requested(service, deployment, counts),
        "pendingCount": counts.pending,
        "runningCount": counts.running,
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        "launchType": deployment.launch_type,
        "networkConfiguration": deployment.network_configuration or None,
        "rolloutState": deployment.rollout_state,
        "rolloutStateReason": deployment.rollout_reason,
        **connecting.view(deployment),
        **platform(deployment.launch_type, resolved(deployment.platform_version)),
    }
    return {name: value for name, value in view.items() if value is not None}
