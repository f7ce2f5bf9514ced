"""The attributes of load balancers and target groups: names, defaults, what they may be, and which have an effect.

One table for the API, which checks and answers them, for `decide/elbv2/balancing.py`, which acts on them, and for
`docs/coverage.md`. Records keep only what was set; `load_balancer_attributes` and `group_attributes` fill in the rest.
Sources: `LoadBalancerAttribute` and `TargetGroupAttribute` in the ELBv2 API reference.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from longshore.domain.elbv2.balancer import HTTP_PROTOCOLS, LoadBalancer, TargetGroup

Type = Literal["application", "network"]
BOTH: tuple[Type, ...] = ("application", "network")
ALB: tuple[Type, ...] = ("application",)
NLB: tuple[Type, ...] = ("network",)


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute. A value is one of `words`, or a whole number from `least` to `most`, or fits `pattern`."""

    key: str
    types: tuple[Type, ...] = BOTH
    """The load balancers that have it; of a target group, those that its protocol is for."""
    default: str
    words: tuple[str, ...] = ()
    least: int = 0
    most: int = -1
    pattern: str = ""
    inert: str = ""
    """Why it is kept without effect."""
    refused: str = ""
    """Why nothing but the default is taken."""

    def accepts(self, value: str) -> bool:
        """Whether AWS takes the value."""
        if value in self.words:
            return True
        if self.pattern:
            return re.fullmatch(self.pattern, value) is not None
        return re.fullmatch(r"0|[1-9][0-9]{0,8}", value) is not None and self.least <= int(value) <= self.most

    @property
    def takes(self) -> str:
        """What it may be, in words."""
        parts = [*self.words]
        if self.most >= self.least:
            parts.append(f"a number from {self.least} to {self.most}")
        if self.pattern:
            parts.append("a text")
        return ", ".join(parts)


FLAG = ("true", "false")
BUCKET = r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?"
PREFIX = r"(?!/)(?!.*AWSLogs)(?!(.*/)?\.\.?(/|$))[^\x00-\x1f\x7f\\]{0,1024}"
"""A path below the bucket's folder: it can't lead out of it."""
COOKIE = r"(?!AWSALB)[^\x00-\x20()<>@,;:\\\"/\[\]?={}\x7f-\U0010ffff]{0,512}"
WEEK_S = 604_800
DENY_IPV6 = "ipv6.deny_all_igw_traffic"
"""The one attribute whose default depends on the scheme."""

_ONE_MACHINE = "Every zone is on this machine: there is nothing to balance between zones."
_NO_DNS_FAILOVER = "Names always lead to the load balancer's addresses."
_NO_CONNECTION_LOG = "Connections are not logged yet; access_logs.s3 logs requests."
_NO_NETWORK_LOG = "Only application load balancers log what they are asked."
_NO_IPV6 = "Load balancers have IPv4 addresses alone: nobody reaches them by IPv6."
_ONE_STRICTNESS = "What is ambiguous is refused in every mode, as HAProxy sees it."
_NO_PRESERVING = "Targets see the load balancer's address: use proxy_protocol_v2 to tell them the client's."
_FAIL_OPEN = "Requests go to all targets only when not one is healthy."
_UNHEALTHY = "Connections to a target are ended when it becomes unhealthy."

LOAD_BALANCER: tuple[Attribute, ...] = (
    Attribute(key="access_logs.s3.enabled", types=ALB, default="false", words=FLAG),
    Attribute(key="access_logs.s3.enabled", types=NLB, default="false", words=FLAG, refused=_NO_NETWORK_LOG),
    Attribute(key="access_logs.s3.bucket", default="", pattern=BUCKET),
    Attribute(key="access_logs.s3.prefix", default="", pattern=PREFIX),
    Attribute(key="deletion_protection.enabled", default="false", words=FLAG),
    Attribute(key="load_balancing.cross_zone.enabled", types=ALB, default="true", words=("true",)),
    Attribute(key="load_balancing.cross_zone.enabled", types=NLB, default="false", words=FLAG, inert=_ONE_MACHINE),
    Attribute(key="zonal_shift.config.enabled", default="false", words=FLAG, inert=_ONE_MACHINE),
    Attribute(key=DENY_IPV6, default="false", words=FLAG, inert=_NO_IPV6),
    Attribute(key="idle_timeout.timeout_seconds", types=ALB, default="60", least=1, most=4000),
    Attribute(key="client_keep_alive.seconds", types=ALB, default="3600", least=60, most=WEEK_S),
    Attribute(key="connection_logs.s3.enabled", types=ALB, default="false", words=FLAG, refused=_NO_CONNECTION_LOG),
    Attribute(key="connection_logs.s3.bucket", types=ALB, default="", pattern=BUCKET, inert=_NO_CONNECTION_LOG),
    Attribute(key="connection_logs.s3.prefix", types=ALB, default="", pattern=PREFIX, inert=_NO_CONNECTION_LOG),
    Attribute(
        key="health_check_logs.s3.enabled",
        types=ALB,
        default="false",
        words=FLAG,
        refused="Health checks are not logged; DescribeTargetHealth says why one failed.",
    ),
    Attribute(
        key="health_check_logs.s3.bucket",
        types=ALB,
        default="",
        pattern=BUCKET,
        inert="Health checks are not logged.",
    ),
    Attribute(
        key="health_check_logs.s3.prefix",
        types=ALB,
        default="",
        pattern=PREFIX,
        inert="Health checks are not logged.",
    ),
    Attribute(
        key="routing.http.desync_mitigation_mode",
        types=ALB,
        default="defensive",
        words=("monitor", "defensive", "strictest"),
        inert=_ONE_STRICTNESS,
    ),
    Attribute(key="routing.http.drop_invalid_header_fields.enabled", types=ALB, default="false", words=FLAG),
    Attribute(key="routing.http.preserve_host_header.enabled", types=ALB, default="false", words=FLAG),
    Attribute(key="routing.http.x_amzn_tls_version_and_cipher_suite.enabled", types=ALB, default="false", words=FLAG),
    Attribute(key="routing.http.xff_client_port.enabled", types=ALB, default="false", words=FLAG),
    Attribute(
        key="routing.http.xff_header_processing.mode",
        types=ALB,
        default="append",
        words=("append", "preserve", "remove"),
    ),
    Attribute(key="routing.http2.enabled", types=ALB, default="true", words=FLAG),
    Attribute(
        key="waf.fail_open.enabled",
        types=ALB,
        default="false",
        words=FLAG,
        inert="There is no web application firewall that could fail.",
    ),
    Attribute(
        key="dns_record.client_routing_policy",
        types=NLB,
        default="any_availability_zone",
        words=("availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone"),
        inert=_ONE_MACHINE,
    ),
    Attribute(
        key="secondary_ips.auto_assigned.per_subnet",
        types=NLB,
        default="0",
        most=7,
        refused="A load balancer has one address in each subnet.",
    ),
)
"""What a load balancer has. Of a key with two entries, each is for other types."""

TARGET_GROUP: tuple[Attribute, ...] = (
    Attribute(key="deregistration_delay.timeout_seconds", default="300", most=3600),
    Attribute(key="stickiness.enabled", default="false", words=FLAG),
    Attribute(key="stickiness.type", types=ALB, default="lb_cookie", words=("lb_cookie", "app_cookie")),
    Attribute(key="stickiness.type", types=NLB, default="source_ip", words=("source_ip",)),
    Attribute(
        key="load_balancing.cross_zone.enabled",
        default="use_load_balancer_configuration",
        words=(*FLAG, "use_load_balancer_configuration"),
        inert=_ONE_MACHINE,
    ),
    Attribute(
        key="target_group_health.dns_failover.minimum_healthy_targets.count",
        default="1",
        words=("off",),
        least=1,
        most=1000,
        inert=_NO_DNS_FAILOVER,
    ),
    Attribute(
        key="target_group_health.dns_failover.minimum_healthy_targets.percentage",
        default="off",
        words=("off",),
        least=1,
        most=100,
        inert=_NO_DNS_FAILOVER,
    ),
    Attribute(
        key="target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
        default="1",
        least=1,
        most=1000,
        refused=_FAIL_OPEN,
    ),
    Attribute(
        key="target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        default="off",
        words=("off",),
        least=1,
        most=100,
        refused=_FAIL_OPEN,
    ),
    Attribute(
        key="load_balancing.algorithm.type",
        types=ALB,
        default="round_robin",
        words=("round_robin", "least_outstanding_requests", "weighted_random"),
    ),
    Attribute(
        key="load_balancing.algorithm.anomaly_mitigation",
        types=ALB,
        default="off",
        words=("on", "off"),
        refused="Targets with anomalies are not told from others.",
    ),
    Attribute(key="slow_start.duration_seconds", types=ALB, default="0", words=("0",), least=30, most=900),
    Attribute(key="stickiness.app_cookie.cookie_name", types=ALB, default="", pattern=COOKIE),
    Attribute(key="stickiness.app_cookie.duration_seconds", types=ALB, default="86400", least=1, most=WEEK_S),
    Attribute(key="stickiness.lb_cookie.duration_seconds", types=ALB, default="86400", least=1, most=WEEK_S),
    Attribute(
        key="deregistration_delay.connection_termination.enabled",
        types=NLB,
        default="false",
        words=FLAG,
        inert="Connections that a target still has when its deregistration delay ends are always ended.",
    ),
    Attribute(key="preserve_client_ip.enabled", types=NLB, default="false", words=FLAG, refused=_NO_PRESERVING),
    Attribute(key="proxy_protocol_v2.enabled", types=NLB, default="false", words=FLAG),
    Attribute(
        key="target_health_state.unhealthy.connection_termination.enabled",
        types=NLB,
        default="true",
        words=FLAG,
        refused=_UNHEALTHY,
    ),
    Attribute(
        key="target_health_state.unhealthy.draining_interval_seconds",
        types=NLB,
        default="0",
        most=360_000,
        refused=_UNHEALTHY,
    ),
)
"""What a target group has."""


def group_type(group: TargetGroup) -> Type:
    """The type of load balancer that can forward to a group."""
    return "application" if group.protocol in HTTP_PROTOCOLS else "network"


def attribute(table: Iterable[Attribute], key: str, of: Type) -> Attribute | None:
    """The attribute of a key, as it is for this type; None where the type has none."""
    return next((each for each in table if each.key == key and of in each.types), None)


def load_balancer_attributes(balancer: LoadBalancer) -> dict[str, str]:
    """All attributes of a load balancer, defaults filled in."""
    of_scheme = {DENY_IPV6: "true"} if balancer.scheme == "internal" else {}
    return _complete(LOAD_BALANCER, balancer.type, {**of_scheme, **balancer.attributes})


def group_attributes(group: TargetGroup) -> dict[str, str]:
    """All attributes of a target group, defaults filled in."""
    return _complete(TARGET_GROUP, group_type(group), group.attributes)


def _complete(table: Iterable[Attribute], of: Type, given: Mapping[str, str]) -> dict[str, str]:
    return {each.key: given.get(each.key, each.default) for each in table if of in each.types}
