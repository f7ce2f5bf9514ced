"""Scheduled actions: new bounds for a scalable target, at times."""

import zoneinfo

from longshore.api.autoscaling.lookup import (
    Answer,
    asked_for,
    found_target,
    invalid,
    no_such,
    page_of,
    resource_of,
)
from longshore.api.autoscaling.targets import RECORDED, check_bounds
from longshore.api.operation import Call, Operation
from longshore.domain.scaling.scaling import NAMESPACE, ScheduledAction
from longshore.domain.scaling.schedule import fault_in
from longshore.wire.errors import ApiError

PAGE = 50
MAX_ACTIONS = 200


def put_scheduled_action(call: Call) -> Answer:
    """PutScheduledAction: a new one, or changes of one that is there."""
    resource_id, dimension = resource_of(call)
    target = found_target(call, resource_id, dimension)
    params = call.params
    name = params["ScheduledActionName"]
    present = call.tx.get(ScheduledAction, (*call.scope, resource_id, dimension, name))
    schedule, bounds = params.get("Schedule"), params.get("ScalableTargetAction")
    if present is None:
        if schedule is None or bounds is None:
            raise invalid("Schedule and ScalableTargetAction are required to create a scheduled action.")
        if call.tx.count(ScheduledAction, "target", target.key) >= MAX_ACTIONS:
            text = f"A scalable target can have at most {MAX_ACTIONS} scheduled actions."
            raise ApiError("LimitExceededException", text)
        present = ScheduledAction(
            account=call.scope.account,
            region=call.scope.region,
            resource_id=resource_id,
            dimension=dimension,
            name=name,
            uid=call.ids.uuid(),
            schedule=schedule,
            created_at=call.now,
        )
    action = present.but(
        schedule=present.schedule if schedule is None else _checked_schedule(schedule),
        timezone=_checked_zone(params.get("Timezone"), present.timezone),
        start_at=params["StartTime"] if params.get("StartTime") is not None else present.start_at,
        end_at=params["EndTime"] if params.get("EndTime") is not None else present.end_at,
    )
    if bounds is not None:
        action = action.but(min_capacity=bounds.get("MinCapacity"), max_capacity=bounds.get("MaxCapacity"))
    if action.min_capacity is None and action.max_capacity is None:
        raise invalid("ScalableTargetAction needs a MinCapacity, a MaxCapacity, or both.")
    check_bounds(action.min_capacity, action.max_capacity)
    if action.start_at is not None and action.end_at is not None and action.end_at <= action.start_at:
        raise invalid("EndTime must be later than StartTime.")
    call.tx.put(action)
    return {}


def _checked_schedule(schedule: str) -> str:
    fault = fault_in(schedule)
    if fault is not None:
        raise invalid(f"Invalid schedule expression {schedule[:128]!r}. {fault}")
    return schedule


def _checked_zone(name: str | None, present: str) -> str:
    if name is None:
        return present
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(f"There is no time zone {name[:64]!r}: names are those of IANA, such as Europe/Berlin.") from None
    return name


def delete_scheduled_action(call: Call) -> Answer:
    """DeleteScheduledAction."""
    resource_id, dimension = resource_of(call)
    key = (*call.scope, resource_id, dimension, call.params["ScheduledActionName"])
    if call.tx.get(ScheduledAction, key) is None:
        raise no_such("scheduled action", "ScheduledActionName", call)
    call.tx.delete(ScheduledAction, key)
    return {}


def describe_scheduled_actions(call: Call) -> Answer:
    """DescribeScheduledActions."""
    meant, names = asked_for(call), call.params.get("ScheduledActionNames") or []
    found = [
        action
        for action in call.tx.select(ScheduledAction, "scope", call.scope)
        if meant(action.resource_id, action.dimension) and (not names or action.name in names)
    ]
    shown, more = page_of(call, found, ScheduledAction.names, PAGE)
    return {"ScheduledActions": [_view(action) for action in shown], "NextToken": more}


def _view(action: ScheduledAction) -> Answer:
    bounds = {"MinCapacity": action.min_capacity, "MaxCapacity": action.max_capacity}
    view = {
        "ScheduledActionName": action.name,
        "ScheduledActionARN": action.arn,
        "ServiceNamespace": NAMESPACE,
        "Schedule": action.schedule,
        "ResourceId": action.resource_id,
        "ScalableDimension": action.dimension,
        "ScalableTargetAction": {name: value for name, value in bounds.items() if value is not None},
        "CreationTime": action.created_at,
    }
    rest = {"Timezone": action.timezone or None, "StartTime": action.start_at, "EndTime": action.end_at}
    return view | {name: value for name, value in rest.items() if value is not None}


OPERATIONS: dict[str, Operation] = {
    "PutScheduledAction": Operation(
        put_scheduled_action, inert={"Schedule": RECORDED, "ScalableTargetAction": RECORDED}
    ),
    "DeleteScheduledAction": Operation(delete_scheduled_action),
    "DescribeScheduledActions": Operation(describe_scheduled_actions),
}
