"""Tags of parameters. Systems Manager's other resources are not served."""

from collections.abc import Iterable, Mapping
from typing import Any

from longshore.api.operation import Call, Operation
from longshore.api.ssm.lookup import Answer, invalid
from longshore.domain.secrets.parameter import Parameter
from longshore.domain.tag import Tags, tags_from, tags_list, tags_without
from longshore.wire.errors import ApiError

MAX_TAGS = 50


def checked_tags(present: Tags, pairs: Iterable[Mapping[str, Any]] | None) -> Tags:
    """The tags after some were added."""
    given = tags_from(pairs, "Key", "Value")
    if any(key.lower().startswith("aws:") for key in given):
        raise invalid("Tag keys can't begin with aws:, which is reserved.")
    tags = {**present, **given}
    if len(tags) > MAX_TAGS:
        raise ApiError("TooManyTagsError", f"A parameter can have at most {MAX_TAGS} tags.")
    return tags


def add_tags_to_resource(call: Call) -> Answer:
    """AddTagsToResource."""
    parameter = _resource(call)
    call.tx.put(parameter.but(tags=checked_tags(parameter.tags, call.params["Tags"])))
    return {}


def remove_tags_from_resource(call: Call) -> Answer:
    """RemoveTagsFromResource. Keys that are not there are passed over."""
    parameter, gone = _resource(call), set(call.params["TagKeys"])
    call.tx.put(parameter.but(tags=tags_without(parameter.tags, gone)))
    return {}


def list_tags_for_resource(call: Call) -> Answer:
    """ListTagsForResource."""
    return {"TagList": tags_list(_resource(call).tags, "Key", "Value")}


def _resource(call: Call) -> Parameter:
    kind, name = call.params["ResourceType"], call.params["ResourceId"]
    if kind != "Parameter":
        raise ApiError("InvalidResourceType", f"{kind} is not served: of Systems Manager there is Parameter alone.")
    found = call.tx.get(Parameter, (*call.scope, name))
    if found is None:
        raise ApiError("InvalidResourceId", f"There is no parameter {name}.")
    return found


OPERATIONS: dict[str, Operation] = {
    "AddTagsToResource": Operation(add_tags_to_resource),
    "ListTagsForResource": Operation(list_tags_for_resource),
    "RemoveTagsFromResource": Operation(remove_tags_from_resource),
}
