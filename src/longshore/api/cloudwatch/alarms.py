"""Metric alarms: put, describe, delete, their states and what became of them. Nothing evaluates them yet."""

import json
from collections.abc import Iterable

from longshore.api.cloudwatch.alarm_rules import settings_of
from longshore.api.cloudwatch.lookup import Answer, bad_combination, checked_tags, found_alarm, invalid
from longshore.api.common.alarms import change_state, drop_alarm, keep_alarm
from longshore.api.operation import Call, Operation
from longshore.domain.scaling.alarm import AlarmHistoryItem, MetricAlarm
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

RECORDED = "Recorded, not acted on yet: no alarm is evaluated, and none sets anything off."
PAGE = 50
HISTORY_PAGE = 100
ACTIONS = {
    "OKActions": "ok_actions",
    "AlarmActions": "alarm_actions",
    "InsufficientDataActions": "insufficient_data_actions",
}
_LINKED = "Longshore links no accounts."
_PROMETHEUS = "Longshore has no PromQL: give a metric, or Metrics."


def put_metric_alarm(call: Call) -> Answer:
    """PutMetricAlarm: a new one, or all of one that is there but its state and its tags."""
    params = call.params
    settings = settings_of(params)
    actions = {field: tuple(params.get(name) or ()) for name, field in ACTIONS.items()}
    for name, field in ACTIONS.items():
        wrong = [action for action in actions[field] if not action.startswith("arn:")]
        if wrong:
            raise invalid(f"Invalid arn syntax: {wrong[0][:128]} in {name}")
    enabled = params.get("ActionsEnabled")
    keep_alarm(
        call,
        params["AlarmName"],
        tags=checked_tags({}, params.get("Tags")),
        description=params.get("AlarmDescription"),
        actions_enabled=enabled is None or enabled,
        settings=settings,
        **actions,
    )
    return {}


def delete_alarms(call: Call) -> Answer:
    """DeleteAlarms: all of them, or none where one is not there."""
    for name in dict.fromkeys(call.params["AlarmNames"]):
        drop_alarm(call, found_alarm(call, name))
    return {}


def describe_alarms(call: Call) -> Answer:
    """DescribeAlarms, by name."""
    params = call.params
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
    if names and prefix is not None:
        raise bad_combination("AlarmNames and AlarmNamePrefix can't be combined.")
    kinds = params.get("AlarmTypes") or ["MetricAlarm"]
    state, action = params.get("StateValue"), params.get("ActionPrefix")
    if names:
        found: Iterable[MetricAlarm | None] = (call.tx.get(MetricAlarm, (*call.scope, name)) for name in set(names))
    else:
        found = call.tx.select(MetricAlarm, "scope", call.scope)
    alarms = [
        alarm
        for alarm in found
        if alarm is not None
        and "MetricAlarm" in kinds
        and alarm.name.startswith(prefix or "")
        and state in (None, alarm.state)
        and (action is None or any(each.startswith(action) for each in _all_actions(alarm)))
    ]
    shown, more = page(
        sorted(alarms, key=lambda alarm: alarm.name),
        lambda alarm: alarm.name,
        params.get("MaxRecords") or PAGE,
        params.get("NextToken"),
        operation="DescribeAlarms",
        code="InvalidNextToken",
    )
    view: Answer = {"MetricAlarms": [alarm_view(alarm) for alarm in shown], "NextToken": more}
    return view | {member: [] for kind, member in _OTHER_KINDS.items() if kind in kinds}


_OTHER_KINDS = {"CompositeAlarm": "CompositeAlarms", "LogAlarm": "LogAlarms"}


def _all_actions(alarm: MetricAlarm) -> tuple[str, ...]:
    return (*alarm.ok_actions, *alarm.alarm_actions, *alarm.insufficient_data_actions)


def describe_alarms_for_metric(call: Call) -> Answer:
    """DescribeAlarmsForMetric: those that watch that very metric, with that statistic, period and unit if given."""
    params = call.params
    watching = call.tx.select(MetricAlarm, "metric", (*call.scope, params["Namespace"], params["MetricName"]))
    dimensions = _pairs(params.get("Dimensions") or ())
    asked = {name: params.get(name) for name in ("Statistic", "ExtendedStatistic", "Period", "Unit")}
    found = [
        alarm
        for alarm in watching
        if _pairs(alarm.settings.get("Dimensions", ())) == dimensions
        and all(value is None or alarm.settings.get(name) == value for name, value in asked.items())
    ]
    return {"MetricAlarms": [alarm_view(alarm) for alarm in sorted(found, key=lambda alarm: alarm.name)]}


def _pairs(dimensions: Iterable[Answer]) -> set[tuple[str, str]]:
    return {(each["Name"], each["Value"]) for each in dimensions}


def alarm_view(alarm: MetricAlarm) -> Answer:
    """`MetricAlarm`."""
    view: Answer = {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "AlarmDescription": alarm.description,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        "ActionsEnabled": alarm.actions_enabled,
        **{name: list(getattr(alarm, field)) for name, field in ACTIONS.items()},
        "StateValue": alarm.state,
        "StateReason": alarm.state_reason,
        "StateReasonData": alarm.state_reason_data or None,
        "StateUpdatedTimestamp": alarm.state_updated_at,
        "StateTransitionedTimestamp": alarm.state_changed_at,
        **alarm.settings,
    }
    if "MetricName" in alarm.settings:
        view.setdefault("Dimensions", [])
    return {name: value for name, value in view.items() if value is not None}


def enable_alarm_actions(call: Call) -> Answer:
    """EnableAlarmActions. Names that are none are passed over."""
    return _set_enabled(call, enabled=True)


def disable_alarm_actions(call: Call) -> Answer:
    """DisableAlarmActions. Names that are none are passed over."""
    return _set_enabled(call, enabled=False)


def _set_enabled(call: Call, *, enabled: bool) -> Answer:
    for name in call.params["AlarmNames"]:
        alarm = call.tx.get(MetricAlarm, (*call.scope, name))
        if alarm is not None:
            call.tx.put(alarm.but(actions_enabled=enabled))
    return {}


def set_alarm_state(call: Call) -> Answer:
    """SetAlarmState: until something evaluates the alarm, it stays."""
    params = call.params
    alarm = found_alarm(call, params["AlarmName"])
    data = params.get("StateReasonData") or ""
    if data:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            raise ApiError("InvalidFormatFault", "StateReasonData must be a JSON document.") from None
    change_state(call, alarm, params["StateValue"], params["StateReason"], data)
    return {}


def describe_alarm_history(call: Call) -> Answer:
    """DescribeAlarmHistory, the newest first unless asked otherwise."""
    params = call.params
    name, kind = params.get("AlarmName"), params.get("HistoryItemType")
    start, end = params.get("StartDate"), params.get("EndDate")
    kinds = params.get("AlarmTypes") or ["MetricAlarm"]
    items = (
        call.tx.select(AlarmHistoryItem, "scope", call.scope)
        if name is None
        else call.tx.select(AlarmHistoryItem, "alarm", (*call.scope, name))
    )
    found = [
        item
        for item in items
        if "MetricAlarm" in kinds
        and kind in (None, item.type)
        and (start is None or item.at >= start)
        and (end is None or item.at <= end)
    ]
    descending = params.get("ScanBy") != "TimestampAscending"
    shown, more = page(
        sorted(found, key=_order, reverse=descending),
        _order,
        params.get("MaxRecords") or HISTORY_PAGE,
        params.get("NextToken"),
        operation="DescribeAlarmHistory",
        code="InvalidNextToken",
        scope=str(descending),
        descending=descending,
    )
    return {"AlarmHistoryItems": [_item_view(item) for item in shown], "NextToken": more}


def _order(item: AlarmHistoryItem) -> str:
    return f"{item.at:020.6f} {item.number:09d} {item.alarm}"


def _item_view(item: AlarmHistoryItem) -> Answer:
    return {
        "AlarmName": item.alarm,
        "AlarmType": "MetricAlarm",
        "Timestamp": item.at,
        "HistoryItemType": item.type,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }


OPERATIONS: dict[str, Operation] = {
    "PutMetricAlarm": Operation(
        put_metric_alarm,
        refuses={
            "Metrics[].AccountId": _LINKED,
            "EvaluationWindow": "Longshore has sliding windows only.",
            "WarmUpConfiguration": "Longshore has no warm-up of alarms.",
            "EvaluationCriteria": _PROMETHEUS,
            "EvaluationInterval": _PROMETHEUS,
            "ActionConfiguration": "Longshore hands no tags of alarms to actions.",
        },
        inert=dict.fromkeys(
            ("MetricName", "Metrics", "Threshold", "OKActions", "AlarmActions", "InsufficientDataActions"), RECORDED
        ),
    ),
    "DeleteAlarms": Operation(delete_alarms),
    "DescribeAlarms": Operation(
        describe_alarms,
        refuses={
            "ChildrenOfAlarmName": "Longshore has no composite alarms.",
            "ParentsOfAlarmName": "Longshore has no composite alarms.",
        },
    ),
    "DescribeAlarmsForMetric": Operation(describe_alarms_for_metric),
    "EnableAlarmActions": Operation(enable_alarm_actions, inert={"AlarmNames": RECORDED}),
    "DisableAlarmActions": Operation(disable_alarm_actions, inert={"AlarmNames": RECORDED}),
    "SetAlarmState": Operation(
        set_alarm_state, inert={"StateValue": "Kept, answered and in the history; it sets off no action yet."}
    ),
    "DescribeAlarmHistory": Operation(
        describe_alarm_history, refuses={"AlarmContributorId": "Longshore's alarms have no contributors."}
    ),
}
