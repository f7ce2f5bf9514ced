"""Amazon CloudWatch: alarms, recorded and not acted on yet, and dashboards. Metrics are not served yet."""

from longshore.api.cloudwatch import alarms, dashboards, tags
from longshore.api.operation import Service

SERVICE = Service(
    name="cloudwatch",
    operations={**alarms.OPERATIONS, **dashboards.OPERATIONS, **tags.OPERATIONS},
    refusal_code="InvalidParameterValueException",
    validation_code="ValidationException",
    summary="Metric and composite alarms, recorded and not acted on yet; dashboards, kept",
)
