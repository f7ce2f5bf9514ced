"""Scaling policies: kept as they were given, target tracking ones with the alarms that AWS makes for them."""

from typing import Any

from longshore.api.autoscaling.lookup import (
    Answer,
    asked_for,
    found_target,
    invalid,
    no_such,
    page_of,
    resource_of,
)
from longshore.api.autoscaling.policy_alarms import alarms_of, keep_alarms
from longshore.api.autoscaling.step import step_scaling, step_view
from longshore.api.autoscaling.tracking import check_metric_is_free, target_tracking, tracking_view
from longshore.api.common.alarms import drop_alarm
from longshore.api.operation import Call, Operation
from longshore.domain.scaling.alarm import MetricAlarm, alarm_arn
from longshore.domain.scaling.scaling import NAMESPACE, ScalableTarget, ScalingPolicy
from longshore.wire.errors import ApiError

PAGE = 10
MAX_POLICIES = 50
RECORDED = "Recorded, not acted on yet: Longshore doesn't scale services by itself so far."
CONFIGURATIONS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
}


def put_scaling_policy(call: Call) -> Answer:
    """PutScalingPolicy: a new one, or another configuration of one that is there."""
    resource_id, dimension = resource_of(call)
    target = found_target(call, resource_id, dimension)
    name = call.params["PolicyName"]
    present = call.tx.get(ScalingPolicy, (*call.scope, resource_id, dimension, name))
    configured = _configured(call, present)
    if present is None:
        if call.tx.count(ScalingPolicy, "target", target.key) >= MAX_POLICIES:
            text = f"A scalable target can have at most {MAX_POLICIES} scaling policies."
            raise ApiError("LimitExceededException", text)
        present = ScalingPolicy(
            account=call.scope.account,
            region=call.scope.region,
            resource_id=resource_id,
            dimension=dimension,
            name=name,
            uid=call.ids.uuid(),
            created_at=call.now,
        )
    policy = present.but(**configured)
    check_metric_is_free(call, policy)
    policy = keep_alarms(call, policy)
    call.tx.put(policy)
    return {"PolicyARN": policy.arn, "Alarms": _alarms(policy, policy.alarms)}


def _configured(call: Call, present: ScalingPolicy | None) -> dict[str, Any]:
    """The configuration that is given, or the present one where none is."""
    params = call.params
    given = [kind for kind, member in CONFIGURATIONS.items() if params.get(member) is not None]
    kind = params.get("PolicyType") or (_type(present) if present else None)
    if kind is None:
        raise invalid("PolicyType is required to create a scaling policy.")
    if present is not None and kind != _type(present):
        raise invalid(f"The type of a scaling policy can't be changed: {present.name} is of {_type(present)}.")
    if kind not in CONFIGURATIONS:
        raise invalid(f"Longshore has no scaling policies of the type {kind}.")
    others = [CONFIGURATIONS[other] for other in given if other != kind]
    if others:
        raise invalid(f"{others[0]} can't be given for a policy of the type {kind}.")
    document = params.get(CONFIGURATIONS[kind])
    if document is None:
        if present is None:
            raise invalid(f"{CONFIGURATIONS[kind]} is required for a policy of the type {kind}.")
        return {}
    if kind == "StepScaling":
        return {"step": step_scaling(document)}
    return {"tracking": target_tracking(document)}


def _type(policy: ScalingPolicy) -> str:
    return "StepScaling" if policy.step is not None else "TargetTrackingScaling"


def delete_scaling_policy(call: Call) -> Answer:
    """DeleteScalingPolicy: alarms that were made for it go with it; those of users stay."""
    resource_id, dimension = resource_of(call)
    policy = call.tx.get(ScalingPolicy, (*call.scope, resource_id, dimension, call.params["PolicyName"]))
    if policy is None:
        raise no_such("scaling policy", "PolicyName", call)
    drop_policy(call, policy)
    return {}


def drop_policy(call: Call, policy: ScalingPolicy) -> None:
    """Remove a policy, and the alarms that were made for it."""
    for name in policy.alarms:
        alarm = call.tx.get(MetricAlarm, (*call.scope, name))
        if alarm is not None:
            drop_alarm(call, alarm)
    call.tx.delete(ScalingPolicy, policy.key)


def describe_scaling_policies(call: Call) -> Answer:
    """DescribeScalingPolicies."""
    meant, names = asked_for(call), call.params.get("PolicyNames") or []
    found = [
        policy
        for policy in call.tx.select(ScalingPolicy, "scope", call.scope)
        if meant(policy.resource_id, policy.dimension) and (not names or policy.name in names)
    ]
    shown, more = page_of(call, found, ScalingPolicy.names, PAGE)
    return {"ScalingPolicies": [_view(call, policy) for policy in shown], "NextToken": more}


def _view(call: Call, policy: ScalingPolicy) -> Answer:
    configuration = (
        {CONFIGURATIONS["StepScaling"]: step_view(policy.step)}
        if policy.step is not None
        else {CONFIGURATIONS["TargetTrackingScaling"]: tracking_view(policy.tracking)}
    )
    return {
        "PolicyARN": policy.arn,
        "PolicyName": policy.name,
        "ServiceNamespace": NAMESPACE,
        "ResourceId": policy.resource_id,
        "ScalableDimension": policy.dimension,
        "PolicyType": _type(policy),
        "Alarms": _alarms(policy, alarms_of(call, policy)),
        "CreationTime": policy.created_at,
        **configuration,
    }


def _alarms(policy: ScalingPolicy, names: Any) -> list[dict[str, str]]:
    return [{"AlarmName": name, "AlarmARN": alarm_arn(policy.scope, name)} for name in names]


def describe_scaling_activities(call: Call) -> Answer:
    """DescribeScalingActivities: there are none, since nothing is scaled."""
    asked_for(call)
    none: list[ScalableTarget] = []
    _, more = page_of(call, none, ScalableTarget.names, 50)
    return {"ScalingActivities": [], "NextToken": more}


OPERATIONS: dict[str, Operation] = {
    "PutScalingPolicy": Operation(
        put_scaling_policy,
        refuses={"PredictiveScalingPolicyConfiguration": "Longshore doesn't forecast loads."},
        inert=dict.fromkeys(CONFIGURATIONS.values(), RECORDED),
    ),
    "DeleteScalingPolicy": Operation(delete_scaling_policy),
    "DescribeScalingPolicies": Operation(describe_scaling_policies),
    "DescribeScalingActivities": Operation(
        describe_scaling_activities,
        inert={"IncludeNotScaledActivities": "There are no activities yet: nothing is scaled."},
    ),
}
