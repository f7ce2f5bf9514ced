"""The alarms that AWS makes for a target tracking policy: one to scale out by, one to scale in by.

They are alarms like any other, which CloudWatch lists, and they go with their policy.
"""

from typing import Any

from longshore.api.common.alarms import drop_alarm, keep_alarm
from longshore.api.operation import Call
from longshore.domain.scaling.alarm import MetricAlarm
from longshore.domain.scaling.scaling import HIGH_PERIODS, LOW_PERIODS, LOW_SHARE, ScalingPolicy, TargetTracking

PERIOD_S, QUICK_PERIOD_S = 60, 20
_USE = {"CPU": "CPUUtilization", "Memory": "MemoryUtilization"}


def keep_alarms(call: Call, policy: ScalingPolicy) -> ScalingPolicy:
    """Make or change the alarms of a target tracking policy; the policy with their names."""
    tracking = policy.tracking
    if tracking is None:
        return policy
    kept = {"High": next((name for name in policy.alarms if "-AlarmHigh-" in name), None)}
    kept["Low"] = next((name for name in policy.alarms if "-AlarmLow-" in name), None)
    names = []
    for side in ("High", "Low"):
        name = kept[side] or f"TargetTracking-{policy.resource_id}-Alarm{side}-{call.ids.uuid()}"
        if side == "Low" and tracking.disable_scale_in:
            alarm = call.tx.get(MetricAlarm, (*call.scope, name))
            if alarm is not None:
                drop_alarm(call, alarm)
            continue
        keep_alarm(
            call,
            MetricAlarm,
            name,
            description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
            alarm_actions=(policy.arn,),
            settings=_settings(policy, tracking, side),
        )
        names.append(name)
    return policy.but(alarms=tuple(names))


def alarms_of(call: Call, policy: ScalingPolicy) -> list[str]:
    """Names of the alarms that set a policy off: its own, or those that users made."""
    if policy.tracking is not None:
        return list(policy.alarms)
    found = call.tx.select(MetricAlarm, "action", (policy.arn,))
    return sorted(alarm.name for alarm in found if policy.arn in alarm.alarm_actions)


def _settings(policy: ScalingPolicy, tracking: TargetTracking, side: str) -> dict[str, Any]:
    high = side == "High"
    watched = _watched(policy, tracking)
    return {
        **watched,
        "EvaluationPeriods": HIGH_PERIODS if high else LOW_PERIODS,
        "Threshold": tracking.target if high else tracking.target * LOW_SHARE,
        "ComparisonOperator": "GreaterThanThreshold" if high else "LessThanThreshold",
    }


def _watched(policy: ScalingPolicy, tracking: TargetTracking) -> dict[str, Any]:
    """What the alarms look at, under PutMetricAlarm's names."""
    if tracking.customized:
        return _customized(tracking.customized)
    if tracking.resource_label:
        balancer, _, group = tracking.resource_label.partition("/targetgroup/")
        dimensions = {"LoadBalancer": balancer, "TargetGroup": f"targetgroup/{group}"}
        return _metric("AWS/ApplicationELB", "RequestCountPerTarget", "Sum", dimensions, PERIOD_S)
    use = next(name for part, name in _USE.items() if part in tracking.metric)
    _, cluster, service = policy.resource_id.split("/")
    period_s = QUICK_PERIOD_S if tracking.metric.endswith("HighResolution") else PERIOD_S
    return _metric("AWS/ECS", use, "Average", {"ClusterName": cluster, "ServiceName": service}, period_s)


def _customized(document: dict[str, Any]) -> dict[str, Any]:
    if "Metrics" not in document:
        dimensions = {each["Name"]: each["Value"] for each in document["Dimensions"]}
        made = _metric(document["Namespace"], document["MetricName"], document["Statistic"], dimensions, PERIOD_S)
        return {**made, "Unit": document["Unit"]} if "Unit" in document else made
    queries = []
    for query in document["Metrics"]:
        stat = {"MetricStat": {**query["MetricStat"], "Period": PERIOD_S}} if "MetricStat" in query else {}
        queries.append({**query, **stat, "ReturnData": query.get("ReturnData", True)})
    return {"Metrics": queries}


def _metric(namespace: str, name: str, statistic: str, dimensions: dict[str, str], period_s: int) -> dict[str, Any]:
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Statistic": statistic,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Period": period_s,
    }
