"""Balancer plans for tests: short ways to write what HAProxy is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longshore.domain.elbv2.balancing import (
    BalancerPlan,
    CheckPlan,
    Condition,
    FixedResponse,
    Forward,
    GroupPlan,
    ListenerPlan,
    LoadBalancerPlan,
    RulePlan,
    WeightedGroup,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

OK = ((200, 200),)


def check(**fields: Any) -> CheckPlan:
    """HTTP to /health every 5 s."""
    given = {
        "enabled": True,
        "protocol": "HTTP",
        "port": None,
        "path": "/health",
        "codes": OK,
        "grpc": False,
        "interval_s": 5,
        "timeout_s": 2,
        "healthy_threshold": 2,
        "unhealthy_threshold": 2,
        **fields,
    }
    return CheckPlan(**given)


def group(group_id: str = "0a", **fields: Any) -> GroupPlan:
    """An HTTP group."""
    return GroupPlan(**{"group_id": group_id, "layer": "http", "protocol_version": "HTTP1", "check": check(), **fields})


def forward(*group_ids: str, stickiness_s: int = 0) -> Forward:
    """To groups of equal weight."""
    return Forward(groups=tuple(WeightedGroup(group_id=group_id) for group_id in group_ids), stickiness_s=stickiness_s)


def rule(action: Any, *conditions: Condition, rule_id: str = "r", rewrites: Any = ()) -> RulePlan:
    """A rule; without conditions the default one."""
    return RulePlan(rule_id=rule_id, conditions=conditions, action=action, rewrites=tuple(rewrites))


def path(*patterns: str) -> Condition:
    """A path-pattern condition."""
    return Condition(field="path-pattern", values=patterns)


def listener(port: int, *rules: RulePlan, **fields: Any) -> ListenerPlan:
    """An HTTP listener; without rules it forwards to the group 0a."""
    given = {"listener_id": f"e{port}", "protocol": "HTTP", "rules": rules or (rule(forward("0a")),), **fields}
    return ListenerPlan(port=port, **given)


def balancer(address: str, *listeners: ListenerPlan, lb_id: str = "b1", **fields: Any) -> LoadBalancerPlan:
    """An application load balancer."""
    given = {
        "account": "123456789012",
        "region": "us-east-1",
        "path": f"app/web/{lb_id}",
        "type": "application",
        "dns_name": f"web-{lb_id}.us-east-1.elb.localhost",
        "vpc_id": "vpc-1",
        "vpc_cidr": "127.0.0.0/8",
        **fields,
    }
    return LoadBalancerPlan(lb_id=lb_id, addresses=(address,), listeners=listeners, **given)


def plan(balancers: Sequence[LoadBalancerPlan], groups: Sequence[GroupPlan], **fields: Any) -> BalancerPlan:
    """A plan."""
    return BalancerPlan(load_balancers=tuple(balancers), groups=tuple(groups), **fields)


def text(body: str, status: int = 200) -> FixedResponse:
    """A fixed response."""
    return FixedResponse(status=status, content_type="text/plain", body=body)
