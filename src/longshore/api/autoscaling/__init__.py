"""Application Auto Scaling, for the services of ECS: recorded, not acted on yet."""

from longshore.api.autoscaling import policies, scheduled, tags, targets
from longshore.api.operation import Service

SERVICE = Service(
    name="application-autoscaling",
    operations={**policies.OPERATIONS, **scheduled.OPERATIONS, **tags.OPERATIONS, **targets.OPERATIONS},
    refusal_code="ValidationException",
    summary="Scalable targets, scaling policies and scheduled actions of ECS's services: recorded, not acted on yet",
)
