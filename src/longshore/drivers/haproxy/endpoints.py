"""One check of an endpoint, made as the first checks of a new target are: for Cloud Map's health checks."""

from longshore.domain.elbv2.balancing import CheckPlan, GroupPlan, TargetPlan
from longshore.domain.names.naming import EndpointCheck
from longshore.drivers.haproxy.health import HEALTHY
from longshore.drivers.haproxy.prober import probe

TIMEOUT_S = 4
"""For the whole check, as Route 53 gives it to connect."""
SUCCESS = ((200, 399),)


async def answers(check: EndpointCheck) -> bool:
    """Whether the endpoint passes. Never raises."""
    plan = CheckPlan(
        enabled=True,
        protocol=check.type,
        port=None,
        path=check.path,
        codes=SUCCESS,
        grpc=False,
        interval_s=30,
        timeout_s=TIMEOUT_S,
        healthy_threshold=1,
        unhealthy_threshold=1,
    )
    group = GroupPlan(group_id="", layer="http", check=plan)
    return await probe(group, TargetPlan(group_id="", address=check.address, port=check.port)) is HEALTHY
