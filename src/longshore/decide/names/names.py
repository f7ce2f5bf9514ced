"""Which tasks of a service are instances of its Cloud Map service, and with which attributes and health.

Pure. Called by `control/names/discovery.py` for every change of a task, in the transaction of that change.
"""

from collections.abc import Iterable

from longshore.domain.ecs.service import ServiceRegistry
from longshore.domain.ecs.task import Task
from longshore.domain.names.naming import INIT_HEALTH, IPV4, PORT, DiscoveryService, InstanceHealth, ServiceInstance


def discoverable(task: Task) -> bool:
    """Whether a task may be in a name: it runs, and nobody has told it to stop."""
    return task.wanted and task.last_status == "RUNNING"


def bears_on(task: Task | None) -> object:
    """What of a task its instances are made from; two tasks alike in this need no second look."""
    if task is None or not discoverable(task):
        return None
    return (task.health, task.attachment, tuple(container.network_bindings for container in task.containers))


def instance_of(
    task: Task,
    registry: ServiceRegistry,
    service: DiscoveryService,
    registered: ServiceInstance | None,
    now: float,
    host_address: str = "",
) -> ServiceInstance | None:
    """The instance that a task is to be of a Cloud Map service; None if it is to be none.

    With custom health it is there from RUNNING on, as healthy as its checks say: UNHEALTHY until they have passed.
    Without, nobody could say so: a task whose checks fail is taken out. `host_address` is where tasks answer that have
    no address of their own (bridge and host mode); empty where their host has none, and they are in no name then.
    """
    if not discoverable(task) or (task.health == "UNHEALTHY" and not service.custom_health):
        return None
    address = task.attachment.private_ip if task.attachment else host_address
    port = _port(task, registry)
    if not address or (port is None and service.ttl_s("SRV") is not None):
        return None
    health: InstanceHealth = "HEALTHY" if _healthy(task) or not service.custom_health else "UNHEALTHY"
    if service.health_check is not None and registered is not None:
        health = registered.health  # somebody else checks
    attributes = {
        IPV4: address,
        **({PORT: str(port)} if port is not None else {}),
        "AVAILABILITY_ZONE": task.availability_zone,
        "REGION": task.region,
        "ECS_SERVICE_NAME": task.service_name,
        "ECS_CLUSTER_NAME": task.cluster,
        "ECS_TASK_DEFINITION_FAMILY": task.family,
    }
    if service.custom_health:
        first = registered.attributes.get(INIT_HEALTH, health) if registered else health
        attributes[INIT_HEALTH] = first
    return ServiceInstance(
        account=service.account,
        region=service.region,
        service_id=service.service_id,
        instance_id=task.task_id,
        attributes=attributes,
        health=health,
        registered_at=registered.registered_at if registered else now,
        task_id=task.task_id,
    )


def _healthy(task: Task) -> bool:
    """Whether its containers' checks pass; a task without any is taken at its word."""
    checked = any(container.essential and container.has_health_check for container in task.containers)
    return task.health == "HEALTHY" or not checked


def _port(task: Task, registry: ServiceRegistry) -> int | None:
    """The port that an SRV record tells: where the container port answers."""
    if registry.container_port is None:
        return registry.port
    if task.attachment is not None:
        return registry.container_port
    bindings: Iterable[int] = (
        binding.host_port
        for container in task.containers
        if container.name == registry.container_name
        for binding in container.network_bindings
        if binding.container_port == registry.container_port
    )
    return next(iter(bindings), None)
