"""Application Auto Scaling: what is registered is kept and answered as AWS does, and what makes no sense is refused."""

from typing import Any

import pytest

from longshore.api import autoscaling, cloudwatch
from longshore.domain.scaling.alarm import AlarmHistoryItem, MetricAlarm
from longshore.domain.scaling.scaling import ScalableTarget, ScalingPolicy, ScheduledAction
from longshore.domain.scaling.schedule import fault_in
from tests.support.api import SCOPE, Api
from tests.support.play_around import ALARM, CPU, MATHS, ONE_METRIC, SCALED, STEP, web_service

BOUNDS = {"MinCapacity": 1, "MaxCapacity": 4}
STEPS = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": STEP}
TRACKING = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": CPU}
LISTED = {"ServiceNamespace": "ecs"}
LABEL = "app/front/0123456789abcdef/targetgroup/web/fedcba9876543210"


@pytest.fixture
def api() -> Api:
    made = Api(autoscaling.SERVICE.operations, service="application-autoscaling")
    made.put(web_service(made))
    return made


@pytest.fixture
def target(api: Api) -> str:
    arn: str = api("RegisterScalableTarget", **SCALED, **BOUNDS)["ScalableTargetARN"]
    return arn


def alarms(api: Api) -> dict[str, MetricAlarm]:
    return {alarm.name: alarm for alarm in api.store.all(MetricAlarm)}


def tracked(document: dict[str, Any]) -> dict[str, Any]:
    return {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": document}


def predefined(metric: str, **more: Any) -> dict[str, Any]:
    return {"TargetValue": 50.0, "PredefinedMetricSpecification": {"PredefinedMetricType": metric, **more}}


# ---------------------------------------------------------------------------------------------------------- targets


def test_a_target_is_registered_changed_and_described(api: Api) -> None:
    made = api("RegisterScalableTarget", **SCALED, **BOUNDS, Tags={"k": "v"})
    assert made["ScalableTargetARN"].startswith(
        "arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/"
    )
    suspended = {"DynamicScalingInSuspended": True}
    again = api("RegisterScalableTarget", **SCALED, MaxCapacity=8, SuspendedState=suspended)
    assert again == made
    [shown] = api("DescribeScalableTargets", **LISTED)["ScalableTargets"]
    assert shown == {
        **SCALED,
        "MinCapacity": 1,
        "MaxCapacity": 8,
        "RoleARN": "arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
        "CreationTime": api.now,
        "SuspendedState": {
            "DynamicScalingInSuspended": True,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
        "ScalableTargetARN": made["ScalableTargetARN"],
    }
    named = {**LISTED, "ResourceIds": [SCALED["ResourceId"]], "ScalableDimension": SCALED["ScalableDimension"]}
    assert api("DescribeScalableTargets", **named)["ScalableTargets"] == [shown]
    assert api("DescribeScalableTargets", **{**named, "ResourceIds": ["service/a/b"]})["ScalableTargets"] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ServiceNamespace": "dynamodb"}, "Longshore scales services of ECS"),
        ({"ScalableDimension": "dynamodb:table:ReadCapacityUnits"}, "scalable dimension"),
        ({"ResourceId": "service/default"}, "Unsupported resource ID"),
        ({"ResourceId": "service/default/none"}, "ECS service doesn't exist: service/default/none"),
        ({"MinCapacity": None}, "MinCapacity and MaxCapacity are required"),
        ({"MinCapacity": -1}, "Minimum capacity must be greater"),
        ({"MinCapacity": 0, "MaxCapacity": -1}, "Maximum capacity must be greater"),
        ({"MinCapacity": 5}, "Maximum capacity cannot be less than minimum capacity"),
        ({"Tags": {"aws:a": "b"}}, "aws:"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(api: Api, changes: dict[str, Any], words: str) -> None:
    asked = {name: value for name, value in {**SCALED, **BOUNDS, **changes}.items() if value is not None}
    error = api.error("RegisterScalableTarget", **asked)
    assert error.code == "ValidationException"
    assert words in error.message


def test_a_target_of_a_service_that_is_gone_is_refused(api: Api) -> None:
    api.put(web_service(api).but(status="INACTIVE"))
    assert "doesn't exist" in api.error("RegisterScalableTarget", **SCALED, **BOUNDS).message


def test_bounds_are_checked_together_with_what_is_there(api: Api, target: str) -> None:
    assert "less than minimum" in api.error("RegisterScalableTarget", **SCALED, MaxCapacity=0).message
    assert "Tags can be given only" in api.error("RegisterScalableTarget", **SCALED, Tags={"a": "b"}).message
    assert api("RegisterScalableTarget", **SCALED)["ScalableTargetARN"] == target


def test_deregistering_takes_policies_their_alarms_and_actions_along(api: Api, target: str) -> None:
    assert target
    api("PutScalingPolicy", **SCALED, PolicyName="cpu", **TRACKING)
    api("PutScalingPolicy", **SCALED, PolicyName="steps", **STEPS)
    api("PutScheduledAction", **SCALED, ScheduledActionName="n", Schedule="rate(1 day)", ScalableTargetAction=BOUNDS)
    assert len(alarms(api)) == 2
    api("DeregisterScalableTarget", **SCALED)
    for kind in (ScalableTarget, ScalingPolicy, ScheduledAction, MetricAlarm, AlarmHistoryItem):
        assert list(api.store.all(kind)) == []
    error = api.error("DeregisterScalableTarget", **SCALED)
    assert error.code == "ObjectNotFoundException"
    assert "service/default/web" in error.message


def test_tags_of_a_target(api: Api, target: str) -> None:
    api("TagResource", ResourceARN=target, Tags={"a": "b", "c": "d"})
    api("UntagResource", ResourceARN=target, TagKeys=["a", "x"])
    assert api("ListTagsForResource", ResourceARN=target)["Tags"] == {"c": "d"}
    too_many = {f"k{number}": "" for number in range(50)}
    assert api.error("TagResource", ResourceARN=target, Tags=too_many).code == "TooManyTagsException"
    assert api.error("TagResource", ResourceARN=target, Tags={"AWS:x": ""}).code == "ValidationException"
    other = target.replace("us-east-1", "eu-west-1")
    calls: dict[str, dict[str, Any]] = {
        "ListTagsForResource": {},
        "TagResource": {"Tags": {}},
        "UntagResource": {"TagKeys": []},
    }
    for operation, asked in calls.items():
        assert api.error(operation, ResourceARN=other, **asked).code == "ResourceNotFoundException"


# --------------------------------------------------------------------------------------------------------- policies


def test_a_target_tracking_policy_has_the_alarms_that_aws_makes(api: Api, target: str) -> None:
    assert target
    made = api("PutScalingPolicy", **SCALED, PolicyName="cpu", **TRACKING)
    high, low = (alarm["AlarmName"] for alarm in made["Alarms"])
    assert high.startswith("TargetTracking-service/default/web-AlarmHigh-")
    assert low.startswith("TargetTracking-service/default/web-AlarmLow-")
    kept = alarms(api)
    assert kept[high].settings == {
        "Namespace": "AWS/ECS",
        "MetricName": "CPUUtilization",
        "Statistic": "Average",
        "Dimensions": [{"Name": "ClusterName", "Value": "default"}, {"Name": "ServiceName", "Value": "web"}],
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 50.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    assert (kept[low].settings["Threshold"], kept[low].settings["EvaluationPeriods"]) == (45.0, 15)
    assert kept[high].alarm_actions == (made["PolicyARN"],)
    [shown] = api("DescribeScalingPolicies", **LISTED)["ScalingPolicies"]
    assert shown["TargetTrackingScalingPolicyConfiguration"] == CPU
    assert shown["Alarms"] == made["Alarms"]
    assert shown["PolicyARN"].endswith(":resource/ecs/service/default/web:policyName/cpu")

    again = api("PutScalingPolicy", **SCALED, PolicyName="cpu", **tracked({**CPU, "TargetValue": 60.0}))
    assert again == made
    assert alarms(api)[high].settings["Threshold"] == 60.0
    only_out = api("PutScalingPolicy", **SCALED, PolicyName="cpu", **tracked({**CPU, "DisableScaleIn": True}))
    assert [alarm["AlarmName"] for alarm in only_out["Alarms"]] == [high]
    assert set(alarms(api)) == {high}
    api("DeleteScalingPolicy", **SCALED, PolicyName="cpu")
    assert alarms(api) == {}


@pytest.mark.parametrize(
    ("document", "watched"),
    [
        (predefined("ECSServiceAverageMemoryUtilization"), ("AWS/ECS", "MemoryUtilization", "Average", 60)),
        (predefined("ECSServiceAverageCPUUtilizationHighResolution"), ("AWS/ECS", "CPUUtilization", "Average", 20)),
        (
            predefined("ALBRequestCountPerTarget", ResourceLabel=LABEL),
            ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum", 60),
        ),
        (ONE_METRIC, ("App", "Backlog", "Average", 60)),
    ],
)
def test_alarms_watch_what_the_policy_tracks(
    api: Api, target: str, document: dict[str, Any], watched: tuple[Any, ...]
) -> None:
    assert target
    api("PutScalingPolicy", **SCALED, PolicyName="p", **tracked(document))
    for alarm in alarms(api).values():
        found = tuple(alarm.settings[name] for name in ("Namespace", "MetricName", "Statistic", "Period"))
        assert found == watched
    [shown] = api("DescribeScalingPolicies", **LISTED)["ScalingPolicies"]
    assert shown["TargetTrackingScalingPolicyConfiguration"] == document


def test_alarms_of_a_policy_on_several_metrics_have_them_all(api: Api, target: str) -> None:
    assert target
    api("PutScalingPolicy", **SCALED, PolicyName="p", **tracked(MATHS))
    for alarm in alarms(api).values():
        assert [query["Id"] for query in alarm.settings["Metrics"]] == ["m1", "e1"]
        assert alarm.settings["Metrics"][0]["MetricStat"]["Period"] == 60


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"TargetValue": 1.0}, "exactly one of"),
        ({**CPU, "CustomizedMetricSpecification": ONE_METRIC["CustomizedMetricSpecification"]}, "exactly one of"),
        ({**CPU, "TargetValue": 0.0}, "TargetValue"),
        ({**CPU, "TargetValue": float("inf")}, "TargetValue"),
        ({**CPU, "ScaleInCooldown": -1}, "ScaleInCooldown"),
        (predefined("DynamoDBReadCapacityUtilization"), "not supported for the service namespace ecs"),
        (predefined("ALBRequestCountPerTarget"), "needs a ResourceLabel"),
        (predefined("ALBRequestCountPerTarget", ResourceLabel="app/x"), "needs a ResourceLabel"),
        (predefined("ECSServiceAverageCPUUtilization", ResourceLabel=LABEL), "ResourceLabel can be specified"),
        ({"TargetValue": 1.0, "CustomizedMetricSpecification": {"MetricName": "a"}}, "needs Namespace, Statistic"),
    ],
)
def test_target_tracking_that_makes_no_sense_is_refused(
    api: Api, target: str, document: dict[str, Any], words: str
) -> None:
    assert target
    error = api.error("PutScalingPolicy", **SCALED, PolicyName="p", **tracked(document))
    assert error.code == "ValidationException"
    assert words in error.message


def maths(*queries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return tracked({"TargetValue": 1.0, "CustomizedMetricSpecification": {"Metrics": list(queries), **more}})


METRIC = {"Metric": {"MetricName": "a", "Namespace": "b"}, "Stat": "Sum"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (maths({"Id": "A", "Expression": "1"}), "small letter"),
        (maths({"Id": "a", "Expression": "1"}, {"Id": "a", "Expression": "1"}), "its own"),
        (maths({"Id": "a"}), "either a MetricStat or an Expression"),
        (maths({"Id": "a", "Expression": "1", "MetricStat": METRIC}), "either a MetricStat or an Expression"),
        (maths({"Id": "a", "MetricStat": {**METRIC, "Metric": {}}}), "needs a MetricName"),
        (maths({"Id": "a", "Expression": "1", "ReturnData": False}), "Exactly one element"),
        (maths({"Id": "a", "Expression": "1"}, {"Id": "b", "Expression": "1"}), "Exactly one element"),
        (maths({"Id": "a", "Expression": "1"}, Unit="Count"), "can't be combined"),
        (maths(*({"Id": f"a{number}", "Expression": "1"} for number in range(11))), "At most 10"),
    ],
)
def test_metric_maths_that_makes_no_sense_is_refused(api: Api, target: str, asked: dict[str, Any], words: str) -> None:
    assert target
    assert words in api.error("PutScalingPolicy", **SCALED, PolicyName="p", **asked).message


def test_one_metric_is_tracked_by_one_policy(api: Api, target: str) -> None:
    assert target
    api("PutScalingPolicy", **SCALED, PolicyName="a", **TRACKING)
    error = api.error("PutScalingPolicy", **SCALED, PolicyName="b", **TRACKING)
    assert "Only one TargetTrackingScaling policy" in error.message
    api("PutScalingPolicy", **SCALED, PolicyName="b", **tracked(ONE_METRIC))


def test_a_step_policy_is_kept_and_shows_the_alarms_that_name_it(api: Api, target: str) -> None:
    assert target
    made = api("PutScalingPolicy", **SCALED, PolicyName="s", **STEPS)
    assert made["Alarms"] == []
    alarm = Api(cloudwatch.SERVICE.operations, service="cloudwatch")
    alarm.store = api.store
    alarm("PutMetricAlarm", **{**ALARM, "AlarmActions": [made["PolicyARN"]]})
    [shown] = api("DescribeScalingPolicies", **LISTED)["ScalingPolicies"]
    assert shown["StepScalingPolicyConfiguration"] == STEP
    assert [each["AlarmName"] for each in shown["Alarms"]] == ["busy"]
    api("DeleteScalingPolicy", **SCALED, PolicyName="s")
    assert set(alarms(api)) == {"busy"}


def steps(*triples: tuple[float | None, float | None, int], **more: Any) -> dict[str, Any]:
    names = ("MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment")
    found = [{k: v for k, v in zip(names, triple, strict=True) if v is not None} for triple in triples]
    return {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": found, **more}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (steps(), "At least one StepAdjustment"),
        ({"StepAdjustments": [{"ScalingAdjustment": 1}]}, "AdjustmentType is required"),
        (steps(*((float(n), float(n + 1), 1) for n in range(20)), (20.0, None, 1)), "at most 20"),
        (steps((0.0, 0.0, 1), (0.0, None, 1)), "must be greater than MetricIntervalLowerBound"),
        (steps((None, None, 1), (0.0, 1.0, 1)), "can't overlap"),
        (steps((0.0, None, 1), (5.0, None, 2)), "At most one"),
        (steps((0.0, 10.0, 1), (5.0, None, 2)), "can't overlap"),
        (steps((0.0, 10.0, 1), (15.0, None, 2)), "can't have gaps"),
        (steps((-5.0, 0.0, -1)), "unspecified lower bound when"),
        (steps((0.0, 5.0, 1)), "unspecified upper bound when"),
        (steps((0.0, None, 1), MinAdjustmentMagnitude=1), "MinAdjustmentMagnitude"),
        (steps((0.0, None, 1), Cooldown=-1), "Cooldown"),
        (steps((0.0, None, -1), AdjustmentType="ExactCapacity"), "can't be negative"),
    ],
)
def test_steps_that_make_no_sense_are_refused(api: Api, target: str, document: dict[str, Any], words: str) -> None:
    assert target
    asked = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": document}
    error = api.error("PutScalingPolicy", **SCALED, PolicyName="s", **asked)
    assert error.code == "ValidationException"
    assert words in error.message


@pytest.mark.parametrize(
    "document",
    [steps((None, None, 1)), steps((None, -10.0, -2), (-10.0, 0.0, -1)), steps((0.0, 5.0, 1), (5.0, None, 9))],
)
def test_steps_that_make_sense_come_back_as_they_were(api: Api, target: str, document: dict[str, Any]) -> None:
    assert target
    asked = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": document}
    api("PutScalingPolicy", **SCALED, PolicyName="s", **asked)
    [shown] = api("DescribeScalingPolicies", **LISTED)["ScalingPolicies"]
    assert shown["StepScalingPolicyConfiguration"] == document


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "PolicyType is required"),
        ({"PolicyType": "StepScaling"}, "StepScalingPolicyConfiguration is required"),
        ({**STEPS, "TargetTrackingScalingPolicyConfiguration": CPU}, "can't be given for a policy of the type"),
        ({"PolicyType": "StepScaling", "TargetTrackingScalingPolicyConfiguration": CPU}, "can't be given"),
    ],
)
def test_a_policy_needs_the_configuration_of_its_type(api: Api, target: str, asked: dict[str, Any], words: str) -> None:
    assert target
    assert words in api.error("PutScalingPolicy", **SCALED, PolicyName="p", **asked).message


def test_predictive_scaling_is_refused_with_a_sentence(api: Api, target: str) -> None:
    assert target
    predictive = {
        "PolicyType": "PredictiveScaling",
        "PredictiveScalingPolicyConfiguration": {"MetricSpecifications": [1]},
    }
    assert "doesn't forecast" in api.error("PutScalingPolicy", **SCALED, PolicyName="p", **predictive).message
    error = api.error("PutScalingPolicy", **SCALED, PolicyName="p", PolicyType="PredictiveScaling")
    assert error.code == "ValidationException"


def test_a_policy_keeps_its_type_and_what_an_update_does_not_say(api: Api, target: str) -> None:
    assert target
    made = api("PutScalingPolicy", **SCALED, PolicyName="p", **STEPS)
    assert "can't be changed" in api.error("PutScalingPolicy", **SCALED, PolicyName="p", **TRACKING).message
    assert api("PutScalingPolicy", **SCALED, PolicyName="p") == made


def test_what_is_not_there_is_said_in_aws_s_words(api: Api) -> None:
    where = "service namespace: ecs, resource ID: service/default/web, scalable dimension: ecs:service:DesiredCount"
    error = api.error("PutScalingPolicy", **SCALED, PolicyName="p", **STEPS)
    assert (error.code, error.message) == ("ObjectNotFoundException", f"No scalable target registered for {where}")
    action = {"ScheduledActionName": "n", "Schedule": "rate(1 day)", "ScalableTargetAction": BOUNDS}
    assert api.error("PutScheduledAction", **SCALED, **action).code == "ObjectNotFoundException"
    for operation, name in (("DeleteScalingPolicy", "PolicyName"), ("DeleteScheduledAction", "ScheduledActionName")):
        error = api.error(operation, **SCALED, **{name: "p"})
        assert (error.code, where in error.message) == ("ObjectNotFoundException", True)


def test_numbers_are_limited(api: Api, target: str) -> None:
    assert target
    for number in range(50):
        api("PutScalingPolicy", **SCALED, PolicyName=f"p{number}", **STEPS)
    assert api.error("PutScalingPolicy", **SCALED, PolicyName="more", **STEPS).code == "LimitExceededException"
    action = {"Schedule": "rate(1 day)", "ScalableTargetAction": BOUNDS}
    for number in range(200):
        api("PutScheduledAction", **SCALED, ScheduledActionName=f"a{number}", **action)
    error = api.error("PutScheduledAction", **SCALED, ScheduledActionName="more", **action)
    assert error.code == "LimitExceededException"
    shown: list[str] = []
    token: dict[str, Any] = {}
    while True:
        page = api("DescribeScalingPolicies", **LISTED, **token)
        assert len(page["ScalingPolicies"]) <= 10
        shown += [policy["PolicyName"] for policy in page["ScalingPolicies"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert len(shown) == len(set(shown)) == 50


@pytest.mark.parametrize(
    "operation",
    ["DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions", "DescribeScalingActivities"],
)
def test_listings_check_what_they_are_asked(api: Api, operation: str) -> None:
    assert api.error(operation, ServiceNamespace="rds").code == "ValidationException"
    error = api.error(operation, **LISTED, ScalableDimension="ecs:service:DesiredCount")
    assert "you must also specify a resource ID" in error.message
    assert api.error(operation, **LISTED, MaxResults=51).code == "ValidationException"
    assert api.error(operation, **LISTED, MaxResults=0).code == "ValidationException"
    assert api.error(operation, **LISTED, NextToken="x").code == "InvalidNextTokenException"


# ------------------------------------------------------------------------------------------------ scheduled actions


def test_a_scheduled_action_is_put_changed_and_deleted(api: Api, target: str) -> None:
    assert target
    night = {"ScheduledActionName": "night", "Schedule": "cron(0 22 * * ? *)", "Timezone": "Europe/Berlin"}
    api("PutScheduledAction", **SCALED, **night, ScalableTargetAction={"MaxCapacity": 1}, StartTime=api.now)
    api("PutScheduledAction", **SCALED, ScheduledActionName="night", EndTime=api.now + 10)
    [shown] = api("DescribeScheduledActions", **LISTED)["ScheduledActions"]
    arn = shown.pop("ScheduledActionARN")
    assert arn.endswith(":resource/ecs/service/default/web:scheduledActionName/night")
    assert shown == {
        **SCALED,
        **night,
        "ScalableTargetAction": {"MaxCapacity": 1},
        "StartTime": api.now,
        "EndTime": api.now + 10,
        "CreationTime": api.now,
    }
    api("PutScheduledAction", **SCALED, ScheduledActionName="night", ScalableTargetAction={"MinCapacity": 2})
    [shown] = api("DescribeScheduledActions", **LISTED, ScheduledActionNames=["night"])["ScheduledActions"]
    assert shown["ScalableTargetAction"] == {"MinCapacity": 2}
    api("DeleteScheduledAction", **SCALED, ScheduledActionName="night")
    assert api("DescribeScheduledActions", **LISTED)["ScheduledActions"] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Schedule": None}, "are required"),
        ({"ScalableTargetAction": None}, "are required"),
        ({"ScalableTargetAction": {}}, "needs a MinCapacity"),
        ({"ScalableTargetAction": {"MinCapacity": 5, "MaxCapacity": 4}}, "cannot be less"),
        ({"ScalableTargetAction": {"MinCapacity": -5}}, "Minimum capacity"),
        ({"Schedule": "tomorrow"}, "Invalid schedule expression"),
        ({"Timezone": "Mars/Olympus"}, "There is no time zone"),
        ({"Timezone": "../etc/passwd"}, "There is no time zone"),
        ({"StartTime": 10.0, "EndTime": 10.0}, "EndTime must be later"),
    ],
)
def test_a_scheduled_action_that_makes_no_sense_is_refused(
    api: Api, target: str, changes: dict[str, Any], words: str
) -> None:
    assert target
    asked = {"ScheduledActionName": "n", "Schedule": "rate(1 day)", "ScalableTargetAction": BOUNDS, **changes}
    error = api.error("PutScheduledAction", **SCALED, **{k: v for k, v in asked.items() if v is not None})
    assert error.code == "ValidationException"
    assert words in error.message


@pytest.mark.parametrize(
    "schedule",
    [
        "rate(1 minute)",
        "rate(10 days)",
        "at(2026-12-31T23:59:59)",
        "cron(0 10 * * ? *)",
        "cron(15 12 ? * MON-FRI *)",
        "cron(0/15 8-17,20 ? JAN-MAR,12 2#1 2026-2030)",
        "cron(* * L * ? *)",
        "cron(0 0 15W 2 ? *)",
        "cron(0 0 L-3 * ? *)",
        "cron(0 0 ? * 6L *)",
        "cron(0 0 ? * SAT-MON *)",
    ],
)
def test_schedules_of_aws_s_three_forms_are_taken(schedule: str) -> None:
    assert fault_in(schedule) is None


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "1 minute",
        "rate(0 minutes)",
        "rate(1 week)",
        "rate(1.5 hours)",
        "at(2026-13-01T00:00:00)",
        "at(2026-12-01)",
        "at(2026-12-01T00:00:00Z)",
        "cron(0 10 * * ?)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(60 10 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 * 13 ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * MON#6 *)",
        "cron(0 0 * * ? 1969)",
        "cron(9-5 0 * * ? *)",
        "cron(0/0 0 * * ? *)",
        "cron(0/x 0 * * ? *)",
        "cron(, 0 * * ? *)",
        "cron(1-2-3 0 * * ? *)",
        "cron(٣ 0 * * ? *)",
    ],
)
def test_schedules_of_no_form_are_refused_with_a_sentence(schedule: str) -> None:
    fault = fault_in(schedule)
    assert fault is not None
    assert fault.endswith(".")


def test_accounts_and_regions_are_apart(api: Api, target: str) -> None:
    assert target
    found = api.store.select(ScalableTarget, "scope", SCOPE)
    assert len(found) == 1
    assert api.store.select(ScalableTarget, "scope", (SCOPE.account, "eu-west-1")) == []
