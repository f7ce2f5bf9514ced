"""Amazon ECS: the table of its operations, merged from a file per resource."""

from longshore.api.ecs import account_settings, clusters, deployments, services, tags, task_definitions, tasks
from longshore.api.operation import Operation, Service


def _merged(*tables: dict[str, Operation]) -> dict[str, Operation]:
    merged: dict[str, Operation] = {}
    for table in tables:
        twice = merged.keys() & table.keys()
        if twice:
            raise ValueError(f"operations are served by two files: {', '.join(sorted(twice))}")
        merged.update(table)
    return merged


SERVICE = Service(
    name="ecs",
    operations=_merged(
        account_settings.OPERATIONS,
        clusters.OPERATIONS,
        deployments.OPERATIONS,
        services.OPERATIONS,
        tags.OPERATIONS,
        task_definitions.OPERATIONS,
        tasks.OPERATIONS,
    ),
    refusal_code="InvalidParameterException",
    validation_code="InvalidParameterException",
    summary="Clusters, task definitions, tasks and services",
)
