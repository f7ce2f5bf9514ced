"""Tags of ECS resources: TagResource, UntagResource, ListTagsForResource, and the check every `tags` input gets."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from longshore.api.ecs.lookup import definition_named
from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Service
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.tag import Tags, tags_from, tags_list, tags_without
from longshore.wire.errors import ApiError

T = TypeVar("T")
Tagged = Cluster | TaskDefinition | Task | Service

MAX_TAGS = 50
RESERVED = "aws:"
LONG_ARN = "Long arn format must be used for tagging operations"


def checked_tags(pairs: Iterable[Mapping[str, Any]] | None) -> Tags:
    """The tags of an input as a mapping, or ECS's error. Lengths and letters are the model's to check."""
    given = list(pairs or ())
    if len(given) > MAX_TAGS:
        raise ApiError("InvalidParameterException", f"A resource can have at most {MAX_TAGS} tags.")
    for pair in given:
        _check_key(pair.get("key"))
    tags = tags_from(given)
    if len(tags) < len(given):
        raise ApiError("InvalidParameterException", "Duplicate tag keys found: give each key once.")
    return tags


def _check_key(key: str | None) -> None:
    if not key:
        raise ApiError("InvalidParameterException", "Tag key can not be empty.")
    if key.lower().startswith(RESERVED):
        raise ApiError("InvalidParameterException", f"Tag key {key} is reserved: keys can not begin with {RESERVED}")


def tag_resource(call: Call) -> dict[str, Any]:
    """TagResource."""
    record = _resource(call)
    tags = {**record.tags, **checked_tags(call.params["tags"])}
    if sum(not key.startswith(RESERVED) for key in tags) > MAX_TAGS:
        text = f"A resource can have at most {MAX_TAGS} tags. Remove some with UntagResource first."
        raise ApiError("LimitExceededException", text)
    call.tx.put(record.but(tags=tags))
    return {}


def untag_resource(call: Call) -> dict[str, Any]:
    """UntagResource. Keys that are not there are passed over."""
    record = _resource(call)
    keys = set(call.params["tagKeys"])
    for key in keys:
        _check_key(key)
    call.tx.put(record.but(tags=tags_without(record.tags, keys)))
    return {}


def list_tags_for_resource(call: Call) -> dict[str, Any]:
    """ListTagsForResource."""
    return {"tags": tags_list(_resource(call, missing_code="InvalidParameterException").tags)}


def _resource(call: Call, missing_code: str = "ResourceNotFoundException") -> Tagged:
    """The record behind `resourceArn`."""
    reference: str = call.params["resourceArn"]
    arn = Arn.parse(reference)
    if arn is None or arn.service != "ecs" or arn.scope != call.scope:
        text = f"Invalid identifier: '{reference}' is not the ARN of an ECS resource of this account and region."
        raise ApiError("InvalidParameterException", text)
    kind, _, path = arn.resource.partition("/")
    names = tuple(path.split("/"))
    if kind == "cluster":
        return _cluster(call, names)
    if kind == "task-definition":
        return _found(definition_named(call, reference) if ":" in path else None, "task definition", missing_code)
    if kind not in {"service", "task"}:
        text = f"Resources of the type '{kind}' can not be tagged: clusters, services, tasks, task definitions can."
        raise ApiError("InvalidParameterException", text)
    if len(names) != 2:
        raise ApiError("InvalidParameterException", LONG_ARN)
    if kind == "service":
        return _service(call, names, missing_code)
    return _task(call, names, missing_code)


def _cluster(call: Call, names: tuple[str, ...]) -> Cluster:
    cluster = call.tx.get(Cluster, (*call.scope, *names))
    if cluster is None:
        raise ApiError("ClusterNotFoundException", "Cluster not found.")
    if cluster.status == "INACTIVE":
        text = "The specified cluster is inactive. Specify an active cluster and try again."
        raise ApiError("InvalidParameterException", text)
    return cluster


def _service(call: Call, names: tuple[str, ...], missing_code: str) -> Service:
    service = _found(call.tx.get(Service, (*call.scope, *names)), "service", missing_code)
    if service.status == "INACTIVE":
        text = "The specified service is inactive. Specify an active service and try again."
        raise ApiError("InvalidParameterException", text)
    return service


def _task(call: Call, names: tuple[str, ...], missing_code: str) -> Task:
    task = _found(call.tx.get(Task, (*call.scope, *names)), "task", missing_code)
    if not task.live:
        text = "The specified task is stopped. Specify a running task and try again."
        raise ApiError("InvalidParameterException", text)
    return task


def _found(record: T | None, noun: str, missing_code: str) -> T:
    if record is None:
        raise ApiError(missing_code, f"The specified {noun} is not found. Specify a valid {noun} and try again.")
    return record


OPERATIONS: dict[str, Operation] = {
    "TagResource": Operation(tag_resource),
    "UntagResource": Operation(untag_resource),
    "ListTagsForResource": Operation(list_tags_for_resource),
}
