"""Tags of alarms and dashboards."""

from longshore.api.cloudwatch.dashboards import global_scope
from longshore.api.cloudwatch.lookup import Answer, alarm_named, bad_value, checked_tags
from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn
from longshore.domain.scaling.alarm import Alarm, Dashboard
from longshore.domain.tag import tags_list, tags_without
from longshore.wire.errors import ApiError


def tag_resource(call: Call) -> Answer:
    """TagResource."""
    record = _tagged(call)
    call.tx.put(record.but(tags=checked_tags(record.tags, call.params["Tags"])))
    return {}


def untag_resource(call: Call) -> Answer:
    """UntagResource. Keys that are not there are passed over."""
    record, keys = _tagged(call), set(call.params["TagKeys"])
    call.tx.put(record.but(tags=tags_without(record.tags, keys)))
    return {}


def list_tags_for_resource(call: Call) -> Answer:
    """ListTagsForResource."""
    return {"Tags": tags_list(_tagged(call).tags, "Key", "Value")}


def _tagged(call: Call) -> Alarm | Dashboard:
    text = call.params["ResourceARN"]
    arn = Arn.parse(text)
    if arn is None or arn.service != "cloudwatch":
        raise bad_value(f"{text[:256]} is not the ARN of an alarm or a dashboard.")
    found: Alarm | Dashboard | None = None
    if arn.scope == call.scope and arn.resource.startswith("alarm:"):
        found = alarm_named(call, arn.resource.removeprefix("alarm:"))
    elif arn.scope == global_scope(call) and arn.resource.startswith("dashboard/"):
        found = call.tx.get(Dashboard, (*arn.scope, arn.resource.removeprefix("dashboard/")))
    if found is None:
        members = {"ResourceType": "CloudWatch", "ResourceId": text}
        raise ApiError("ResourceNotFoundException", f"{text[:256]} does not exist.", members=members)
    return found


OPERATIONS: dict[str, Operation] = {
    "TagResource": Operation(tag_resource),
    "UntagResource": Operation(untag_resource),
    "ListTagsForResource": Operation(list_tags_for_resource),
}
