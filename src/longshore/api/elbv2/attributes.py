"""The attributes of load balancers and target groups: described, and changed after the rules of each.

What there is stands in `domain/elbv2/balancer_attributes.py`; here is what ELBv2 says of a wrong one, and which go
together.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from longshore.api.elbv2.errors import conflict
from longshore.api.elbv2.lookup import find_group, find_load_balancer
from longshore.api.operation import Call, Operation
from longshore.domain.elbv2.balancer_attributes import (
    LOAD_BALANCER,
    TARGET_GROUP,
    Attribute,
    Type,
    attribute,
    group_attributes,
    group_type,
    load_balancer_attributes,
)
from longshore.wire.errors import ApiError

Pairs = Iterable[Mapping[str, Any]]


def describe_load_balancer_attributes(call: Call) -> dict[str, Any]:
    """DescribeLoadBalancerAttributes."""
    balancer = find_load_balancer(call, call.params["LoadBalancerArn"])
    return {"Attributes": attribute_pairs(load_balancer_attributes(balancer))}


def modify_load_balancer_attributes(call: Call) -> dict[str, Any]:
    """ModifyLoadBalancerAttributes. The rest stays as it is; all are answered."""
    balancer = find_load_balancer(call, call.params["LoadBalancerArn"])
    given = checked_attributes(call.params["Attributes"], LOAD_BALANCER, balancer.type, "Load balancer")
    balancer = balancer.but(attributes={**balancer.attributes, **given})
    whole = load_balancer_attributes(balancer)
    if whole.get("access_logs.s3.enabled") == "true" and not whole["access_logs.s3.bucket"]:
        raise conflict("access_logs.s3.bucket must name a bucket when access_logs.s3.enabled is true")
    call.tx.put(balancer)
    return {"Attributes": attribute_pairs(whole)}


def describe_target_group_attributes(call: Call) -> dict[str, Any]:
    """DescribeTargetGroupAttributes."""
    return {"Attributes": attribute_pairs(group_attributes(find_group(call, call.params["TargetGroupArn"])))}


def modify_target_group_attributes(call: Call) -> dict[str, Any]:
    """ModifyTargetGroupAttributes. The rest stays as it is; all are answered."""
    group = find_group(call, call.params["TargetGroupArn"])
    given = checked_attributes(call.params["Attributes"], TARGET_GROUP, group_type(group), "Target group")
    group = group.but(attributes={**group.attributes, **given})
    whole = group_attributes(group)
    _check_stickiness(whole, group.protocol)
    if whole.get("slow_start.duration_seconds", "0") != "0" and whole["load_balancing.algorithm.type"] != "round_robin":
        algorithm = whole["load_balancing.algorithm.type"]
        raise conflict(f"Slow start mode is not supported with the '{algorithm}' load balancing algorithm")
    call.tx.put(group)
    return {"Attributes": attribute_pairs(whole)}


def _check_stickiness(whole: Mapping[str, str], protocol: str) -> None:
    if whole["stickiness.enabled"] != "true":
        return
    if protocol == "TLS":
        raise conflict("You cannot enable stickiness on target groups with the TLS protocol")
    if whole["stickiness.type"] == "app_cookie" and not whole["stickiness.app_cookie.cookie_name"]:
        raise conflict("You must set an application cookie name to enable stickiness of type 'app_cookie'")


def checked_attributes(pairs: Pairs, table: Iterable[Attribute], of: Type, noun: str) -> dict[str, str]:
    """The attributes of an input. Raises ValidationError or InvalidConfigurationRequest."""
    checked: dict[str, str] = {}
    known = {each.key for each in table}
    for pair in pairs:
        key, value = pair.get("Key") or "", pair.get("Value") or ""
        found = attribute(table, key, of)
        if key not in known:
            raise ApiError("ValidationError", f"{noun} attribute key '{key}' is not recognized")
        if found is None:
            raise conflict(f"{noun} attribute key '{key}' is not supported with load balancers of type '{of}'")
        if key in checked:
            raise ApiError("ValidationError", f"{noun} attribute key '{key}' was specified more than once")
        if not found.accepts(value):
            text = f"{noun} attribute '{key}' cannot have the value '{value}': it takes {found.takes}"
            raise ApiError("ValidationError", text)
        if found.refused and value != found.default:
            raise conflict(f"Longshore serves {key} only as '{found.default}'. {found.refused}")
        checked[key] = value
    return checked


def attribute_pairs(attributes: Mapping[str, str]) -> list[dict[str, str]]:
    """Attributes as they are answered."""
    return [{"Key": key, "Value": value} for key, value in attributes.items()]


INERT = {
    "Attributes[].Value": "Some have no effect, some are served at their default alone: see the table of attributes.",
}
OPERATIONS: dict[str, Operation] = {
    "DescribeLoadBalancerAttributes": Operation(describe_load_balancer_attributes),
    "DescribeTargetGroupAttributes": Operation(describe_target_group_attributes),
    "ModifyLoadBalancerAttributes": Operation(modify_load_balancer_attributes, inert=INERT),
    "ModifyTargetGroupAttributes": Operation(modify_target_group_attributes, inert=INERT),
}
