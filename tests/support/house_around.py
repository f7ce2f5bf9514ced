"""What of the services around ECS is in the `House`, and what they are asked: scaling and alarms."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Service
from longshore.domain.log import QueryDefinition
from longshore.domain.scaling.alarm import CompositeAlarm, MetricAlarm
from longshore.domain.scaling.scaling import ScalableTarget, ScalingPolicy, ScheduledAction
from tests.support.play_around import (
    ALARM,
    BODY,
    COMPOSITE,
    CPU,
    INDEXES,
    MATHS,
    POLICY,
    PROTECTION,
    STEP,
    TRANSFORMATION,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from longshore.store.store import Store
    from tests.support.house import House

SERVICES = frozenset({"application-autoscaling", "cloudwatch", "resourcegroupstaggingapi"})
SCALED = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/default/front",
    "ScalableDimension": "ecs:service:DesiredCount",
}
OTHER = {**SCALED, "ResourceId": "service/other/back"}
BOUNDS = {"MinCapacity": 1, "MaxCapacity": 4}


async def furnish(house: House) -> None:
    """A scalable target with policies and an action, alarms with a history, a dashboard."""
    await house.ok("application-autoscaling", "RegisterScalableTarget", **SCALED, **BOUNDS, Tags={"a": "b"})
    for name, kind, member, document in (
        ("cpu", "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration", CPU),
        ("maths", "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration", MATHS),
        ("steps", "StepScaling", "StepScalingPolicyConfiguration", STEP),
    ):
        asked = {"PolicyName": name, "PolicyType": kind, member: document}
        await house.ok("application-autoscaling", "PutScalingPolicy", **SCALED, **asked)
    night = {"ScheduledActionName": "night", "Schedule": "cron(0 22 * * ? *)", "ScalableTargetAction": BOUNDS}
    await house.ok("application-autoscaling", "PutScheduledAction", **SCALED, **night)
    await house.ok("cloudwatch", "PutMetricAlarm", **ALARM)
    await house.ok("cloudwatch", "SetAlarmState", AlarmName="busy", StateValue="ALARM", StateReason="r")
    await house.ok("cloudwatch", "PutDashboard", DashboardName="d", DashboardBody=BODY)


def known(store: Store) -> dict[str, list[str]]:
    """Names of what exists, by the members that take them (in small letters)."""
    policies = [policy.name for policy in store.all(ScalingPolicy)]
    actions = [action.name for action in store.all(ScheduledAction)]
    dashboards = ["d"]
    alarms = [alarm.name for alarm in (*store.all(MetricAlarm), *store.all(CompositeAlarm))]
    return {
        "servicenamespace": ["ecs"],
        "scalabledimension": [SCALED["ScalableDimension"]],
        "policyname": policies,
        "policynames": policies,
        "scheduledactionname": actions,
        "scheduledactionnames": actions,
        "alarmname": alarms,
        "alarmnames": alarms,
        "alarmnameprefix": alarms,
        "childrenofalarmname": alarms,
        "parentsofalarmname": alarms,
        "dashboardname": dashboards,
        "dashboardnames": dashboards,
    }


def examples(house: House) -> dict[str, Callable[[], dict[str, dict[str, Any]]]]:
    """By service: what operations take that hardly take anything drawn at random."""
    makers = {"application-autoscaling": _scaling, "cloudwatch": _alarms, "resourcegroupstaggingapi": _tags}
    return {service: functools.partial(make, house) for service, make in makers.items()}


def _tags(house: House) -> dict[str, dict[str, Any]]:
    kinds: tuple[type[Any], ...] = (ScalableTarget, MetricAlarm, Service, Cluster)
    arns = [record.arn for kind in kinds for record in house.store.all(kind)]
    some = {"ResourceARNList": [arns[house.ids.choice(len(arns))]]} if arns else {}
    return {"TagResources": {**some, "Tags": {"a": "b"}}, "UntagResources": {**some, "TagKeys": ["a"]}}


def logs(house: House) -> dict[str, dict[str, Any]]:
    """Of CloudWatch Logs what is around groups and events."""
    group = {"logGroupName": "/app"}
    transformation = {**TRANSFORMATION, "metricValue": "1", "dimensions": {}}
    definitions = [each.definition_id for each in house.store.all(QueryDefinition)]
    return {
        "AssociateKmsKey": {**group, "kmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/k"},
        "DisassociateKmsKey": group,
        "ListLogGroups": {"logGroupNamePattern": "^/app|new"},
        "PutLogGroupDeletionProtection": {"logGroupIdentifier": "/app", "deletionProtectionEnabled": False},
        "PutMetricFilter": {
            **group,
            "filterName": "errors",
            "filterPattern": "{ $.a = 1 }",
            "metricTransformations": [transformation],
        },
        "DescribeMetricFilters": group,
        "DeleteMetricFilter": {**group, "filterName": "errors"},
        "TestMetricFilter": {"filterPattern": "[a, ..., b=x*]", "logEventMessages": ["1 2 x", '{"a": 1}', ""]},
        "PutResourcePolicy": {"policyName": "p", "policyDocument": POLICY},
        "DeleteResourcePolicy": {"policyName": "p"},
        "DescribeResourcePolicies": {"policyScope": "ACCOUNT"},
        "PutQueryDefinition": {"name": "q", "queryString": "fields @message"},
        "DeleteQueryDefinition": {"queryDefinitionId": definitions[0] if definitions else "q"},
        "DescribeSubscriptionFilters": group,
        "PutSubscriptionFilter": {
            **group,
            "filterName": "sent",
            "filterPattern": "ERROR",
            "destinationArn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
        },
        "DeleteSubscriptionFilter": {**group, "filterName": "sent"},
        "PutDataProtectionPolicy": {"logGroupIdentifier": "/app", "policyDocument": PROTECTION},
        "GetDataProtectionPolicy": {"logGroupIdentifier": "/app"},
        "DeleteDataProtectionPolicy": {"logGroupIdentifier": "/app"},
        "PutIndexPolicy": {"logGroupIdentifier": "/app", "policyDocument": INDEXES},
        "DescribeIndexPolicies": {"logGroupIdentifiers": ["/app"]},
        "DeleteIndexPolicy": {"logGroupIdentifier": "/app"},
    }


def _scaling(house: House) -> dict[str, dict[str, Any]]:
    scaled = (SCALED, OTHER)[house.ids.choice(2)]
    policy = (
        {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": STEP},
        {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": CPU},
    )[house.ids.choice(2)]
    arn = {"ResourceARN": next((target.arn for target in house.store.all(ScalableTarget)), "arn:x")}
    name = f"new-{house.ids.hex(1)}"
    listed = {"ServiceNamespace": "ecs"}
    return {
        "RegisterScalableTarget": {**scaled, **BOUNDS},
        "DeregisterScalableTarget": scaled,
        "DescribeScalableTargets": listed,
        "DescribeScalingPolicies": listed,
        "DescribeScheduledActions": listed,
        "DescribeScalingActivities": listed,
        "PutScalingPolicy": {**SCALED, "PolicyName": name, **policy},
        "DeleteScalingPolicy": SCALED,
        "PutScheduledAction": {
            **SCALED,
            "ScheduledActionName": name,
            "Schedule": "rate(2 hours)",
            "ScalableTargetAction": BOUNDS,
        },
        "DeleteScheduledAction": SCALED,
        **dict.fromkeys(("TagResource", "UntagResource", "ListTagsForResource"), arn),
    }


def _alarms(house: House) -> dict[str, dict[str, Any]]:
    arn = {"ResourceARN": next((alarm.arn for alarm in house.store.all(MetricAlarm)), "arn:x")}
    return {
        "PutMetricAlarm": {**ALARM, "AlarmName": f"new-{house.ids.hex(1)}"},
        "PutCompositeAlarm": {**COMPOSITE, "AlarmName": f"both-{house.ids.hex(1)}"},
        "DescribeAlarmsForMetric": {name: ALARM[name] for name in ("MetricName", "Namespace", "Dimensions")},
        "PutDashboard": {"DashboardName": f"new-{house.ids.hex(1)}", "DashboardBody": BODY},
        **dict.fromkeys(("TagResource", "UntagResource", "ListTagsForResource"), arn),
    }
