"""The configuration of a target tracking policy: its rules, and how it is answered."""

import math
import re
from typing import Any

from longshore.api.autoscaling.lookup import invalid
from longshore.api.operation import Call
from longshore.domain.scaling.scaling import ScalingPolicy, TargetTracking

PREDEFINED = frozenset(
    {
        "ECSServiceAverageCPUUtilization",
        "ECSServiceAverageMemoryUtilization",
        "ECSServiceAverageCPUUtilizationHighResolution",
        "ECSServiceAverageMemoryUtilizationHighResolution",
        "ALBRequestCountPerTarget",
    }
)
"""The predefined metrics that suit a service of ECS."""
REQUESTS = "ALBRequestCountPerTarget"
LABEL = re.compile(r"app/[^/]+/[^/]+/targetgroup/[^/]+/[^/]+")
QUERY_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
MAX_QUERIES = 10
SMALLEST, LARGEST = 8.515920e-109, 1.174271e108
Document = dict[str, Any]


def target_tracking(document: Document) -> TargetTracking:
    """The configuration. Raises ValidationException where it is none."""
    value = document["TargetValue"]
    if not math.isfinite(value) or not SMALLEST <= value <= LARGEST:
        raise invalid(f"TargetValue must be a number above 0, from {SMALLEST} to {LARGEST}.")
    predefined, customized = (
        document.get("PredefinedMetricSpecification"),
        document.get("CustomizedMetricSpecification"),
    )
    if (predefined is None) == (customized is None):
        raise invalid("Specify exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification.")
    cooldowns = {name: document.get(name) for name in ("ScaleOutCooldown", "ScaleInCooldown")}
    for name, seconds in cooldowns.items():
        if seconds is not None and seconds < 0:
            raise invalid(f"{name} must be greater than or equal to 0")
    metric, label = _predefined(predefined) if predefined is not None else ("", "")
    return TargetTracking(
        target=value,
        metric=metric,
        resource_label=label,
        customized=_customized(customized) if customized is not None else {},
        scale_out_cooldown_s=cooldowns["ScaleOutCooldown"],
        scale_in_cooldown_s=cooldowns["ScaleInCooldown"],
        disable_scale_in=document.get("DisableScaleIn"),
    )


def _predefined(document: Document) -> tuple[str, str]:
    metric, label = document["PredefinedMetricType"], document.get("ResourceLabel") or ""
    if metric not in PREDEFINED:
        raise invalid(f"The predefined metric type {metric} is not supported for the service namespace ecs.")
    if metric == REQUESTS and not LABEL.fullmatch(label):
        raise invalid(
            f"{REQUESTS} needs a ResourceLabel of the form app/<load balancer>/<id>/targetgroup/<target group>/<id>."
        )
    if metric != REQUESTS and label:
        raise invalid(f"ResourceLabel can be specified for {REQUESTS} only.")
    return metric, label


def _customized(document: Document) -> Document:
    simple = {name: document.get(name) for name in ("MetricName", "Namespace", "Statistic")}
    dimensions, unit, queries = (document.get(name) for name in ("Dimensions", "Unit", "Metrics"))
    if queries:
        if any(simple.values()) or dimensions or unit:
            raise invalid("Metrics can't be combined with MetricName, Namespace, Dimensions, Statistic and Unit.")
        return {"Metrics": _queries(queries)}
    missing = [name for name, value in simple.items() if not value]
    if missing:
        raise invalid(f"A CustomizedMetricSpecification needs {', '.join(missing)}, or Metrics.")
    names = [each["Name"] for each in dimensions or ()]
    if len(set(names)) < len(names):
        raise invalid("Each dimension can be specified only once.")
    made = {**simple, "Dimensions": [{"Name": each["Name"], "Value": each["Value"]} for each in dimensions or ()]}
    return {**made, "Unit": unit} if unit else made


def _queries(queries: list[Document]) -> list[Document]:
    if len(queries) > MAX_QUERIES:
        raise invalid(f"At most {MAX_QUERIES} metrics and expressions can be specified.")
    made = [_query(query) for query in queries]
    ids = [query["Id"] for query in made]
    if len(set(ids)) < len(ids):
        raise invalid("Each Id in Metrics must be its own.")
    if sum(query.get("ReturnData", True) for query in made) != 1:
        raise invalid("Exactly one element of the metrics list should return data.")
    return made


def _query(query: Document) -> Document:
    if not QUERY_ID.fullmatch(query["Id"]):
        raise invalid("An Id in Metrics begins with a small letter and has letters, digits and underscores.")
    stat, expression = query.get("MetricStat"), query.get("Expression")
    if (stat is None) == (expression is None):
        raise invalid("Each of Metrics has either a MetricStat or an Expression.")
    made: Document = {"Id": query["Id"]}
    if stat is not None:
        metric = stat["Metric"]
        if not metric.get("MetricName") or not metric.get("Namespace"):
            raise invalid("The Metric of a MetricStat needs a MetricName and a Namespace.")
        dimensions = [{"Name": each["Name"], "Value": each["Value"]} for each in metric.get("Dimensions") or ()]
        named = {"MetricName": metric["MetricName"], "Namespace": metric["Namespace"]}
        made["MetricStat"] = {"Metric": {**named, "Dimensions": dimensions}, "Stat": stat["Stat"]}
        if stat.get("Unit"):
            made["MetricStat"]["Unit"] = stat["Unit"]
    else:
        made["Expression"] = expression
    rest = {"Label": query.get("Label"), "ReturnData": query.get("ReturnData")}
    return made | {name: value for name, value in rest.items() if value is not None}


def check_metric_is_free(call: Call, policy: ScalingPolicy) -> None:
    """Raises ValidationException where another policy of the same target tracks the same metric."""
    if policy.tracking is None:
        return
    for other in call.tx.select(ScalingPolicy, "target", policy.target_key):
        if (
            other.name != policy.name
            and other.tracking is not None
            and _metric(other.tracking) == _metric(policy.tracking)
        ):
            raise invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")


def _metric(tracking: TargetTracking) -> tuple[str, str, Document]:
    return tracking.metric, tracking.resource_label, tracking.customized


def tracking_view(tracking: TargetTracking | None) -> Document:
    """The configuration, as it was given."""
    if tracking is None:
        return {}
    view: Document = {"TargetValue": tracking.target}
    if tracking.metric:
        label = {"ResourceLabel": tracking.resource_label} if tracking.resource_label else {}
        view["PredefinedMetricSpecification"] = {"PredefinedMetricType": tracking.metric, **label}
    else:
        view["CustomizedMetricSpecification"] = tracking.customized
    rest = {
        "ScaleOutCooldown": tracking.scale_out_cooldown_s,
        "ScaleInCooldown": tracking.scale_in_cooldown_s,
        "DisableScaleIn": tracking.disable_scale_in,
    }
    return view | {name: value for name, value in rest.items() if value is not None}
