"""A task definition as ECS answers it."""

from typing import Any

from longshore.domain.ecs.task_definition import TaskDefinition


def view(definition: TaskDefinition) -> dict[str, Any]:
    """`taskDefinition` of Register, Describe, Deregister and Delete. Tags stand beside it, not in it."""
    times = {"deregisteredAt": definition.deregistered_at, "deleteRequestedAt": definition.delete_requested_at}
    return {
        **definition.document,
        "taskDefinitionArn": definition.arn,
        "family": definition.family,
        "revision": definition.revision,
        "status": definition.status,
        "registeredAt": definition.registered_at,
        "registeredBy": definition.registered_by,
        **{name: time for name, time in times.items() if time is not None},
    }
