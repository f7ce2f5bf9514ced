"""Whether a listener or a rule can forward to target groups: they are there, and fit its load balancer."""

from collections.abc import Mapping
from typing import Any

from longshore.api.elbv2.errors import conflict
from longshore.api.elbv2.limits import LIMITS
from longshore.api.elbv2.lookup import find_group
from longshore.api.elbv2.target_groups import groups_of, users_of
from longshore.api.operation import Call
from longshore.domain.elbv2.balancer import LoadBalancer, TargetGroup, forwarded_groups
from longshore.wire.errors import ApiError

FITTING: Mapping[str, tuple[str, ...]] = {
    "HTTP": ("HTTP", "HTTPS"),
    "HTTPS": ("HTTP", "HTTPS"),
    "TCP": ("TCP",),
    "TLS": ("TCP", "TLS"),
}
"""By the listener's protocol, those of the groups that it can forward to."""
NEEDS_TLS = ("HTTP2", "GRPC")
"""Protocol versions that clients speak over TLS alone."""
MAX_GROUPS = LIMITS["target-groups-per-application-load-balancer"]


def check_groups(call: Call, balancer: LoadBalancer, protocol: str, actions: tuple[dict[str, Any], ...]) -> None:
    """Raise TargetGroupNotFound or what else is wrong with the groups that a listener's actions forward to."""
    arns = forwarded_groups(actions)
    for arn in arns:
        _check_group(call, balancer, protocol, find_group(call, arn))
    if len({*arns, *(group.arn for group in groups_of(call, balancer))}) > MAX_GROUPS:
        text = f"A load balancer can forward to at most {MAX_GROUPS} target groups"
        raise ApiError("TooManyUniqueTargetGroupsPerLoadBalancer", text)


def _check_group(call: Call, balancer: LoadBalancer, protocol: str, group: TargetGroup) -> None:
    if group.protocol not in FITTING[protocol]:
        text = f"The protocol {group.protocol} of target group '{group.arn}' does not fit a listener of {protocol}"
        raise ApiError("IncompatibleProtocols", text)
    if group.protocol_version in NEEDS_TLS and protocol != "HTTPS":
        version = group.protocol_version
        text = (
            f"Listener protocol '{protocol}' is not supported with a target group with the protocol-version '{version}'"
        )
        raise conflict(text)
    if group.vpc_id != balancer.vpc_id:
        text = f"Target group '{group.arn}' is in VPC {group.vpc_id}, the load balancer in {balancer.vpc_id}"
        raise conflict(text)
    if any(user.lb_id != balancer.lb_id for user in users_of(call, group)):
        text = f"The following target groups cannot be associated with more than one load balancer: {group.arn}"
        raise ApiError("TargetGroupAssociationLimit", text)
