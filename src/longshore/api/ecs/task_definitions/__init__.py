"""Task definitions: registered, described, listed, deregistered and deleted."""

from longshore.api.ecs.task_definitions.browse import (
    describe_task_definition,
    list_task_definition_families,
    list_task_definitions,
)
from longshore.api.ecs.task_definitions.register import register_task_definition
from longshore.api.ecs.task_definitions.retire import delete_task_definitions, deregister_task_definition
from longshore.api.operation import Operation
from longshore.decide.ecs.served import INERT

OPERATIONS: dict[str, Operation] = {
    # What is not served stops a task from running, not a definition from being registered (`decide/ecs/served.py`).
    "RegisterTaskDefinition": Operation(register_task_definition, inert=INERT),
    "DescribeTaskDefinition": Operation(describe_task_definition),
    "ListTaskDefinitions": Operation(list_task_definitions),
    "ListTaskDefinitionFamilies": Operation(list_task_definition_families),
    "DeregisterTaskDefinition": Operation(deregister_task_definition),
    "DeleteTaskDefinitions": Operation(delete_task_definitions),
}
