"""Tags of hosted zones."""

from longshore.api.operation import Call, Operation
from longshore.api.route53.lookup import Answer, find_zone, invalid
from longshore.domain.names.zone import HostedZone
from longshore.domain.tag import tags_from, tags_list
from longshore.wire.errors import ApiError

MAX_TAGS = 50


def change_tags_for_resource(call: Call) -> Answer:
    """ChangeTagsForResource: adds and removes."""
    zone = _zone(call, call.params["ResourceId"])
    given = [{"Key": each.get("Key", ""), "Value": each.get("Value", "")} for each in call.params.get("AddTags") or ()]
    tags = {**zone.tags, **tags_from(given, "Key", "Value")}
    for key in call.params.get("RemoveTagKeys") or ():
        tags.pop(key, None)
    for key in tags:
        if not key or key.lower().startswith("aws:"):
            raise invalid(
                f"The tag key {key!r} is not for users: keys have at least a letter and don't begin with aws:"
            )
    if len(tags) > MAX_TAGS:
        raise invalid(f"A hosted zone can have at most {MAX_TAGS} tags")
    call.tx.put(zone.but(tags=tags))
    return {}


def list_tags_for_resource(call: Call) -> Answer:
    """ListTagsForResource."""
    return {"ResourceTagSet": _tag_set(call, call.params["ResourceId"])}


def list_tags_for_resources(call: Call) -> Answer:
    """ListTagsForResources."""
    return {"ResourceTagSets": [_tag_set(call, zone_id) for zone_id in call.params["ResourceIds"]]}


def _tag_set(call: Call, zone_id: str) -> Answer:
    zone = _zone(call, zone_id)
    return {"ResourceType": "hostedzone", "ResourceId": zone.zone_id, "Tags": tags_list(zone.tags, "Key", "Value")}


def _zone(call: Call, resource_id: str) -> HostedZone:
    if call.params["ResourceType"] == "healthcheck":
        raise ApiError("NoSuchHealthCheck", f"No health check exists with the ID {resource_id}: none are served")
    return find_zone(call, resource_id)


OPERATIONS: dict[str, Operation] = {
    "ChangeTagsForResource": Operation(change_tags_for_resource),
    "ListTagsForResource": Operation(list_tags_for_resource),
    "ListTagsForResources": Operation(list_tags_for_resources),
}
