"""Tags of namespaces and services."""

from collections.abc import Iterable, Mapping
from typing import Any

from longshore.api.operation import Call, Operation
from longshore.api.servicediscovery.lookup import Answer, find_tagged, invalid
from longshore.domain.tag import Tags, tags_from, tags_list, tags_without
from longshore.wire.errors import ApiError

MAX_TAGS = 50


def checked_tags(call: Call, pairs: Iterable[Mapping[str, Any]] | None, present: Tags | None = None) -> Tags:
    """The tags after some were added. Raises InvalidInput for AWS's keys, TooManyTagsException."""
    given = tags_from(pairs, "Key", "Value")
    for key in given:
        if key.lower().startswith("aws:"):
            raise invalid(f"The tag key {key} is reserved: keys can't begin with aws:")
    tags = {**(present or {}), **given}
    if len(tags) > MAX_TAGS:
        text = f"A resource can have at most {MAX_TAGS} tags"
        raise ApiError("TooManyTagsException", text, members={"ResourceName": call.params.get("ResourceARN", "")})
    return tags


def tag_resource(call: Call) -> Answer:
    """TagResource."""
    record = find_tagged(call, call.params["ResourceARN"])
    call.tx.put(record.but(tags=checked_tags(call, call.params["Tags"], record.tags)))
    return {}


def untag_resource(call: Call) -> Answer:
    """UntagResource. Keys that are not there are passed over."""
    record, keys = find_tagged(call, call.params["ResourceARN"]), set(call.params["TagKeys"])
    call.tx.put(record.but(tags=tags_without(record.tags, keys)))
    return {}


def list_tags_for_resource(call: Call) -> Answer:
    """ListTagsForResource."""
    return {"Tags": tags_list(find_tagged(call, call.params["ResourceARN"]).tags, "Key", "Value")}


OPERATIONS: dict[str, Operation] = {
    "ListTagsForResource": Operation(list_tags_for_resource),
    "TagResource": Operation(tag_resource),
    "UntagResource": Operation(untag_resource),
}
