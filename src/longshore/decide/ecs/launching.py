"""New tasks: whether there is room, in which subnet and at which address, and the record that begins a task's life.

Called by RunTask (which must answer at once what doesn't fit) and by the service controller.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from longshore.decide.ecs.launch import container_records, resources_of
from longshore.domain.clock import Ids
from longshore.domain.ec2.network import Subnet, address_at, usable_addresses
from longshore.domain.ecs.cluster import Cluster, Host
from longshore.domain.ecs.task import Attachment, Task
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.tag import Tags

DEFAULT_EPHEMERAL_STORAGE_GIB = 20
CURRENT_PLATFORM_VERSION = "1.4.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """What is asked of a new task, by a user or by a service."""

    cluster: Cluster
    definition: TaskDefinition
    launch_type: str = "FARGATE"
    platform_version: str = "LATEST"
    network_configuration: Mapping[str, Any] = field(default_factory=dict)
    """`networkConfiguration` with its security groups filled in."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    started_by: str = ""
    client_token: str = ""
    digest: str = ""
    """Of the input that `client_token` came with."""
    tags: Tags = field(default_factory=dict)
    enable_execute_command: bool = False
    service_uid: str = ""
    service_name: str = ""
    deployment_id: str = ""


def new_task(request: TaskRequest, *, subnet: Subnet | None, ids: Ids, now: float) -> Task:
    """The record of a task that is about to be provisioned. `subnet` is where its interface will be (awsvpc)."""
    definition = request.definition
    overrides = dict(request.overrides)
    cpu_units, memory_mib = resources_of(definition, overrides)
    attachment = Attachment(attachment_id=ids.uuid(), subnet_id=subnet.subnet_id) if subnet else None
    platform = CURRENT_PLATFORM_VERSION if request.platform_version in {"", "LATEST"} else request.platform_version
    return Task(
        account=request.cluster.account,
        region=request.cluster.region,
        task_id=ids.hex(32),
        cluster=request.cluster.name,
        task_definition_arn=definition.arn,
        group=request.group or f"family:{definition.family}",
        launch_type=request.launch_type,
        created_at=now,
        cpu_units=cpu_units,
        memory_mib=memory_mib,
        platform_version=platform,
        started_by=request.started_by,
        overrides=overrides,
        network_configuration=dict(request.network_configuration),
        enable_execute_command=request.enable_execute_command,
        ephemeral_storage_gib=ephemeral_storage_gib(definition, overrides),
        client_token=request.client_token,
        request_digest=request.digest,
        service_uid=request.service_uid,
        service_name=request.service_name,
        deployment_id=request.deployment_id,
        tags=dict(request.tags),
        availability_zone=subnet.availability_zone if subnet else "",
        attachment=attachment,
        containers=container_records(definition, overrides, ids.uuid),
    )


def ephemeral_storage_gib(definition: TaskDefinition, overrides: Mapping[str, Any]) -> int:
    """The size of the task's own storage, in GiB."""
    asked = overrides.get("ephemeralStorage") or definition.document.get("ephemeralStorage") or {}
    return int(asked.get("sizeInGiB", DEFAULT_EPHEMERAL_STORAGE_GIB))


def room_for(host: Host | None, *, cpu_used: int, memory_used: int, cpu_units: int, memory_mib: int) -> str | None:
    """None where a task fits beside what is taken, else RunTask's failure: `RESOURCE:CPU` or `RESOURCE:MEMORY`.

    A host not yet known has no room.
    """
    if host is None or cpu_used + cpu_units > host.cpu_units:
        return "RESOURCE:CPU"
    if memory_used + memory_mib > host.memory_mib:
        return "RESOURCE:MEMORY"
    return None


def choose_subnet(subnets: Sequence[Subnet], tasks_in: Mapping[str, int], chance: int = 0) -> Subnet:
    """The subnet for the next task: the availability zone with the fewest of its group's tasks, then the subnet.

    `tasks_in` counts the group's live tasks by subnet id; ties fall to the one at `chance`, so that single tasks
    spread too.
    """
    zones: dict[str, int] = {}
    for subnet in subnets:
        zones[subnet.availability_zone] = zones.get(subnet.availability_zone, 0) + tasks_in.get(subnet.subnet_id, 0)
    turn = chance % len(subnets)
    turned = [*subnets[turn:], *subnets[:turn]]
    return min(turned, key=lambda subnet: (zones[subnet.availability_zone], tasks_in.get(subnet.subnet_id, 0)))


def free_address(subnet: Subnet, is_taken: Callable[[str], bool]) -> tuple[str, int] | None:
    """`(address, next offset)`: the next free address of a subnet, or None when all are taken."""
    return next(free_addresses(subnet, is_taken), None)


def free_addresses(subnet: Subnet, is_taken: Callable[[str], bool]) -> Iterator[tuple[str, int]]:
    """`(address, next offset)` of each free address of a subnet, in the order in which tasks get them.

    The search goes on from where the last one ended, so that an address just released rests as long as it can: a
    client that still holds it meets nobody rather than a stranger.
    """
    usable = usable_addresses(subnet.range)
    for step in range(usable):
        offset = (subnet.next_offset + step) % usable
        address = address_at(subnet.range, offset)
        if not is_taken(address):
            yield address, (offset + 1) % usable
