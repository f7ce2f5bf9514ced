"""Service Connect: what a service says of it, and what the proxy of one task is told.

A service's configuration is part of its revision (`service.Deployment`). A `ConnectPlan` is a value between `control`
and a driver: made by `decide/names/connect.py`, with nothing left to look up.
"""

from typing import Any, Literal, NamedTuple

import msgspec

from longshore.domain.log import LogTarget

Protocol = Literal["tcp", "http", "http2", "grpc"]
"""`appProtocol` of a port mapping; tcp where it has none."""
IDLE_HTTP_S = 300
IDLE_TCP_S = 3600
REQUEST_S = 15
"""What Service Connect waits where a service does not say."""


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of the plain values below."""


class ConnectService(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A port that a service offers under a discovery name. Timeouts in seconds: None is the usual one, 0 is none."""

    port_name: str
    discovery_name: str
    dns_name: str
    """What clients call it."""
    port: int
    """Where clients find it."""
    address: str
    """What the name means in tasks, 127.255.x.y: the same for all of a namespace and as long as the name is in use."""
    listen_port: int
    """Where proxies listen for this name and port: one of its own in the namespace."""
    discovery_arn: str
    """Of the service of Cloud Map in which its tasks are registered."""
    endpoint_port: int
    """Where its tasks answer: the container's port, or `ingress_port`."""
    ingress_port: int | None = None
    idle_timeout_s: int | None = None
    request_timeout_s: int | None = None


class ServiceConnect(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A service's `serviceConnectConfiguration`."""

    given: dict[str, Any]
    """As it was given: what is answered."""
    namespace: str = ""
    """The id of a namespace of Cloud Map; empty: the service takes no part."""
    services: tuple[ConnectService, ...] = ()


class Endpoint(NamedTuple):
    """Where a task answers."""

    address: str
    port: int


class ConnectRoute(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A name and port that a task's containers connect to, and where that leads."""

    dns_name: str
    port: int
    address: str
    """Of the loopback, 127.255.x.y: what the name means in a task."""
    listen_port: int
    """Where the proxy listens, at 127.0.0.1. One of its own, so that a container may have `port` for itself."""
    discovery_name: str
    protocol: Protocol = "tcp"
    idle_timeout_s: int = IDLE_TCP_S
    request_timeout_s: int = 0
    """Seconds without an answer, after which a request has failed; 0: as long as it takes."""
    endpoints: tuple[Endpoint, ...] = ()


class ConnectIngress(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A port of the task at which its proxy takes connections for a container of it."""

    port: int
    container_port: int
    protocol: Protocol = "tcp"
    idle_timeout_s: int = IDLE_TCP_S


class ProxyLog(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Where a proxy logs: which endpoints it ejects and takes in again, and each request if it is asked for."""

    account: str
    target: LogTarget
    requests: Literal["", "TEXT", "JSON"] = ""
    """In which form; empty: they are not logged."""
    with_query: bool = False
    """Whether paths are logged with their query strings."""


class ConnectPlan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The proxy of one task."""

    routes: tuple[ConnectRoute, ...] = ()
    ingresses: tuple[ConnectIngress, ...] = ()
    log: ProxyLog | None = None


class ConnectCounts(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What went through one task's proxy to one discovery name, since the driver was opened."""

    discovery_name: str
    requests: int = 0
    """Connections, where it is TCP."""
    codes: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    """Answers with 1xx, 2xx, … 5xx."""
    connections: int = 0
    """Open now."""
    bytes_in: int = 0
    """From the client."""
    bytes_out: int = 0
    response_time_s: float = 0.0
    """Average over all requests."""
