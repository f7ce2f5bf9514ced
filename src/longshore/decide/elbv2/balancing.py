"""What load balancer drivers are told: the plan of the whole data plane, from the records; and what they say. Pure.

Called by `control/balancers.py`. The same records make the same plan, in whatever order they come. A listener without
a load balancer, a rule without a listener, a certificate that is not there: what hangs in the air is not in the plan.
A group that something forwards to is always there: the API deletes none in use.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from longshore.decide.elbv2.balancing_rules import rule_plans
from longshore.decide.elbv2.hosts import Placed, host_ports
from longshore.domain.elbv2.balancer import (
    Listener,
    LoadBalancer,
    LoadBalancerState,
    Rule,
    TargetGroup,
    TrustStore,
    forwarded_groups,
)
from longshore.domain.elbv2.balancer_attributes import group_attributes, group_type, load_balancer_attributes
from longshore.domain.elbv2.balancing import (
    BalancerPlan,
    CertificatePlan,
    CheckPlan,
    GroupPlan,
    ListenerPlan,
    LoadBalancerPlan,
    MutualTls,
    Problem,
)
from longshore.domain.elbv2.health_check import TRAFFIC_PORT, code_ranges
from longshore.domain.elbv2.listener_attributes import (
    SERVER,
    TCP_IDLE_TIMEOUT,
    listener_attributes,
    request_header_names,
    response_headers,
)
from longshore.domain.record import Key

Document = Mapping[str, Any]

ALPN: Mapping[str, tuple[str, ...]] = {
    "HTTP1Only": ("http/1.1", "http/1.0"),
    "HTTP2Only": ("h2",),
    "HTTP2Optional": ("http/1.1", "http/1.0", "h2"),
    "HTTP2Preferred": ("h2", "http/1.1", "http/1.0"),
    "None": (),
}
"""What a TLS listener of a network load balancer offers, by its ALPN policy."""


class Known(NamedTuple):
    """What plans of load balancers look up: rules by listener, the others by ARN."""

    rules: Mapping[Key, Sequence[Rule]]
    groups: Mapping[str, TargetGroup]
    certificates: Mapping[str, CertificatePlan]
    trust_stores: Mapping[str, TrustStore]

    def rules_of(self, listener: Listener) -> Sequence[Rule]:
        """The rules of a listener but for the default one."""
        return self.rules.get(listener.key, ())


def plan_of(
    load_balancers: Iterable[LoadBalancer],
    listeners: Iterable[Listener],
    rules: Iterable[Rule],
    groups: Iterable[TargetGroup],
    certificates: Mapping[str, CertificatePlan],
    trust_stores: Iterable[TrustStore],
    vpc_cidrs: Mapping[str, str],
    aliases: Mapping[str, frozenset[str]],
) -> BalancerPlan:
    """The plan.

    certificates: by ARN, their keys unsealed. vpc_cidrs: by the ids of VPCs. aliases: by load balancers' DNS names, the
    names that lead to them.
    """
    rules_of: dict[Key, list[Rule]] = {}
    for rule in rules:
        rules_of.setdefault((*rule.scope, rule.lb_id, rule.listener_id), []).append(rule)
    known = Known(
        rules_of, {group.arn: group for group in groups}, certificates, {store.arn: store for store in trust_stores}
    )
    listeners_of: dict[str, list[Listener]] = {}
    for listener in sorted(listeners, key=lambda each: (each.port, each.listener_id)):
        listeners_of.setdefault(listener.lb_id, []).append(listener)
    planned: list[LoadBalancerPlan] = []
    placed: list[Placed] = []
    idle_s: dict[str, int] = {}
    source: dict[str, str] = {}
    for balancer in sorted(load_balancers, key=lambda each: each.lb_id):
        own = listeners_of.get(balancer.lb_id, [])
        planned.append(_load_balancer(balancer, own, known, vpc_cidrs.get(balancer.vpc_id, "")))
        placed.append(Placed(planned[-1], balancer.created_at, aliases.get(balancer.dns_name, frozenset())))
        for listener in own:
            for arn in _forwarded_by(listener, known):
                idle_s[arn] = max(idle_s.get(arn, 0), _idle_timeout_s(balancer, listener))
                source[arn] = balancer.zones[0].address if balancer.zones else ""
    served = {name for balancer in planned for each in balancer.listeners for name in each.certificates}
    by_id = {each.certificate_id: each for each in certificates.values() if each.certificate_id in served}
    return BalancerPlan(
        load_balancers=tuple(planned),
        groups=tuple(
            sorted(
                (_group(group, idle_s[arn], source[arn]) for arn, group in known.groups.items() if arn in idle_s),
                key=lambda each: each.group_id,
            )
        ),
        certificates=tuple(by_id[name] for name in sorted(by_id)),
        host_ports=host_ports(placed, {name: each.names for name, each in by_id.items()}),
    )


def state_of(problem: Problem | None) -> tuple[LoadBalancerState, str]:
    """The state of a load balancer in the plan, and the reason for it."""
    if problem is None:
        return "active", ""
    if problem.serving:
        return "active_impaired", f"The last change is not in effect; all goes on as it was before. {problem.reason}"
    return "failed", problem.reason


def _forwarded_by(listener: Listener, known: Known) -> set[str]:
    """The ARNs of the groups that a listener forwards to, by whichever rule."""
    actions = (listener.default_actions, *(rule.actions for rule in known.rules_of(listener)))
    return {arn for each in actions for arn in forwarded_groups(each)}


# ------------------------------------------------------------------------------------------------- load balancers


def _load_balancer(
    balancer: LoadBalancer, listeners: Iterable[Listener], known: Known, vpc_cidr: str
) -> LoadBalancerPlan:
    values = load_balancer_attributes(balancer)
    common: dict[str, Any] = {
        "lb_id": balancer.lb_id,
        "account": balancer.account,
        "region": balancer.region,
        "path": balancer.path,
        "type": balancer.type,
        "dns_name": balancer.dns_name,
        "vpc_id": balancer.vpc_id,
        "vpc_cidr": vpc_cidr,
        "addresses": tuple(zone.address for zone in balancer.zones),
        "listeners": tuple(_listener(balancer, each, known) for each in listeners),
    }
    if values["access_logs.s3.enabled"] == "true":
        common["access_log_bucket"] = values["access_logs.s3.bucket"]
        common["access_log_prefix"] = values["access_logs.s3.prefix"]
    if balancer.type == "network":
        return LoadBalancerPlan(**common)
    return LoadBalancerPlan(
        **common,
        idle_timeout_s=int(values["idle_timeout.timeout_seconds"]),
        keepalive_s=int(values["client_keep_alive.seconds"]),
        http2=values["routing.http2.enabled"] == "true",
        drop_invalid_headers=values["routing.http.drop_invalid_header_fields.enabled"] == "true",
        forwarded_for=values["routing.http.xff_header_processing.mode"],  # type: ignore[arg-type]  # its table's words
        forwarded_for_port=values["routing.http.xff_client_port.enabled"] == "true",
        preserve_host=values["routing.http.preserve_host_header.enabled"] == "true",
        tls_headers=values["routing.http.x_amzn_tls_version_and_cipher_suite.enabled"] == "true",
    )


def _idle_timeout_s(balancer: LoadBalancer, listener: Listener) -> int:
    """How long a connection to a target may be idle: as long as those of the listener's clients."""
    if balancer.type == "application":
        return int(load_balancer_attributes(balancer)["idle_timeout.timeout_seconds"])
    return _tcp_idle_timeout_s(listener)


# ------------------------------------------------------------------------------------------------------ listeners


def _listener(balancer: LoadBalancer, listener: Listener, known: Known) -> ListenerPlan:
    certificates = (known.certificates.get(arn) for arn in listener.certificates)
    return ListenerPlan(
        listener_id=listener.listener_id,
        port=listener.port,
        protocol=listener.protocol,  # type: ignore[arg-type]  # the API takes no other
        rules=rule_plans(listener, known.rules_of(listener)),
        # The default certificate can be in the list a second time.
        certificates=tuple(dict.fromkeys(each.certificate_id for each in certificates if each is not None)),
        ssl_policy=listener.ssl_policy,
        alpn=_alpn(balancer, listener),
        mutual_tls=_mutual_tls(listener.mutual_authentication, known),
        tcp_idle_timeout_s=_tcp_idle_timeout_s(listener),
        header_names=tuple((usual, name) for usual, name in request_header_names(listener).items() if usual != name),
        response_headers=tuple(response_headers(listener).items()),
        server_header=listener_attributes(listener).get(SERVER.key, SERVER.default) == "true",
    )


def _tcp_idle_timeout_s(listener: Listener) -> int:
    return int(listener.attributes.get(TCP_IDLE_TIMEOUT.key, TCP_IDLE_TIMEOUT.default))


def _alpn(balancer: LoadBalancer, listener: Listener) -> tuple[str, ...]:
    if listener.protocol == "TLS":
        return ALPN.get(listener.alpn_policy, ())
    if listener.protocol == "HTTPS":
        http2 = load_balancer_attributes(balancer)["routing.http2.enabled"] == "true"
        return ("h2", "http/1.1") if http2 else ("http/1.1",)
    return ()


def _mutual_tls(document: Document, known: Known) -> MutualTls | None:
    """Verification without its trust store trusts nobody: an empty bundle, rather than clients that go unchecked."""
    mode = document.get("Mode", "off")
    if mode == "off":
        return None
    if mode == "passthrough":
        return MutualTls(mode="passthrough")
    store = known.trust_stores.get(document.get("TrustStoreArn", ""))
    return MutualTls(
        mode="verify",
        bundle_pem=store.bundle_pem if store else "",
        revocations_pem=tuple(each["Pem"] for each in store.revocations) if store else (),
        ignore_expiry=bool(document.get("IgnoreClientCertificateExpiry")),
    )


# ---------------------------------------------------------------------------------------------------------- groups


def _group(group: TargetGroup, idle_timeout_s: int, source: str) -> GroupPlan:
    values = group_attributes(group)
    common: dict[str, Any] = {
        "group_id": group.group_id,
        "arn": group.arn,
        "layer": "http" if group_type(group) == "application" else "tcp",
        "tls": group.protocol in {"HTTPS", "TLS"},
        "protocol_version": group.protocol_version,
        "idle_timeout_s": idle_timeout_s,
        "source": source,
        "check": _check(group),
        **_stickiness(values),
    }
    if group_type(group) == "network":
        return GroupPlan(**common, proxy_protocol=values["proxy_protocol_v2.enabled"] == "true")
    return GroupPlan(
        **common,
        algorithm=values["load_balancing.algorithm.type"],  # type: ignore[arg-type]  # its table's words
        slow_start_s=int(values["slow_start.duration_seconds"]),
    )


def _stickiness(values: Mapping[str, str]) -> dict[str, Any]:
    if values["stickiness.enabled"] != "true":
        return {}
    kind = values["stickiness.type"]
    if kind == "source_ip":
        return {"stickiness": kind}
    stays = {"stickiness": kind, "stickiness_s": int(values[f"stickiness.{kind}.duration_seconds"])}
    return {**stays, "cookie_name": values["stickiness.app_cookie.cookie_name"]} if kind == "app_cookie" else stays


def _check(group: TargetGroup) -> CheckPlan:
    settings = group.health_check
    return CheckPlan(
        enabled=settings.enabled,
        protocol=settings.protocol,  # type: ignore[arg-type]  # the API takes no other
        port=None if settings.port == TRAFFIC_PORT else int(settings.port),
        path=settings.path,
        codes=code_ranges(settings.matcher) or (),
        grpc=group.protocol_version == "GRPC" and settings.protocol != "TCP",
        interval_s=settings.interval_s,
        timeout_s=settings.timeout_s,
        healthy_threshold=settings.healthy_threshold,
        unhealthy_threshold=settings.unhealthy_threshold,
    )
