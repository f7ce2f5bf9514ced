"""Service Connect in requests and answers: `serviceConnectConfiguration` and `serviceConnectDefaults`.

Checks with ECS's texts, gives a new name its place in the namespace, and makes in Cloud Map what ECS makes there. What
proxies do with it is `control/names/connect.py`'s.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from longshore.api.ecs.log_options import log_problem
from longshore.api.operation import Call
from longshore.decide.ecs.launch import port_numbers
from longshore.decide.names import connect as decide
from longshore.decide.names.connect import NamedPort, named_port
from longshore.domain.arn import Arn
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Deployment, Service
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.names.connect import ConnectService, ServiceConnect
from longshore.domain.names.naming import DiscoveryService, Namespace, ServiceInstance
from longshore.wire.errors import ApiError

MOST_ALIASES = 1
MOST_SERVICES = 100
MAX_PORT = 65_535
NAMESPACE = re.compile(r"[!-~]{1,1024}")
DISCOVERY_NAME = re.compile(r"[a-z0-9_-]{1,64}", re.IGNORECASE)
DNS_NAME = re.compile(
    r"(?=.{1,127}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.IGNORECASE
)
NO_TLS = "TLS between the proxies is not served, since it needs a private certificate authority: leave tls out."
MANAGED = {"AmazonECSManaged": "true"}
"""The tags of what ECS makes in Cloud Map."""
REFUSES = {
    "serviceConnectConfiguration.services[].tls": NO_TLS,
    "serviceConnectConfiguration.services[].clientAliases[].testTrafficRules": (
        "Test traffic is for blue/green deployments, which are not served yet."
    ),
    "serviceConnectConfiguration.logConfiguration.secretOptions": (
        "secretOptions of log drivers are not served: leave them out."
    ),
    "serviceConnectConfiguration.containerConfigurations": (
        "Log levels of Service Connect's proxies are not served: leave containerConfigurations out."
    ),
}

INERT = {
    f"serviceConnectConfiguration.logConfiguration.options.{option}": (
        "Kept and answered. A proxy never waits for its log, and each of its lines is an event."
    )
    for option in ("mode", "max-buffer-size")
}
LINES = ("awslogs-datetime-format", "awslogs-multiline-pattern")
"""Options that join lines, which proxies' are not."""


def find_namespace(call: Call, reference: str) -> Namespace | None:
    """The namespace with this ARN or name; an HTTP namespace before others of its name."""
    if Arn.parse(reference) is not None:
        found = call.tx.get(Namespace, (*call.scope, reference.rpartition("/")[2]))
        return found if found is not None and found.arn == reference else None
    found_by_name = call.tx.select(Namespace, "name", (*call.scope, reference.lower()))
    named = [each for each in found_by_name if each.name == reference]
    return min(named, key=lambda each: (each.type != "HTTP", each.created_at), default=None)


def defaults(call: Call, given: Mapping[str, Any] | None) -> str | None:
    """The namespace's ARN in `serviceConnectDefaults`; empty to have none any more, None where nothing is said of it.

    A name that is not there becomes an HTTP namespace.
    """
    if given is None:
        return None
    reference: str = given["namespace"]
    if not reference:
        return ""
    found = find_namespace(call, reference)
    if found is None:
        if Arn.parse(reference) is not None:
            raise _not_found(reference)
        if not NAMESPACE.fullmatch(reference):
            raise refuse("Invalid namespace: give a name of up to 1024 visible ASCII characters.")
        found = Namespace(
            account=call.scope.account,
            region=call.scope.region,
            namespace_id=f"ns-{call.ids.token(16).lower()}",
            name=reference,
            type="HTTP",
            created_at=call.now,
            creator_request_id=call.request_id,
            tags=MANAGED,
        )
        call.tx.put(found)
    return found.arn


def defaults_view(cluster: Cluster) -> dict[str, Any]:
    """`serviceConnectDefaults`, where there are any."""
    arn = cluster.service_connect_namespace
    return {"serviceConnectDefaults": {"namespace": arn}} if arn else {}


def service_connect(
    call: Call,
    cluster: Cluster,
    definition: TaskDefinition,
    given: Mapping[str, Any] | None,
    present: ServiceConnect | None = None,
) -> ServiceConnect | None:
    """A service's configuration; None where nothing was given. `present` is the one that it takes the place of.

    The cluster's default is for services without a namespace: those that have one stay in it when the default changes.
    """
    if given is None:
        return None
    if not given["enabled"]:
        if any(value is not None for name, value in given.items() if name != "enabled"):
            raise refuse("serviceConnectConfiguration: leave out all but enabled where it is false.")
        return ServiceConnect(given={"enabled": False})
    reference = given.get("namespace") or _arn(call, present) or cluster.service_connect_namespace
    if not reference:
        raise refuse("Namespace is missing")
    return _in_namespace(call, definition, given, find_namespace(call, reference), reference)


def renewed(call: Call, definition: TaskDefinition, present: ServiceConnect | None) -> ServiceConnect | None:
    """A service's configuration for another definition, which must have the ports that it offers.

    It stays in its namespace, whatever the cluster's default is now.
    """
    if present is None or not present.namespace:
        return present
    namespace = call.tx.get(Namespace, (*call.scope, present.namespace))
    return _in_namespace(call, definition, present.given, namespace, present.namespace)


def _arn(call: Call, present: ServiceConnect | None) -> str:
    """Of the namespace that a service is in; empty where it is in none, or that is gone."""
    found = call.tx.get(Namespace, (*call.scope, present.namespace)) if present is not None else None
    return found.arn if found is not None else ""


def _in_namespace(
    call: Call, definition: TaskDefinition, given: Mapping[str, Any], namespace: Namespace | None, reference: str
) -> ServiceConnect:
    if definition.network_mode != "awsvpc":
        raise refuse("Service Connect is served for the network mode awsvpc only.")
    if namespace is None:
        raise _not_found(reference)
    _check_logs(given)
    kept = {name: value for name, value in given.items() if value is not None}
    services = _services(call, definition, namespace, given.get("services") or ())
    return ServiceConnect(given=kept, namespace=namespace.namespace_id, services=services)


def let_go(call: Call, service: Service) -> None:
    """The end of a service: what Cloud Map has for it goes, unless another service offers the same name."""
    for deployment in call.tx.select(Deployment, "service", (service.uid,)):
        others = call.tx.select(Deployment, "namespace", (*service.scope, deployment.namespace))
        kept = {each.discovery_arn for other in others if _lives(call, other) for each in _offered(other)}
        for each in _offered(deployment):
            service_id = each.discovery_arn.rpartition("/")[2]
            found = call.tx.get(DiscoveryService, (*service.scope, service_id))
            if found is None or each.discovery_arn in kept or found.tags != MANAGED:
                continue
            for instance in call.tx.select(ServiceInstance, "service", (*service.scope, service_id)):
                call.tx.delete(ServiceInstance, instance.key)
            call.tx.delete(DiscoveryService, found.key)


def view(deployment: Deployment) -> dict[str, Any]:
    """`serviceConnectConfiguration` and `serviceConnectResources` of a deployment."""
    connect = deployment.service_connect
    if connect is None:
        return {}
    resources = [
        {"discoveryName": service.discovery_name, "discoveryArn": service.discovery_arn} for service in connect.services
    ]
    return {
        "serviceConnectConfiguration": connect.given,
        **({"serviceConnectResources": resources} if resources else {}),
    }


def refuse(text: str) -> ApiError:
    """The error for an input that ECS does not take."""
    return ApiError("InvalidParameterException", text)


def _not_found(reference: str) -> ApiError:
    return ApiError("NamespaceNotFoundException", f"The specified namespace was not found: {reference}")


def _check_logs(given: Mapping[str, Any]) -> None:
    configuration = given.get("logConfiguration")
    if configuration is None:
        if given.get("accessLogConfiguration") is not None:
            raise refuse("accessLogConfiguration needs a logConfiguration, which says where access logs go.")
        return
    if configuration["logDriver"] != "awslogs":
        raise refuse(f"The log driver {configuration['logDriver']} is not served for Service Connect: use awslogs.")
    problem = log_problem(configuration)
    if not problem and not configuration["options"].get("awslogs-stream-prefix"):
        problem = "Log driver awslogs requires options: awslogs-stream-prefix"
    joining = [name for name in LINES if configuration["options"].get(name)] if not problem else []
    if joining:
        problem = f"Each line of a Service Connect proxy is an event: leave {' and '.join(joining)} out."
    if problem:
        raise refuse(problem)


def _lives(call: Call, deployment: Deployment) -> bool:
    return any(service.status == "ACTIVE" for service in call.tx.select(Service, "uid", (deployment.service_uid,)))


def _offered(deployment: Deployment) -> tuple[ConnectService, ...]:
    return deployment.service_connect.services if deployment.service_connect else ()


def _services(
    call: Call, definition: TaskDefinition, namespace: Namespace, given: Sequence[Mapping[str, Any]]
) -> tuple[ConnectService, ...]:
    if len(given) > MOST_SERVICES:
        raise refuse(f"services can have at most {MOST_SERVICES} items.")
    place = (*call.scope, namespace.namespace_id)
    taken = [each for deployment in call.tx.select(Deployment, "places", place) for each in _offered(deployment)]
    current = [each for deployment in call.tx.select(Deployment, "namespace", place) for each in _offered(deployment)]
    made: list[ConnectService] = []
    for each in given:
        service = _service(call, definition, namespace, each, [*taken, *made])
        _check_owner(service, [*current, *made], namespace.name)
        made.append(service)
    if len({service.discovery_name for service in made}) < len(made):
        raise refuse("A discoveryName can be used only once in a service.")
    return tuple(made)


def _service(
    call: Call,
    definition: TaskDefinition,
    namespace: Namespace,
    given: Mapping[str, Any],
    taken: Sequence[ConnectService],
) -> ConnectService:
    port_name = given["portName"]
    ingress_port = given.get("ingressPortOverride")
    mapping = _port(definition, port_name, ingress_port)
    discovery_name = given.get("discoveryName") or port_name
    if not DISCOVERY_NAME.fullmatch(discovery_name):
        raise refuse(f"discoveryName({discovery_name}) can have up to 64 letters, digits, underscores and hyphens.")
    dns_name, port = _alias(
        given.get("clientAliases") or (), f"{discovery_name}.{namespace.name}", mapping.container_port
    )
    found = decide.place(dns_name, port, taken)
    if found is None:
        raise refuse(f"There is no room for another client alias in the namespace {namespace.name}.")
    timeout = given.get("timeout") or {}
    request_s = timeout.get("perRequestTimeoutSeconds")
    if request_s is not None and mapping.protocol == "tcp":
        raise refuse(f"perRequestTimeoutSeconds is not supported: the port mapping {port_name} has no appProtocol.")
    for name, value in timeout.items():
        if value is not None and value < 0:
            raise refuse(f"{name} should be at least 0.")
    return ConnectService(
        port_name=port_name,
        discovery_name=discovery_name,
        dns_name=dns_name,
        port=port,
        address=found.address,
        listen_port=found.listen_port,
        discovery_arn=_discovery(call, namespace, discovery_name).arn,
        endpoint_port=ingress_port or mapping.container_port,
        ingress_port=ingress_port,
        idle_timeout_s=timeout.get("idleTimeoutSeconds"),
        request_timeout_s=request_s,
    )


def _discovery(call: Call, namespace: Namespace, name: str) -> DiscoveryService:
    """The service of Cloud Map with a discovery name, made where there is none."""
    for found in call.tx.select(DiscoveryService, "namespace", (*call.scope, namespace.namespace_id)):
        if found.name == name:
            if found.records:
                raise refuse(f"discoveryName({name}) is that of a service with DNS records in {namespace.name}.")
            return found
    made = DiscoveryService(
        account=call.scope.account,
        region=call.scope.region,
        service_id=f"srv-{call.ids.token(16).lower()}",
        namespace_id=namespace.namespace_id,
        name=name,
        type="HTTP",
        created_at=call.now,
        creator_request_id=call.request_id,
        tags=MANAGED,
    )
    call.tx.put(made)
    return made


def _alias(given: Sequence[Mapping[str, Any]], default_name: str, default_port: int) -> tuple[str, int]:
    """What clients connect to."""
    if len(given) > MOST_ALIASES:
        raise refuse(f"{len(given)} clientAliases exceeds the max limit of {MOST_ALIASES}.")
    port: int = given[0]["port"] if given else default_port
    dns_name: str = (given[0].get("dnsName") if given else None) or default_name
    if not 1 <= port <= MAX_PORT:
        raise refuse(f"The port of a client alias should be between 1 and {MAX_PORT}.")
    if not DNS_NAME.fullmatch(dns_name):
        raise refuse(f"dnsName({dns_name}) is not a name that DNS can have.")
    return dns_name, port


def _port(definition: TaskDefinition, name: str, ingress_port: int | None) -> NamedPort:
    mapping = named_port(definition, name)
    if mapping is None:
        raise refuse(f"portName({name}) does not refer to any named PortMapping in the container definitions.")
    if mapping.transport != "tcp":
        raise refuse(
            f"portName({name}) is a port mapping of the protocol {mapping.transport}: Service Connect carries TCP "
            "alone. Name another port mapping, or let clients find this port by serviceRegistries."
        )
    if ingress_port is None:
        return mapping
    used = (number for c in definition.containers for m in c.get("portMappings") or () for number in port_numbers(m))
    if not 1 <= ingress_port <= MAX_PORT or ingress_port in used:
        raise refuse(f"ingressPortOverride({ingress_port}) should be a port that no container has.")
    return mapping


def _check_owner(service: ConnectService, current: Sequence[ConnectService], namespace: str) -> None:
    """A name and port lead to one discovery name."""
    for other in current:
        same = (other.dns_name.lower(), other.port) == (service.dns_name.lower(), service.port)
        if same and other.discovery_name != service.discovery_name:
            raise refuse(
                f"The client alias {service.dns_name}:{service.port} is that of the discovery name "
                f"{other.discovery_name} in the namespace {namespace}."
            )
