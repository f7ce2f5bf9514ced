"""What `tests/unit/chain/test_coverage_truth.py` plays of the services around: scaling, alarms, tags of everything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from longshore.domain.ecs.service import Service
from tests.support.api import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.api import Api

SCALED = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/default/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
STEP = {
    "AdjustmentType": "PercentChangeInCapacity",
    "StepAdjustments": [
        {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 10},
        {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 30},
    ],
    "MinAdjustmentMagnitude": 1,
    "Cooldown": 60,
    "MetricAggregationType": "Maximum",
}
CPU = {
    "TargetValue": 50.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    "ScaleOutCooldown": 10,
    "ScaleInCooldown": 20,
    "DisableScaleIn": False,
}
ONE_METRIC = {
    "TargetValue": 100.0,
    "CustomizedMetricSpecification": {
        "MetricName": "Backlog",
        "Namespace": "App",
        "Dimensions": [{"Name": "Queue", "Value": "jobs"}],
        "Statistic": "Average",
        "Unit": "Count",
    },
}
MATHS = {
    "TargetValue": 100.0,
    "CustomizedMetricSpecification": {
        "Metrics": [
            {
                "Id": "m1",
                "MetricStat": {
                    "Metric": {
                        "MetricName": "Backlog",
                        "Namespace": "App",
                        "Dimensions": [{"Name": "Queue", "Value": "jobs"}],
                    },
                    "Stat": "Sum",
                    "Unit": "Count",
                },
                "ReturnData": False,
            },
            {"Id": "e1", "Expression": "m1 / 2", "Label": "half", "ReturnData": True},
        ]
    },
}
ALARM = {
    "AlarmName": "busy",
    "MetricName": "CPUUtilization",
    "Namespace": "AWS/ECS",
    "Statistic": "Average",
    "Dimensions": [{"Name": "ClusterName", "Value": "default"}, {"Name": "ServiceName", "Value": "web"}],
    "Period": 60,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 80.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "missing",
    "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:t"],
    "OKActions": ["arn:aws:sns:us-east-1:123456789012:t"],
    "InsufficientDataActions": [],
    "AlarmDescription": "d",
    "ActionsEnabled": True,
    "Unit": "Percent",
    "Tags": [{"Key": "k", "Value": "v"}],
}
COMPOSITE = {
    "AlarmName": "both",
    "AlarmRule": "ALARM(busy) AND NOT OK(busy)",
    "AlarmDescription": "d",
    "ActionsEnabled": True,
    "OKActions": [],
    "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:t"],
    "InsufficientDataActions": [],
    "Tags": [{"Key": "k", "Value": "v"}],
}
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
_EMAILS = {"DataIdentifier": ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]}
PROTECTION = json.dumps(
    {
        "Name": "p",
        "Version": "2021-06-01",
        "Statement": [
            {"Sid": "audit", **_EMAILS, "Operation": {"Audit": {"FindingsDestination": {}}}},
            {"Sid": "mask", **_EMAILS, "Operation": {"Deidentify": {"MaskConfig": {}}}},
        ],
    }
)
INDEXES = '{"Fields": ["requestId"], "FieldsV2": {"status": {"type": "FACET"}}}'
BODY = '{"widgets": [{"type": "text", "properties": {"markdown": "hello"}}]}'


def play_autoscaling(call: Callable[..., dict[str, Any]], api: Api) -> None:
    """Each operation of Application Auto Scaling."""
    api.put(web_service(api))
    suspended = {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": True,
        "ScheduledScalingSuspended": True,
    }
    bounds = {"MinCapacity": 1, "MaxCapacity": 4}
    made = call("RegisterScalableTarget", **SCALED, **bounds, SuspendedState=suspended, Tags={"k": "v"})
    arn = {"ResourceARN": made["ScalableTargetARN"]}
    call("DescribeScalableTargets", **{**SCALED, "ResourceIds": [SCALED["ResourceId"]]}, MaxResults=1)
    call("TagResource", **arn, Tags={"a": "b"})
    call("ListTagsForResource", **arn)
    call("UntagResource", **arn, TagKeys=["a"])
    call("PutScalingPolicy", **SCALED, PolicyName="s", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP)
    for name, configuration in (("cpu", CPU), ("one", ONE_METRIC), ("maths", MATHS)):
        tracking = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": configuration}
        call("PutScalingPolicy", **SCALED, PolicyName=name, **tracking)
    call("DescribeScalingPolicies", **SCALED, PolicyNames=["s", "cpu"], MaxResults=1)
    call("DescribeScalingActivities", **SCALED, MaxResults=1)
    call("DeleteScalingPolicy", **SCALED, PolicyName="s")
    action = {"Schedule": "rate(1 day)", "Timezone": "UTC", "StartTime": api.now, "EndTime": api.now + 9}
    call("PutScheduledAction", **SCALED, ScheduledActionName="n", ScalableTargetAction=bounds, **action)
    call("DescribeScheduledActions", **SCALED, ScheduledActionNames=["n"], MaxResults=1)
    call("DeleteScheduledAction", **SCALED, ScheduledActionName="n")
    call("DeregisterScalableTarget", **SCALED)


def play_cloudwatch(call: Callable[..., dict[str, Any]], api: Api) -> None:
    """Each served operation of CloudWatch."""
    call("PutMetricAlarm", **ALARM)
    percentile = {name: value for name, value in ALARM.items() if name != "Statistic"} | {"AlarmName": "slow"}
    call("PutMetricAlarm", **percentile, ExtendedStatistic="p99", EvaluateLowSampleCountPercentile="ignore")
    suppressor = {"ActionsSuppressorWaitPeriod": 10, "ActionsSuppressorExtensionPeriod": 20}
    call("PutCompositeAlarm", **COMPOSITE, ActionsSuppressor="slow", **suppressor)
    call("DescribeAlarms", ChildrenOfAlarmName="both")
    call("DescribeAlarms", ParentsOfAlarmName="busy")
    call("DescribeAlarms", AlarmNames=["busy"], AlarmTypes=["MetricAlarm"], StateValue="OK", ActionPrefix="arn:")
    call("DescribeAlarms", AlarmNamePrefix="b", MaxRecords=1)
    watched = {name: ALARM[name] for name in ("MetricName", "Namespace", "Dimensions", "Period", "Statistic", "Unit")}
    call("DescribeAlarmsForMetric", **watched)
    call("SetAlarmState", AlarmName="busy", StateValue="ALARM", StateReason="r", StateReasonData="{}")
    between = {"StartDate": api.now - 9, "EndDate": api.now, "ScanBy": "TimestampAscending", "MaxRecords": 1}
    call("DescribeAlarmHistory", AlarmName="busy", HistoryItemType="StateUpdate", AlarmTypes=["MetricAlarm"], **between)
    call("DisableAlarmActions", AlarmNames=["busy"])
    call("EnableAlarmActions", AlarmNames=["busy"])
    arn = {"ResourceARN": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:busy"}
    call("TagResource", **arn, Tags=[{"Key": "a", "Value": "b"}])
    call("ListTagsForResource", **arn)
    call("UntagResource", **arn, TagKeys=["a"])
    call("DeleteAlarms", AlarmNames=["busy", "both"])
    call("PutDashboard", DashboardName="d", DashboardBody=BODY, Tags=[{"Key": "a", "Value": "b"}])
    call("GetDashboard", DashboardName="d")
    call("ListDashboards", DashboardNamePrefix="d")
    call("DeleteDashboards", DashboardNames=["d"])


POLICY = json.dumps(
    {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "route53.amazonaws.com"},
                "Action": "logs:PutLogEvents",
                "Resource": "*",
            }
        ]
    }
)
TRANSFORMATION = {
    "metricName": "Errors",
    "metricNamespace": "App",
    "metricValue": "$.count",
    "dimensions": {"Host": "$.host"},
    "unit": "Count",
}


def play_logs_around(call: Callable[..., dict[str, Any]], api: Api) -> None:
    """What CloudWatch Logs has around groups and events."""
    group = {"logGroupName": "around"}
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:around"
    call("CreateLogGroup", **group, logGroupClass="STANDARD", deletionProtectionEnabled=True, tags={"a": "b"})
    call("PutLogGroupDeletionProtection", logGroupIdentifier=arn, deletionProtectionEnabled=False)
    tagged = [{"key": "a", "values": ["b"]}]
    call("ListLogGroups", logGroupNamePattern="^aro", logGroupClass="STANDARD", logGroupTags=tagged, limit=1)
    call("DescribeLogGroups", logGroupClass="STANDARD")
    call("AssociateKmsKey", **group, kmsKeyId="arn:aws:kms:us-east-1:123456789012:key/k")
    call("DisassociateKmsKey", resourceIdentifier=arn)
    named = {**group, "filterName": "errors"}
    pattern = "{ $.level = ERROR }"
    call("PutMetricFilter", **named, filterPattern=pattern, metricTransformations=[TRANSFORMATION])
    without = {name: value for name, value in TRANSFORMATION.items() if name != "dimensions"}
    call("PutMetricFilter", **named, filterPattern=pattern, metricTransformations=[{**without, "defaultValue": 0.0}])
    call("DescribeMetricFilters", **group, filterNamePrefix="e", metricName="Errors", metricNamespace="App", limit=1)
    call("TestMetricFilter", filterPattern="[a, b]", logEventMessages=["x y"])
    call("DeleteMetricFilter", **named)
    call("PutResourcePolicy", policyName="p", policyDocument=POLICY)
    revision = call("PutResourcePolicy", resourceArn=arn, policyDocument=POLICY)["revisionId"]
    call("DescribeResourcePolicies", resourceArn=arn, policyScope="RESOURCE", limit=1)
    call("DeleteResourcePolicy", resourceArn=arn, expectedRevisionId=revision)
    call("DeleteResourcePolicy", policyName="p")
    saved = {"name": "q", "queryString": "fields @message", "queryLanguage": "CWLI", "logGroupNames": ["around"]}
    made = call("PutQueryDefinition", **saved, clientToken="t" * 36)
    call("PutQueryDefinition", **saved, **made)
    call("DescribeQueryDefinitions", queryDefinitionNamePrefix="q", queryLanguage="CWLI", maxResults=1)
    call("DeleteQueryDefinition", **made)
    kinesis = {"destinationArn": STREAM, "roleArn": "arn:aws:iam::123456789012:role/r", "distribution": "Random"}
    call("PutSubscriptionFilter", **named, filterPattern=pattern, **kinesis)
    call("DescribeSubscriptionFilters", **group, filterNamePrefix="e", limit=1)
    call("DeleteSubscriptionFilter", **named)
    at = {"logGroupIdentifier": arn}
    call("PutDataProtectionPolicy", **at, policyDocument=PROTECTION)
    call("GetDataProtectionPolicy", **at)
    call("DeleteDataProtectionPolicy", **at)
    call("PutIndexPolicy", **at, policyDocument=INDEXES)
    call("DescribeIndexPolicies", logGroupIdentifiers=[arn])
    call("DeleteIndexPolicy", **at)
    for operation in ("DescribeAccountPolicies", "DescribeDestinations", "DescribeExportTasks", "DescribeQueries"):
        call(operation)
    call("DeleteLogGroup", **group)
    assert api.now


def play_tagging(call: Callable[..., dict[str, Any]], api: Api) -> None:
    """Each served operation of the Resource Groups Tagging API."""
    service = web_service(api)
    api.put(service)
    call("TagResources", ResourceARNList=[service.arn], Tags={"a": "b"})
    call("GetResources", ResourceARNList=[service.arn])
    filters = [{"Key": "a", "Values": ["b"]}]
    pages = {"ResourcesPerPage": 1, "TagsPerPage": 100, "PaginationToken": ""}
    call("GetResources", TagFilters=filters, ResourceTypeFilters=["ecs:service"], **pages)
    call("GetTagKeys")
    call("GetTagValues", Key="a")
    call("UntagResources", ResourceARNList=[service.arn], TagKeys=["a"])


def web_service(api: Api) -> Service:
    """The record of a service `web` in the cluster `default`."""
    definition = api.define()
    return Service(
        account=SCOPE.account,
        region=SCOPE.region,
        cluster="default",
        name="web",
        uid="uid-web",
        task_definition_arn=definition.arn,
        desired_count=2,
        created_at=api.now,
        created_by="me",
    )
