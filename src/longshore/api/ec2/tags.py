"""Tags: those that a resource is made with, and CreateTags, DeleteTags and DescribeTags for every kind of resource."""

from collections.abc import Iterable, Mapping
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import invalid, paged
from longshore.api.ec2.resources import every, find, kind_of
from longshore.api.operation import Call, Operation
from longshore.domain.tag import Tags, tags_list
from longshore.wire.errors import ApiError

MAX_TAGS = 50
MAX_KEY, MAX_VALUE = 128, 256
MAX_RESOURCES = 1000


def new_tags(call: Call, resource_type: str) -> Tags:
    """What `TagSpecifications` say of the resource that is about to be made."""
    tags: Tags = {}
    for specification in call.params.get("TagSpecifications") or ():
        asked, pairs = specification.get("ResourceType"), specification.get("Tags")
        if asked != resource_type:
            raise invalid(f"'{asked}' is not a valid taggable resource type for this operation.")
        for key, value in checked(pairs).items():
            if key in tags:
                raise invalid(f"Duplicate tag key '{key}' specified.")
            tags[key] = value
    return within_limit(tags)


def shown(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags, as EC2 answers them."""
    return tags_list(tags, "Key", "Value")


def checked(pairs: Iterable[Mapping[str, Any]] | None) -> Tags:
    """The pairs as a mapping, after EC2's rules."""
    tags: Tags = {}
    for pair in pairs or ():
        key, value = pair.get("Key") or "", pair.get("Value") or ""
        if not key:
            raise invalid("Tag key cannot be null or empty.")
        if len(key) > MAX_KEY:
            raise invalid(f"Tag key exceeds the maximum length of {MAX_KEY} characters")
        if len(value) > MAX_VALUE:
            raise invalid(f"Tag value exceeds the maximum length of {MAX_VALUE} characters")
        if key.lower().startswith("aws:"):
            raise invalid("Tag keys starting with 'aws:' are reserved for internal use")
        if key in tags:
            raise invalid(f"Duplicate tag key '{key}' specified.")
        tags[key] = value
    return tags


def within_limit(tags: Tags) -> Tags:
    """The tags, if they are not too many for one resource."""
    if len(tags) > MAX_TAGS:
        raise ApiError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
    return tags


def create_tags(call: Call) -> dict[str, Any]:
    """CreateTags: more tags, or other values, for some resources."""
    references = call.params["Resources"]
    tags = checked(call.params["Tags"])
    if not tags:
        raise ApiError("MissingParameter", "The request must contain the parameter tagSet")
    for record in _tagged(call, references):
        call.tx.put(record.but(tags=within_limit({**record.tags, **tags})))
    return {}


def delete_tags(call: Call) -> dict[str, Any]:
    """DeleteTags: all tags of some resources, or those named; one named with a value goes only if it has that."""
    references, pairs = call.params["Resources"], call.params.get("Tags")
    named = {pair.get("Key") or "": pair.get("Value") for pair in pairs or ()}
    for record in _tagged(call, references):
        kept = {
            key: value
            for key, value in record.tags.items()
            if named and (key not in named or named[key] not in {None, value})
        }
        call.tx.put(record.but(tags=kept))
    return {}


def _tagged(call: Call, references: list[str]) -> list[Any]:
    """The records that the ids name."""
    if len(references) > MAX_RESOURCES:
        raise invalid(f"At most {MAX_RESOURCES} resources can be named in one call")
    found = []
    for reference in dict.fromkeys(references):
        kind = kind_of(reference)
        if kind is None:
            raise ApiError("InvalidID", f"The ID '{reference[:64]}' is not valid")
        found.append(find(call, kind[0], reference))
    return found


FILTERS = {
    **filters.table(tags=None, key="Key", resource_id="ResourceId", resource_type="ResourceType", value="Value"),
    "tag-key": filters.at("Key"),
}


def describe_tags(call: Call) -> dict[str, Any]:
    """DescribeTags."""
    views = [
        {
            "Key": key,
            "ResourceId": record.names()[0],
            "ResourceType": resource.type,
            "Value": value,
            "Tags": [{"Key": key, "Value": value}],
        }
        for resource, record in every(call)
        for key, value in record.tags.items()
    ]
    views.sort(key=_order)
    found = filters.apply(views, call.params.get("Filters"), FILTERS)
    for view in found:
        del view["Tags"]
    return paged(call, "DescribeTags", "Tags", found, _order, "")


def _order(view: Mapping[str, Any]) -> str:
    return f"{view['ResourceId']} {view['Key']}"


OPERATIONS = {
    "CreateTags": Operation(create_tags),
    "DeleteTags": Operation(delete_tags),
    "DescribeTags": Operation(describe_tags),
}
