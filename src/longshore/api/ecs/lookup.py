"""What a caller means by the name or ARN of a cluster or task definition, with ECS's errors where it means nothing.

Called by every ECS operation; reads the store, changes nothing. Tasks, services and deployments are in `references.py`.
"""

from typing import NamedTuple

from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.task_definition import TaskDefinition, TaskDefinitionFamily, task_definition_key
from longshore.wire.errors import ApiError

DEFAULT_CLUSTER = "default"
MAX_REVISION = 999_999_999


def find_cluster(call: Call, reference: str | None = None) -> Cluster:
    """The ACTIVE cluster that the call names, by `cluster` unless a reference is given; `default` if it names none.

    As on AWS `default` exists from the moment somebody creates it.
    """
    cluster = cluster_named(call, reference if reference is not None else call.params.get("cluster"))
    if cluster is None:
        raise ApiError("ClusterNotFoundException", "Cluster not found.")
    if cluster.status == "INACTIVE":
        raise ApiError("ClusterNotFoundException", "The referenced cluster was inactive.")
    return cluster


def cluster_named(call: Call, reference: str | None) -> Cluster | None:
    """The cluster by name or ARN, INACTIVE ones too. An ARN of another account or region names none."""
    name = cluster_name(call, reference)
    return call.tx.get(Cluster, (*call.scope, name)) if name else None


def cluster_name(call: Call, reference: str | None) -> str | None:
    """The name in a reference; None for an ARN that is no cluster's of this account and region."""
    if reference is None:
        return DEFAULT_CLUSTER
    if not reference:
        raise ApiError("InvalidParameterException", "Cluster can not be blank.")
    arn = Arn.parse(reference)
    if arn is None:
        return reference.removeprefix("cluster/")
    kind, _, name = arn.resource.partition("/")
    return name if (arn.service, arn.scope, kind) == ("ecs", call.scope, "cluster") and name else None


class DefinitionName(NamedTuple):
    """A task definition as a caller names it; no revision means the latest ACTIVE one."""

    family: str
    revision: int | None


def definition_name(call: Call, reference: str) -> DefinitionName | None:
    """Take a reference apart; None for an ARN that is no task definition's of this account and region."""
    if not reference:
        raise ApiError("InvalidParameterException", "TaskDefinition can not be blank.")
    arn = Arn.parse(reference)
    if arn is not None:
        kind, _, reference = arn.resource.partition("/")
        if (arn.service, arn.scope, kind) != ("ecs", call.scope, "task-definition"):
            return None
    family, colon, digits = reference.partition(":")
    if not colon:
        return DefinitionName(family, None)
    if not (digits.isascii() and digits.isdecimal() and 1 <= int(digits[:10]) <= MAX_REVISION):
        raise ApiError("InvalidParameterException", f"Invalid revision number. Number: {digits}")
    return DefinitionName(family, int(digits[:10]))


def definition_named(call: Call, reference: str) -> TaskDefinition | None:
    """The revision that is named, whatever its status; of a family alone the latest ACTIVE one."""
    name = definition_name(call, reference)
    if name is None:
        return None
    if name.revision is not None:
        return call.tx.get(TaskDefinition, task_definition_key(call.scope, name.family, name.revision))
    return latest_active(call, name.family)


def latest_active(call: Call, family: str) -> TaskDefinition | None:
    """The ACTIVE revision with the highest number.

    Looks back from the newest, which is nearly always it, so that long families cost nothing.
    """
    known = call.tx.get(TaskDefinitionFamily, (*call.scope, family))
    if known is None or not call.tx.count(TaskDefinition, "family_status", (*call.scope, family, "ACTIVE")):
        return None
    newest = call.tx.get(TaskDefinition, task_definition_key(call.scope, family, known.last_revision))
    if newest is not None and newest.status == "ACTIVE":
        return newest
    active = call.tx.select(TaskDefinition, "family_status", (*call.scope, family, "ACTIVE"))
    return max(active, key=lambda definition: definition.revision)


def find_runnable(call: Call, reference: str) -> TaskDefinition:
    """The task definition for RunTask, CreateService and UpdateService: it must be ACTIVE."""
    definition = definition_named(call, reference)
    if definition is None:
        raise ApiError("ClientException", "TaskDefinition not found.")
    if definition.status != "ACTIVE":
        raise ApiError("ClientException", "TaskDefinition is inactive")
    return definition


def missing(arn: str) -> dict[str, str]:
    """An entry of `failures[]` for what does not exist."""
    return {"arn": arn, "reason": "MISSING"}
