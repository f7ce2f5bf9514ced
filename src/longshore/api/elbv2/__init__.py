"""Elastic Load Balancing, version 2: application and network load balancers."""

from longshore.api.operation import Operation, Service

OPERATIONS: dict[str, Operation] = {}

SERVICE = Service(
    name="elbv2",
    operations=OPERATIONS,
    refusal_code="InvalidConfigurationRequest",
    summary="Application and network load balancers, target groups, listeners and rules",
)
