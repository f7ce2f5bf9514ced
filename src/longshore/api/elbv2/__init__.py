"""Elastic Load Balancing, version 2: application and network load balancers."""

from longshore.api.elbv2 import attributes, limits, load_balancers, policies, tags, target_groups, targets
from longshore.api.operation import Operation, Service

OPERATIONS: dict[str, Operation] = {
    **attributes.OPERATIONS,
    **limits.OPERATIONS,
    **load_balancers.OPERATIONS,
    **policies.OPERATIONS,
    **tags.OPERATIONS,
    **target_groups.OPERATIONS,
    **targets.OPERATIONS,
}

SERVICE = Service(
    name="elbv2",
    operations=OPERATIONS,
    refusal_code="InvalidConfigurationRequest",
    summary="Application and network load balancers, target groups, listeners and rules",
)
