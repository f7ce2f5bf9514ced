"""DescribeAccountLimits, and the limits themselves: AWS's default quotas."""

from collections.abc import Mapping
from typing import Any

from longshore.api.elbv2.paging import paged
from longshore.api.operation import Call, Operation

LIMITS: Mapping[str, int] = {
    "application-load-balancers": 50,
    "certificates-per-application-load-balancer": 25,
    "certificates-per-network-load-balancer": 25,
    "condition-values-per-alb-rule": 5,
    "condition-wildcards-per-alb-rule": 6,
    "listeners-per-application-load-balancer": 50,
    "listeners-per-network-load-balancer": 50,
    "network-load-balancers": 50,
    "rules-per-application-load-balancer": 100,
    "target-groups": 3000,
    "target-groups-per-action-on-application-load-balancer": 5,
    "target-groups-per-action-on-network-load-balancer": 1,
    "target-groups-per-application-load-balancer": 100,
    "target-id-registrations-per-application-load-balancer": 1000,
    "targets-per-application-load-balancer": 1000,
    "targets-per-availability-zone-per-network-load-balancer": 500,
    "targets-per-network-load-balancer": 3000,
    "targets-per-target-group": 1000,
}
"""By name, in the order of their names."""


def describe_account_limits(call: Call) -> dict[str, Any]:
    """DescribeAccountLimits."""
    shown, marker = paged(call, "DescribeAccountLimits", list(LIMITS), str)
    return {"Limits": [{"Name": name, "Max": str(LIMITS[name])} for name in shown], "NextMarker": marker}


OPERATIONS: dict[str, Operation] = {"DescribeAccountLimits": Operation(describe_account_limits)}
