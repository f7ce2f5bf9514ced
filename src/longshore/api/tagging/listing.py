"""Finding what is tagged: by tags, by kinds, by ARN; and which keys and values are in use."""

from collections.abc import Mapping, Sequence
from typing import Any

from longshore.api.operation import Call, Operation
from longshore.api.tagging.registry import Resource, resources
from longshore.domain.arn import Arn
from longshore.domain.tag import tags_list
from longshore.wire.errors import ApiError
from longshore.wire.pagination import decode_token, encode_token, page

Answer = dict[str, Any]

PAGE, MAX_PAGE = 50, 100
MIN_TAGS, MAX_TAGS = 100, 500
MAX_TYPES = 100
KEYS_PAGE = 1000
NO_POLICIES = "Longshore has no tag policies to comply with."
INVALID = "InvalidParameterException"


def invalid(text: str) -> ApiError:
    """InvalidParameterException."""
    return ApiError(INVALID, text)


def get_resources(call: Call) -> Answer:
    """GetResources: what has all the tags asked for, is of one of the kinds, or is named."""
    params = call.params
    filters, types, named = (
        params.get(name) or [] for name in ("TagFilters", "ResourceTypeFilters", "ResourceARNList")
    )
    per_page, most_tags = params.get("ResourcesPerPage"), params.get("TagsPerPage")
    token = params.get("PaginationToken") or ""
    if named and (filters or types or per_page is not None or most_tags is not None or token):
        raise invalid("ResourceARNList can't be combined with filters and pages.")
    _check_sizes(per_page, most_tags, types)
    for each in filters:
        if not each.get("Key"):
            raise invalid("Each of TagFilters needs a Key.")
    found = [
        each
        for each in resources(call)
        if (not named or each.arn in named) and _has(each, filters) and (not types or _is(each, types))
    ]
    found.sort(key=lambda each: each.arn)
    scope = repr((filters, types))
    last = decode_token("GetResources", token, code=INVALID, scope=scope) if token else ""
    rest = [each for each in found if each.arn > last]
    shown = _first(rest, len(rest) if named else per_page or PAGE, most_tags)
    more = encode_token("GetResources", shown[-1].arn, scope=scope) if len(shown) < len(rest) else ""
    mapped = [{"ResourceARN": each.arn, "Tags": tags_list(each.tags, "Key", "Value")} for each in shown]
    return {"PaginationToken": more, "ResourceTagMappingList": mapped}


def _check_sizes(per_page: int | None, most_tags: int | None, types: Sequence[str]) -> None:
    if per_page is not None and not 1 <= per_page <= MAX_PAGE:
        raise invalid(f"ResourcesPerPage is a number from 1 to {MAX_PAGE}.")
    if most_tags is not None and (not MIN_TAGS <= most_tags <= MAX_TAGS or most_tags % MIN_TAGS):
        raise invalid(f"TagsPerPage is a number from {MIN_TAGS} to {MAX_TAGS}, in steps of {MIN_TAGS}.")
    if len(types) > MAX_TYPES:
        raise invalid(f"At most {MAX_TYPES} ResourceTypeFilters can be given.")
    for each in types:
        if not each.partition(":")[0] or each.endswith(":"):
            raise invalid(f"{each[:64]!r} is no resource type: they are written as service or service:type.")


def _has(resource: Resource, filters: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a resource has, for each filter, its key with one of its values (any, if it names none)."""
    for each in filters:
        value = resource.tags.get(each["Key"])
        values = each.get("Values") or ()
        if value is None or (values and value not in values):
            return False
    return True


def _is(resource: Resource, types: Sequence[str]) -> bool:
    """Whether a resource is of one of the types, `ecs` or `ecs:service` for example."""
    arn = Arn.parse(resource.arn)
    assert arn is not None, "a resource of ours has an ARN"  # noqa: S101  we made it
    for each in types:
        service, _, kind = each.partition(":")
        if service == arn.service and (not kind or arn.resource.startswith((f"{kind}/", f"{kind}:"))):
            return True
    return False


def _first(found: Sequence[Resource], most: int, most_tags: int | None) -> list[Resource]:
    """As many as fit on a page, which has at most so many tags."""
    shown: list[Resource] = []
    tags = 0
    for each in found[:most]:
        tags += len(each.tags)
        if most_tags is not None and tags > most_tags:
            break
        shown.append(each)
    return shown


def get_tag_keys(call: Call) -> Answer:
    """GetTagKeys: all keys in use."""
    keys = {key for each in resources(call) for key in each.tags}
    shown, more = _page(call, keys, "GetTagKeys", "")
    return {"TagKeys": shown, "PaginationToken": more}


def get_tag_values(call: Call) -> Answer:
    """GetTagValues: all values of a key."""
    key = call.params["Key"]
    values = {each.tags[key] for each in resources(call) if key in each.tags}
    shown, more = _page(call, values, "GetTagValues", key)
    return {"TagValues": shown, "PaginationToken": more}


def _page(call: Call, texts: set[str], operation: str, scope: str) -> tuple[list[str], str]:
    token = call.params.get("PaginationToken") or None
    shown, more = page(
        sorted(texts), lambda text: text, KEYS_PAGE, token, operation=operation, code=INVALID, scope=scope
    )
    return shown, more or ""


OPERATIONS: dict[str, Operation] = {
    "GetResources": Operation(
        get_resources,
        refuses={"IncludeComplianceDetails": NO_POLICIES, "ExcludeCompliantResources": NO_POLICIES},
        allowed={"IncludeComplianceDetails": (False,), "ExcludeCompliantResources": (False,)},
    ),
    "GetTagKeys": Operation(get_tag_keys),
    "GetTagValues": Operation(get_tag_values),
}
