"""CloudWatch: alarms are kept with their state and history, dashboards with their body; nonsense is refused."""

import json
from typing import Any

import pytest

from longshore.api import cloudwatch
from longshore.domain.scaling.alarm import HISTORY_S, AlarmHistoryItem, MetricAlarm
from tests.support.api import Api
from tests.support.play_around import ALARM, BODY

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:busy"
METRIC = {"Metric": {"MetricName": "a", "Namespace": "b"}, "Period": 60, "Stat": "p99"}
MATHS = {
    "AlarmName": "maths",
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "Metrics": [
        {"Id": "m1", "MetricStat": METRIC, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 * 2", "Label": "double"},
    ],
}
BAND = {
    "AlarmName": "band",
    "EvaluationPeriods": 1,
    "ComparisonOperator": "GreaterThanUpperThreshold",
    "ThresholdMetricId": "ad1",
    "Metrics": [
        {"Id": "m1", "MetricStat": METRIC},
        {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)"},
    ],
}


@pytest.fixture
def api() -> Api:
    return Api(cloudwatch.SERVICE.operations, service="cloudwatch")


def names(answer: dict[str, Any]) -> list[str]:
    return [alarm["AlarmName"] for alarm in answer["MetricAlarms"]]


def changed(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def test_an_alarm_comes_back_as_it_was_put(api: Api) -> None:
    api("PutMetricAlarm", **ALARM)
    [shown] = api("DescribeAlarms")["MetricAlarms"]
    put = {name: value for name, value in ALARM.items() if name != "Tags"}
    assert {name: shown[name] for name in put} == put
    assert shown["AlarmArn"] == ARN
    assert (shown["StateValue"], shown["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert shown["AlarmConfigurationUpdatedTimestamp"] == api.now
    api("PutMetricAlarm", **MATHS)
    [maths] = api("DescribeAlarms", AlarmNames=["maths", "none"])["MetricAlarms"]
    assert [query["ReturnData"] for query in maths["Metrics"]] == [False, True]
    assert "Dimensions" not in maths
    api("PutMetricAlarm", **BAND)
    [band] = api("DescribeAlarms", AlarmNamePrefix="ba")["MetricAlarms"]
    assert "Threshold" not in band


def test_putting_again_replaces_all_but_state_and_tags(api: Api) -> None:
    api("PutMetricAlarm", **ALARM)
    api("SetAlarmState", AlarmName="busy", StateValue="ALARM", StateReason="test")
    api.now += 1
    short = changed(ALARM, AlarmDescription=None, AlarmActions=None, Threshold=90.0, Tags=[{"Key": "x", "Value": "y"}])
    api("PutMetricAlarm", **short)
    [shown] = api("DescribeAlarms")["MetricAlarms"]
    assert (shown["StateValue"], shown["Threshold"], shown["AlarmActions"]) == ("ALARM", 90.0, [])
    assert "AlarmDescription" not in shown
    assert shown["AlarmConfigurationUpdatedTimestamp"] == api.now
    assert api("ListTagsForResource", ResourceARN=ARN)["Tags"] == [{"Key": "k", "Value": "v"}]


@pytest.mark.parametrize(
    ("base", "changes", "words"),
    [
        (ALARM, {"EvaluationPeriods": None}, "EvaluationPeriods is required"),
        (ALARM, {"ComparisonOperator": None}, "ComparisonOperator is required"),
        (ALARM, {"MetricName": None}, "MetricName is required"),
        (ALARM, {"Namespace": None}, "Namespace is required"),
        (ALARM, {"Period": None}, "Period is required"),
        (ALARM, {"Period": 45}, "Period must be 10, 20, 30 or a multiple of 60"),
        (ALARM, {"Statistic": None}, "Exactly one of Statistic and ExtendedStatistic"),
        (ALARM, {"ExtendedStatistic": "p99"}, "Exactly one of Statistic and ExtendedStatistic"),
        (ALARM, {"Statistic": None, "ExtendedStatistic": "p101"}, "for ExtendedStatistic is not one"),
        (ALARM, {"Statistic": None, "ExtendedStatistic": "median"}, "for ExtendedStatistic is not one"),
        (ALARM, {"EvaluateLowSampleCountPercentile": "ignore"}, "for alarms on a percentile"),
        (ALARM, {"DatapointsToAlarm": 4}, "DatapointsToAlarm must be less"),
        (ALARM, {"Threshold": None}, "has a Threshold"),
        (ALARM, {"Threshold": float("nan")}, "finite"),
        (ALARM, {"ComparisonOperator": "LessThanLowerThreshold"}, "ThresholdMetricId"),
        (ALARM, {"ThresholdMetricId": "a"}, "ThresholdMetricId"),
        (ALARM, {"TreatMissingData": "zero"}, "TreatMissingData"),
        (ALARM, {"EvaluationPeriods": 1441}, "more than a day"),
        (ALARM, {"Period": 3600, "EvaluationPeriods": 169}, "more than a week"),
        (ALARM, {"Dimensions": [{"Name": "a", "Value": "b"}, {"Name": "a", "Value": "c"}]}, "only once"),
        (ALARM, {"AlarmActions": ["notify me"]}, "Invalid arn syntax"),
        (ALARM, {"Metrics": MATHS["Metrics"]}, "can't be combined with Metrics"),
        (MATHS, {"Metrics": [{"Id": "A", "Expression": "1"}]}, "Id of its own"),
        (MATHS, {"Metrics": [{"Id": "a"}]}, "either a MetricStat or an Expression"),
        (MATHS, {"Metrics": [{"Id": "a", "MetricStat": METRIC, "Period": 60}]}, "stands in it"),
        (MATHS, {"Metrics": [{"Id": "a", "MetricStat": {**METRIC, "Period": 7}}]}, "multiple of 60"),
        (MATHS, {"Metrics": [{"Id": "a", "MetricStat": {**METRIC, "Stat": "Most"}}]}, "no statistic"),
        (MATHS, {"Metrics": [{"Id": "a", "MetricStat": {**METRIC, "Metric": {}}}]}, "needs a MetricName"),
        (MATHS, {"Metrics": [{"Id": "a", "Expression": "1", "ReturnData": False}]}, "Exactly one element"),
        (MATHS, {"Metrics": [{"Id": f"a{n}", "Expression": "1"} for n in range(21)]}, "at most 10 metrics"),
        (BAND, {"ThresholdMetricId": "none"}, "none of the Ids"),
        (BAND, {"Threshold": 1.0}, "has a Threshold"),
    ],
)
def test_an_alarm_that_makes_no_sense_is_refused(
    api: Api, base: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    error = api.error("PutMetricAlarm", **changed(base, **changes))
    assert error.code in {"ValidationException", "InvalidParameterCombinationException"}
    assert words in error.message


@pytest.mark.parametrize("statistic", ["p0", "p99.9", "p100", "tm90", "TM(10%:90%)", "IQM", "PR(:300)"])
def test_extended_statistics_are_taken(api: Api, statistic: str) -> None:
    api("PutMetricAlarm", **changed(ALARM, Statistic=None, ExtendedStatistic=statistic))


def test_alarms_are_found_by_name_state_and_action(api: Api) -> None:
    for number in range(5):
        api("PutMetricAlarm", **{**ALARM, "AlarmName": f"a{number}"})
    api("PutMetricAlarm", **{**ALARM, "AlarmName": "b", "AlarmActions": ["arn:aws:lambda:x"], "OKActions": []})
    api("SetAlarmState", AlarmName="a3", StateValue="OK", StateReason="")
    assert names(api("DescribeAlarms", AlarmNamePrefix="a")) == [f"a{number}" for number in range(5)]
    assert names(api("DescribeAlarms", StateValue="OK")) == ["a3"]
    assert names(api("DescribeAlarms", ActionPrefix="arn:aws:lambda")) == ["b"]
    assert names(api("DescribeAlarms", AlarmNames=["b", "a1", "b"])) == ["a1", "b"]
    first = api("DescribeAlarms", MaxRecords=4)
    assert names(first) + names(api("DescribeAlarms", NextToken=first["NextToken"])) == [
        *(f"a{number}" for number in range(5)),
        "b",
    ]
    assert api.error("DescribeAlarms", NextToken="x").code == "InvalidNextToken"
    both = api.error("DescribeAlarms", AlarmNames=["a"], AlarmNamePrefix="a")
    assert both.code == "InvalidParameterCombinationException"


def test_alarms_are_found_by_their_metric(api: Api) -> None:
    api("PutMetricAlarm", **ALARM)
    api("PutMetricAlarm", **MATHS)
    dimensions: Any = ALARM["Dimensions"]
    metric = {"MetricName": "CPUUtilization", "Namespace": "AWS/ECS", "Dimensions": dimensions[::-1]}
    assert names(api("DescribeAlarmsForMetric", **metric)) == ["busy"]
    assert names(api("DescribeAlarmsForMetric", **metric, Period=60, Statistic="Average", Unit="Percent")) == ["busy"]
    assert names(api("DescribeAlarmsForMetric", **metric, Period=120)) == []
    assert names(api("DescribeAlarmsForMetric", **{**metric, "Dimensions": []})) == []


def test_states_are_set_and_remembered(api: Api) -> None:
    api("PutMetricAlarm", **ALARM)
    api.now += 5
    api("SetAlarmState", AlarmName="busy", StateValue="ALARM", StateReason="hot", StateReasonData='{"a": 1}')
    changed_at = api.now
    api.now += 5
    api("SetAlarmState", AlarmName="busy", StateValue="ALARM", StateReason="still hot")
    [shown] = api("DescribeAlarms")["MetricAlarms"]
    assert (shown["StateReason"], "StateReasonData" in shown) == ("still hot", False)
    assert (shown["StateUpdatedTimestamp"], shown["StateTransitionedTimestamp"]) == (api.now, changed_at)
    items = api("DescribeAlarmHistory", AlarmName="busy")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        'Alarm "busy" created',
    ]
    assert json.loads(items[0]["HistoryData"])["newState"] == {"stateValue": "ALARM", "stateReason": "hot"}
    assert api.error("SetAlarmState", AlarmName="none", StateValue="OK", StateReason="").code == "ResourceNotFound"
    bad = api.error("SetAlarmState", AlarmName="busy", StateValue="OK", StateReason="", StateReasonData="{")
    assert bad.code == "InvalidFormatFault"


def test_history_is_filtered_paged_and_bounded(api: Api) -> None:
    began = api.now
    api("PutMetricAlarm", **ALARM)
    for number in range(6):
        api.now += 10
        api("SetAlarmState", AlarmName="busy", StateValue=("ALARM", "OK")[number % 2], StateReason=str(number))
    api("PutMetricAlarm", **ALARM)

    def found(**asked: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = api("DescribeAlarmHistory", **asked)["AlarmHistoryItems"]
        return items

    assert len(found()) == 8
    assert {item["HistoryItemType"] for item in found(HistoryItemType="StateUpdate")} == {"StateUpdate"}
    assert len(found(StartDate=began + 15, EndDate=began + 45)) == 3
    assert found(AlarmTypes=["CompositeAlarm"]) == []
    assert found(AlarmName="none") == []
    for order in ("TimestampAscending", "TimestampDescending"):
        shown: list[float] = []
        token: dict[str, Any] = {}
        while True:
            page = api("DescribeAlarmHistory", ScanBy=order, MaxRecords=3, **token)
            shown += [item["Timestamp"] for item in page["AlarmHistoryItems"]]
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        assert shown == sorted(shown, reverse=order == "TimestampDescending")
        assert len(shown) == 8
    api.now += HISTORY_S
    api("SetAlarmState", AlarmName="busy", StateValue="ALARM", StateReason="")
    kept = [item.summary for item in api.store.all(AlarmHistoryItem)]
    expected = ["Alarm updated from ALARM to OK", 'Alarm "busy" updated', "Alarm updated from OK to ALARM"]
    assert kept == expected


def test_actions_are_switched(api: Api) -> None:
    api("PutMetricAlarm", **ALARM)
    api("DisableAlarmActions", AlarmNames=["busy", "none"])
    assert api("DescribeAlarms")["MetricAlarms"][0]["ActionsEnabled"] is False
    api("EnableAlarmActions", AlarmNames=["busy"])
    assert api("DescribeAlarms")["MetricAlarms"][0]["ActionsEnabled"] is True


def test_deleting_leaves_nothing_and_is_all_or_none(api: Api) -> None:
    api("PutMetricAlarm", **ALARM)
    assert api.error("DeleteAlarms", AlarmNames=["busy", "none"]).code == "ResourceNotFound"
    api("DeleteAlarms", AlarmNames=["busy", "busy"])
    assert list(api.store.all(MetricAlarm)) == []
    assert list(api.store.all(AlarmHistoryItem)) == []


def test_tags(api: Api) -> None:
    api("PutMetricAlarm", **ALARM)
    api("PutDashboard", DashboardName="d", DashboardBody=BODY)
    for arn in (ARN, "arn:aws:cloudwatch::123456789012:dashboard/d"):
        api("TagResource", ResourceARN=arn, Tags=[{"Key": "a", "Value": "b"}, {"Key": "k", "Value": "w"}])
        api("UntagResource", ResourceARN=arn, TagKeys=["a", "x"])
        assert api("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "w"}]
        many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
        assert api.error("TagResource", ResourceARN=arn, Tags=many).code == "InvalidParameterValueException"
        reserved = [{"Key": "aws:x", "Value": ""}]
        assert api.error("TagResource", ResourceARN=arn, Tags=reserved).code == "InvalidParameterValueException"
    for arn in (f"{ARN}x", ARN.replace("us-east-1", "eu-west-1"), "arn:aws:cloudwatch::123456789012:dashboard/x"):
        assert api.error("ListTagsForResource", ResourceARN=arn).code == "ResourceNotFoundException"
    for arn in ("busy", "arn:aws:logs:us-east-1:123456789012:log-group:x"):
        assert api.error("ListTagsForResource", ResourceARN=arn).code == "InvalidParameterValueException"


def test_dashboards_are_kept(api: Api) -> None:
    assert api("PutDashboard", DashboardName="d", DashboardBody=BODY) == {"DashboardValidationMessages": []}
    api("PutDashboard", DashboardName="e", DashboardBody='{"widgets": []}')
    shown = api("GetDashboard", DashboardName="d")
    assert (shown["DashboardBody"], shown["DashboardArn"]) == (BODY, "arn:aws:cloudwatch::123456789012:dashboard/d")
    entries = api("ListDashboards")["DashboardEntries"]
    assert [(entry["DashboardName"], entry["Size"]) for entry in entries] == [("d", len(BODY)), ("e", 15)]
    assert len(api("ListDashboards", DashboardNamePrefix="e")["DashboardEntries"]) == 1
    assert api.error("DeleteDashboards", DashboardNames=["d", "none"]).code == "DashboardNotFoundError"
    api("DeleteDashboards", DashboardNames=["d"])
    assert api.error("GetDashboard", DashboardName="d").code == "DashboardNotFoundError"
    tagged = [{"Key": "a", "Value": "b"}]
    assert api.error("PutDashboard", DashboardName="e", DashboardBody=BODY, Tags=tagged).code.startswith("InvalidPara")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"widgets": 1}',
        '{"widgets": [1]}',
        '{"widgets": [{"type": "text"}]}',
        json.dumps({"widgets": [{"type": "text", "properties": {}}] * 501}),
    ],
)
def test_a_body_that_is_no_dashboard_is_refused(api: Api, body: str) -> None:
    error = api.error("PutDashboard", DashboardName="d", DashboardBody=body)
    assert error.code == "DashboardInvalidInputError"
    assert error.members["dashboardValidationMessages"]


@pytest.mark.parametrize("name", ["", "a b", "a" * 256, "ä"])
def test_a_name_that_no_dashboard_has_is_refused(api: Api, name: str) -> None:
    assert api.error("PutDashboard", DashboardName=name, DashboardBody=BODY).code == "InvalidParameterValueException"
