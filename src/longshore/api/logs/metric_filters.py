"""Metric filters: what of a group's events is to become values of a metric. Kept and tried out; not acted on yet."""

from collections.abc import Sequence
from typing import Any

from longshore.api.logs.filters import compiled, drop, filtered_group, first_made
from longshore.api.logs.lookup import Answer, group_named, invalid, milliseconds
from longshore.api.logs.matching import number
from longshore.api.logs.pattern import extractor
from longshore.api.operation import Call
from longshore.domain.log import MetricFilter
from longshore.wire.pagination import page

PAGE = 50
MAX_FILTERS = 100
MAX_DIMENSIONS = 3


def put_metric_filter(call: Call) -> Answer:
    """A new filter, or all of one that is there."""
    params, group = call.params, filtered_group(call, MetricFilter)
    pattern = params["filterPattern"]
    compiled(pattern, MetricFilter)
    transformation = params["metricTransformations"][0]
    _check(transformation, pattern)
    created_at = first_made(call, MetricFilter, group, MAX_FILTERS)
    call.tx.put(
        MetricFilter(
            account=call.scope.account,
            region=call.scope.region,
            group=group.name,
            name=params["filterName"],
            pattern=pattern,
            metric_name=transformation["metricName"],
            metric_namespace=transformation["metricNamespace"],
            metric_value=transformation["metricValue"],
            default_value=transformation.get("defaultValue"),
            dimensions=dict(transformation.get("dimensions") or {}),
            unit=transformation.get("unit") or "",
            created_at=created_at,
        )
    )
    return {}


def _check(transformation: Answer, pattern: str) -> None:
    for name in ("metricName", "metricNamespace", "metricValue"):
        if not transformation[name]:
            raise invalid(f"Invalid metric transformation: {name} can't be empty.")
    fields = pattern.strip().startswith(("{", "["))
    value = transformation["metricValue"]
    if number(value) is None and not (fields and value.startswith("$")):
        raise invalid("Invalid metric transformation: metricValue is a number, or a field of the pattern.")
    dimensions = transformation.get("dimensions") or {}
    if len(dimensions) > MAX_DIMENSIONS:
        raise invalid(f"Invalid metric transformation: there can be at most {MAX_DIMENSIONS} dimensions.")
    if dimensions and transformation.get("defaultValue") is not None:
        raise invalid("Invalid metric transformation: dimensions and default value are mutually exclusive properties.")
    if any(not (fields and field.startswith("$")) for field in dimensions.values()):
        raise invalid("Invalid metric transformation: dimensions are fields of a JSON or space-delimited pattern.")


def describe_metric_filters(call: Call) -> Answer:
    """Filters of a group, of a metric, or all, in the order of their names."""
    params = call.params
    group, prefix = params.get("logGroupName"), params.get("filterNamePrefix") or ""
    metric, namespace = params.get("metricName"), params.get("metricNamespace")
    if (metric is None) != (namespace is None):
        raise invalid("metricName and metricNamespace go together.")
    if group is not None:
        found: Sequence[MetricFilter] = call.tx.select(MetricFilter, "group", group_named(call, group).key)
    else:
        found = call.tx.select(MetricFilter, "scope", call.scope)
    found = [
        each
        for each in found
        if each.name.startswith(prefix)
        and (metric is None or (each.metric_name, each.metric_namespace) == (metric, namespace))
    ]
    shown, more = page(
        sorted(found, key=_order),
        _order,
        params.get("limit") or PAGE,
        params.get("nextToken"),
        operation="DescribeMetricFilters",
        scope=f"{group} {prefix}",
    )
    return {"metricFilters": [_view(each) for each in shown], "nextToken": more}


def _order(each: MetricFilter) -> str:
    return f"{each.name}\0{each.group}"


def _view(each: MetricFilter) -> Answer:
    transformation: dict[str, Any] = {
        "metricName": each.metric_name,
        "metricNamespace": each.metric_namespace,
        "metricValue": each.metric_value,
    }
    if each.default_value is not None:
        transformation["defaultValue"] = each.default_value
    if each.dimensions:
        transformation["dimensions"] = dict(each.dimensions)
    if each.unit:
        transformation["unit"] = each.unit
    return {
        "filterName": each.name,
        "filterPattern": each.pattern,
        "metricTransformations": [transformation],
        "creationTime": milliseconds(each.created_at),
        "logGroupName": each.group,
        "applyOnTransformedLogs": False,
    }


def delete_metric_filter(call: Call) -> Answer:
    """DeleteMetricFilter."""
    drop(call, MetricFilter)
    return {}


def test_metric_filter(call: Call) -> Answer:
    """TestMetricFilter: which of the messages a pattern matches, and what it names in them."""
    pattern = call.params["filterPattern"]
    matches, extract = compiled(pattern, MetricFilter), extractor(pattern)
    found = [
        {"eventNumber": position, "eventMessage": message, "extractedValues": extract(message)}
        for position, message in enumerate(call.params["logEventMessages"], 1)
        if matches(message)
    ]
    return {"matches": found}
