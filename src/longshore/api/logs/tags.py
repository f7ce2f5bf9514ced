"""Tags of log groups, by ARN and, as older clients have it, by name."""

from collections.abc import Mapping

from longshore.api.logs.lookup import Answer, group_named, invalid, name_in
from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.log import LogGroup
from longshore.domain.tag import Tags, tags_without
from longshore.wire.errors import ApiError

MAX_TAGS = 50


def checked_tags(present: Tags, added: Mapping[str, str]) -> Tags:
    """The tags that a group has after some were added."""
    for key in added:
        if key.lower().startswith("aws:"):
            raise invalid("aws: prefixed tag key names are not allowed for external use.")
    tags = {**present, **added}
    if len(tags) > MAX_TAGS:
        raise ApiError("TooManyTagsException", f"A resource can have no more than {MAX_TAGS} tags.")
    return tags


def tag_resource(call: Call) -> Answer:
    """Add tags or replace their values."""
    return _add(call, _resource(call))


def untag_resource(call: Call) -> Answer:
    """Remove tags; those that are not there are ignored."""
    return _remove(call, _resource(call), call.params["tagKeys"])


def list_tags_for_resource(call: Call) -> Answer:
    """The tags of a group, by its ARN."""
    return {"tags": dict(_resource(call).tags)}


def tag_log_group(call: Call) -> Answer:
    """TagResource, by name."""
    return _add(call, group_named(call, call.params["logGroupName"]))


def untag_log_group(call: Call) -> Answer:
    """UntagResource, by name."""
    return _remove(call, group_named(call, call.params["logGroupName"]), call.params["tags"])


def list_tags_log_group(call: Call) -> Answer:
    """ListTagsForResource, by name."""
    return {"tags": dict(group_named(call, call.params["logGroupName"]).tags)}


def _resource(call: Call) -> LogGroup:
    arn = Arn.parse(call.params["resourceArn"])
    if arn is None or arn.service != "logs" or not arn.resource.startswith("log-group:"):
        raise invalid("resourceArn must be the ARN of a log group: only log groups have tags here.")
    name = name_in(arn, call.scope)
    if name is None:
        raise ApiError("ResourceNotFoundException", "The specified resource does not exist in this account and region.")
    return group_named(call, name)


def _add(call: Call, group: LogGroup) -> Answer:
    call.tx.put(group.but(tags=checked_tags(group.tags, call.params["tags"])))
    return {}


def _remove(call: Call, group: LogGroup, keys: list[str]) -> Answer:
    gone = set(keys)
    call.tx.put(group.but(tags=tags_without(group.tags, gone)))
    return {}
