"""The registries of a service: `serviceRegistries` of CreateService and UpdateService, checked with ECS's texts.

Reads Cloud Map's services; changes nothing. Who is registered in them is `control/names/discovery.py`'s.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from longshore.api.ecs.balancing import check_port
from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.ecs.service import ServiceRegistry
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.names.naming import DiscoveryService
from longshore.wire.errors import ApiError

MOST = 1
NEEDS_CONTAINER = (
    "When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and 'containerPort' must be "
    "specified from the task definition."
)


def service_registries(
    call: Call, definition: TaskDefinition, given: Sequence[Mapping[str, Any]]
) -> tuple[ServiceRegistry, ...]:
    """Where a service's tasks are to be registered."""
    if len(given) > MOST:
        raise _refuse(f"service registries can have at most {MOST} items")
    return tuple(_registry(call, definition, each) for each in given)


def check_ports(definition: TaskDefinition, registries: Sequence[ServiceRegistry]) -> None:
    """That a definition has the ports with which a service is registered already."""
    for registry in registries:
        if registry.container_port is not None:
            check_port(definition, registry.container_name, registry.container_port)


def view(registries: Sequence[ServiceRegistry]) -> list[dict[str, Any]]:
    """`serviceRegistries` as ECS answers it."""
    return [_view(registry) for registry in registries]


def _view(registry: ServiceRegistry) -> dict[str, Any]:
    members = {
        "registryArn": registry.registry_arn,
        "port": registry.port,
        "containerName": registry.container_name or None,
        "containerPort": registry.container_port,
    }
    return {name: value for name, value in members.items() if value is not None}


def _registry(call: Call, definition: TaskDefinition, given: Mapping[str, Any]) -> ServiceRegistry:
    arn, port = given.get("registryArn"), given.get("port")
    name, container_port = given.get("containerName"), given.get("containerPort")
    if not arn:
        raise _refuse("registryArn must be specified for each service registry.")
    service = _service(call, arn)
    _check_records(service)
    if service.records and service.ttl_s("SRV") is None:
        for member, value in (("containerName", name), ("containerPort", container_port), ("port", port)):
            if value is not None:
                raise _refuse(f"The values specified for serviceRegistries do not require a value for '{member}'")
    if definition.network_mode in {"bridge", "host"} and (name is None or container_port is None):
        raise _refuse(NEEDS_CONTAINER)
    if (name is None) != (container_port is None):
        raise _refuse("containerName and containerPort must be specified together for a service registry.")
    if port is not None and container_port is not None:
        raise _refuse("A service registry takes either a port, or a containerName with a containerPort.")
    if service.ttl_s("SRV") is not None and port is None and container_port is None:
        raise _refuse("The values specified for serviceRegistries require a value for 'containerPort' or 'port'")
    if port is not None and not 1 <= port <= 65535:
        raise _refuse("The port of a service registry should be between 1 and 65535.")
    if container_port is not None:
        check_port(definition, name or "", container_port)
    return ServiceRegistry(registry_arn=arn, port=port, container_name=name or "", container_port=container_port)


def _service(call: Call, arn: str) -> DiscoveryService:
    parsed = Arn.parse(arn)
    kind, _, name = parsed.resource.partition("/") if parsed else ("", "", "")
    if parsed is None or parsed.service != "servicediscovery" or kind != "service":
        raise _refuse(f"Invalid registryArn: {arn} is not the ARN of a Cloud Map service.")
    found = call.tx.get(DiscoveryService, (*call.scope, name)) if parsed.scope == call.scope else None
    if found is None:
        raise _refuse(f"The service registry {arn} does not exist.")
    return found


def _check_records(service: DiscoveryService) -> None:
    """Tasks have an IPv4 address, and nothing else that a record could tell."""
    for setting in service.records:
        if setting.type not in {"A", "SRV"}:
            raise _refuse(
                f"The service registry {service.arn} has {setting.type} records, which tasks can't be registered with: "
                "use A, SRV or both."
            )


def _refuse(text: str) -> ApiError:
    return ApiError("InvalidParameterException", text)
