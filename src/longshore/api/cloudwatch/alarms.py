"""Alarms: put, describe, delete, their states and what became of them. Nothing evaluates them yet."""

import json
from collections.abc import Callable, Iterable

from longshore.api.cloudwatch.alarm_rules import settings_of
from longshore.api.cloudwatch.composite_alarms import (
    check_not_needed,
    children_of,
    composite_view,
    parents_of,
    put_composite_alarm,
)
from longshore.api.cloudwatch.lookup import (
    ACTIONS,
    Answer,
    alarm_named,
    asked_of_both,
    bad_combination,
    found_alarm,
    invalid,
)
from longshore.api.common.alarms import change_state, drop_alarm, keep_alarm
from longshore.api.operation import Call, Operation
from longshore.domain.scaling.alarm import Alarm, AlarmHistoryItem, CompositeAlarm, MetricAlarm
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

RECORDED = "Recorded, not acted on yet: no alarm is evaluated, and none sets anything off."
PAGE = 50
HISTORY_PAGE = 100
MEMBERS = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms", "LogAlarm": "LogAlarms"}
"""Where alarms of each type stand in an answer. There are no log alarms."""
_LINKED = "Longshore links no accounts."
_NO_PROPAGATION = "Longshore hands no tags of alarms to actions."
_PROMETHEUS = "Longshore has no PromQL: give a metric, or Metrics."


def put_metric_alarm(call: Call) -> Answer:
    """PutMetricAlarm: a new one, or all of one that is there but its state and its tags."""
    params = call.params
    name = params["AlarmName"]
    settings = settings_of(params)
    if call.tx.get(CompositeAlarm, (*call.scope, name)) is not None:
        raise invalid(f"{name} is a composite alarm: delete it, or choose another name.")
    keep_alarm(
        call,
        MetricAlarm,
        name,
        settings=settings,
        **asked_of_both(params),
    )
    return {}


def delete_alarms(call: Call) -> Answer:
    """DeleteAlarms: all of them, or none where one is not there, or needed by a composite alarm."""
    alarms = [found_alarm(call, name) for name in dict.fromkeys(call.params["AlarmNames"])]
    if sum(isinstance(alarm, CompositeAlarm) for alarm in alarms) > 1:
        raise invalid("At most one composite alarm can be deleted in one call.")
    check_not_needed(call, alarms)
    for alarm in alarms:
        drop_alarm(call, alarm)
    return {}


def describe_alarms(call: Call) -> Answer:
    """DescribeAlarms, by name; of the types that are asked for, or else metric alarms alone."""
    params = call.params
    for relation, look_up, view in (
        ("ChildrenOfAlarmName", children_of, _child_view),
        ("ParentsOfAlarmName", parents_of, _parent_view),
    ):
        if params.get(relation) is not None:
            others = sorted(each for each in FILTERS - {relation} if params.get(each) is not None)
            if others:
                raise invalid(f"{relation} can't be combined with {others[0]}.")
            return _described(call, look_up(call, params[relation]), view, MEMBERS)
    return _described(call, _asked_for(call), alarm_view, params.get("AlarmTypes") or ["MetricAlarm"])


FILTERS = frozenset(
    {
        *("AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "ActionPrefix"),
        *("ChildrenOfAlarmName", "ParentsOfAlarmName"),
    }
)


def _asked_for(call: Call) -> list[Alarm]:
    params = call.params
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
    if names and prefix is not None:
        raise bad_combination("AlarmNames and AlarmNamePrefix can't be combined.")
    state, action = params.get("StateValue"), params.get("ActionPrefix")
    if names:
        found = (alarm_named(call, name) for name in set(names))
        alarms = [alarm for alarm in found if alarm is not None]
    else:
        read = call.tx.select
        alarms = [*read(MetricAlarm, "scope", call.scope), *read(CompositeAlarm, "scope", call.scope)]
    return [
        alarm
        for alarm in alarms
        if alarm.name.startswith(prefix or "")
        and state in (None, alarm.state)
        and (action is None or any(each.startswith(action) for each in alarm.actions))
    ]


def _described(call: Call, alarms: Iterable[Alarm], view: Callable[[Alarm], Answer], types: Iterable[str]) -> Answer:
    """One page of those that are of these types."""
    answer: Answer = {MEMBERS[kind]: [] for kind in types if kind in MEMBERS}
    shown, more = page(
        sorted((alarm for alarm in alarms if MEMBERS[alarm.type] in answer), key=_name),
        _name,
        call.params.get("MaxRecords") or PAGE,
        call.params.get("NextToken"),
        operation="DescribeAlarms",
        code="InvalidNextToken",
    )
    for alarm in shown:
        answer[MEMBERS[alarm.type]].append(view(alarm))
    return {"MetricAlarms": [], **answer, "NextToken": more}


def _name(alarm: Alarm) -> str:
    return alarm.name


def _parent_view(alarm: Alarm) -> Answer:
    return {"AlarmName": alarm.name, "AlarmArn": alarm.arn}


def _child_view(alarm: Alarm) -> Answer:
    return {**_parent_view(alarm), "StateValue": alarm.state, "StateUpdatedTimestamp": alarm.state_updated_at}


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


def alarm_view(alarm: Alarm) -> Answer:
    """`MetricAlarm` or `CompositeAlarm`."""
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
    }
    if isinstance(alarm, MetricAlarm):
        view |= alarm.settings
        if "MetricName" in alarm.settings:
            view.setdefault("Dimensions", [])
    elif isinstance(alarm, CompositeAlarm):
        view |= composite_view(alarm)
    return {name: value for name, value in view.items() if value is not None}


def enable_alarm_actions(call: Call) -> Answer:
    """EnableAlarmActions. Names that are none are passed over."""
    return _set_enabled(call, enabled=True)


def disable_alarm_actions(call: Call) -> Answer:
    """DisableAlarmActions. Names that are none are passed over."""
    return _set_enabled(call, enabled=False)


def _set_enabled(call: Call, *, enabled: bool) -> Answer:
    for name in call.params["AlarmNames"]:
        alarm = alarm_named(call, name)
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
        if item.alarm_type in kinds
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
        "AlarmType": item.alarm_type,
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
            "ActionConfiguration": _NO_PROPAGATION,
        },
        inert=dict.fromkeys(
            ("MetricName", "Metrics", "Threshold", "OKActions", "AlarmActions", "InsufficientDataActions"), RECORDED
        ),
    ),
    "DeleteAlarms": Operation(delete_alarms),
    "PutCompositeAlarm": Operation(
        put_composite_alarm,
        refuses={"ActionConfiguration": _NO_PROPAGATION},
        inert=dict.fromkeys(
            ("AlarmRule", "OKActions", "AlarmActions", "InsufficientDataActions", "ActionsSuppressor"), RECORDED
        ),
    ),
    "DescribeAlarms": Operation(describe_alarms),
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
