"""What metric and subscription filters have in common: each belongs to a group, and has a pattern and a name."""

from longshore.api.logs.lookup import group_named, invalid
from longshore.api.logs.matching import PatternError
from longshore.api.logs.pattern import Predicate, compile_pattern
from longshore.api.operation import Call
from longshore.domain.log import LogGroup, MetricFilter, SubscriptionFilter
from longshore.wire.errors import ApiError

Filter = type[MetricFilter] | type[SubscriptionFilter]
WORDS: dict[Filter, str] = {MetricFilter: "metric", SubscriptionFilter: "subscription"}


def filtered_group(call: Call, kind: Filter) -> LogGroup:
    """The group that a filter is put on. Raises InvalidOperationException for one of a class that has none."""
    group = group_named(call, call.params["logGroupName"])
    if group.log_group_class != "STANDARD":
        what = WORDS[kind].capitalize()
        text = f"{what} filters are not supported for log groups of the class {group.log_group_class}."
        raise ApiError("InvalidOperationException", text)
    return group


def first_made(call: Call, kind: Filter, group: LogGroup, most: int) -> float:
    """When the filter that is put was made: now, or long ago. Raises LimitExceededException where there are enough."""
    present = call.tx.get(kind, (*group.key, call.params["filterName"]))
    if present is not None:
        return present.created_at
    if call.tx.count(kind, "group", group.key) >= most:
        raise ApiError("LimitExceededException", "Resource limit exceeded.")
    return call.now


def drop(call: Call, kind: Filter) -> None:
    """Remove the filter that is named. Raises ResourceNotFoundException."""
    key = (*group_named(call, call.params["logGroupName"]).key, call.params["filterName"])
    if call.tx.get(kind, key) is None:
        raise ApiError("ResourceNotFoundException", f"The specified {WORDS[kind]} filter does not exist.")
    call.tx.delete(kind, key)


def compiled(pattern: str, kind: Filter) -> Predicate:
    """The predicate that a pattern is. Raises InvalidParameterException."""
    try:
        return compile_pattern(pattern)
    except PatternError as error:
        raise invalid(f"Invalid {WORDS[kind]} filter pattern: {error}.") from None
