"""Cloud Map: namespaces, their services and instances, and the operations that changed them; who writes which field.

A DNS namespace has a hosted zone (`zone.py`), in which the name server finds its services and instances by the indexes
of these records: nothing is kept twice. ECS's services are in `service.py`; a service here is one of Cloud Map's.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple

import msgspec

from longshore.domain.arn import Arn
from longshore.domain.names.dns_name import parents
from longshore.domain.record import Key, Record, Scope
from longshore.domain.tag import Tags

NamespaceType = Literal["DNS_PRIVATE", "DNS_PUBLIC", "HTTP"]
ServiceType = Literal["HTTP", "DNS_HTTP", "DNS"]
DnsType = Literal["A", "AAAA", "SRV", "CNAME"]
RoutingPolicy = Literal["MULTIVALUE", "WEIGHTED"]
InstanceHealth = Literal["HEALTHY", "UNHEALTHY"]
OperationType = Literal[
    "CREATE_NAMESPACE",
    "DELETE_NAMESPACE",
    "UPDATE_NAMESPACE",
    "UPDATE_SERVICE",
    "REGISTER_INSTANCE",
    "DEREGISTER_INSTANCE",
]

IPV4, IPV6, PORT, CNAME = "AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6", "AWS_INSTANCE_PORT", "AWS_INSTANCE_CNAME"
ALIAS = "AWS_ALIAS_DNS_NAME"
INIT_HEALTH = "AWS_INIT_HEALTH_STATUS"
"""The attributes that mean something to Cloud Map itself."""


class Namespace(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A namespace. Written by the API; its hosted zone comes and goes in the same transaction."""

    kind: ClassVar[str] = "namespace"

    namespace_id: str
    """`ns-` and 16 letters and digits."""
    name: str
    type: NamespaceType
    description: str = ""
    vpc_id: str = ""
    hosted_zone_id: str = ""
    """Empty for an HTTP namespace."""
    created_at: float
    creator_request_id: str = ""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.namespace_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, and by name in small letters."""
        yield "scope", self.scope
        yield "name", (*self.scope, self.name.lower())

    @property
    def arn(self) -> str:
        """`arn:aws:servicediscovery:REGION:ACCOUNT:namespace/ns-…`."""
        return naming_arn(self.scope, "namespace", self.namespace_id)


class RecordSetting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of a service's `DnsRecords`: of which type each instance gets a record, and for how long it may be kept."""

    type: DnsType
    ttl_s: int


class EndpointCheck(NamedTuple):
    """One check of an instance: where, and what to ask for."""

    type: Literal["HTTP", "HTTPS", "TCP"]
    address: str
    port: int
    path: str
    """Empty for TCP."""


class HealthCheckConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How instances are checked, in place of Route 53's checkers on the internet from this machine."""

    type: Literal["HTTP", "HTTPS", "TCP"]
    path: str = ""
    failure_threshold: int = 1


class DiscoveryService(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A service of Cloud Map. Written by the API; `revision` by whoever changes its instances."""

    kind: ClassVar[str] = "discovery_service"

    service_id: str
    """`srv-` and 16 letters and digits."""
    namespace_id: str
    name: str
    type: ServiceType
    description: str = ""
    hosted_zone_id: str = ""
    """Of its namespace, where it has records there."""
    routing_policy: RoutingPolicy = "MULTIVALUE"
    records: tuple[RecordSetting, ...] = ()
    health_check: HealthCheckConfig | None = None
    custom_health: bool = False
    """Whether instances are as healthy as somebody says they are."""
    created_at: float
    creator_request_id: str = ""
    revision: int = 0
    """`InstancesRevision`: more with every change of an instance."""
    attributes: dict[str, str] = {}
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.service_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, namespace and name; and by name within its zone, where it and the names above it are found."""
        yield "scope", self.scope
        yield "namespace", (*self.scope, self.namespace_id)
        yield "name", (*self.scope, self.namespace_id, self.unique_name)
        if self.records:
            yield "zone", (self.hosted_zone_id,)
            yield "record", (self.hosted_zone_id, self.name.lower())
            for parent in parents(self.name.lower()):
                yield "below", (self.hosted_zone_id, parent)

    @property
    def unique_name(self) -> str:
        """What no two services of a namespace share: in DNS, letters are the same whether large or small."""
        return self.name.lower() if self.records else self.name

    @property
    def arn(self) -> str:
        """`arn:aws:servicediscovery:REGION:ACCOUNT:service/srv-…`."""
        return naming_arn(self.scope, "service", self.service_id)

    def ttl_s(self, record_type: str) -> int | None:
        """How long its records of this type may be kept; None where it has none."""
        return next((setting.ttl_s for setting in self.records if setting.type == record_type), None)


class ServiceInstance(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A registered instance: somewhere that a service's name leads to.

    Two writers, one per instance: the API for those that a user registered; for the tasks of ECS's services
    `control/names/discovery.py`, in the transaction that changes the task. The API may take any of them away. Where the
    service has a HealthCheckConfig, `health` is `control/names/health.py`'s.
    """

    kind: ClassVar[str] = "service_instance"

    service_id: str
    instance_id: str
    """For a task its id."""
    attributes: dict[str, str] = {}
    health: InstanceHealth = "HEALTHY"
    registered_at: float
    creator_request_id: str = ""
    task_id: str = ""
    """The task of an ECS service that it is; empty for a user's own."""

    def names(self) -> Key:
        """By service and id."""
        return (self.service_id, self.instance_id)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By service, by service and health, by its label in DNS, by task."""
        yield "service", (*self.scope, self.service_id)
        yield "health", (*self.scope, self.service_id, self.health)
        yield "label", (*self.scope, self.service_id, self.instance_id.lower())
        if self.task_id:
            yield "task", (self.task_id,)
            yield "of_tasks", ()


class NamingOperation(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a request to Cloud Map did. Written once by the API: changes are done when they are answered."""

    kind: ClassVar[str] = "naming_operation"

    operation_id: str
    type: OperationType
    targets: dict[str, str]
    """Ids by `NAMESPACE`, `SERVICE`, `INSTANCE`."""
    created_at: float
    error_code: str = ""
    """Why it came to nothing; empty for the others, which succeeded."""
    error_message: str = ""
    token: str = ""
    """The request's CreatorRequestId or UpdaterRequestId, with the operation's name before it."""
    request_digest: str = ""
    """Of the request behind the token: tells a repeated call from a different one."""

    @property
    def status(self) -> str:
        """SUCCESS or FAIL: none is under way, for changes are done when they are answered."""
        return "FAIL" if self.error_code else "SUCCESS"

    def names(self) -> Key:
        """By id."""
        return (self.operation_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, and by token."""
        yield "scope", self.scope
        if self.token:
            yield "token", (*self.scope, self.token)


def naming_arn(scope: Scope, kind: str, name: str) -> str:
    """An ARN of Cloud Map."""
    return str(Arn("servicediscovery", scope, f"{kind}/{name}"))
