"""Route 53: hosted zones and their record sets, those of Cloud Map's namespaces among them."""

from longshore.api.operation import Operation, Service
from longshore.api.route53 import hosted_zones, record_sets, tags

OPERATIONS: dict[str, Operation] = {
    **hosted_zones.OPERATIONS,
    **record_sets.OPERATIONS,
    **tags.OPERATIONS,
}

SERVICE = Service(
    name="route53",
    operations=OPERATIONS,
    refusal_code="InvalidInput",
    summary="Hosted zones and record sets, answered by the name server of tasks",
)
