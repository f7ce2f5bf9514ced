"""RegisterTaskDefinition: a document is checked, normalised, and kept as the family's next revision."""

from typing import Any

from longshore.api.ecs.tags import checked_tags
from longshore.api.ecs.task_definitions.attributes import attributes_of
from longshore.api.ecs.task_definitions.compatibilities import compatibilities_of
from longshore.api.ecs.task_definitions.normalise import normalised, without_none
from longshore.api.ecs.task_definitions.rules import Document
from longshore.api.ecs.task_definitions.validate_containers import check_containers
from longshore.api.ecs.task_definitions.validate_network import check_network
from longshore.api.ecs.task_definitions.validate_order import check_order
from longshore.api.ecs.task_definitions.validate_task import check_task
from longshore.api.ecs.task_definitions.validate_volumes import check_volumes
from longshore.api.ecs.task_definitions.view import view
from longshore.api.operation import Call
from longshore.domain.ecs.task_definition import TaskDefinition, TaskDefinitionFamily
from longshore.domain.tag import tags_list
from longshore.wire.errors import ApiError

MAX_REVISION = 1_000_000


def register_task_definition(call: Call) -> dict[str, Any]:
    """RegisterTaskDefinition."""
    params = dict(call.params)
    tags = params.pop("tags", None)
    if tags is not None and not tags:
        raise ApiError("InvalidParameterException", "Tags can not be empty")
    kept_tags = checked_tags(tags)
    document = checked(params, call.scope.account)
    family = document.pop("family")
    definition = TaskDefinition(
        account=call.scope.account,
        region=call.scope.region,
        family=family,
        revision=_next_revision(call, family),
        document=document,
        registered_at=call.now,
        registered_by=call.principal_arn,
        tags=kept_tags,
    )
    call.tx.put(definition)
    return {"taskDefinition": view(definition), "tags": tags_list(kept_tags) or None}


def checked(document: Document, account: str) -> dict[str, Any]:
    """The document as it is kept, `family` still in it; or ECS's error. Pure."""
    document = without_none(document)
    check_task(document)
    check_containers(document)
    check_order(document)
    check_network(document)
    check_volumes(document)
    compatibilities = compatibilities_of(document)
    kept = normalised(document, account)
    return {**kept, "requiresAttributes": attributes_of(kept), "compatibilities": compatibilities}


def _next_revision(call: Call, family: str) -> int:
    """One more than the family ever had: a number is never used again, not even after its revision is deleted."""
    known = call.tx.get(TaskDefinitionFamily, (*call.scope, family))
    revision = known.last_revision + 1 if known else 1
    if revision > MAX_REVISION:
        raise ApiError(
            "LimitExceededException", f"A family can have at most {MAX_REVISION} revisions: use another one."
        )
    call.tx.put(
        TaskDefinitionFamily(
            account=call.scope.account, region=call.scope.region, family=family, last_revision=revision
        )
    )
    return revision
