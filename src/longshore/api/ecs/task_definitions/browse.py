"""DescribeTaskDefinition, ListTaskDefinitions, ListTaskDefinitionFamilies."""

from typing import Any

from longshore.api.ecs.listing import listed
from longshore.api.ecs.lookup import definition_named
from longshore.api.ecs.task_definitions.view import view
from longshore.api.operation import Call
from longshore.domain.ecs.task_definition import TaskDefinition, TaskDefinitionFamily
from longshore.domain.tag import tags_list
from longshore.wire.errors import ApiError

Entry = tuple[str, str]
"""`(sort key, what is shown)`."""


def describe_task_definition(call: Call) -> dict[str, Any]:
    """DescribeTaskDefinition: of a family alone the latest ACTIVE revision."""
    definition = definition_named(call, call.params["taskDefinition"])
    if definition is None:
        raise ApiError("ClientException", "Unable to describe task definition.")
    include = call.params.get("include") or ()
    return {"taskDefinition": view(definition), "tags": tags_list(definition.tags) if "TAGS" in include else None}


def list_task_definitions(call: Call) -> dict[str, Any]:
    """ListTaskDefinitions: by family, then by number. `familyPrefix` is a whole family name, as on AWS."""
    family, status = call.params.get("familyPrefix"), call.params.get("status") or "ACTIVE"
    if family:
        found = call.tx.select(TaskDefinition, "family_status", (*call.scope, family, status))
    else:
        found = call.tx.select(TaskDefinition, "status", (*call.scope, status))
    descending = call.params.get("sort") == "DESC"
    # No letter of a family name sorts before the separator, so `a` and all its revisions come before `a-b`.
    entries = [(f"{d.family}\0{d.revision:09d}", d.arn) for d in found]
    entries.sort(reverse=descending)
    shown, token = listed(call, "ListTaskDefinitions", entries, _key, descending=descending)
    return {"taskDefinitionArns": [arn for _, arn in shown], "nextToken": token}


def list_task_definition_families(call: Call) -> dict[str, Any]:
    """ListTaskDefinitionFamilies: ACTIVE ones have an ACTIVE revision; INACTIVE ones have others only."""
    prefix, status = call.params.get("familyPrefix") or "", call.params.get("status") or "ALL"
    names = [
        known.family
        for known in call.tx.select(TaskDefinitionFamily, "scope", call.scope)
        if known.family.startswith(prefix) and _status(call, known.family) in _STATUSES[status]
    ]
    entries = [(name, name) for name in sorted(names)]
    shown, token = listed(call, "ListTaskDefinitionFamilies", entries, _key)
    return {"families": [name for name, _ in shown], "nextToken": token}


_STATUSES = {"ACTIVE": {"ACTIVE"}, "INACTIVE": {"INACTIVE"}, "ALL": {"ACTIVE", "INACTIVE"}}


def _status(call: Call, family: str) -> str:
    """Empty once every revision of the family is gone."""
    if call.tx.count(TaskDefinition, "family_status", (*call.scope, family, "ACTIVE")):
        return "ACTIVE"
    return "INACTIVE" if call.tx.count(TaskDefinition, "family", (*call.scope, family)) else ""


def _key(entry: Entry) -> str:
    return entry[0]
