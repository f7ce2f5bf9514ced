"""Scalable targets: which services may be scaled, within which bounds, and what is suspended."""

from longshore.api.autoscaling.lookup import (
    Answer,
    check_dimension,
    check_namespace,
    check_service,
    found_target,
    invalid,
    page_of,
    resource_of,
)
from longshore.api.autoscaling.policies import drop_policy
from longshore.api.autoscaling.tags import checked_tags
from longshore.api.operation import Call, Operation
from longshore.domain.scaling.scaling import NAMESPACE, ScalableTarget, ScalingPolicy, ScheduledAction

PAGE = 50
RECORDED = "Recorded, not acted on yet: Longshore doesn't scale services by itself so far."
SUSPENSIONS = {
    "DynamicScalingInSuspended": "scale_in_suspended",
    "DynamicScalingOutSuspended": "scale_out_suspended",
    "ScheduledScalingSuspended": "scheduled_suspended",
}


def register_scalable_target(call: Call) -> Answer:
    """RegisterScalableTarget: a new one, or changes of one that is there."""
    resource_id, dimension = resource_of(call)
    params = call.params
    present = call.tx.get(ScalableTarget, (*call.scope, resource_id, dimension))
    low, high = params.get("MinCapacity"), params.get("MaxCapacity")
    if present is None:
        check_service(call, resource_id)
        if low is None or high is None:
            raise invalid("MinCapacity and MaxCapacity are required to register a new scalable target.")
        target = ScalableTarget(
            account=call.scope.account,
            region=call.scope.region,
            resource_id=resource_id,
            dimension=dimension,
            target_id=f"0ec5{call.ids.hex(32)}",
            min_capacity=low,
            max_capacity=high,
            created_at=call.now,
            tags=checked_tags({}, params.get("Tags") or {}),
        )
    else:
        if (params.get("Tags") or present.tags) != present.tags:
            raise invalid("Tags can be given only when a scalable target is new: use TagResource.")
        target = present.but(
            min_capacity=present.min_capacity if low is None else low,
            max_capacity=present.max_capacity if high is None else high,
        )
    check_bounds(target.min_capacity, target.max_capacity)
    suspended = params.get("SuspendedState") or {}
    changes = {field: suspended[name] for name, field in SUSPENSIONS.items() if suspended.get(name) is not None}
    call.tx.put(target.but(**changes))
    return {"ScalableTargetARN": target.arn}


def check_bounds(low: int | None, high: int | None) -> None:
    """Raises ValidationException for bounds that are none."""
    if low is not None and low < 0:
        raise invalid("Minimum capacity must be greater than or equal to 0")
    if high is not None and high < 0:
        raise invalid("Maximum capacity must be greater than or equal to 0")
    if low is not None and high is not None and high < low:
        raise invalid("Maximum capacity cannot be less than minimum capacity")


def deregister_scalable_target(call: Call) -> Answer:
    """DeregisterScalableTarget: its policies and scheduled actions go with it."""
    resource_id, dimension = resource_of(call)
    target = found_target(call, resource_id, dimension, "found")
    for policy in call.tx.select(ScalingPolicy, "target", target.key):
        drop_policy(call, policy)
    for action in call.tx.select(ScheduledAction, "target", target.key):
        call.tx.delete(ScheduledAction, action.key)
    call.tx.delete(ScalableTarget, target.key)
    return {}


def describe_scalable_targets(call: Call) -> Answer:
    """DescribeScalableTargets."""
    check_namespace(call)
    named, dimension = call.params.get("ResourceIds") or [], call.params.get("ScalableDimension")
    if dimension is not None:
        check_dimension(dimension)
        if not named:
            raise invalid("If you specify a scalable dimension, you must also specify a resource ID.")
    found = [
        each for each in call.tx.select(ScalableTarget, "scope", call.scope) if not named or each.resource_id in named
    ]
    shown, more = page_of(call, found, ScalableTarget.names, PAGE)
    return {"ScalableTargets": [_view(target) for target in shown], "NextToken": more}


def _view(target: ScalableTarget) -> Answer:
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource_id,
        "ScalableDimension": target.dimension,
        "MinCapacity": target.min_capacity,
        "MaxCapacity": target.max_capacity,
        "RoleARN": target.role_arn,
        "CreationTime": target.created_at,
        "SuspendedState": {name: getattr(target, field) for name, field in SUSPENSIONS.items()},
        "ScalableTargetARN": target.arn,
    }


OPERATIONS: dict[str, Operation] = {
    "RegisterScalableTarget": Operation(
        register_scalable_target,
        inert={
            "MinCapacity": RECORDED,
            "MaxCapacity": RECORDED,
            "SuspendedState": RECORDED,
            "RoleARN": "For services of ECS, AWS takes its service-linked role whatever is given; so does Longshore.",
        },
    ),
    "DeregisterScalableTarget": Operation(deregister_scalable_target),
    "DescribeScalableTargets": Operation(describe_scalable_targets),
}
