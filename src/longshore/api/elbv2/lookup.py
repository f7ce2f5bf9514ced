"""Finds what an ARN of Elastic Load Balancing names, or says with ELBv2's codes and texts that it is not there."""

from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule, TargetGroup, TrustStore
from longshore.wire.errors import ApiError

SERVICE = "elasticloadbalancing"


def find_load_balancer(call: Call, arn: str) -> LoadBalancer:
    """The load balancer. Raises LoadBalancerNotFound, or ValidationError for what is no ARN of one."""
    parts = _parts(call, arn, "loadbalancer", 4, "load balancer")
    found = call.tx.get(LoadBalancer, (*call.scope, parts[3])) if parts else None
    if found is None or found.arn != arn:
        raise ApiError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
    return found


def find_group(call: Call, arn: str) -> TargetGroup:
    """The target group. Raises TargetGroupNotFound, or ValidationError."""
    parts = _parts(call, arn, "targetgroup", 3, "target group")
    found = call.tx.get(TargetGroup, (*call.scope, parts[2])) if parts else None
    if found is None or found.arn != arn:
        raise ApiError("TargetGroupNotFound", "One or more target groups not found")
    return found


def find_listener(call: Call, arn: str) -> Listener:
    """The listener. Raises ListenerNotFound, or ValidationError."""
    parts = _parts(call, arn, "listener", 5, "listener")
    found = call.tx.get(Listener, (*call.scope, parts[3], parts[4])) if parts else None
    if found is None or found.arn != arn:
        raise ApiError("ListenerNotFound", "One or more listeners not found")
    return found


def find_rule(call: Call, arn: str) -> Rule | Listener:
    """The rule, or the listener whose default rule it is. Raises RuleNotFound, or ValidationError."""
    parts = _parts(call, arn, "listener-rule", 6, "listener rule")
    if parts:
        rule = call.tx.get(Rule, (*call.scope, *parts[3:]))
        if rule is not None and rule.arn == arn:
            return rule
        listener = call.tx.get(Listener, (*call.scope, parts[3], parts[4]))
        if listener is not None and listener.default_rule_arn == arn:
            return listener
    raise ApiError("RuleNotFound", "One or more rules not found")


def find_trust_store(call: Call, arn: str) -> TrustStore:
    """The trust store. Raises TrustStoreNotFound, or ValidationError."""
    parts = _parts(call, arn, "truststore", 3, "trust store")
    found = call.tx.get(TrustStore, (*call.scope, parts[2])) if parts else None
    if found is None or found.arn != arn:
        raise ApiError("TrustStoreNotFound", f"Trust store '{arn}' not found")
    return found


def _parts(call: Call, arn: str, kind: str, length: int, noun: str) -> list[str]:
    """The path of an ARN of this kind; empty for one of another account or region. Raises ValidationError."""
    parsed = Arn.parse(arn)
    parts = parsed.resource.split("/") if parsed else []
    if parsed is None or parsed.service != SERVICE or parts[0] != kind or len(parts) != length:
        raise ApiError("ValidationError", f"'{arn}' is not a valid {noun} ARN")
    return parts if parsed.scope == call.scope else []
