"""Tags of load balancers, target groups, listeners, rules and trust stores, and the check every `Tags` input gets."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from longshore.api.elbv2.lookup import (
    SERVICE,
    find_group,
    find_listener,
    find_load_balancer,
    find_rule,
    find_trust_store,
)
from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule, TargetGroup, TrustStore
from longshore.domain.tag import Tags, tags_from, tags_list, tags_without
from longshore.wire.errors import ApiError

MAX_TAGS = 50
MAX_RESOURCES = 20
RESERVED = "aws:"
Tagged = LoadBalancer | TargetGroup | Listener | Rule | TrustStore
FINDERS: Mapping[str, Callable[[Call, str], Tagged]] = {
    "loadbalancer": find_load_balancer,
    "targetgroup": find_group,
    "listener": find_listener,
    "listener-rule": find_rule,
    "truststore": find_trust_store,
}


def checked_tags(pairs: Iterable[Mapping[str, Any]] | None) -> Tags:
    """The tags of an input as a mapping. Raises DuplicateTagKeys, TooManyTags, or ValidationError for AWS's keys."""
    given = list(pairs or ())
    tags = tags_from(given, "Key", "Value")
    if len(tags) < len(given):
        raise ApiError("DuplicateTagKeys", "A tag key was specified more than once")
    for key in tags:
        if key.lower().startswith(RESERVED):
            text = f"Tag key '{key}' is reserved: keys cannot begin with '{RESERVED}'"
            raise ApiError("ValidationError", text)
    _check_number(tags)
    return tags


def add_tags(call: Call) -> dict[str, Any]:
    """AddTags: to all of the resources, or to none."""
    given = checked_tags(call.params["Tags"])
    for arn in _arns(call):
        tags = {**tags_of(call, arn), **given}
        _check_number(tags)
        _put(call, arn, tags)
    return {}


def remove_tags(call: Call) -> dict[str, Any]:
    """RemoveTags. Keys that are not there are passed over."""
    keys = set(call.params["TagKeys"])
    for arn in _arns(call):
        _put(call, arn, tags_without(tags_of(call, arn), keys))
    return {}


def describe_tags(call: Call) -> dict[str, Any]:
    """DescribeTags, of at most 20 resources."""
    described = [{"ResourceArn": arn, "Tags": tags_list(tags_of(call, arn), "Key", "Value")} for arn in _arns(call)]
    return {"TagDescriptions": described}


def tags_of(call: Call, arn: str) -> Tags:
    """The tags of what an ARN names. Raises the NotFound of its kind, or ValidationError."""
    record = _record(call, arn)
    if isinstance(record, Listener) and record.arn != arn:  # a default rule has no record of its own
        return record.default_rule_tags
    return record.tags


def _put(call: Call, arn: str, tags: Tags) -> None:
    record = _record(call, arn)
    of_default_rule = isinstance(record, Listener) and record.arn != arn
    call.tx.put(record.but(default_rule_tags=tags) if of_default_rule else record.but(tags=tags))


def _record(call: Call, arn: str) -> Tagged:
    parsed = Arn.parse(arn)
    find = FINDERS.get(parsed.resource.split("/")[0]) if parsed and parsed.service == SERVICE else None
    if find is None:
        raise ApiError("ValidationError", f"'{arn}' is not a valid resource ARN")
    return find(call, arn)


def _arns(call: Call) -> list[str]:
    arns: list[str] = call.params["ResourceArns"]
    if not arns:
        raise ApiError("ValidationError", "At least one resource ARN must be specified")
    if len(arns) > MAX_RESOURCES:
        raise ApiError("ValidationError", f"No more than {MAX_RESOURCES} resource ARNs can be specified in one call")
    return list(dict.fromkeys(arns))


def _check_number(tags: Tags) -> None:
    if len(tags) > MAX_TAGS:
        raise ApiError("TooManyTags", f"A resource can have at most {MAX_TAGS} tags")


OPERATIONS: dict[str, Operation] = {
    "AddTags": Operation(add_tags),
    "DescribeTags": Operation(describe_tags),
    "RemoveTags": Operation(remove_tags),
}
