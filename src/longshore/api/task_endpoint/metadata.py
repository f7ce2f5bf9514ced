"""Task metadata (versions 3 and 4), as the ECS agent answers it. Pure views of records.

Source: "Amazon ECS task metadata endpoint version 4 for tasks on Fargate", ECS developer guide; the agent's own code.
"""

from datetime import UTC, datetime
from typing import Any

from longshore.api.ec2.regions import zone_id
from longshore.domain.arn import ecs_arn
from longshore.domain.ec2.network import NetworkInterface, Subnet, gateway_of, private_dns_name
from longshore.domain.ecs.task import Container, Task
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key_of
from longshore.domain.tag import Tags
from longshore.store.store import Reader


def task_metadata(reader: Reader, task: Task, *, version: int) -> dict[str, Any]:
    """`${ECS_CONTAINER_METADATA_URI_V4}/task`."""
    definition = _definition(reader, task)
    family, _, revision = task.task_definition_arn.rpartition("/")[2].partition(":")
    return _present(
        {
            "Cluster": ecs_arn(task.scope, "cluster", task.cluster),
            "TaskARN": task.arn,
            "Family": family,
            "Revision": revision,
            "ServiceName": task.service_name or None,
            "Group": task.group or None,
            "VPCID": _vpc_id(reader, task),
            "DesiredStatus": task.desired_status,
            "KnownStatus": task.last_status,
            "Limits": {"CPU": task.cpu_units / 1024, "Memory": task.memory_mib},
            "PullStartedAt": _stamp(task.pull_started_at),
            "PullStoppedAt": _stamp(task.pull_stopped_at),
            "ExecutionStoppedAt": _stamp(task.execution_stopped_at),
            "AvailabilityZone": task.availability_zone or None,
            "AvailabilityZoneID": zone_id(task.availability_zone) if task.availability_zone else None,
            "LaunchType": task.launch_type,
            "FaultInjectionEnabled": False,
            "EphemeralStorageMetrics": {"Utilized": 0, "Reserved": task.ephemeral_storage_gib * 1024},
            "Containers": [
                container_metadata(reader, task, container, definition, version=version)
                for container in task.containers
            ],
        }
    )


def container_metadata(
    reader: Reader, task: Task, container: Container, definition: TaskDefinition | None, *, version: int
) -> dict[str, Any]:
    """`${ECS_CONTAINER_METADATA_URI_V4}`."""
    document = _document(definition, container.name)
    logging = document.get("logConfiguration") or {}
    answer = {
        "DockerId": container.runtime_id or None,
        "Name": container.name,
        "DockerName": f"ecs-{task.family}-{container.name}-{task.task_id[:12]}",
        "Image": container.image,
        "ImageID": container.image_digest or None,
        "Ports": _ports(container) or None,
        "Labels": _labels(task, container),
        "DesiredStatus": task.desired_status,
        "KnownStatus": container.last_status,
        "ExitCode": container.exit_code,
        "Limits": {"CPU": document.get("cpu", 0), **({"Memory": document["memory"]} if "memory" in document else {})},
        "CreatedAt": _stamp(container.created_at),
        "StartedAt": _stamp(container.started_at),
        "FinishedAt": _stamp(container.finished_at),
        "Type": "NORMAL",
        "RestartCount": container.restart_count if document.get("restartPolicy") else None,
        "Health": {"status": container.health, "statusSince": _stamp(container.health_changed_at)}
        if container.has_health_check
        else None,
        "Networks": [_network(reader, task, version)],
        "LogDriver": logging.get("logDriver"),
        "LogOptions": logging.get("options"),
        "ContainerARN": ecs_arn(task.scope, "container", task.cluster, task.task_id, container.container_id),
    }
    if version < 4:
        for name in ("LogDriver", "LogOptions", "ContainerARN"):
            answer.pop(name)
    return _present(answer)


def with_tags(metadata: dict[str, Any], tags: Tags) -> dict[str, Any]:
    """`${ECS_CONTAINER_METADATA_URI_V4}/taskWithTags`."""
    return {**metadata, "TaskTags": dict(tags)} if tags else metadata


def _network(reader: Reader, task: Task, version: int) -> dict[str, Any]:
    definition = _definition(reader, task)
    mode = definition.network_mode if definition else "awsvpc"
    attachment = task.attachment
    if attachment is None or not attachment.private_ip:
        return {"NetworkMode": mode}
    network: dict[str, Any] = {"NetworkMode": "awsvpc", "IPv4Addresses": [attachment.private_ip]}
    subnet = reader.get(Subnet, (*task.scope, attachment.subnet_id))
    if version >= 4 and subnet is not None:
        network |= {
            "AttachmentIndex": 0,
            "MACAddress": attachment.mac_address,
            "IPv4SubnetCIDRBlock": subnet.range,
            "PrivateDNSName": private_dns_name(attachment.private_ip, task.region),
            "SubnetGatewayIpv4Address": f"{gateway_of(subnet.range)}/{subnet.range.rpartition('/')[2]}",
        }
    return network


def _labels(task: Task, container: Container) -> dict[str, str]:
    family, _, revision = task.task_definition_arn.rpartition("/")[2].partition(":")
    return {
        "com.amazonaws.ecs.cluster": ecs_arn(task.scope, "cluster", task.cluster),
        "com.amazonaws.ecs.container-name": container.name,
        "com.amazonaws.ecs.task-arn": task.arn,
        "com.amazonaws.ecs.task-definition-family": family,
        "com.amazonaws.ecs.task-definition-version": revision,
    }


def _ports(container: Container) -> list[dict[str, Any]]:
    """The ports that answer on the host; an awsvpc task has an address of its own and none."""
    return [
        {"ContainerPort": bound.container_port, "Protocol": bound.protocol, "HostPort": bound.host_port}
        for bound in container.network_bindings
    ]


def _vpc_id(reader: Reader, task: Task) -> str | None:
    if task.attachment is None or not task.attachment.interface_id:
        return None
    interface = reader.get(NetworkInterface, (*task.scope, task.attachment.interface_id))
    return interface.vpc_id if interface else None


def _definition(reader: Reader, task: Task) -> TaskDefinition | None:
    return reader.get(TaskDefinition, task_definition_key_of(task.task_definition_arn))


def _document(definition: TaskDefinition | None, name: str) -> dict[str, Any]:
    containers = definition.containers if definition else []
    return next((container for container in containers if container["name"] == name), {})


def _stamp(when: float | None) -> str | None:
    if when is None:
        return None
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _present(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}
