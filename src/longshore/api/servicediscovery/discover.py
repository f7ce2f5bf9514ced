"""DiscoverInstances: what programs ask that find each other without DNS."""

from collections.abc import Mapping

from longshore.api.operation import Call, Operation
from longshore.api.servicediscovery.instances import health_of
from longshore.api.servicediscovery.lookup import Answer, check_owner
from longshore.domain.clock import drawn
from longshore.domain.names.naming import DiscoveryService, Namespace, ServiceInstance
from longshore.wire.errors import ApiError

DEFAULT_RESULTS = 100
FAIL_OPEN = "HEALTHY_OR_ELSE_ALL"


def discover_instances(call: Call) -> Answer:
    """DiscoverInstances: in random order, and of more than are asked for some by chance, as on AWS."""
    namespace, service = _named(call)
    params = call.params
    wanted = _with_health(call, service, params.get("HealthStatus") or FAIL_OPEN)
    wanted = [each for each in wanted if _has(each, params.get("QueryParameters") or {})]
    optional = params.get("OptionalParameters") or {}
    if optional:
        wanted = [each for each in wanted if _has(each, optional)] or wanted
    shown = drawn(wanted, params.get("MaxResults") or DEFAULT_RESULTS, call.ids)
    summaries = [
        {
            "InstanceId": each.instance_id,
            "NamespaceName": namespace.name,
            "ServiceName": service.name,
            "HealthStatus": health_of(service, each),
            "Attributes": each.attributes,
        }
        for each in shown
    ]
    return {"Instances": summaries, "InstancesRevision": service.revision}


def discover_instances_revision(call: Call) -> Answer:
    """DiscoverInstancesRevision: more with every change, so that a client asks for instances only after one."""
    return {"InstancesRevision": _named(call)[1].revision}


def _named(call: Call) -> tuple[Namespace, DiscoveryService]:
    """The service of a name in the namespace of a name; where VPCs have namespaces of one name, the oldest with it."""
    name, service_name = call.params["NamespaceName"], call.params["ServiceName"]
    check_owner(call, call.params.get("OwnerAccount"))
    namespaces = [each for each in call.tx.select(Namespace, "name", (*call.scope, name.lower())) if each.name == name]
    if not namespaces:
        raise ApiError("NamespaceNotFound", f"Failed to find namespace {name}")
    for namespace in sorted(namespaces, key=lambda each: (each.created_at, each.namespace_id)):
        for unique_name in dict.fromkeys((service_name, service_name.lower())):
            for service in call.tx.select(DiscoveryService, "name", (*call.scope, namespace.namespace_id, unique_name)):
                if service.name == service_name:
                    return namespace, service
    raise ApiError("ServiceNotFound", f"Failed to find service {service_name} in namespace {name}")


def _with_health(call: Call, service: DiscoveryService, asked: str) -> list[ServiceInstance]:
    place = (*service.scope, service.service_id)
    everything = asked == "ALL" or not (service.custom_health or service.health_check)
    if not everything:
        health = "HEALTHY" if asked == FAIL_OPEN else asked
        found = call.tx.select(ServiceInstance, "health", (*place, health))
        if found or asked != FAIL_OPEN:
            return found
    return call.tx.select(ServiceInstance, "service", place)


def _has(instance: ServiceInstance, wanted: Mapping[str, str]) -> bool:
    return all(instance.attributes.get(name) == value for name, value in wanted.items())


OPERATIONS: dict[str, Operation] = {
    "DiscoverInstances": Operation(discover_instances),
    "DiscoverInstancesRevision": Operation(discover_instances_revision),
}
