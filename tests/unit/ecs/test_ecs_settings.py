"""Account settings and tags through their handlers."""

from typing import Any

import pytest

from longshore.api.ecs import account_settings, clusters, tags, task_definitions
from tests.support import world
from tests.support.api import ME, Api

ROOT = "arn:aws:iam::123456789012:root"
PREFIX = "arn:aws:ecs:us-east-1:123456789012:"
DEFAULTS = {
    "awsvpcTrunking": "disabled",
    "containerInsights": "disabled",
    "containerInstanceLongArnFormat": "enabled",
    "defaultLogDriverMode": "non-blocking",
    "fargateEventWindows": "disabled",
    "fargateFIPSMode": "disabled",
    "fargateTaskRetirementWaitPeriod": "7",
    "guardDutyActivate": "off",
    "serviceLongArnFormat": "enabled",
    "tagResourceAuthorization": "on",
    "taskLongArnFormat": "enabled",
}


@pytest.fixture
def api() -> Api:
    return Api(account_settings.OPERATIONS, tags.OPERATIONS, clusters.OPERATIONS, task_definitions.OPERATIONS)


def effective(api: Api, **params: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    token: dict[str, str] = {}
    while True:
        answer = api("ListAccountSettings", effectiveSettings=True, **params, **token)
        found.update({setting["name"]: setting for setting in answer["settings"]})
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}


def test_nothing_is_explicit_at_first(api: Api) -> None:
    assert api("ListAccountSettings")["settings"] == []


def test_effective_settings_are_awss_defaults(api: Api) -> None:
    found = effective(api)
    assert {name: setting["value"] for name, setting in found.items()} == DEFAULTS
    assert {name for name, setting in found.items() if setting["type"] == "aws_managed"} == {"guardDutyActivate"}


def test_a_page_has_ten_settings(api: Api) -> None:
    assert len(api("ListAccountSettings", effectiveSettings=True)["settings"]) == 10
    assert api.error("ListAccountSettings", maxResults=11).code == "InvalidParameterException"


def test_a_principals_setting_is_its_own(api: Api) -> None:
    put = api("PutAccountSetting", name="containerInsights", value="enabled")["setting"]
    assert put == {"name": "containerInsights", "value": "enabled", "principalArn": ME, "type": "user"}
    assert api("ListAccountSettings")["settings"] == [put]
    assert effective(api, name="containerInsights", principalArn=ROOT)["containerInsights"]["value"] == "disabled"


def test_the_accounts_default_holds_where_a_principal_has_none(api: Api) -> None:
    api("PutAccountSettingDefault", name="awsvpcTrunking", value="enabled")
    assert api("ListAccountSettings")["settings"] == []
    assert effective(api)["awsvpcTrunking"] == {
        "name": "awsvpcTrunking",
        "value": "enabled",
        "principalArn": ROOT,
        "type": "user",
    }
    api("PutAccountSetting", name="awsvpcTrunking", value="disabled")
    assert effective(api)["awsvpcTrunking"]["value"] == "disabled"


def test_delete_answers_with_what_holds_afterwards(api: Api) -> None:
    api("PutAccountSettingDefault", name="awsvpcTrunking", value="enabled")
    api("PutAccountSetting", name="awsvpcTrunking", value="disabled")
    assert api("DeleteAccountSetting", name="awsvpcTrunking")["setting"]["value"] == "enabled"
    assert api("DeleteAccountSetting", name="awsvpcTrunking", principalArn=ROOT)["setting"]["value"] == "disabled"


def test_list_filters_by_value(api: Api) -> None:
    api("PutAccountSetting", name="containerInsights", value="enabled")
    assert api("ListAccountSettings", name="containerInsights", value="disabled")["settings"] == []
    assert len(api("ListAccountSettings", name="containerInsights", value="enabled")["settings"]) == 1
    assert api.error("ListAccountSettings", value="enabled").code == "InvalidParameterException"


@pytest.mark.parametrize(
    ("operation", "name", "value"),
    [
        ("PutAccountSettingDefault", "taskLongArnFormat", "disabled"),
        ("PutAccountSettingDefault", "awsvpcTrunking", "perhaps"),
        ("PutAccountSettingDefault", "guardDutyActivate", "on"),
        ("PutAccountSettingDefault", "fargateTaskRetirementWaitPeriod", "3"),
        ("PutAccountSetting", "fargateTaskRetirementWaitPeriod", "14"),
    ],
)
def test_values_that_aws_does_not_take_are_refused(api: Api, operation: str, name: str, value: str) -> None:
    assert api.error(operation, name=name, value=value).code == "InvalidParameterException"


@pytest.mark.parametrize("principal", ["bob", "arn:aws:iam::999999999999:user/bob", "arn:aws:ecs:x:123456789012:y"])
def test_other_accounts_principals_are_refused(api: Api, principal: str) -> None:
    error = api.error("PutAccountSetting", name="awsvpcTrunking", value="enabled", principalArn=principal)
    assert error.code == "InvalidParameterException"


# Tags


def test_tags_are_added_replaced_and_removed(api: Api) -> None:
    arn = PREFIX + "cluster/default"
    api("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b"}])
    api("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "2"}])
    assert api("ListTagsForResource", resourceArn=arn)["tags"] == [
        {"key": "a", "value": "2"},
        {"key": "b", "value": ""},
    ]
    api("UntagResource", resourceArn=arn, tagKeys=["a", "never"])
    assert api("ListTagsForResource", resourceArn=arn)["tags"] == [{"key": "b", "value": ""}]


def test_definitions_and_services_carry_tags(api: Api) -> None:
    arn = api.define().arn
    api.put(world.service())
    for resource in (arn, PREFIX + "service/default/web"):
        api("TagResource", resourceArn=resource, tags=[{"key": "a", "value": "1"}])
        assert api("ListTagsForResource", resourceArn=resource)["tags"] == [{"key": "a", "value": "1"}]


@pytest.mark.parametrize("path", ["service/web", "task/0123456789"])
def test_short_arns_are_refused(api: Api, path: str) -> None:
    error = api.error("TagResource", resourceArn=PREFIX + path, tags=[{"key": "a"}])
    assert error.code == "InvalidParameterException"
    assert error.message == "Long arn format must be used for tagging operations"


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("web", "InvalidParameterException"),
        ("arn:aws:ecs:eu-west-1:123456789012:cluster/default", "InvalidParameterException"),
        ("arn:aws:s3:::bucket", "InvalidParameterException"),
        (PREFIX + "cluster/nope", "ClusterNotFoundException"),
        (PREFIX + "service/default/nope", "ResourceNotFoundException"),
        (PREFIX + "task/default/nope", "ResourceNotFoundException"),
        (PREFIX + "task-definition/nope:1", "ResourceNotFoundException"),
        (PREFIX + "task-definition/nope", "ResourceNotFoundException"),
        (PREFIX + "service-deployment/a/b/c", "InvalidParameterException"),
    ],
)
def test_what_can_not_be_tagged(api: Api, arn: str, code: str) -> None:
    assert api.error("TagResource", resourceArn=arn, tags=[{"key": "a"}]).code == code


def test_a_deleted_cluster_has_no_tags(api: Api) -> None:
    api("DeleteCluster", cluster="default")
    error = api.error("ListTagsForResource", resourceArn=PREFIX + "cluster/default")
    assert error.message == "The specified cluster is inactive. Specify an active cluster and try again."


def test_a_resource_has_at_most_fifty_tags(api: Api) -> None:
    arn = PREFIX + "cluster/default"
    api("TagResource", resourceArn=arn, tags=[{"key": f"k{n}", "value": ""} for n in range(50)])
    assert api.error("TagResource", resourceArn=arn, tags=[{"key": "one more"}]).code == "LimitExceededException"
    api("TagResource", resourceArn=arn, tags=[{"key": "k0", "value": "changed"}])


@pytest.mark.parametrize("key", ["aws:x", "AWS:x", ""])
def test_reserved_and_empty_keys_are_refused(api: Api, key: str) -> None:
    arn = PREFIX + "cluster/default"
    assert api.error("TagResource", resourceArn=arn, tags=[{"key": key}]).code == "InvalidParameterException"
    assert api.error("UntagResource", resourceArn=arn, tagKeys=[key]).code == "InvalidParameterException"
