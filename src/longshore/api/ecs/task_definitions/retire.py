"""DeregisterTaskDefinition and DeleteTaskDefinitions.

A deleted revision stays, DELETE_IN_PROGRESS, while a task or service refers to it; `control/ecs/history.py` removes it
then. Its number is never used again.
"""

from typing import Any

from longshore.api.ecs.lookup import definition_name, definition_named
from longshore.api.ecs.task_definitions.view import view
from longshore.api.operation import Call
from longshore.domain.arn import Arn, ecs_arn
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.wire.errors import ApiError

MAX_DELETED = 10
UNKNOWN = "The specified task definition does not exist. Specify a valid account, family, revision and try again."
INVALID = "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
STILL_ACTIVE = "The specified task definition is still in ACTIVE status. Please deregister the target and try again."


def deregister_task_definition(call: Call) -> dict[str, Any]:
    """DeregisterTaskDefinition: it can start nothing any more; what runs from it runs on."""
    reference = call.params["taskDefinition"]
    name = definition_name(call, reference)
    if name is not None and name.revision is None:
        raise ApiError("InvalidParameterException", "Missing revision")
    definition = definition_named(call, reference)
    if definition is None:
        raise ApiError("ClientException", "The specified task definition does not exist.")
    if definition.status != "ACTIVE":
        raise ApiError("ClientException", "The specified task definition is inactive.")
    definition = definition.but(status="INACTIVE", deregistered_at=call.now)
    call.tx.put(definition)
    return {"taskDefinition": view(definition)}


def delete_task_definitions(call: Call) -> dict[str, Any]:
    """DeleteTaskDefinitions: each INACTIVE one is marked; what can't be is in `failures`."""
    references = list(dict.fromkeys(call.params["taskDefinitions"]))
    if not references or len(references) > MAX_DELETED:
        text = f"Name between 1 and {MAX_DELETED} task definitions to delete."
        raise ApiError("InvalidParameterException", text)
    deleted: dict[str, dict[str, Any]] = {}
    failures = []
    for reference in references:
        definition, reason = _deletable(call, reference)
        if definition is None:
            failures.append({"arn": _arn_of(call, reference), "reason": reason})
            continue
        if definition.status != "DELETE_IN_PROGRESS":
            definition = definition.but(status="DELETE_IN_PROGRESS", delete_requested_at=call.now)
            call.tx.put(definition)
        deleted[definition.arn] = view(definition)
    return {"taskDefinitions": list(deleted.values()), "failures": failures}


def _deletable(call: Call, reference: str) -> tuple[TaskDefinition | None, str]:
    """The definition; or None and why not."""
    try:
        name = definition_name(call, reference)
    except ApiError:
        return None, INVALID
    if name is not None and name.revision is None:
        return None, INVALID
    definition = definition_named(call, reference)
    if definition is None:
        return None, UNKNOWN
    return (None, STILL_ACTIVE) if definition.status == "ACTIVE" else (definition, "")


def _arn_of(call: Call, reference: str) -> str:
    return reference if Arn.parse(reference) else ecs_arn(call.scope, "task-definition", reference)
