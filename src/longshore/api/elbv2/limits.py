"""DescribeAccountLimits, and the limits themselves: AWS's default quotas, of which one is a setting."""

from collections.abc import Mapping
from typing import Any

from longshore.api.elbv2.paging import paged
from longshore.api.operation import Call, Operation
from longshore.domain.elbv2.quota import DEFAULT_LOAD_BALANCERS, QUOTA_KEY, LoadBalancerQuota
from longshore.store.store import Reader

LIMITS: Mapping[str, int] = {
    "application-load-balancers": DEFAULT_LOAD_BALANCERS,
    "certificates-per-application-load-balancer": 25,
    "certificates-per-network-load-balancer": 25,
    "condition-values-per-alb-rule": 5,
    "condition-wildcards-per-alb-rule": 6,
    "listeners-per-application-load-balancer": 50,
    "listeners-per-network-load-balancer": 50,
    "network-load-balancers": DEFAULT_LOAD_BALANCERS,
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


def limits_of(reader: Reader) -> Mapping[str, int]:
    """The limits that hold, by name."""
    quota = reader.get(LoadBalancerQuota, QUOTA_KEY)
    most = quota.load_balancers if quota else DEFAULT_LOAD_BALANCERS
    return {**LIMITS, "application-load-balancers": most, "network-load-balancers": most}


def describe_account_limits(call: Call) -> dict[str, Any]:
    """DescribeAccountLimits."""
    shown, marker = paged(call, "DescribeAccountLimits", list(LIMITS), str)
    limits = limits_of(call.tx)
    return {"Limits": [{"Name": name, "Max": str(limits[name])} for name in shown], "NextMarker": marker}


OPERATIONS: dict[str, Operation] = {"DescribeAccountLimits": Operation(describe_account_limits)}
