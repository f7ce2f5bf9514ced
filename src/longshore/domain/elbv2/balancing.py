"""What a load balancer driver is told and what it reports: a data plane with nothing left to look up or decide.

`decide/elbv2/balancing.py` makes a `BalancerPlan` from the records of `balancer.py`. Plans are compared, hashed and
rendered, so everything in them is immutable. Targets are not part of the plan: they come and go one by one.
"""

from typing import Literal

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of the plain values below."""


class CheckPlan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """How targets of a group are checked."""

    enabled: bool
    protocol: Literal["HTTP", "HTTPS", "TCP", "TLS"]
    port: int | None
    """None: the target's own."""
    path: str
    codes: tuple[tuple[int, int], ...]
    """Ranges of codes that are a success, both ends included."""
    grpc: bool
    interval_s: int
    timeout_s: int
    healthy_threshold: int
    unhealthy_threshold: int


class GroupPlan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A target group that something forwards to."""

    group_id: str
    arn: str = ""
    """For access logs."""
    layer: Literal["http", "tcp"]
    """http behind an application load balancer, tcp behind a network load balancer."""
    tls: bool = False
    """Whether targets speak TLS (HTTPS and TLS groups); their certificate is not checked, as on AWS."""
    protocol_version: Literal["", "HTTP1", "HTTP2", "GRPC"] = ""
    algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"] = "round_robin"
    slow_start_s: int = 0
    stickiness: Literal["", "lb_cookie", "app_cookie", "source_ip"] = ""
    stickiness_s: int = 0
    cookie_name: str = ""
    """The application's cookie (app_cookie)."""
    proxy_protocol: bool = False
    idle_timeout_s: int = 60
    """Of the connections to its targets: that of the load balancer which uses it."""
    source: str = ""
    """Where connections and checks come from, as targets see it: an address of its load balancer. Empty: the host's."""
    check: CheckPlan


class Condition(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One condition of a rule; any of its values fulfils it. `*` and `?` in `values` are wildcards."""

    field: Literal["host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"]
    name: str = ""
    """Of the header (http-header)."""
    values: tuple[str, ...] = ()
    """Patterns; methods (exact); CIDRs."""
    regexes: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    """`(key pattern or "", value pattern)` (query-string)."""


class WeightedGroup(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A target group's share of what a rule forwards."""

    group_id: str
    weight: int = 1


class Forward(Value, frozen=True, kw_only=True, omit_defaults=True, tag="forward"):
    """Forward to target groups by weight."""

    groups: tuple[WeightedGroup, ...]
    stickiness_s: int = 0
    """How long a client stays with its group; 0: not at all."""


class Redirect(Value, frozen=True, kw_only=True, omit_defaults=True, tag="redirect"):
    """Answer with a redirect; `#{protocol} #{host} #{port} #{path} #{query}` stand for the request's own."""

    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"
    status: Literal[301, 302]


class FixedResponse(Value, frozen=True, kw_only=True, omit_defaults=True, tag="fixed"):
    """Answer with a text."""

    status: int
    content_type: str = ""
    body: str = ""


class Rewrite(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A transform: what a regular expression finds in the host header or the URL is replaced before forwarding."""

    what: Literal["host-header", "url"]
    regex: str
    replacement: str
    """`$1` … `$9` stand for what the groups caught."""


class RulePlan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A rule. Rules come in the order of their priorities; the default one, without conditions, last."""

    rule_id: str
    priority: int = 0
    """0: the default rule. For access logs; the order is what counts."""
    conditions: tuple[Condition, ...] = ()
    action: Forward | Redirect | FixedResponse
    rewrites: tuple[Rewrite, ...] = ()


class MutualTls(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Client certificates: passed on unchecked (passthrough), or checked against a trust store (verify)."""

    mode: Literal["passthrough", "verify"]
    bundle_pem: str = ""
    revocations_pem: tuple[str, ...] = ()
    ignore_expiry: bool = False


class ListenerPlan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A listener."""

    listener_id: str
    port: int
    protocol: Literal["HTTP", "HTTPS", "TCP", "TLS"]
    rules: tuple[RulePlan, ...]
    certificates: tuple[str, ...] = ()
    """`CertificatePlan.certificate_id`s; the default one first."""
    ssl_policy: str = ""
    alpn: tuple[str, ...] = ()
    """Protocols offered in TLS's ALPN, most wanted first, such as `h2`, `http/1.1`."""
    mutual_tls: MutualTls | None = None
    tcp_idle_timeout_s: int = 350
    header_names: tuple[tuple[str, str], ...] = ()
    """`(usual name, name)` of headers about client certificates and TLS that targets get under another name."""
    response_headers: tuple[tuple[str, str], ...] = ()
    """`(name, value)`: of every answer, whatever the target says."""
    server_header: bool = True
    """Whether the load balancer's own answers say what made them."""


class LoadBalancerPlan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A load balancer."""

    lb_id: str
    account: str
    region: str
    path: str
    """`app/NAME/ID`."""
    type: Literal["application", "network"]
    dns_name: str
    vpc_id: str
    vpc_cidr: str
    addresses: tuple[str, ...]
    listeners: tuple[ListenerPlan, ...] = ()
    idle_timeout_s: int = 60
    keepalive_s: int = 3600
    http2: bool = True
    drop_invalid_headers: bool = False
    forwarded_for: Literal["append", "preserve", "remove"] = "append"
    forwarded_for_port: bool = False
    preserve_host: bool = False
    tls_headers: bool = False
    access_log_bucket: str = ""
    """Where access logs go (a folder of that name); empty: nowhere."""
    access_log_prefix: str = ""


class CertificatePlan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate with its chain and private key, in PEM. Never logged, never on a disk."""

    certificate_id: str
    arn: str = ""
    """For access logs."""
    pem: str
    names: tuple[str, ...] = ()
    """Those it is for."""


class HostPort(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A port at which load balancers listen, where they share one of the host: which is meant by what name.

    Load balancers' own DNS names come before all that.
    """

    port: int
    names: tuple[tuple[str, str], ...] = ()
    """`(host, listener's id)`, in small letters; `*.` stands for one label, and exact names come before such ones."""
    every: str = ""
    """The listener that every name means: the only one at this port."""


class BalancerPlan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The whole data plane but its targets."""

    load_balancers: tuple[LoadBalancerPlan, ...] = ()
    groups: tuple[GroupPlan, ...] = ()
    certificates: tuple[CertificatePlan, ...] = ()
    host_ports: tuple[HostPort, ...] = ()


class Problem(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Why a load balancer isn't as planned."""

    reason: str
    serving: bool = False
    """Whether it goes on as it was when it last worked."""
    groups: tuple[str, ...] = ()
    """The ids of the groups that it then forwards to."""


class TargetPlan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A target of a group that is in the plan; the key of all that is said of it."""

    group_id: str
    address: str
    port: int


class TargetObservation(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What the data plane sees of a target.

    `drained`: it was told to drain, and its last connection has ended.
    """

    target: TargetPlan
    state: Literal["initial", "healthy", "unhealthy", "drained"]
    reason: str = ""
    """ELBv2's: `Target.ResponseCodeMismatch`, `Target.Timeout`, `Target.FailedHealthChecks` …"""
    description: str = ""


class GroupCounts(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Counters of one target group behind one load balancer since the data plane began to count."""

    lb_id: str
    group_id: str
    requests: int
    """Those that a target was chosen for, whether it answered or not."""
    codes: tuple[int, int, int, int, int]
    """Answers of its targets by class: 1XX to 5XX."""
    response_time_s: float
    """Average of the last thousand or so, from the request's end to the answer's begin."""
    connections: int
    """Open right now."""


class BalancerCounts(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Counters of one load balancer."""

    lb_id: str
    requests: int
    codes: tuple[int, int, int, int, int]
    """Answers to clients by class."""
    connections: int
    bytes_in: int
    bytes_out: int
