"""Tags of keys."""

from collections.abc import Iterable, Mapping
from typing import Any

from longshore.api.kms.lookup import Answer, find_by_id, find_own
from longshore.api.kms.paging import listed
from longshore.api.operation import Call, Operation
from longshore.domain.secrets.encryption_key import EncryptionKey
from longshore.domain.tag import Tags, tags_from, tags_without
from longshore.wire.errors import ApiError

MAX_TAGS = 50


def checked_tags(present: Tags, pairs: Iterable[Mapping[str, Any]] | None) -> Tags:
    """The tags after some were added. Raises TagException."""
    listed_pairs = list(pairs or ())
    given = tags_from(listed_pairs, "TagKey", "TagValue")
    if len(given) < len(listed_pairs):
        raise ApiError("TagException", "Duplicate tag keys")
    for key in given:
        if key.lower().startswith("aws:"):
            raise ApiError("TagException", "User-defined tag keys can't start with aws:")
    tags = {**present, **given}
    if len(tags) > MAX_TAGS:
        raise ApiError("LimitExceededException", f"A key can have at most {MAX_TAGS} tags.")
    return tags


def tag_resource(call: Call) -> Answer:
    """TagResource."""
    key = _taggable(call)
    call.tx.put(key.but(tags=checked_tags(key.tags, call.params["Tags"])))
    return {}


def untag_resource(call: Call) -> Answer:
    """UntagResource. Keys that are not there are passed over."""
    key, left_out = _taggable(call), set(call.params["TagKeys"])
    call.tx.put(key.but(tags=tags_without(key.tags, left_out)))
    return {}


def _taggable(call: Call) -> EncryptionKey:
    key = find_own(call)
    if key.deletion_at is not None:
        raise ApiError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return key


def list_resource_tags(call: Call) -> Answer:
    """ListResourceTags."""
    key = find_by_id(call)
    shown, more = listed(call, "ListResourceTags", key.tags.items(), lambda item: item[0], 50, scope=key.key_id)
    return {"Tags": [{"TagKey": name, "TagValue": value} for name, value in shown], **more}


OPERATIONS: dict[str, Operation] = {
    "ListResourceTags": Operation(list_resource_tags),
    "TagResource": Operation(tag_resource),
    "UntagResource": Operation(untag_resource),
}
