"""Composite alarms: kept with what they name, refused where their rule makes no sense, held on to by each other."""

from typing import Any

import pytest

from longshore.api import cloudwatch
from longshore.api.cloudwatch.composite_rules import named_in
from longshore.domain.scaling.alarm import AlarmHistoryItem, CompositeAlarm
from longshore.wire.errors import ApiError
from tests.support.api import Api
from tests.support.play_around import ALARM, COMPOSITE

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm"


@pytest.fixture
def api() -> Api:
    api = Api(cloudwatch.SERVICE.operations, service="cloudwatch")
    for name in ("busy", "slow"):
        api("PutMetricAlarm", **{**ALARM, "AlarmName": name})
    return api


def put(api: Api, name: str, rule: str, **changes: Any) -> None:
    api("PutCompositeAlarm", AlarmName=name, AlarmRule=rule, **changes)


def described(api: Api, **asked: Any) -> tuple[list[str], list[str]]:
    """The names of metric alarms and of composite ones."""
    answer = api("DescribeAlarms", **asked)
    kinds = ("MetricAlarms", "CompositeAlarms")
    metric, composite = ([alarm["AlarmName"] for alarm in answer.get(kind, ())] for kind in kinds)
    return metric, composite


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ("ALARM(a)", ["a"]),
        ("  alarm ( a b )\n", ["a b"]),
        ('OK("a (1)") or INSUFFICIENT_DATA("b")', ["a (1)", "b"]),
        (f"ALARM({ARN}:a) AND ALARM(a)", [f"{ARN}:a", "a"]),
        ("NOT NOT (TRUE AND (ALARM(a) OR NOT FALSE))", ["a"]),
        ("(ALARM(a) OR ALARM(a)) AND OK(b)", ["a", "b"]),
        ("false", []),
        ("AT_LEAST(2, ALARM, (a, b, c))", ["a", "b", "c"]),
        ('AT_LEAST(50%, NOT OK, ("a, b", c)) AND TRUE', ["a, b", "c"]),
    ],
)
def test_a_rule_names_alarms(rule: str, named: list[str]) -> None:
    assert list(named_in(rule)) == named


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("()", "Unsupported token ')' at char 1"),
        ("a", "Unsupported token 'a' at char 0"),
        ("ALARM(a) ALARM(b)", "Unsupported token 'ALARM' at char 9"),
        ("ALARM(a) AND", "Unexpected end at char 12"),
        ("(ALARM(a)", "Unexpected end at char 9"),
        ("ALARM(a))", "Unsupported token ')' at char 8"),
        ("ALARM(a) AND AND OK(b)", "Unsupported token 'AND' at char 13"),
        ("NOT", "Unexpected end"),
        ("ALARM", "Unsupported token 'ALARM' at char 0"),
        ("ALARM()", "Unsupported token 'ALARM'"),
        ("ALARM( )", "Unsupported token 'ALARM'"),
        ('ALARM("")', "Unsupported token 'ALARM'"),
        ('ALARM("a)', "Unsupported token 'ALARM'"),
        ("ALARM(a) && OK(b)", "Unsupported token '&' at char 9"),
        ("TRUEST", "Unsupported token 'TRUEST'"),
        ("ALARM(a) NOT OK(b)", "Unsupported token 'NOT' at char 9"),
        ("AT_LEAST(4, ALARM, (a, b, c))", "AT_LEAST"),
        ("AT_LEAST(0, ALARM, (a))", "AT_LEAST"),
        ("AT_LEAST(101%, ALARM, (a))", "AT_LEAST"),
        ("AT_LEAST(1, WARM, (a))", "Unsupported token 'AT_LEAST'"),
        ("AT_LEAST(1, OK, a)", "Unsupported token 'AT_LEAST'"),
        (" OR ".join(f"ALARM(a{number})" for number in range(101)), "at most 100 alarms"),
        (" OR ".join(["TRUE"] * 501), "500 elements"),
        ("(" * 5000, "Unexpected end"),
        ("ALARM(" + " " * 10_000, "Unsupported token"),
        ("AT_LEAST(1, OK, (" + " " * 10_000, "Unsupported token"),
    ],
)
def test_a_rule_that_makes_no_sense_says_where(rule: str, words: str) -> None:
    with pytest.raises(ApiError) as refused:
        named_in(rule)
    assert refused.value.code == "ValidationException"
    assert words in refused.value.message


def test_deep_rules_are_read() -> None:
    assert named_in("(" * 200 + "ALARM(a)" + ")" * 200) == ("a",)
    assert named_in("NOT " * 2000 + "ALARM(a)") == ("a",)


def test_a_composite_alarm_comes_back_as_it_was_put(api: Api) -> None:
    suppressor = {
        "ActionsSuppressor": f"{ARN}:slow",
        "ActionsSuppressorWaitPeriod": 0,
        "ActionsSuppressorExtensionPeriod": 20,
    }
    api("PutCompositeAlarm", **COMPOSITE, **suppressor)
    [shown] = api("DescribeAlarms", AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    wanted = {name: value for name, value in {**COMPOSITE, **suppressor}.items() if name != "Tags"}
    assert {name: shown[name] for name in wanted} == wanted
    assert (shown["AlarmArn"], shown["StateValue"]) == (f"{ARN}:both", "INSUFFICIENT_DATA")
    assert "Dimensions" not in shown
    assert api("ListTagsForResource", ResourceARN=f"{ARN}:both")["Tags"] == COMPOSITE["Tags"]
    api("TagResource", ResourceARN=f"{ARN}:both", Tags=[{"Key": "a", "Value": "b"}])
    put(api, "both", "false")
    [shown] = api("DescribeAlarms", AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert (shown["AlarmRule"], shown["AlarmActions"], "ActionsSuppressor" in shown) == ("false", [], False)
    assert len(api("ListTagsForResource", ResourceARN=f"{ARN}:both")["Tags"]) == 2


def test_alarms_are_described_by_type_and_by_who_names_whom(api: Api) -> None:
    put(api, "all", f"ALARM(busy) OR ALARM({ARN}:slow)")
    put(api, "most", "ALARM(all) AND NOT OK(busy)")
    assert described(api) == (["busy", "slow"], [])
    assert described(api, AlarmTypes=["CompositeAlarm"]) == ([], ["all", "most"])
    assert described(api, AlarmTypes=["CompositeAlarm", "MetricAlarm"], AlarmNames=["all", "slow"]) == (
        ["slow"],
        ["all"],
    )
    assert described(api, ChildrenOfAlarmName="most") == (["busy"], ["all"])
    assert described(api, ChildrenOfAlarmName="busy") == ([], [])
    assert described(api, ParentsOfAlarmName="busy") == ([], ["all", "most"])
    child = api("DescribeAlarms", ChildrenOfAlarmName="most")["MetricAlarms"][0]
    assert set(child) == {"AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp"}
    parent = api("DescribeAlarms", ParentsOfAlarmName="all")["CompositeAlarms"][0]
    assert parent == {"AlarmName": "most", "AlarmArn": f"{ARN}:most"}
    both = api.error("DescribeAlarms", ParentsOfAlarmName="all", StateValue="OK")
    assert both.code == "ValidationException"
    pages: list[int] = []
    token: dict[str, Any] = {}
    while True:
        page = api("DescribeAlarms", AlarmTypes=["CompositeAlarm", "MetricAlarm"], MaxRecords=3, **token)
        pages.append(len(page["MetricAlarms"]) + len(page["CompositeAlarms"]))
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert pages == [3, 1]


@pytest.mark.parametrize("name", ["gone", f"{ARN}:gone", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:busy"])
def test_alarms_that_do_not_exist_are_named(api: Api, name: str) -> None:
    error = api.error("PutCompositeAlarm", AlarmName="a", AlarmRule=f"ALARM(busy) OR OK({name})")
    wanted = f"Could not save the composite alarm as alarms [{name}] in the alarm rule do not exist"
    assert (error.code, error.message) == ("ValidationException", wanted)
    periods = {"ActionsSuppressorWaitPeriod": 1, "ActionsSuppressorExtensionPeriod": 1}
    error = api.error("PutCompositeAlarm", AlarmName="a", AlarmRule="TRUE", ActionsSuppressor=name, **periods)
    assert error.code == "ValidationException"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AlarmName": "busy"}, "is a metric alarm"),
        ({"AlarmActions": ["notify me"]}, "Invalid arn syntax"),
        ({"ActionsSuppressor": "slow"}, "go together"),
        ({"ActionsSuppressorWaitPeriod": 1}, "go together"),
        (
            {
                "ActionsSuppressor": "slow",
                "ActionsSuppressorWaitPeriod": -1,
                "ActionsSuppressorExtensionPeriod": 1,
            },
            "numbers of seconds",
        ),
    ],
)
def test_a_composite_alarm_that_makes_no_sense_is_refused(api: Api, changes: dict[str, Any], words: str) -> None:
    assert words in api.error("PutCompositeAlarm", **{**COMPOSITE, **changes}).message
    assert list(api.store.all(CompositeAlarm)) == []


def test_a_name_is_of_one_alarm(api: Api) -> None:
    put(api, "all", "TRUE")
    assert "is a composite alarm" in api.error("PutMetricAlarm", **{**ALARM, "AlarmName": "all"}).message


def test_what_a_composite_alarm_names_stays(api: Api) -> None:
    put(api, "all", "ALARM(busy) OR ALARM(slow)")
    put(api, "most", "ALARM(all)")
    error = api.error("DeleteAlarms", AlarmNames=["slow", "busy"])
    wanted = "Cannot delete busy,slow as there are composite alarm(s) depending on them."
    assert (error.code, error.message) == ("ValidationException", wanted)
    assert "Cannot delete all as" in api.error("DeleteAlarms", AlarmNames=["all"]).message
    assert "At most one" in api.error("DeleteAlarms", AlarmNames=["all", "most"]).message
    api("DeleteAlarms", AlarmNames=["most"])
    api("DeleteAlarms", AlarmNames=["all", "busy", "slow"])
    assert described(api, AlarmTypes=["CompositeAlarm", "MetricAlarm"]) == ([], [])
    assert list(api.store.all(AlarmHistoryItem)) == []


def test_two_that_name_each_other_stay_until_one_lets_go(api: Api) -> None:
    put(api, "a", "TRUE")
    put(api, "b", "ALARM(a)")
    put(api, "a", "ALARM(b) OR ALARM(a)")
    for name in ("a", "b"):
        assert "depending on it" in api.error("DeleteAlarms", AlarmNames=[name]).message
    put(api, "a", "FALSE")
    api("DeleteAlarms", AlarmNames=["b"])
    api("DeleteAlarms", AlarmNames=["a"])


def test_states_actions_and_history(api: Api) -> None:
    put(api, "all", "ALARM(busy)")
    api("SetAlarmState", AlarmName="all", StateValue="ALARM", StateReason="r")
    api("DisableAlarmActions", AlarmNames=["all", "busy"])
    [shown] = api("DescribeAlarms", AlarmTypes=["CompositeAlarm"], StateValue="ALARM")["CompositeAlarms"]
    assert (shown["ActionsEnabled"], shown["StateReason"]) == (False, "r")
    history = api("DescribeAlarmHistory", AlarmTypes=["CompositeAlarm"])["AlarmHistoryItems"]
    assert [(each["AlarmName"], each["AlarmType"]) for each in history] == [("all", "CompositeAlarm")] * 2
    assert {each["AlarmName"] for each in api("DescribeAlarmHistory")["AlarmHistoryItems"]} == {"busy", "slow"}
