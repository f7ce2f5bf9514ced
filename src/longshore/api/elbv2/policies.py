"""DescribeSSLPolicies: AWS's security policies, as `domain/elbv2/tls_policy.py` has them."""

from typing import Any

from longshore.api.elbv2.paging import paged
from longshore.api.operation import Call, Operation
from longshore.domain.elbv2.tls_policy import POLICIES, TlsPolicy
from longshore.wire.errors import ApiError


def describe_ssl_policies(call: Call) -> dict[str, Any]:
    """DescribeSSLPolicies: those that were named, or all; of one type of load balancer where one is asked for."""
    names = call.params.get("Names") or POLICIES
    for name in names:
        if name not in POLICIES:
            raise ApiError("SSLPolicyNotFound", f"SSL policy '{name}' not found")
    wanted = call.params.get("LoadBalancerType")
    found = [POLICIES[name] for name in sorted(set(names)) if wanted is None or wanted in POLICIES[name].types]
    shown, marker = paged(call, "DescribeSSLPolicies", found, _name)
    return {"SslPolicies": [policy_view(policy) for policy in shown], "NextMarker": marker}


def policy_view(policy: TlsPolicy) -> dict[str, Any]:
    """A security policy, as ELBv2 answers it."""
    return {
        "Name": policy.name,
        "SslProtocols": list(policy.protocols),
        "Ciphers": [{"Name": name, "Priority": place} for place, name in enumerate(policy.ciphers, 1)],
        "SupportedLoadBalancerTypes": list(policy.types),
    }


def _name(policy: TlsPolicy) -> str:
    return policy.name


OPERATIONS: dict[str, Operation] = {"DescribeSSLPolicies": Operation(describe_ssl_policies)}
