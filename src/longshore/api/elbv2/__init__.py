"""Elastic Load Balancing, version 2: application and network load balancers."""

from longshore.api.elbv2 import (
    attributes,
    limits,
    listener_certificates,
    listeners,
    load_balancers,
    policies,
    rules,
    tags,
    target_groups,
    targets,
    trust_stores,
)
from longshore.api.operation import Operation, Service

OPERATIONS: dict[str, Operation] = {
    **attributes.OPERATIONS,
    **limits.OPERATIONS,
    **listener_certificates.OPERATIONS,
    **listeners.OPERATIONS,
    **load_balancers.OPERATIONS,
    **policies.OPERATIONS,
    **rules.OPERATIONS,
    **tags.OPERATIONS,
    **target_groups.OPERATIONS,
    **targets.OPERATIONS,
    **trust_stores.OPERATIONS,
}

SERVICE = Service(
    name="elbv2",
    operations=OPERATIONS,
    refusal_code="InvalidConfigurationRequest",
    summary="Application and network load balancers, target groups, listeners, rules and trust stores",
)
