"""Service Connect: who answers to which name in a namespace, and what the proxy of a task is told of it.

Pure. Called by `control/names/connect.py`, and by the API for a new name's address (`place`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import msgspec

from longshore.decide.ecs.log_target import log_target
from longshore.domain.ecs.service import Deployment
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.names.connect import (
    IDLE_HTTP_S,
    IDLE_TCP_S,
    REQUEST_S,
    ConnectIngress,
    ConnectPlan,
    ConnectRoute,
    ConnectService,
    Endpoint,
    Protocol,
    ProxyLog,
    ServiceConnect,
)

FIRST_PORT, LAST_PORT = 61_001, 65_535
"""Where proxies listen: above the ports that Linux gives to outgoing connections."""
ADDRESSES = 65_534
"""Of names: 127.255.0.1 to 127.255.255.254."""
PROXY_NAME = "ecs-service-connect"
"""Of the proxy in the names of log streams."""
DRAIN_S = 30.0
"""How long a task that is to stop waits for connections that come through proxies."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one deployment offers in its namespace."""

    deployment: Deployment
    definition: TaskDefinition
    tasks: Sequence[Task]
    """Its live tasks."""


class NamedPort(NamedTuple):
    """A port mapping that has a name."""

    container_port: int
    protocol: Protocol
    transport: str = "tcp"


def named_port(definition: TaskDefinition, name: str) -> NamedPort | None:
    """The port mapping of this name."""
    for container in definition.containers:
        for mapping in container.get("portMappings") or ():
            if mapping.get("name") == name and mapping.get("containerPort") is not None:
                protocol = cast("Protocol", mapping.get("appProtocol") or "tcp")
                return NamedPort(mapping["containerPort"], protocol, mapping.get("protocol") or "tcp")
    return None


# ------------------------------------------------------------------------------------------------------ endpoints


def ready(task: Task) -> bool:
    """Whether a task is to be found: it runs, is to go on, and none of its health checks speaks against it."""
    if not task.wanted or task.last_status != "RUNNING" or task.attachment is None:
        return False
    checked = any(container.essential and container.has_health_check for container in task.containers)
    return task.health == "HEALTHY" if checked else task.health != "UNHEALTHY"


def endpoints_of(task: Task, connect: ServiceConnect | None) -> dict[str, Endpoint]:
    """Where a task answers, by discovery name; whether it does is another question."""
    if connect is None or task.attachment is None or not task.attachment.private_ip:
        return {}
    found = {}
    for service in connect.services:
        found[service.discovery_name] = Endpoint(task.attachment.private_ip, service.endpoint_port)
    return found


def routes_of(offers: Iterable[Offer], answering: Callable[[Endpoint], bool]) -> tuple[ConnectRoute, ...]:
    """Every name of a namespace with who answers to it. Where deployments differ, the newest is right."""
    routes: dict[tuple[str, int], ConnectRoute] = {}
    endpoints: dict[str, set[Endpoint]] = {}
    for offer in sorted(offers, key=lambda each: (each.deployment.created_at, each.deployment.number)):
        connect = offer.deployment.service_connect
        for service in connect.services if connect else ():
            port = named_port(offer.definition, service.port_name)
            if port is not None:
                routes[service.dns_name, service.port] = _route(service, port)
        for task in filter(ready, offer.tasks):
            for name, endpoint in endpoints_of(task, connect).items():
                if answering(endpoint):
                    endpoints.setdefault(name, set()).add(endpoint)
    return tuple(_with(route, sorted(endpoints.get(route.discovery_name, ()))) for _, route in sorted(routes.items()))


def plan_of(
    connect: ServiceConnect | None, definition: TaskDefinition, routes: tuple[ConnectRoute, ...], task: Task
) -> ConnectPlan:
    """What the proxy of a task is told."""
    log = proxy_log(connect, task) if connect is not None else None
    return ConnectPlan(routes=routes, ingresses=tuple(_ingresses(connect, definition)), log=log)


def proxy_log(connect: ServiceConnect, task: Task) -> ProxyLog | None:
    """Where a task's proxy logs: the stream `PREFIX/ecs-service-connect/TASK`."""
    container = {"name": PROXY_NAME, "logConfiguration": connect.given.get("logConfiguration")}
    target = log_target(container, task_id=task.task_id, region=task.region, container_id=task.task_id)
    if target is None:
        return None
    requests = connect.given.get("accessLogConfiguration") or {}
    return ProxyLog(
        account=task.account,
        target=target,
        requests=requests.get("format", ""),
        with_query=requests.get("includeQueryParameters") == "ENABLED",
    )


def uses(plan: ConnectPlan, endpoints: Iterable[Endpoint]) -> bool:
    """Whether a proxy with this plan sends anything to one of these."""
    wanted = set(endpoints)
    return any(not wanted.isdisjoint(route.endpoints) for route in plan.routes)


def addresses_of(routes: Iterable[ConnectRoute]) -> dict[str, str]:
    """What the names of a namespace mean in its tasks."""
    return {route.dns_name.lower(): route.address for route in routes}


def _route(service: ConnectService, port: NamedPort) -> ConnectRoute:
    request_s = service.request_timeout_s
    return ConnectRoute(
        dns_name=service.dns_name,
        port=service.port,
        address=service.address,
        listen_port=service.listen_port,
        discovery_name=service.discovery_name,
        protocol=port.protocol,
        idle_timeout_s=_idle_s(service, port),
        request_timeout_s=0 if port.protocol == "tcp" else REQUEST_S if request_s is None else request_s,
    )


def _with(route: ConnectRoute, endpoints: Sequence[Endpoint]) -> ConnectRoute:
    return msgspec.structs.replace(route, endpoints=tuple(endpoints))


def _ingresses(connect: ServiceConnect | None, definition: TaskDefinition) -> Iterator[ConnectIngress]:
    for service in connect.services if connect else ():
        port = named_port(definition, service.port_name)
        if service.ingress_port is not None and port is not None:
            yield ConnectIngress(
                port=service.ingress_port,
                container_port=port.container_port,
                protocol=port.protocol,
                idle_timeout_s=_idle_s(service, port),
            )


def _idle_s(service: ConnectService, port: NamedPort) -> int:
    usual = IDLE_TCP_S if port.protocol == "tcp" else IDLE_HTTP_S
    return usual if service.idle_timeout_s is None else service.idle_timeout_s


# ---------------------------------------------------------------------------------------------- a new name's place


class Place(NamedTuple):
    """Where proxies of a namespace have a name and port."""

    address: str
    listen_port: int


def place(dns_name: str, port: int, taken: Iterable[ConnectService]) -> Place | None:
    """The place of a name and port among those of its namespace; what has one keeps it. None: there is no room."""
    taken = list(taken)
    addresses = {each.dns_name.lower(): each.address for each in taken}
    ports = {(each.dns_name.lower(), each.port): each.listen_port for each in taken}
    name = dns_name.lower()
    address = addresses.get(name) or _free(map(_address, range(1, ADDRESSES + 1)), addresses)
    listen_port = ports.get((name, port)) or _free(range(FIRST_PORT, LAST_PORT + 1), ports)
    return None if address is None or listen_port is None else Place(address, listen_port)


def _address(number: int) -> str:
    return f"127.255.{number >> 8}.{number & 255}"


def _free(candidates: Iterable[Any], taken: Mapping[Any, Any]) -> Any:
    used = set(taken.values())
    return next((each for each in candidates if each not in used), None)
