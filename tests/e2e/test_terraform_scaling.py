"""Terraform: scaling, alarms and logs are applied, changed, destroyed; status says what is not acted on."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support import terraform
from tests.support.server import Server

PROJECT = Path(__file__).parent / "terraform" / "scaling.tf"

pytestmark = terraform.NEEDED


def test_scaling_is_applied_changed_and_destroyed(simulated: Server, tmp_path: Path) -> None:
    project = terraform.Terraform(tmp_path / "project", simulated.environment())
    shutil.copy(PROJECT, project.folder)
    project.init()
    project.apply()
    assert project.changes() == ""

    scaling, cloudwatch = simulated.client("application-autoscaling"), simulated.client("cloudwatch")
    policies = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    alarms = {policy["PolicyName"]: len(policy["Alarms"]) for policy in policies}
    assert alarms == {"cpu": 2, "queue": 1, "steps": 1}
    assert len(cloudwatch.describe_alarms()["MetricAlarms"]) == 6
    status = simulated.longshore("status").stdout
    recorded = "1 scalable target, 3 scaling policies, 1 scheduled action, 7 alarms"
    assert f"recorded, not acted on yet: {recorded}" in " ".join(status.split())

    simulated.restart(kill=True)
    assert project.changes() == ""
    project.apply(high="90", most="8", night="rate(12 hours)", pattern="WARN")
    assert project.changes() == ""
    [target] = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert target["MaxCapacity"] == 8
    [busy] = cloudwatch.describe_alarms(AlarmNames=["busy"])["MetricAlarms"]
    assert busy["Threshold"] == 90.0

    [both] = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert both["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:pager-90"]

    logs = simulated.client("logs")
    patterns = {each["filterName"]: each["filterPattern"] for each in logs.describe_metric_filters()["metricFilters"]}
    assert patterns == {"errors": "WARN", "latency": "{ $.latency > 100 }"}

    sent = logs.describe_subscription_filters(logGroupName="/scaled/app")["subscriptionFilters"]
    assert {each["filterName"]: each["filterPattern"] for each in sent} == {"archive": "WARN", "watch": ""}

    project.destroy()
    assert logs.describe_log_groups()["logGroups"] == []
    assert logs.describe_metric_filters()["metricFilters"] == []
    assert logs.describe_resource_policies()["resourcePolicies"] == []
    assert logs.describe_query_definitions()["queryDefinitions"] == []
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    left = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert left["MetricAlarms"] + left["CompositeAlarms"] == []
    assert cloudwatch.describe_alarm_history()["AlarmHistoryItems"] == []
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []
