"""Targets: registered, deregistered, and how they are. Those of a service's tasks are `control/ecs/services.py`'s."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from longshore.api.ec2.regions import zones_of
from longshore.api.elbv2.limits import LIMITS
from longshore.api.elbv2.lookup import find_group
from longshore.api.elbv2.target_groups import in_use
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import Subnet, holds
from longshore.domain.elbv2.balancer import NOT_IN_USE, Target, TargetGroup
from longshore.domain.elbv2.health_check import TRAFFIC_PORT
from longshore.domain.record import Key
from longshore.wire.errors import ApiError

PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""RFC 1918 and RFC 6598: beside those of the VPC the only addresses that a target can have."""
ALL_ZONES = "all"
NOT_REGISTERED = ("Target.NotRegistered", "Target is not registered to the target group")
DRAINING = ("Target.DeregistrationInProgress", "Target deregistration is in progress")
NO_OVERRIDE = {
    "State": "no_override",
    "Reason": "AdministrativeOverride.NoOverride",
    "Description": "No override is currently active on target",
}


def register_targets(call: Call) -> dict[str, Any]:
    """RegisterTargets: all of them, or none. One that drains comes back; one that is registered stays as it is."""
    group = find_group(call, call.params["TargetGroupArn"])
    _check_some(call.params["Targets"])
    for asked in call.params["Targets"]:
        target = _target(call, group, asked)
        known = call.tx.get(Target, target.key)
        if known is None or known.draining:
            call.tx.put(target)
    most = LIMITS["targets-per-target-group"]
    if call.tx.count(Target, "group", (group.group_id,)) > most:
        raise ApiError("TooManyTargets", f"A target group can have at most {most} targets")
    return {}


def deregister_targets(call: Call) -> dict[str, Any]:
    """DeregisterTargets: they drain, or are gone at once where nothing forwards to the group. Absent ones pass."""
    group = find_group(call, call.params["TargetGroupArn"])
    _check_some(call.params["Targets"])
    used = in_use(call, group)
    for asked in call.params["Targets"]:
        known = call.tx.get(Target, _key(group, asked))
        if known is not None and not used:
            call.tx.delete(Target, known.key)
        elif known is not None and not known.draining:
            call.tx.put(known.but(deregistered_at=call.now))
    return {}


def describe_target_health(call: Call) -> dict[str, Any]:
    """DescribeTargetHealth: of the targets that are named, or of all."""
    group = find_group(call, call.params["TargetGroupArn"])
    used = in_use(call, group)
    asked = call.params.get("Targets")
    if not asked:
        targets = call.tx.select(Target, "group", (group.group_id,))
        return {"TargetHealthDescriptions": [_described(group, target, used=used) for target in targets]}
    shown: dict[Key, dict[str, Any]] = {}
    for each in asked:
        key = _key(group, each)
        target = call.tx.get(Target, key)
        shown[key] = _absent(group, each) if target is None else _described(group, target, used=used)
    return {"TargetHealthDescriptions": list(shown.values())}


def _target(call: Call, group: TargetGroup, asked: Mapping[str, Any]) -> Target:
    """The record of a target that is to be registered. Raises ValidationError or InvalidTarget."""
    name: str = asked["Id"]
    if group.target_type == "instance":
        if not name.startswith("i-"):
            raise ApiError("ValidationError", f"Instance ID '{name[:64]}' is not valid")
        raise ApiError("InvalidTarget", f"The following targets do not exist: '{name[:64]}'")
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        raise ApiError("ValidationError", f"The IP address '{name[:64]}' is not a valid IPv4 address") from None
    return Target(
        account=group.account,
        region=group.region,
        group_id=group.group_id,
        target_id=name,
        port=asked.get("Port") or group.port,
        address=name,
        availability_zone=_zone(call, group, name, asked.get("AvailabilityZone") or ""),
        registered_at=call.now,
    )


def _zone(call: Call, group: TargetGroup, address: str, asked: str) -> str:
    """The zone of an address: that of its subnet, or outside of the VPC the one that was asked for."""
    for subnet in call.tx.select(Subnet, "vpc", (*group.scope, group.vpc_id)):
        if holds(subnet.range, address):
            own = subnet.availability_zone
            if asked not in {"", own}:
                text = (
                    f"The IP address '{address}' is within the VPC, and cannot have its Availability Zone "
                    f"overridden to '{asked}' from '{own}'"
                )
                raise ApiError("ValidationError", text)
            return own
    if not any(holds(cidr, address) for cidr in PRIVATE_RANGES):
        text = (
            f"The IP address '{address}' must be in the VPC of the target group, or in one of "
            f"{', '.join(PRIVATE_RANGES)}"
        )
        raise ApiError("ValidationError", text)
    if not asked:
        text = f"The Availability Zone is required for IP address '{address}' because it is not in the VPC"
        raise ApiError("ValidationError", text)
    if asked != ALL_ZONES and asked not in zones_of(group.region):
        raise ApiError("ValidationError", f"The Availability Zone '{asked[:64]}' is not valid")
    return asked


def _described(group: TargetGroup, target: Target, *, used: bool) -> dict[str, Any]:
    """A target and how it is. What is desired goes before what was seen: the group may just have come into use."""
    if target.draining:
        health = _health("draining", *DRAINING)
    elif not used:
        health = _health("unused", *NOT_IN_USE)
    else:
        health = _health(target.state, target.reason, target.description)
    shown: dict[str, Any] = {"Id": target.target_id, "Port": target.port}
    if target.availability_zone:
        shown["AvailabilityZone"] = target.availability_zone
    return _description(group, shown, health)


def _absent(group: TargetGroup, asked: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"Id": asked["Id"], "Port": asked.get("Port") or group.port}
    return _description(group, shown, _health("unused", *NOT_REGISTERED))


def _description(group: TargetGroup, target: dict[str, Any], health: dict[str, str]) -> dict[str, Any]:
    port = group.health_check.port
    return {
        "Target": target,
        "HealthCheckPort": str(target["Port"]) if port == TRAFFIC_PORT else port,
        "TargetHealth": health,
        "AdministrativeOverride": NO_OVERRIDE,
    }


def _health(state: str, reason: str, description: str) -> dict[str, str]:
    """Members that are empty are left out: a healthy target has a state alone."""
    whole = {"State": state, "Reason": reason, "Description": description}
    return {name: text for name, text in whole.items() if text}


def _key(group: TargetGroup, asked: Mapping[str, Any]) -> Key:
    return (*group.scope, group.group_id, asked["Id"], str(asked.get("Port") or group.port))


def _check_some(targets: Any) -> None:
    if not targets:
        raise ApiError("ValidationError", "At least one target must be specified")


_QUIC = {"Targets[].QuicServerId": "QUIC is not served: leave QuicServerId out."}
_FIXED_ZONE = {"Targets[].AvailabilityZone": "A target is found by its id and port alone, as on AWS."}
OPERATIONS: dict[str, Operation] = {
    "DeregisterTargets": Operation(deregister_targets, refuses=_QUIC, inert=_FIXED_ZONE),
    "DescribeTargetHealth": Operation(
        describe_target_health,
        refuses={"Include": "Targets with anomalies are not told from others: leave Include out.", **_QUIC},
        inert=_FIXED_ZONE,
    ),
    "RegisterTargets": Operation(register_targets, refuses=_QUIC),
}
