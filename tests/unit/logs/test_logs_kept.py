"""Subscription filters and policies of log groups: kept as they were put, without effect; nonsense is refused."""

import json
from typing import Any

import pytest

from longshore.api import logs
from longshore.domain.log import SubscriptionFilter
from longshore.store.events import EventLog
from tests.support.api import Api
from tests.support.play_around import INDEXES, PROTECTION, STREAM

ARN = "arn:aws:logs:us-east-1:123456789012:log-group:g"
ROLE = "arn:aws:iam::123456789012:role/r"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
FILTER = {"logGroupName": "g", "filterName": "f", "filterPattern": "ERROR", "destinationArn": FUNCTION}
AT = {"logGroupIdentifier": "g"}


@pytest.fixture
def api() -> Api:
    made = Api(logs.SERVICE.operations, service="logs")
    made.events = EventLog(None)
    made("CreateLogGroup", logGroupName="g")
    made("CreateLogGroup", logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
    return made


def described(api: Api, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api("DescribeSubscriptionFilters", logGroupName="g", **asked)["subscriptionFilters"]
    return found


def status(api: Api) -> str | None:
    [group] = api("DescribeLogGroups", logGroupNamePrefix="g")["logGroups"]
    found: str | None = group.get("dataProtectionStatus")
    return found


# ------------------------------------------------------------------------------------------------ subscription filters


def test_a_subscription_filter_comes_back_as_it_was_put(api: Api) -> None:
    assert described(api) == []
    began = api.now
    api("PutSubscriptionFilter", **FILTER)
    [shown] = described(api)
    assert shown == {
        **FILTER,
        "distribution": "ByLogStream",
        "applyOnTransformedLogs": False,
        "creationTime": int(began * 1000),
    }
    api.now += 9
    stream = {"destinationArn": STREAM, "roleArn": ROLE, "distribution": "Random"}
    api("PutSubscriptionFilter", **{**FILTER, **stream})
    [shown] = described(api)
    assert {name: shown[name] for name in stream} == stream
    assert shown["creationTime"] == int(began * 1000)


def test_a_group_has_two_at_most_and_they_are_paged_and_deleted(api: Api) -> None:
    for name in ("b", "a"):
        api("PutSubscriptionFilter", **{**FILTER, "filterName": name})
    third = api.error("PutSubscriptionFilter", **{**FILTER, "filterName": "c"})
    assert third.code == "LimitExceededException"
    assert [each["filterName"] for each in described(api, filterNamePrefix="b")] == ["b"]
    first = api("DescribeSubscriptionFilters", logGroupName="g", limit=1)
    assert [each["filterName"] for each in first["subscriptionFilters"]] == ["a"]
    assert [each["filterName"] for each in described(api, nextToken=first["nextToken"])] == ["b"]
    api("DeleteSubscriptionFilter", logGroupName="g", filterName="a")
    gone = api.error("DeleteSubscriptionFilter", logGroupName="g", filterName="a")
    assert gone.code == "ResourceNotFoundException"
    api("DeleteLogGroup", logGroupName="g")
    assert list(api.store.all(SubscriptionFilter)) == []
    assert api.error("DescribeSubscriptionFilters", logGroupName="g").code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"destinationArn": "somewhere"}, "is not an ARN"),
        ({"destinationArn": "arn:aws:sqs:us-east-1:123456789012:q"}, "for vendor sqs"),
        ({"destinationArn": "arn:aws:lambda:us-east-1:123456789012:layer:l"}, "for vendor lambda"),
        ({"destinationArn": "arn:aws:kinesis:us-east-1:123456789012:stream/"}, "for vendor kinesis"),
        ({"destinationArn": FUNCTION.replace("us-east-1", "eu-west-1")}, "must be in the region"),
        ({"destinationArn": FUNCTION.replace("123456789012", "210987654321")}, "must be in the region"),
        ({"destinationArn": STREAM}, "must be used with roleArn"),
        ({"destinationArn": STREAM, "roleArn": "r"}, "is not the ARN of a role"),
        ({"roleArn": ROLE}, "cannot be used with roleArn"),
        ({"filterPattern": "{ $.a = "}, "Invalid subscription filter pattern"),
        ({"emitSystemFields": ["@aws.account"]}, "links no accounts"),
    ],
)
def test_a_subscription_filter_that_makes_no_sense_is_refused(api: Api, changes: dict[str, Any], words: str) -> None:
    error = api.error("PutSubscriptionFilter", **{**FILTER, **changes})
    assert error.code == "InvalidParameterException"
    assert words in error.message


def test_another_accounts_logical_destination_is_taken(api: Api) -> None:
    api("PutSubscriptionFilter", **{**FILTER, "destinationArn": "arn:aws:logs:us-east-1:210987654321:destination:d"})


def test_groups_of_infrequent_access_have_neither_filters_nor_indexes(api: Api) -> None:
    error = api.error("PutSubscriptionFilter", **{**FILTER, "logGroupName": "rare"})
    assert error.code == "InvalidOperationException"
    error = api.error("PutIndexPolicy", logGroupIdentifier="rare", policyDocument=INDEXES)
    assert error.code == "InvalidParameterException"


# ---------------------------------------------------------------------------------------------------------- policies


def test_a_data_protection_policy_is_kept_and_groups_say_so(api: Api) -> None:
    assert api("GetDataProtectionPolicy", **AT) == AT
    assert status(api) is None
    put = api("PutDataProtectionPolicy", logGroupIdentifier=ARN, policyDocument=PROTECTION)
    assert put == {"logGroupIdentifier": ARN, "policyDocument": PROTECTION, "lastUpdatedTime": int(api.now * 1000)}
    assert api("GetDataProtectionPolicy", **AT) == {**put, **AT}
    assert status(api) == "ACTIVATED"
    api("DeleteDataProtectionPolicy", **AT)
    assert api("GetDataProtectionPolicy", **AT) == AT
    assert status(api) == "DELETED"
    assert api.error("DeleteDataProtectionPolicy", **AT).code == "ResourceNotFoundException"


def protection(**changes: Any) -> str:
    """The policy with another second statement."""
    document = json.loads(PROTECTION)
    document["Statement"][1] |= changes
    return json.dumps(document)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        ("[" * 30_000, "no JSON object"),
        ("{}", "two statements"),
        (json.dumps({"Statement": [1, 2]}), "two statements"),
        (json.dumps({"Statement": json.loads(PROTECTION)["Statement"][:1]}), "two statements"),
        (protection(DataIdentifier=[]), "same list DataIdentifier"),
        (protection(Operation={"Audit": {"FindingsDestination": {}}}), "FindingsDestination"),
        (protection(Operation={"Deidentify": {}}), "MaskConfig"),
        (protection(Operation=1), "MaskConfig"),
        (protection(Sid="x" * 31_000), "at most 30720 characters"),
    ],
)
def test_a_data_protection_policy_that_makes_no_sense_is_refused(api: Api, document: str, words: str) -> None:
    error = api.error("PutDataProtectionPolicy", **AT, policyDocument=document)
    assert error.code == "InvalidParameterException"
    assert words in error.message


def test_an_index_policy_is_kept(api: Api) -> None:
    assert api("DescribeIndexPolicies", logGroupIdentifiers=["g"]) == {"indexPolicies": []}
    put = api("PutIndexPolicy", **AT, policyDocument=INDEXES)["indexPolicy"]
    assert put == {
        "logGroupIdentifier": ARN,
        "policyDocument": INDEXES,
        "lastUpdateTime": int(api.now * 1000),
        "source": "LOG_GROUP",
    }
    assert api("DescribeIndexPolicies", logGroupIdentifiers=[ARN]) == {"indexPolicies": [put]}
    api("DeleteIndexPolicy", **AT)
    assert api("DescribeIndexPolicies", logGroupIdentifiers=["g"]) == {"indexPolicies": []}
    assert api.error("DeleteIndexPolicy", **AT).code == "ResourceNotFoundException"
    assert api.error("DescribeIndexPolicies", logGroupIdentifiers=["none"]).code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        "{}",
        '{"Fields": []}',
        '{"Fields": "a"}',
        '{"Fields": [1]}',
        '{"Fields": ["a", "a"]}',
        '{"Fields": ["a"], "Other": 1}',
        '{"Fields": ["a"], "FieldsV2": {"a": {"type": "FACET"}}}',
        '{"FieldsV2": {"a": {"type": "LIST"}}}',
        '{"FieldsV2": {"a": "FACET"}}',
        json.dumps({"Fields": ["a" * 101]}),
        json.dumps({"Fields": [f"f{number}" for number in range(21)]}),
    ],
)
def test_an_index_policy_that_makes_no_sense_is_refused(api: Api, document: str) -> None:
    assert api.error("PutIndexPolicy", **AT, policyDocument=document).code == "InvalidParameterException"
