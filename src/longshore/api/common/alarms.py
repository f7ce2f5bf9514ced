"""Alarms as both CloudWatch and Application Auto Scaling make, change and remove them: with what became of them."""

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

from longshore.api.operation import Call
from longshore.domain.scaling.alarm import (
    HISTORY_ITEMS,
    HISTORY_S,
    Alarm,
    AlarmHistoryItem,
    CompositeAlarm,
    MetricAlarm,
)
from longshore.domain.tag import Tags

A = TypeVar("A", bound=Alarm)
CONFIGURATION, STATE = "ConfigurationUpdate", "StateUpdate"


def keep_alarm(call: Call, kind: type[A], name: str, *, tags: Tags | None = None, **fields: Any) -> A:
    """Make an alarm of a kind, or change all of it but its state and its tags."""
    present = call.tx.get(kind, (*call.scope, name))
    if present is None:
        alarm = kind(
            account=call.scope.account,
            region=call.scope.region,
            name=name,
            state_updated_at=call.now,
            state_changed_at=call.now,
            configured_at=call.now,
            tags=tags or {},
            **fields,
        )
        act = "Create"
    else:
        alarm = present.but(configured_at=call.now, **fields)
        act = "Update"
    data = {"version": "1.0", "type": act, f"{act.lower()}dAlarm": _summary(alarm)}
    return note(call, alarm, CONFIGURATION, f'Alarm "{name}" {act.lower()}d', data)


def drop_alarm(call: Call, alarm: Alarm) -> None:
    """Remove an alarm and its history."""
    for item in call.tx.select(AlarmHistoryItem, "alarm", alarm.key):
        call.tx.delete(AlarmHistoryItem, item.key)
    call.tx.delete(type(alarm), alarm.key)


def change_state(call: Call, alarm: A, state: str, reason: str, data: str = "") -> A:
    """Another state, or the same one for another reason."""
    moved = alarm.state != state
    document = {
        "version": "1.0",
        "oldState": {"stateValue": alarm.state, "stateReason": alarm.state_reason},
        "newState": {"stateValue": state, "stateReason": reason},
    }
    summary = f"Alarm updated from {alarm.state} to {state}"
    changed = alarm.but(
        state=state,
        state_reason=reason,
        state_reason_data=data,
        state_updated_at=call.now,
        state_changed_at=call.now if moved else alarm.state_changed_at,
    )
    if not moved:
        call.tx.put(changed)
        return changed
    return note(call, changed, STATE, summary, document)


def note(call: Call, alarm: A, kind: str, summary: str, data: dict[str, Any]) -> A:
    """Write an alarm with one more thing that became of it; what is too old goes."""
    call.tx.put(
        AlarmHistoryItem(
            account=alarm.account,
            region=alarm.region,
            alarm=alarm.name,
            alarm_type=alarm.type,
            number=alarm.history_items,
            at=call.now,
            type=kind,
            summary=summary[:255],
            data=json.dumps(data)[:4095],
        )
    )
    for item in call.tx.select(AlarmHistoryItem, "alarm", alarm.key):
        if item.at >= call.now - HISTORY_S and item.number > alarm.history_items - HISTORY_ITEMS:
            break  # they stand in the order in which they came
        call.tx.delete(AlarmHistoryItem, item.key)
    kept = alarm.but(history_items=alarm.history_items + 1)
    call.tx.put(kept)
    return kept


def _summary(alarm: Alarm) -> dict[str, Any]:
    """An alarm as its history has it."""
    watched: dict[str, Any] = {}
    if isinstance(alarm, MetricAlarm):
        watched = {name[0].lower() + name[1:]: value for name, value in alarm.settings.items()}
    elif isinstance(alarm, CompositeAlarm):
        watched = {"alarmRule": alarm.rule}
    at = datetime.fromtimestamp(alarm.configured_at, UTC)
    return {
        "alarmName": alarm.name,
        "alarmArn": alarm.arn,
        "actionsEnabled": alarm.actions_enabled,
        "stateValue": alarm.state,
        "alarmConfigurationUpdatedTimestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
        **watched,
    }
