"""Service deployments and service revisions as ECS answers them: two views of one `Deployment` record.

Called by `deployments.py`; reads, changes nothing.
"""

from typing import Any

from longshore.api.ecs import balancing, registries
from longshore.api.ecs.service_view import Counts, counts_of, deployment_configuration, platform, requested, resolved
from longshore.decide.ecs.rollout.breaker import threshold
from longshore.domain.arn import ecs_arn
from longshore.domain.ecs.service import Deployment, Service
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key_of
from longshore.store.store import Reader

TO_COME = {"PENDING", "IN_PROGRESS"}


def brief(deployment: Deployment) -> dict[str, Any]:
    """`ServiceDeploymentBrief` of the ECS model."""
    view = {
        "serviceDeploymentArn": deployment.service_deployment_arn,
        "serviceArn": ecs_arn(deployment.scope, "service", deployment.cluster, deployment.service_name),
        "clusterArn": ecs_arn(deployment.scope, "cluster", deployment.cluster),
        "createdAt": deployment.created_at,
        "startedAt": deployment.started_at,
        "finishedAt": deployment.finished_at,
        "targetServiceRevisionArn": deployment.revision_arn,
        "status": deployment.service_deployment_status,
        "statusReason": deployment.status_reason or None,
    }
    return {name: value for name, value in view.items() if value is not None}


def service_deployment(reader: Reader, deployment: Deployment, service: Service) -> dict[str, Any]:
    """`ServiceDeployment` of the ECS model."""
    counts = counts_of(reader.select(Task, "live_service", (deployment.service_uid,)))
    view = brief(deployment)
    del view["targetServiceRevisionArn"]
    target = counts.get(deployment.number, Counts())
    running_out = deployment.status != "PRIMARY"
    view |= {
        "updatedAt": deployment.updated_at,
        "sourceServiceRevisions": [
            _summary(
                _revision_arn(deployment, number), counts.get(number, Counts()).wanted, counts.get(number, Counts())
            )
            for number in deployment.source_numbers
        ],
        "targetServiceRevision": _summary(
            deployment.revision_arn,
            deployment.target_requested_count if running_out else requested(service, deployment, target),
            target,
        ),
        "deploymentConfiguration": deployment_configuration(service.deployment_configuration),
        "deploymentCircuitBreaker": _breaker(deployment, service),
        "alarms": {"status": "DISABLED"},
    }
    if deployment.stopped_at is not None:
        view["stoppedAt"] = deployment.stopped_at
    if deployment.rollback is not None:
        view["rollback"] = {
            "reason": deployment.rollback.reason,
            "startedAt": deployment.rollback.started_at,
            "serviceRevisionArn": _revision_arn(deployment, deployment.rollback.to_deployment_id),
        }
    return view


def service_revision(reader: Reader, deployment: Deployment) -> dict[str, Any]:
    """`ServiceRevision` of the ECS model."""
    definition = reader.get(TaskDefinition, task_definition_key_of(deployment.task_definition_arn))
    view: dict[str, Any] = {
        "serviceRevisionArn": deployment.revision_arn,
        "serviceArn": ecs_arn(deployment.scope, "service", deployment.cluster, deployment.service_name),
        "clusterArn": ecs_arn(deployment.scope, "cluster", deployment.cluster),
        "taskDefinition": deployment.task_definition_arn,
        "launchType": deployment.launch_type,
        "loadBalancers": balancing.view(deployment.load_balancers),
        "serviceRegistries": registries.view(deployment.service_registries),
        "containerImages": _images(reader, deployment, definition),
        "guardDutyEnabled": False,
        "createdAt": deployment.created_at,
        **platform(deployment.launch_type, resolved(deployment.platform_version)),
    }
    if deployment.service_connect is not None:
        view["serviceConnectConfiguration"] = deployment.service_connect.given
    if deployment.network_configuration:
        view["networkConfiguration"] = deployment.network_configuration
    return view


def _images(reader: Reader, deployment: Deployment, definition: TaskDefinition | None) -> list[dict[str, str]]:
    """The definition's images; their digests once a task has pulled them."""
    digests: dict[str, str] = {}
    for task in reader.select(Task, "live_service", (deployment.service_uid,)):
        if task.deployment_id == deployment.number:
            digests.update({c.name: c.image_digest for c in task.containers if c.image_digest})
    images = []
    for container in definition.containers if definition else ():
        image = {"containerName": container["name"], "image": container["image"]}
        if container["name"] in digests:
            image["imageDigest"] = digests[container["name"]]
        images.append(image)
    return images


def _breaker(deployment: Deployment, service: Service) -> dict[str, Any]:
    configuration = service.deployment_configuration
    limit = threshold(configuration, service.desired_count)
    if not configuration.breaker_enabled:
        status = "DISABLED"
    elif deployment.breaker_failures >= limit:
        status = "TRIGGERED"
    else:
        status = "MONITORING" if deployment.service_deployment_status in TO_COME else "MONITORING_COMPLETE"
    return {"status": status, "failureCount": deployment.breaker_failures, "threshold": limit}


def _revision_arn(deployment: Deployment, number: str) -> str:
    return ecs_arn(deployment.scope, "service-revision", deployment.cluster, deployment.service_name, number)


def _summary(arn: str, requested_count: int, counts: Counts) -> dict[str, Any]:
    return {
        "arn": arn,
        "requestedTaskCount": requested_count,
        "runningTaskCount": counts.running,
        "pendingTaskCount": counts.pending,
    }
