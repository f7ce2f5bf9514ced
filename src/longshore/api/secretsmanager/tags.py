"""Tags of secrets."""

from collections.abc import Iterable, Mapping
from typing import Any

from longshore.api.operation import Call
from longshore.api.secretsmanager.lookup import Answer, find_live, invalid
from longshore.domain.tag import Tags, tags_from, tags_without

MAX_TAGS = 50


def checked_tags(present: Tags, pairs: Iterable[Mapping[str, Any]] | None) -> Tags:
    """The tags after some were added."""
    listed = list(pairs or ())
    if any(not pair.get("Key") for pair in listed):
        raise invalid("A tag needs a Key.")
    given = tags_from(listed, "Key", "Value")
    if len(given) < len(listed):
        raise invalid("A tag key can be given once.")
    for key in given:
        if key.lower().startswith("aws:"):
            raise invalid(f"The tag key {key} is reserved: keys can't begin with aws:.")
    tags = {**present, **given}
    if len(tags) > MAX_TAGS:
        raise invalid(f"A secret can have at most {MAX_TAGS} tags.")
    return tags


def tag_resource(call: Call) -> Answer:
    """TagResource: adds tags, and replaces values."""
    secret = find_live(call)
    call.tx.put(secret.but(tags=checked_tags(secret.tags, call.params["Tags"])))
    return {}


def untag_resource(call: Call) -> Answer:
    """UntagResource. Keys that are not there are passed over."""
    secret, gone = find_live(call), set(call.params["TagKeys"])
    call.tx.put(secret.but(tags=tags_without(secret.tags, gone)))
    return {}
