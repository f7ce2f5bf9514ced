"""CloudWatch Logs around groups and events: metric filters, policies, saved queries, protection, keys, lists."""

import json
from typing import Any

import pytest

from longshore.api import logs
from longshore.domain.log import LogResourcePolicy, MetricFilter
from longshore.store.events import EventLog
from tests.support.api import Api
from tests.support.play_around import POLICY, TRANSFORMATION

ARN = "arn:aws:logs:us-east-1:123456789012:log-group:g"
KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
FILTER = {"logGroupName": "g", "filterName": "f", "filterPattern": "{ $.level = ERROR }"}
PLAIN = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}


@pytest.fixture
def api() -> Api:
    made = Api(logs.SERVICE.operations, service="logs")
    made.events = EventLog(None)
    made("CreateLogGroup", logGroupName="g")
    return made


def group(api: Api, name: str = "g") -> dict[str, Any]:
    [found] = api("DescribeLogGroups", logGroupNamePrefix=name)["logGroups"]
    shown: dict[str, Any] = found
    return shown


# ------------------------------------------------------------------------------------------------- metric filters


def test_a_metric_filter_comes_back_as_it_was_put_and_is_counted(api: Api) -> None:
    api("PutMetricFilter", **FILTER, metricTransformations=[TRANSFORMATION])
    assert group(api)["metricFilterCount"] == 1
    [shown] = api("DescribeMetricFilters", logGroupName="g")["metricFilters"]
    assert shown["metricTransformations"] == [TRANSFORMATION]
    assert shown["filterPattern"] == FILTER["filterPattern"]
    made_at = shown["creationTime"]
    api.now += 5
    api("PutMetricFilter", **FILTER, metricTransformations=[{**PLAIN, "defaultValue": 0.5}])
    [shown] = api("DescribeMetricFilters")["metricFilters"]
    assert shown["metricTransformations"] == [{**PLAIN, "defaultValue": 0.5}]
    assert shown["creationTime"] == made_at
    api("DeleteMetricFilter", logGroupName="g", filterName="f")
    assert api.error("DeleteMetricFilter", logGroupName="g", filterName="f").code == "ResourceNotFoundException"


def test_metric_filters_are_found_by_group_prefix_and_metric(api: Api) -> None:
    api("CreateLogGroup", logGroupName="h")
    for name, number in (("g", 0), ("g", 1), ("h", 1), ("h", 2)):
        asked = {"logGroupName": name, "filterName": f"f{number}", "filterPattern": ""}
        api("PutMetricFilter", **asked, metricTransformations=[{**PLAIN, "metricName": f"m{number}"}])

    def found(**asked: Any) -> list[tuple[str, str]]:
        listed = api("DescribeMetricFilters", **asked)["metricFilters"]
        return [(each["filterName"], each["logGroupName"]) for each in listed]

    assert found() == [("f0", "g"), ("f1", "g"), ("f1", "h"), ("f2", "h")]
    assert found(logGroupName="h", filterNamePrefix="f1") == [("f1", "h")]
    assert found(metricName="m1", metricNamespace="n") == [("f1", "g"), ("f1", "h")]
    first = api("DescribeMetricFilters", limit=3)
    assert len(first["metricFilters"]) == 3
    assert found(nextToken=first["nextToken"]) == [("f2", "h")]
    assert "go together" in api.error("DescribeMetricFilters", metricName="m1").message
    assert api.error("DescribeMetricFilters", logGroupName="none").code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("pattern", "transformation", "words"),
    [
        ("{ $.a = }", PLAIN, "Invalid metric filter pattern"),
        ("", {**PLAIN, "metricName": ""}, "metricName can't be empty"),
        ("", {**PLAIN, "metricValue": "many"}, "metricValue is a number"),
        ("ERROR", {**PLAIN, "metricValue": "$.size"}, "metricValue is a number"),
        ("[a]", {**PLAIN, "dimensions": {"d": "a"}}, "dimensions are fields"),
        ("ERROR", {**PLAIN, "dimensions": {"d": "$.a"}}, "dimensions are fields"),
        ("[a]", {**PLAIN, "dimensions": {"d": "$a"}, "defaultValue": 0.0}, "mutually exclusive"),
        ("[a]", {**PLAIN, "dimensions": {f"d{n}": "$a" for n in range(4)}}, "at most 3"),
    ],
)
def test_metric_filters_that_make_no_sense_are_refused(
    api: Api, pattern: str, transformation: dict[str, Any], words: str
) -> None:
    asked = {**FILTER, "filterPattern": pattern}
    error = api.error("PutMetricFilter", **asked, metricTransformations=[transformation])
    assert error.code == "InvalidParameterException"
    assert words in error.message


def test_metric_filters_are_limited_and_go_with_their_group(api: Api) -> None:
    for number in range(100):
        api("PutMetricFilter", **{**FILTER, "filterName": f"f{number}"}, metricTransformations=[PLAIN])
    assert api.error("PutMetricFilter", **FILTER, metricTransformations=[PLAIN]).code == "LimitExceededException"
    api("PutResourcePolicy", resourceArn=ARN, policyDocument=POLICY)
    api("DeleteLogGroup", logGroupName="g")
    assert list(api.store.all(MetricFilter)) == []
    assert list(api.store.all(LogResourcePolicy)) == []


@pytest.mark.parametrize(
    ("pattern", "messages", "matches"),
    [
        ("ERROR", ["an ERROR", "fine"], [(1, {})]),
        (
            "{ $.level = ERROR && $.size > 1 }",
            ['{"level": "ERROR", "size": 2}', '{"level": "ERROR"}', "no JSON"],
            [(1, {"$.level": "ERROR", "$.size": "2"})],
        ),
        ("{ $.a IS NULL || $.b[*] = 1 }", ['{"a": null, "b": [3]}'], [(1, {"$.a": "null", "$.b[*]": "3"})]),
        (
            "[ip, user, status=4*]",
            ["1.2.3.4 me 404", "1.2.3.4 me 200"],
            [(1, {"$ip": "1.2.3.4", "$user": "me", "$status": "404"})],
        ),
        (
            "[ip, ..., size]",
            ["a b c d", "a b"],
            [(1, {"$ip": "a", "$2": "b", "$3": "c", "$size": "d"}), (2, {"$ip": "a", "$size": "b"})],
        ),
        ("[, b]", ["x y"], [(1, {"$1": "x", "$b": "y"})]),
    ],
)
def test_patterns_are_tried_out_on_messages(
    api: Api, pattern: str, messages: list[str], matches: list[tuple[int, dict[str, str]]]
) -> None:
    found = api("TestMetricFilter", filterPattern=pattern, logEventMessages=messages)["matches"]
    assert [(each["eventNumber"], each["extractedValues"]) for each in found] == matches
    assert [each["eventMessage"] for each in found] == [messages[number - 1] for number, _ in matches]


def test_patterns_that_are_none_are_refused(api: Api) -> None:
    error = api.error("TestMetricFilter", filterPattern="{ a }", logEventMessages=["x"])
    assert error.code == "InvalidParameterException"


# ------------------------------------------------------------------------------------------------------- policies


def test_policies_of_the_account_are_kept_by_name(api: Api) -> None:
    made = api("PutResourcePolicy", policyName="b", policyDocument=POLICY)
    assert made["resourcePolicy"]["policyScope"] == "ACCOUNT"
    assert "revisionId" not in made
    api("PutResourcePolicy", policyName="a", policyDocument=POLICY)
    listed = api("DescribeResourcePolicies")["resourcePolicies"]
    assert [(each["policyName"], each["policyDocument"]) for each in listed] == [("a", POLICY), ("b", POLICY)]
    first = api("DescribeResourcePolicies", limit=1)
    rest = api("DescribeResourcePolicies", nextToken=first["nextToken"])
    assert [each["policyName"] for each in rest["resourcePolicies"]] == ["b"]
    for number in range(8):
        api("PutResourcePolicy", policyName=f"p{number}", policyDocument=POLICY)
    assert api.error("PutResourcePolicy", policyName="p8", policyDocument=POLICY).code == "LimitExceededException"
    api("DeleteResourcePolicy", policyName="a")
    assert api.error("DeleteResourcePolicy", policyName="a").code == "ResourceNotFoundException"


def test_the_policy_of_a_group_changes_by_its_revision(api: Api) -> None:
    first = api("PutResourcePolicy", resourceArn=ARN, policyDocument=POLICY)["revisionId"]
    assert api.error("PutResourcePolicy", resourceArn=ARN, policyDocument=POLICY).code == "OperationAbortedException"
    second = api("PutResourcePolicy", resourceArn=ARN, policyDocument=POLICY, expectedRevisionId=first)["revisionId"]
    assert second != first
    [shown] = api("DescribeResourcePolicies", resourceArn=ARN, policyScope="RESOURCE")["resourcePolicies"]
    assert (shown["resourceArn"], shown["revisionId"], shown["policyScope"]) == (ARN, second, "RESOURCE")
    assert api("DescribeResourcePolicies")["resourcePolicies"] == []
    wrong = api.error("DeleteResourcePolicy", resourceArn=ARN, expectedRevisionId=first)
    assert wrong.code == "OperationAbortedException"
    api("DeleteResourcePolicy", resourceArn=ARN, expectedRevisionId=second)
    assert api("DescribeResourcePolicies", resourceArn=ARN)["resourcePolicies"] == []
    other = f"{ARN}x"
    assert api.error("PutResourcePolicy", resourceArn=other, policyDocument=POLICY).code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("PutResourcePolicy", {"policyDocument": POLICY}),
        ("PutResourcePolicy", {"policyName": "a"}),
        ("PutResourcePolicy", {"policyName": "a", "resourceArn": ARN, "policyDocument": POLICY}),
        ("PutResourcePolicy", {"policyName": "a", "expectedRevisionId": "x", "policyDocument": POLICY}),
        ("PutResourcePolicy", {"policyName": "a", "policyDocument": "{"}),
        ("PutResourcePolicy", {"policyName": "a", "policyDocument": "[]"}),
        ("PutResourcePolicy", {"policyName": "a", "policyDocument": '{"Statement": []}'}),
        ("PutResourcePolicy", {"policyName": "a", "policyDocument": '{"Statement": [{"Effect": "Allow"}]}'}),
        ("PutResourcePolicy", {"policyName": "a", "policyDocument": json.dumps({"Statement": "x" * 5200})}),
        ("DeleteResourcePolicy", {}),
        ("DescribeResourcePolicies", {"policyScope": "RESOURCE"}),
        ("DescribeResourcePolicies", {"policyScope": "ACCOUNT", "resourceArn": ARN}),
        ("DescribeResourcePolicies", {"nextToken": "x"}),
    ],
)
def test_policies_that_make_no_sense_are_refused(api: Api, operation: str, asked: dict[str, Any]) -> None:
    assert api.error(operation, **asked).code == "InvalidParameterException"


# --------------------------------------------------------------------------------------------------- saved queries


def test_saved_queries_are_kept_and_replaced_whole(api: Api) -> None:
    asked = {"name": "a/b", "queryString": "fields @message", "logGroupNames": ["g"]}
    made = api("PutQueryDefinition", **asked, clientToken="t" * 36)
    assert api("PutQueryDefinition", **asked, clientToken="t" * 36) == made
    [shown] = api("DescribeQueryDefinitions", queryDefinitionNamePrefix="a/")["queryDefinitions"]
    assert {name: shown[name] for name in asked} == asked
    api("PutQueryDefinition", name="c", queryString="fields @timestamp", **made)
    [shown] = api("DescribeQueryDefinitions")["queryDefinitions"]
    assert (shown["name"], "logGroupNames" in shown) == ("c", False)
    assert api("DescribeQueryDefinitions", queryLanguage="SQL")["queryDefinitions"] == []
    assert api("DeleteQueryDefinition", **made) == {"success": True}
    for operation, more in (("DeleteQueryDefinition", {}), ("PutQueryDefinition", asked)):
        assert api.error(operation, **made, **more).code == "ResourceNotFoundException"


# ------------------------------------------------------------------------------------------------- protection, keys


def test_a_protected_group_is_not_deleted(api: Api) -> None:
    api("CreateLogGroup", logGroupName="safe", deletionProtectionEnabled=True)
    assert group(api, "safe")["deletionProtectionEnabled"] is True
    assert api.error("DeleteLogGroup", logGroupName="safe").code == "ValidationException"
    arn = ARN.removesuffix("g") + "safe"
    api("PutLogGroupDeletionProtection", logGroupIdentifier=arn, deletionProtectionEnabled=False)
    api("DeleteLogGroup", logGroupName="safe")
    error = api.error("PutLogGroupDeletionProtection", logGroupIdentifier="safe", deletionProtectionEnabled=True)
    assert error.code == "ResourceNotFoundException"


def test_the_key_of_a_group_is_kept(api: Api) -> None:
    api("AssociateKmsKey", logGroupName="g", kmsKeyId=KEY)
    assert group(api)["kmsKeyId"] == KEY
    api("DisassociateKmsKey", resourceIdentifier=ARN)
    assert "kmsKeyId" not in group(api)
    for asked in ({}, {"logGroupName": "g", "resourceIdentifier": ARN}):
        assert api.error("DisassociateKmsKey", **asked).code == "InvalidParameterException"
    assert "ARN of a key" in api.error("AssociateKmsKey", logGroupName="g", kmsKeyId="alias/a").message
    results = "arn:aws:logs:us-east-1:123456789012:query-result:*"
    assert "results of queries" in api.error("AssociateKmsKey", resourceIdentifier=results, kmsKeyId=KEY).message
    assert api.error("AssociateKmsKey", logGroupName="none", kmsKeyId=KEY).code == "ResourceNotFoundException"


# ------------------------------------------------------------------------------------------------------------ lists


def test_groups_have_a_class_and_are_listed_by_it(api: Api) -> None:
    api("CreateLogGroup", logGroupName="seldom", logGroupClass="INFREQUENT_ACCESS", tags={"a": "b"})
    assert "classes STANDARD" in api.error("CreateLogGroup", logGroupName="d", logGroupClass="DELIVERY").message
    error = api.error("PutMetricFilter", **{**FILTER, "logGroupName": "seldom"}, metricTransformations=[PLAIN])
    assert error.code == "InvalidOperationException"

    def listed(**asked: Any) -> list[str]:
        return [each["logGroupName"] for each in api("ListLogGroups", **asked)["logGroups"]]

    assert listed() == ["g", "seldom"]
    assert listed(logGroupClass="INFREQUENT_ACCESS") == ["seldom"]
    assert [each["logGroupName"] for each in api("DescribeLogGroups", logGroupClass="STANDARD")["logGroups"]] == ["g"]
    assert (
        listed(logGroupTags=[{"key": "a"}]) == listed(logGroupTags=[{"key": "a", "values": ["b", "c"]}]) == ["seldom"]
    )
    assert listed(logGroupTags=[{"key": "a", "values": ["c"]}]) == []


def test_groups_are_listed_by_a_pattern_and_paged(api: Api) -> None:
    for name in ("/aws/a.b", "/aws/axb", "other/aws"):
        api("CreateLogGroup", logGroupName=name)

    def listed(pattern: str) -> list[str]:
        return [each["logGroupName"] for each in api("ListLogGroups", logGroupNamePattern=pattern)["logGroups"]]

    assert listed("aws") == ["/aws/a.b", "/aws/axb", "other/aws"]
    assert listed("^/aws") == ["/aws/a.b", "/aws/axb"]
    assert listed("a.b|^other") == ["/aws/a.b", "other/aws"]
    first = api("ListLogGroups", limit=3)
    rest = api("ListLogGroups", nextToken=first["nextToken"])
    assert [each["logGroupArn"] for each in rest["logGroups"]] == [ARN.removesuffix("g") + "other/aws"]


def test_what_can_t_be_made_is_listed_as_none(api: Api) -> None:
    assert api("DescribeAccountPolicies", policyType="DATA_PROTECTION_POLICY") == {"accountPolicies": []}
    for operation, member in (
        ("DescribeDestinations", "destinations"),
        ("DescribeExportTasks", "exportTasks"),
        ("DescribeQueries", "queries"),
    ):
        assert api(operation) == {member: []}
