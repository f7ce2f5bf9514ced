"""AWS Cloud Map: namespaces, services and instances, found by DNS and by DiscoverInstances."""

from longshore.api.operation import Operation, Service
from longshore.api.servicediscovery import discover, instances, namespaces, operations, services, tags

OPERATIONS: dict[str, Operation] = {
    **discover.OPERATIONS,
    **instances.OPERATIONS,
    **namespaces.OPERATIONS,
    **operations.OPERATIONS,
    **services.OPERATIONS,
    **tags.OPERATIONS,
}

SERVICE = Service(
    name="servicediscovery",
    operations=OPERATIONS,
    refusal_code="InvalidInput",
    summary="Cloud Map: namespaces, services and instances, in DNS and by DiscoverInstances",
)
