"""Tagging resources of several services at once, each by its own service's rules; what fails is told one by one."""

from collections.abc import Callable
from typing import Any

from longshore.api.operation import Call, Operation
from longshore.api.tagging.registry import Tagged, tagged_by
from longshore.wire.errors import ApiError

Answer = dict[str, Any]


def tag_resources(call: Call) -> Answer:
    """TagResources."""
    tags = dict(call.params["Tags"])
    return _each(call, lambda tagged, arn: tagged.add(call, arn, tags))


def untag_resources(call: Call) -> Answer:
    """UntagResources."""
    keys = list(call.params["TagKeys"])
    return _each(call, lambda tagged, arn: tagged.remove(call, arn, keys))


def _each(call: Call, change: Callable[[Tagged, str], None]) -> Answer:
    failed: dict[str, Answer] = {}
    for arn in dict.fromkeys(call.params["ResourceARNList"]):
        tagged = tagged_by(arn)
        if tagged is None:
            failed[arn] = _failure("no service here has tags for resources with such an ARN.")
            continue
        try:
            change(tagged, arn)
        except ApiError as error:
            failed[arn] = _failure(f"{error.code}: {error.message}")
    return {"FailedResourcesMap": failed}


def _failure(why: str) -> Answer:
    return {"StatusCode": 400, "ErrorCode": "InvalidParameterException", "ErrorMessage": why}


OPERATIONS: dict[str, Operation] = {
    "TagResources": Operation(tag_resources),
    "UntagResources": Operation(untag_resources),
}
