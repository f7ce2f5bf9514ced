"""Tags of certificates."""

from collections.abc import Iterable, Mapping
from typing import Any

from longshore.api.acm.lookup import Answer, find_certificate
from longshore.api.operation import Call
from longshore.domain.tag import Tags, tags_from, tags_list
from longshore.wire.errors import ApiError

MAX_TAGS = 50


def checked_tags(present: Tags, pairs: Iterable[Mapping[str, Any]] | None) -> Tags:
    """The tags after some were added. Raises InvalidTagException or TooManyTagsException."""
    given = tags_from(pairs, "Key", "Value")
    for key in given:
        if key.lower().startswith("aws:"):
            raise ApiError("InvalidTagException", f"The tag key {key} is reserved: keys can't begin with aws:.")
    tags = {**present, **given}
    if len(tags) > MAX_TAGS:
        raise ApiError("TooManyTagsException", f"A certificate can have at most {MAX_TAGS} tags.")
    return tags


def add_tags_to_certificate(call: Call) -> Answer:
    """Add tags or replace their values."""
    certificate = find_certificate(call)
    call.tx.put(certificate.but(tags=checked_tags(certificate.tags, call.params["Tags"])))
    return {}


def remove_tags_from_certificate(call: Call) -> Answer:
    """Remove tags; one that is given with a value goes only if that is its value."""
    certificate = find_certificate(call)
    tags = dict(certificate.tags)
    for pair in call.params["Tags"]:
        value = pair.get("Value")
        if value is None or tags.get(pair["Key"]) == value:
            tags.pop(pair["Key"], None)
    call.tx.put(certificate.but(tags=tags))
    return {}


def list_tags_for_certificate(call: Call) -> Answer:
    """The tags of a certificate."""
    return {"Tags": tags_list(find_certificate(call).tags, "Key", "Value")}
