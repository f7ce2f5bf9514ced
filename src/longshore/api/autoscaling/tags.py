"""Tags of scalable targets."""

from collections.abc import Mapping

from longshore.api.autoscaling.lookup import Answer, invalid
from longshore.api.operation import Call, Operation
from longshore.domain.scaling.scaling import ScalableTarget
from longshore.domain.tag import Tags, tags_without
from longshore.wire.errors import ApiError

MAX_TAGS = 50


def checked_tags(present: Tags, added: Mapping[str, str], arn: str = "") -> Tags:
    """The tags after some were added. Raises ValidationException for AWS's keys, TooManyTagsException."""
    for key in added:
        if key.lower().startswith("aws:"):
            raise invalid(f"The tag key {key} is reserved: keys can't begin with aws:.")
    tags = {**present, **added}
    if len(tags) > MAX_TAGS:
        text = f"A scalable target can have at most {MAX_TAGS} tags."
        raise ApiError("TooManyTagsException", text, members={"ResourceName": arn or None})
    return tags


def tag_resource(call: Call) -> Answer:
    """TagResource."""
    target = _target(call)
    call.tx.put(target.but(tags=checked_tags(target.tags, call.params["Tags"], target.arn)))
    return {}


def untag_resource(call: Call) -> Answer:
    """UntagResource. Keys that are not there are passed over."""
    target, keys = _target(call), set(call.params["TagKeys"])
    call.tx.put(target.but(tags=tags_without(target.tags, keys)))
    return {}


def list_tags_for_resource(call: Call) -> Answer:
    """ListTagsForResource."""
    return {"Tags": dict(_target(call).tags)}


def _target(call: Call) -> ScalableTarget:
    arn = call.params["ResourceARN"]
    found = call.tx.select(ScalableTarget, "arn", (arn,))
    if not found or found[0].scope != call.scope:
        text = f"The resource {arn} does not exist."
        raise ApiError("ResourceNotFoundException", text, members={"ResourceName": arn})
    return found[0]


OPERATIONS: dict[str, Operation] = {
    "TagResource": Operation(tag_resource),
    "UntagResource": Operation(untag_resource),
    "ListTagsForResource": Operation(list_tags_for_resource),
}
