"""Load balancers, listeners, rules, target groups and targets: what ELBv2 calls them, and who writes which field.

What a user asked for is in these records; what HAProxy is told of it is in `balancing.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import msgspec

from longshore.domain.arn import Arn
from longshore.domain.record import Key, Record, Scope
from longshore.domain.tag import Tags

LoadBalancerType = Literal["application", "network"]
Scheme = Literal["internet-facing", "internal"]
LoadBalancerState = Literal["provisioning", "active", "active_impaired", "failed"]
TargetState = Literal["initial", "healthy", "unhealthy", "unused", "draining", "unavailable"]
SHORT: Mapping[str, str] = {"application": "app", "network": "net"}
"""How ARNs and metrics abbreviate a type."""

DNS_ZONE = "elb.localhost"
"""What load balancers' names end in: who asks nobody takes every `*.localhost` for the host itself (RFC 6761)."""
DNS_ZONE_INSIDE = "elb.internal"
"""The same names again, for programs in tasks that ask nobody, such as curl."""

HTTP_PROTOCOLS = frozenset({"HTTP", "HTTPS"})
"""What application load balancers and their target groups speak; all else is for network load balancers."""

REGISTERING = ("Elb.RegistrationInProgress", "Target registration is in progress")
"""Reason and description of a target that has just come."""
NOT_IN_USE = ("Target.NotInUse", "Target group is not configured to receive traffic from the load balancer")
"""Reason and description of a target whose group nothing forwards to."""


class Zone(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A load balancer's place in an availability zone: a subnet, and its address there."""

    name: str
    subnet_id: str
    interface_id: str
    address: str
    chosen: bool = False
    """Whether the address was asked for: only then ELBv2 answers it."""


class LoadBalancer(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A load balancer. Written by the API but for `state` and `state_reason`, which `control/balancers.py` writes.

    Its `NetworkInterface`s come and go with its zones, in the same transaction.
    """

    kind: ClassVar[str] = "load_balancer"

    lb_id: str
    """16 hexadecimal digits, the last part of the ARN."""
    name: str
    type: LoadBalancerType
    scheme: Scheme
    vpc_id: str
    zones: tuple[Zone, ...]
    security_groups: tuple[str, ...] = ()
    ip_address_type: str = "ipv4"
    dns_name: str
    created_at: float
    attributes: dict[str, str] = {}
    """What was set; what is not here has its default."""
    tags: Tags = {}
    state: LoadBalancerState = "provisioning"
    """`active_impaired`: it works, but as it was before a change that the data plane can't make, for the reason."""
    state_reason: str = ""

    def names(self) -> Key:
        """By id."""
        return (self.lb_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by name, by DNS name over all scopes, and by VPC."""
        yield "scope", self.scope
        yield "name", (*self.scope, self.name)
        yield "dns", (self.dns_name,)
        yield "vpc", (*self.scope, self.vpc_id)

    @property
    def path(self) -> str:
        """`app/NAME/ID`, as metrics and access logs name it."""
        return f"{SHORT[self.type]}/{self.name}/{self.lb_id}"

    @property
    def arn(self) -> str:
        """`arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/NAME/ID`."""
        return elb_arn(self.scope, "loadbalancer", self.path)


class Listener(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A listener. Written by the API."""

    kind: ClassVar[str] = "listener"

    lb_id: str
    lb_path: str
    """`app/NAME/ID` of its load balancer: the first part of its own ARN."""
    listener_id: str
    default_rule_id: str
    """The id in the ARN of its default rule, which has no record of its own."""
    port: int
    protocol: str
    ssl_policy: str = ""
    certificates: tuple[str, ...] = ()
    """ARNs; the default certificate is the first."""
    alpn_policy: str = ""
    mutual_authentication: dict[str, Any] = {}
    """`MutualAuthentication` as ELBv2 answers it; empty when off."""
    default_actions: tuple[dict[str, Any], ...]
    """`Action`s as ELBv2 answers them, `ForwardConfig` filled in."""
    attributes: dict[str, str] = {}
    created_at: float
    tags: Tags = {}
    default_rule_tags: Tags = {}

    def names(self) -> Key:
        """By load balancer and id."""
        return (self.lb_id, self.listener_id)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By load balancer; by each target group it forwards to; by each certificate and trust store."""
        yield "load_balancer", (self.lb_id,)
        for arn in forwarded_groups(self.default_actions):
            yield "group", (arn,)
        for arn in self.certificates:
            yield "certificate", (arn,)
        if store := self.mutual_authentication.get("TrustStoreArn"):
            yield "trust_store", (store,)

    @property
    def arn(self) -> str:
        """`arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/LB/ID`."""
        return elb_arn(self.scope, "listener", f"{self.lb_path}/{self.listener_id}")

    @property
    def load_balancer_arn(self) -> str:
        """Of its load balancer."""
        return elb_arn(self.scope, "loadbalancer", self.lb_path)

    @property
    def default_rule_arn(self) -> str:
        """The ARN of its default rule."""
        return elb_arn(self.scope, "listener-rule", f"{self.lb_path}/{self.listener_id}/{self.default_rule_id}")


class Rule(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A rule of a listener, but for the default one, which is the listener's `default_actions`. Written by the API."""

    kind: ClassVar[str] = "rule"

    lb_id: str
    lb_path: str
    listener_id: str
    rule_id: str
    priority: int
    conditions: tuple[dict[str, Any], ...]
    """`RuleCondition`s as ELBv2 answers them."""
    actions: tuple[dict[str, Any], ...]
    transforms: tuple[dict[str, Any], ...] = ()
    created_at: float
    tags: Tags = {}

    def names(self) -> Key:
        """By load balancer, listener and id."""
        return (self.lb_id, self.listener_id, self.rule_id)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By listener, by load balancer, by priority in its listener, and by each target group it forwards to."""
        yield "listener", (self.lb_id, self.listener_id)
        yield "load_balancer", (self.lb_id,)
        yield "priority", (self.lb_id, self.listener_id, str(self.priority))
        for arn in forwarded_groups(self.actions):
            yield "group", (arn,)

    @property
    def arn(self) -> str:
        """`arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener-rule/app/NAME/LB/LISTENER/ID`."""
        return elb_arn(self.scope, "listener-rule", f"{self.lb_path}/{self.listener_id}/{self.rule_id}")

    @property
    def load_balancer_arn(self) -> str:
        """Of its load balancer."""
        return elb_arn(self.scope, "loadbalancer", self.lb_path)


class HealthCheckSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a target group checks its targets, defaults filled in."""

    enabled: bool = True
    protocol: str = "HTTP"
    port: str = "traffic-port"
    path: str = ""
    """Empty for TCP checks."""
    interval_s: int = 30
    timeout_s: int = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    matcher: str = ""
    """HTTP codes such as `200,202-299`, or gRPC codes; empty for TCP checks."""


class TargetGroup(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A target group. Written by the API."""

    kind: ClassVar[str] = "target_group"

    group_id: str
    """16 hexadecimal digits, the last part of the ARN; unique over all scopes."""
    name: str
    protocol: str
    protocol_version: str = ""
    """HTTP1, HTTP2 or GRPC; empty for groups of network load balancers."""
    port: int
    vpc_id: str
    target_type: Literal["instance", "ip", "lambda", "alb"]
    ip_address_type: str = "ipv4"
    health_check: HealthCheckSettings
    attributes: dict[str, str] = {}
    """What was set; what is not here has its default."""
    created_at: float
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.group_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by id over all scopes, and by name."""
        yield "scope", self.scope
        yield "id", (self.group_id,)
        yield "name", (*self.scope, self.name)

    @property
    def path(self) -> str:
        """`targetgroup/NAME/ID`, as metrics name it."""
        return f"targetgroup/{self.name}/{self.group_id}"

    @property
    def arn(self) -> str:
        """`arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID`."""
        return elb_arn(self.scope, self.path)


class Target(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A registered target; it exists until it has drained.

    Two writers: what is registered and when it was deregistered comes from the API or, for a service's tasks, from
    `control/ecs/services.py`; `state`, `reason` and `description` are what the data plane saw, from
    `control/balancers.py`.
    """

    kind: ClassVar[str] = "target"

    group_id: str
    target_id: str
    """An address or an instance id."""
    port: int
    address: str
    """Where it answers: the address itself, or that of the instance."""
    availability_zone: str = ""
    registered_at: float
    deregistered_at: float | None = None
    """When it began to drain."""
    cluster: str = ""
    task_id: str = ""
    """The task that a service registered; empty for a user's own target."""
    service_uid: str = ""
    state: TargetState = "initial"
    reason: str = REGISTERING[0]
    description: str = REGISTERING[1]
    changed_at: float | None = None
    """When the state last changed."""

    def names(self) -> Key:
        """By group, target and port."""
        return (self.group_id, self.target_id, str(self.port))

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By group, by task, by service."""
        yield "group", (self.group_id,)
        if self.task_id:
            yield "task", (self.task_id,)
        if self.service_uid:
            yield "service", (self.service_uid,)

    @property
    def draining(self) -> bool:
        """Whether it gets no new connections any more."""
        return self.deregistered_at is not None


class TrustStore(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Certificate authorities that mutual TLS trusts. Written by the API."""

    kind: ClassVar[str] = "trust_store"

    store_id: str
    name: str
    bundle_pem: str
    revocations: tuple[dict[str, Any], ...] = ()
    """`RevocationId`, `RevocationType`, `NumberOfRevokedEntries` and the list itself, `Pem`."""
    created_at: float
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.store_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and by name."""
        yield "scope", self.scope
        yield "name", (*self.scope, self.name)

    @property
    def arn(self) -> str:
        """`arn:aws:elasticloadbalancing:REGION:ACCOUNT:truststore/NAME/ID`."""
        return elb_arn(self.scope, "truststore", f"{self.name}/{self.store_id}")


def elb_arn(scope: Scope, *path: str) -> str:
    """An ARN of Elastic Load Balancing."""
    return str(Arn("elasticloadbalancing", scope, "/".join(path)))


def group_key_of(arn: str) -> Key | None:
    """The store's key of the target group that an ARN names; None if it names something else."""
    parsed = Arn.parse(arn)
    if parsed is None or parsed.service != "elasticloadbalancing":
        return None
    parts = parsed.resource.split("/")
    return (*parsed.scope, parts[2]) if parts[0] == "targetgroup" and len(parts) == 3 else None


def forwarded_groups(actions: tuple[dict[str, Any], ...]) -> dict[str, None]:
    """The ARNs of the target groups that some actions forward to, each once."""
    found: dict[str, None] = {}
    for action in actions:
        if action.get("TargetGroupArn"):
            found[action["TargetGroupArn"]] = None
        for group in (action.get("ForwardConfig") or {}).get("TargetGroups") or ():
            found[group["TargetGroupArn"]] = None
    return found


def dns_name_in(target: str) -> str:
    """The `dns_name` of the load balancer that an alias leads to, there or not; empty where it leads to none's."""
    name = target.lower().removesuffix(".").removeprefix("dualstack.")
    for zone in (DNS_ZONE, DNS_ZONE_INSIDE):
        if name.endswith(f".{zone}"):
            return name.removesuffix(zone) + DNS_ZONE
    return ""
