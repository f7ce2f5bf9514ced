"""A task as ECS answers it. Pure: called by every operation that answers with tasks; changes nothing.

Members that AWS leaves out at a stage (an address before there is one, an exit code before the exit) are absent here
too: waiters and Terraform tell absent from empty.
"""

from collections.abc import Mapping
from typing import Any

from longshore.decide.ecs.launch import merged_containers
from longshore.domain.arn import ecs_arn
from longshore.domain.ec2.network import private_dns_name
from longshore.domain.ecs.task import Attachment, Container, Task
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.remembered import Remembered
from longshore.domain.tag import tags_list
from longshore.wire.kept import Kept

ARCHITECTURES = {"X86_64": "x86_64", "ARM64": "arm64"}
"""`runtimePlatform.cpuArchitecture` as the attribute `ecs.cpu-architecture` has it."""

MOST_SHOWN = 1024
"""As many tasks, as they were last shown, are kept: some ten megabytes."""


def task(task: Task, definition: TaskDefinition | None, *, include_tags: bool = False) -> dict[str, Any]:
    """`Task` of the ECS model. `definition` is the task's own; without it its containers show no sizes."""
    merged = merged_containers(definition, task.overrides) if definition else []
    sizes = {container["name"]: container for container in merged}
    connected = task.last_status != "PROVISIONING"
    view: dict[str, Any] = {
        "taskArn": task.arn,
        "clusterArn": ecs_arn(task.scope, "cluster", task.cluster),
        "taskDefinitionArn": task.task_definition_arn,
        "attachments": [_attachment(task, task.attachment)] if task.attachment else [],
        "attributes": [{"name": "ecs.cpu-architecture", "value": _architecture(definition)}],
        "availabilityZone": task.availability_zone or None,
        "connectivity": "CONNECTED" if connected else None,
        "connectivityAt": task.created_at if connected else None,
        "containers": [_container(task, container, sizes.get(container.name, {})) for container in task.containers],
        "cpu": str(task.cpu_units),
        "memory": str(task.memory_mib),
        "createdAt": task.created_at,
        "desiredStatus": task.desired_status,
        "enableExecuteCommand": task.enable_execute_command,
        "group": task.group,
        "healthStatus": task.health,
        "lastStatus": task.last_status,
        "launchType": task.launch_type,
        "overrides": _overrides(task),
        "version": task.version,
        "startedBy": task.started_by or None,
        "tags": tags_list(task.tags) if include_tags else [],
        "stopCode": task.stop_code or None,
        "stoppedReason": task.stopped_reason or None,
        **_moments(task),
        **_fargate(task),
    }
    return {name: value for name, value in view.items() if value is not None}


def _lasting(known: Task, definition: TaskDefinition | None, include_tags: bool) -> Kept:
    return Kept(task(known, definition, include_tags=include_tags))


shown = Remembered(_lasting, most=MOST_SHOWN)
"""`shown(task, definition, include_tags)`: the same as `task`, for tasks that may be asked for again as they are."""


def remembered(known: Task, definition: TaskDefinition | None) -> dict[str, Any]:
    """A task as a repeated RunTask answers it: of a stopped one only its ARN and statuses."""
    if known.live:
        return task(known, definition, include_tags=True)
    return {"taskArn": known.arn, "lastStatus": known.last_status, "desiredStatus": known.desired_status}


def _moments(task: Task) -> dict[str, float | None]:
    return {
        "pullStartedAt": task.pull_started_at,
        "pullStoppedAt": task.pull_stopped_at,
        "startedAt": task.started_at,
        "stoppingAt": task.stopping_at,
        "executionStoppedAt": task.execution_stopped_at,
        "stoppedAt": task.stopped_at,
    }


def _fargate(task: Task) -> dict[str, Any]:
    if task.launch_type != "FARGATE":
        return {}
    return {
        "platformVersion": task.platform_version,
        "platformFamily": "Linux",
        "ephemeralStorage": {"sizeInGiB": task.ephemeral_storage_gib},
        "fargateEphemeralStorage": {"sizeInGiB": task.ephemeral_storage_gib},
    }


def _architecture(definition: TaskDefinition | None) -> str:
    platform = (definition.document.get("runtimePlatform") if definition else None) or {}
    return ARCHITECTURES.get(platform.get("cpuArchitecture", ""), "x86_64")


def _overrides(task: Task) -> dict[str, Any]:
    """`overrides` as given, but listing every container."""
    given = {override.get("name"): override for override in task.overrides.get("containerOverrides") or ()}
    listed = [{**given.get(container.name, {}), "name": container.name} for container in task.containers]
    return {**task.overrides, "containerOverrides": listed, "inferenceAcceleratorOverrides": []}


def _attachment(task: Task, attachment: Attachment) -> dict[str, Any]:
    details = [{"name": "subnetId", "value": attachment.subnet_id}]
    if attachment.interface_id:
        dns_name = private_dns_name(attachment.private_ip, task.region)
        details += [
            {"name": "networkInterfaceId", "value": attachment.interface_id},
            {"name": "macAddress", "value": attachment.mac_address},
            {"name": "privateDnsName", "value": dns_name},
            {"name": "privateIPv4Address", "value": attachment.private_ip},
        ]
    return {
        "id": attachment.attachment_id,
        "type": "ElasticNetworkInterface",
        "status": attachment.status,
        "details": details,
    }


def _container(task: Task, container: Container, sizes: Mapping[str, Any]) -> dict[str, Any]:
    """`sizes` is the container's definition with its override over it."""
    view: dict[str, Any] = {
        "containerArn": ecs_arn(task.scope, "container", task.cluster, task.task_id, container.container_id),
        "taskArn": task.arn,
        "name": container.name,
        "image": container.image,
        "imageDigest": container.image_digest or None,
        "runtimeId": container.runtime_id or None,
        "lastStatus": container.last_status,
        "exitCode": container.exit_code,
        "reason": container.reason or None,
        "networkBindings": [
            {
                "bindIP": binding.bind_ip,
                "containerPort": binding.container_port,
                "hostPort": binding.host_port,
                "protocol": binding.protocol,
            }
            for binding in container.network_bindings
        ],
        "networkInterfaces": _interfaces(task.attachment),
        "healthStatus": container.health,
        "cpu": str(sizes.get("cpu") or 0),
        "memory": _size(sizes.get("memory")),
        "memoryReservation": _size(sizes.get("memoryReservation")),
    }
    return {name: value for name, value in view.items() if value is not None}


def _interfaces(attachment: Attachment | None) -> list[dict[str, str]]:
    if attachment is None or not attachment.private_ip:
        return []
    return [{"attachmentId": attachment.attachment_id, "privateIpv4Address": attachment.private_ip}]


def _size(value: int | None) -> str | None:
    return None if value is None else str(value)
