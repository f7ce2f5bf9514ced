"""Secrets Manager: secrets, versions, staging labels, deletion and recovery, lists, policies, rotation, passwords."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest

from longshore.api.secretsmanager import SERVICE
from longshore.domain.iam import Role
from longshore.domain.secrets.encryption_key import EncryptionKey, KeyAlias
from longshore.domain.secrets.secret import Secret, SecretVersion
from tests.support.api import ROOT, SCOPE, Api

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
TOKENS = [f"{number:032d}" for number in range(200)]
DAY_S = 86_400.0


@pytest.fixture
def api() -> Api:
    made = Api(SERVICE.operations, service="secretsmanager")
    made.principal = ROOT
    return made


def create(api: Api, name: str = "db", value: str = "one", **asked: Any) -> dict[str, Any]:
    return api("CreateSecret", Name=name, SecretString=value, ClientRequestToken=TOKENS[0], **asked)


def put(api: Api, value: str, token: int, **asked: Any) -> dict[str, Any]:
    return api("PutSecretValue", SecretId="db", SecretString=value, ClientRequestToken=TOKENS[token], **asked)


def read(api: Api, reference: str = "db", **asked: Any) -> str:
    return str(api("GetSecretValue", SecretId=reference, **asked)["SecretString"])


def stages(api: Api) -> dict[str, list[str]]:
    shown: dict[str, list[str]] = api("DescribeSecret", SecretId="db")["VersionIdsToStages"]
    return shown


# ------------------------------------------------------------------------------------------------ made and found again


def test_a_secret_is_found_by_name_by_arn_and_by_an_arn_without_its_end(api: Api) -> None:
    made = create(api, "prod/db", Description="of the shop", Tags=[{"Key": "a", "Value": "b"}])
    assert made["ARN"].startswith(f"{ARN}prod/db-")
    assert len(made["ARN"]) == len(f"{ARN}prod/db-") + 6
    assert made["VersionId"] == TOKENS[0]
    for reference in ("prod/db", made["ARN"], f"{ARN}prod/db"):
        assert read(api, reference) == "one"
    shown = api("DescribeSecret", SecretId="prod/db")
    assert (shown["Description"], shown["Tags"]) == ("of the shop", [{"Key": "a", "Value": "b"}])
    assert shown["VersionIdsToStages"] == {TOKENS[0]: ["AWSCURRENT"]}
    assert "RotationEnabled" not in shown


@pytest.mark.parametrize(
    "reference",
    [
        "other",
        f"{ARN}db-aaaaaa",
        ARN.replace("us-east-1", "us-east-2") + "db",
        ARN.replace("123456789012", "210987654321") + "db",
        "arn:aws:ssm:us-east-1:123456789012:secret:db",
    ],
)
def test_what_names_no_secret_of_the_account_and_region_is_not_found(api: Api, reference: str) -> None:
    create(api)
    error = api.error("GetSecretValue", SecretId=reference)
    assert error.code == "ResourceNotFoundException"
    assert error.message == "Secrets Manager can't find the specified secret."


@pytest.mark.parametrize("name", ["a b", "a:b", "ä", "a\n"])
def test_a_name_has_only_some_characters(api: Api, name: str) -> None:
    assert api.error("CreateSecret", Name=name).code == "ValidationException"
    assert api.error("DescribeSecret", SecretId=name).code == "ValidationException"


def test_a_value_is_text_or_bytes_and_not_both(api: Api) -> None:
    both = {"SecretString": "a", "SecretBinary": b"b"}
    assert api.error("CreateSecret", Name="x", **both).code == "InvalidParameterException"
    api("CreateSecret", Name="x", SecretBinary=b"\x00\xff")
    shown = api("GetSecretValue", SecretId="x")
    assert shown["SecretBinary"] == b"\x00\xff"
    assert "SecretString" not in shown
    assert api.error("PutSecretValue", SecretId="x").message == "You must provide either SecretString or SecretBinary."
    assert api.error("CreateSecret", Name="y", SecretString="\ud800").code == "InvalidParameterException"
    assert api.error("CreateSecret", Name="y", SecretString="ä" * 40_000).code == "InvalidParameterException"


def test_a_secret_without_a_value_has_none_to_give(api: Api) -> None:
    assert "VersionId" not in api("CreateSecret", Name="db")
    error = api.error("GetSecretValue", SecretId="db")
    assert error.code == "ResourceNotFoundException"
    assert error.message == "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
    put(api, "first", 1, VersionStages=["BLUE"])
    assert stages(api) == {TOKENS[1]: ["AWSCURRENT", "BLUE"]}


def test_a_repeated_request_changes_nothing_and_one_with_another_value_is_refused(api: Api) -> None:
    made = create(api)
    assert create(api) == made
    assert api.error("CreateSecret", Name="db", SecretString="two", ClientRequestToken=TOKENS[0]).code == (
        "ResourceExistsException"
    )
    error = api.error("CreateSecret", Name="db", SecretString="one", ClientRequestToken=TOKENS[1])
    assert error.message == "The operation failed because the secret db already exists."
    put(api, "two", 1)
    assert put(api, "two", 1)["VersionId"] == TOKENS[1]
    error = api.error("PutSecretValue", SecretId="db", SecretString="three", ClientRequestToken=TOKENS[1])
    assert error.code == "ResourceExistsException"
    assert f"You can't use ClientRequestToken {TOKENS[1]}" in error.message
    assert len(list(api.store.all(SecretVersion))) == 2


# ------------------------------------------------------------------------------------------------ versions and labels


def test_the_current_version_moves_on_and_leaves_the_previous_label_behind(api: Api) -> None:
    create(api)
    put(api, "two", 1)
    assert stages(api) == {TOKENS[0]: ["AWSPREVIOUS"], TOKENS[1]: ["AWSCURRENT"]}
    api("UpdateSecret", SecretId="db", SecretString="three", ClientRequestToken=TOKENS[2], Description="new")
    assert stages(api) == {TOKENS[1]: ["AWSPREVIOUS"], TOKENS[2]: ["AWSCURRENT"]}
    assert read(api) == "three"
    assert read(api, VersionStage="AWSPREVIOUS") == "two"
    assert read(api, VersionId=TOKENS[0]) == "one"
    assert read(api, VersionId=TOKENS[1], VersionStage="AWSPREVIOUS") == "two"
    assert api("DescribeSecret", SecretId="db")["Description"] == "new"


def test_what_version_is_not_there_is_said(api: Api) -> None:
    create(api)
    error = api.error("GetSecretValue", SecretId="db", VersionId=TOKENS[9])
    assert error.message == f"Secrets Manager can't find the specified secret value for VersionId: {TOKENS[9]}"
    error = api.error("GetSecretValue", SecretId="db", VersionStage="BLUE")
    assert error.code == "ResourceNotFoundException"
    put(api, "two", 1)
    error = api.error("GetSecretValue", SecretId="db", VersionId=TOKENS[0], VersionStage="AWSCURRENT")
    assert error.code == "InvalidRequestException"
    assert error.message == "You provided a VersionStage that is not associated to the provided VersionId."


def test_a_pending_version_is_made_current_as_a_rotation_does(api: Api) -> None:
    create(api)
    put(api, "two", 1, VersionStages=["AWSPENDING"])
    assert read(api) == "one"
    label = {"SecretId": "db", "VersionStage": "AWSCURRENT"}
    error = api.error("UpdateSecretVersionStage", MoveToVersionId=TOKENS[1], **label)
    assert "The parameter RemoveFromVersionId can't be empty." in error.message
    assert api.error("UpdateSecretVersionStage", RemoveFromVersionId=TOKENS[0], **label).code == (
        "InvalidParameterException"
    )
    assert api.error(
        "UpdateSecretVersionStage", RemoveFromVersionId=TOKENS[1], MoveToVersionId=TOKENS[0], **label
    ).message == (f"The staging label AWSCURRENT is not attached to version {TOKENS[1]}.")
    api("UpdateSecretVersionStage", RemoveFromVersionId=TOKENS[0], MoveToVersionId=TOKENS[1], **label)
    assert stages(api) == {TOKENS[0]: ["AWSPREVIOUS"], TOKENS[1]: ["AWSCURRENT", "AWSPENDING"]}
    pending = {"SecretId": "db", "VersionStage": "AWSPENDING"}
    api("UpdateSecretVersionStage", RemoveFromVersionId=TOKENS[1], **pending)
    assert stages(api)[TOKENS[1]] == ["AWSCURRENT"]
    assert api.error("UpdateSecretVersionStage", **pending).code == "InvalidParameterException"
    assert api.error("UpdateSecretVersionStage", MoveToVersionId=TOKENS[8], **pending).code == (
        "ResourceNotFoundException"
    )


def test_a_version_has_at_most_twenty_labels(api: Api) -> None:
    create(api)
    for number in range(19):
        api("UpdateSecretVersionStage", SecretId="db", VersionStage=f"s{number}", MoveToVersionId=TOKENS[0])
    error = api.error("UpdateSecretVersionStage", SecretId="db", VersionStage="more", MoveToVersionId=TOKENS[0])
    assert error.code == "LimitExceededException"


def test_old_versions_without_labels_make_room_and_young_ones_do_not(api: Api) -> None:
    create(api)
    for number in range(1, 100):
        put(api, f"v{number}", number)
    error = api.error("PutSecretValue", SecretId="db", SecretString="x", ClientRequestToken=TOKENS[100])
    assert error.code == "LimitExceededException"
    api.now += DAY_S
    put(api, "v100", 100)
    listed = api("ListSecretVersionIds", SecretId="db", IncludeDeprecated=True, MaxResults=100)["Versions"]
    assert len(listed) == 100
    assert TOKENS[0] not in {version["VersionId"] for version in listed}
    labelled = api("ListSecretVersionIds", SecretId="db")["Versions"]
    assert [version["VersionStages"] for version in labelled] == [["AWSPREVIOUS"], ["AWSCURRENT"]]


def test_the_day_of_the_last_read_is_known(api: Api) -> None:
    create(api)
    assert "LastAccessedDate" not in api("DescribeSecret", SecretId="db")
    read(api)
    assert api("DescribeSecret", SecretId="db")["LastAccessedDate"] == api.now - api.now % DAY_S
    revision = api.store.revision
    read(api)
    assert api.store.revision == revision


# ------------------------------------------------------------------------------------------------ deletion and recovery


def test_a_deleted_secret_gives_nothing_until_it_is_restored(api: Api) -> None:
    made = create(api)
    answer = api("DeleteSecret", SecretId="db", RecoveryWindowInDays=7)
    assert answer["DeletionDate"] == api.now + 7 * DAY_S
    marked = "You can't perform this operation on the secret because it was marked for deletion."
    for operation, asked in (
        ("GetSecretValue", {}),
        ("PutSecretValue", {"SecretString": "x"}),
        ("UpdateSecret", {"Description": "x"}),
        ("TagResource", {"Tags": [{"Key": "a"}]}),
        ("UntagResource", {"TagKeys": ["a"]}),
        ("RotateSecret", {"RotationLambdaARN": "arn:f"}),
        ("PutResourcePolicy", {"ResourcePolicy": "{}"}),
        ("UpdateSecretVersionStage", {"VersionStage": "a", "MoveToVersionId": TOKENS[0]}),
    ):
        error = api.error(operation, SecretId="db", **asked)
        assert (error.code, error.message) == ("InvalidRequestException", marked), operation
    assert api("DescribeSecret", SecretId="db")["DeletedDate"] == api.now
    assert "already scheduled for deletion" in api.error("CreateSecret", Name="db").message
    assert api.error("DeleteSecret", SecretId="db").code == "InvalidRequestException"
    assert api("ListSecrets")["SecretList"] == []
    assert len(api("ListSecrets", IncludePlannedDeletion=True)["SecretList"]) == 1
    api("RestoreSecret", SecretId=made["ARN"])
    assert read(api) == "one"


def test_after_its_recovery_window_a_secret_is_gone_and_its_name_is_free(api: Api) -> None:
    made = create(api)
    api("DeleteSecret", SecretId="db")
    api.now += 30 * DAY_S
    for operation in ("DescribeSecret", "RestoreSecret", "GetSecretValue"):
        assert api.error(operation, SecretId="db").code == "ResourceNotFoundException"
    assert api("ListSecrets", IncludePlannedDeletion=True)["SecretList"] == []
    again = create(api, value="other")
    assert again["ARN"] != made["ARN"]
    assert len(list(api.store.all(SecretVersion))) == 1


def test_a_secret_deleted_by_force_is_gone_at_once_and_once_more_is_no_error(api: Api) -> None:
    made = create(api)
    asked = {"SecretId": made["ARN"], "ForceDeleteWithoutRecovery": True}
    assert api("DeleteSecret", **asked)["ARN"] == made["ARN"]
    assert list(api.store.all(Secret)) == []
    assert list(api.store.all(SecretVersion)) == []
    assert api("DeleteSecret", **asked)["ARN"] == made["ARN"]
    assert api("DeleteSecret", SecretId="db", ForceDeleteWithoutRecovery=True)["ARN"].startswith(f"{ARN}db-")
    assert api.error("DeleteSecret", SecretId="db").code == "ResourceNotFoundException"


@pytest.mark.parametrize("window", [6, 31, 0, -1])
def test_a_recovery_window_is_a_week_to_thirty_days(api: Api, window: int) -> None:
    create(api)
    error = api.error("DeleteSecret", SecretId="db", RecoveryWindowInDays=window)
    assert error.message == "RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
    both = {"RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True}
    assert "in conjunction" in api.error("DeleteSecret", SecretId="db", **both).message


# ---------------------------------------------------------------------------------------------------------- keys


def test_values_are_encrypted_under_the_account_s_key_which_is_made_when_it_is_first_needed(api: Api) -> None:
    assert list(api.store.all(EncryptionKey)) == []
    create(api, value="plain-text-marker")
    (alias,) = api.store.all(KeyAlias)
    (key,) = api.store.all(EncryptionKey)
    assert (alias.name, alias.key_id, key.manager) == ("alias/aws/secretsmanager", key.key_id, "AWS")
    (version,) = api.store.all(SecretVersion)
    assert version.key_id == key.key_id
    assert "plain-text-marker" not in repr(version)
    assert "KmsKeyId" not in api("DescribeSecret", SecretId="db")


def test_a_key_that_is_not_there_or_off_encrypts_nothing_and_decrypts_nothing(api: Api) -> None:
    assert api.error("CreateSecret", Name="db", SecretString="a", KmsKeyId="alias/none").code == "EncryptionFailure"
    assert api.error("CreateSecret", Name="db", KmsKeyId="alias/none").code == "EncryptionFailure"
    create(api)
    (key,) = api.store.all(EncryptionKey)
    api.put(key.but(enabled=False))
    assert api.error("GetSecretValue", SecretId="db").code == "DecryptionFailure"
    assert api.error("PutSecretValue", SecretId="db", SecretString="x").code == "EncryptionFailure"
    api.put(key.but(deletion_at=api.now + 1))
    assert api.error("GetSecretValue", SecretId="db").code == "DecryptionFailure"


def test_another_key_takes_over_what_has_a_label_of_aws(api: Api) -> None:
    create(api)
    put(api, "two", 1)
    put(api, "three", 2)
    (first,) = api.store.all(EncryptionKey)
    other = first.but(key_id="11111111-2222-4333-8444-555555555555", manager="CUSTOMER")
    api.put(other)
    api("UpdateSecret", SecretId="db", KmsKeyId=other.key_id)
    assert api("DescribeSecret", SecretId="db")["KmsKeyId"] == other.key_id
    under = {version.version_id: version.key_id for version in api.store.all(SecretVersion)}
    assert under == {TOKENS[0]: first.key_id, TOKENS[1]: other.key_id, TOKENS[2]: other.key_id}
    api.put(first.but(enabled=False))
    assert read(api) == "three"
    assert read(api, VersionStage="AWSPREVIOUS") == "two"


# ---------------------------------------------------------------------------------------------------------- lists


def test_lists_are_sorted_and_paged(api: Api) -> None:
    for number, name in enumerate(("b", "c", "a")):
        api.now += number
        create(api, name)
    assert [s["Name"] for s in api("ListSecrets")["SecretList"]] == ["a", "c", "b"]
    asked: dict[str, Any] = {"SortBy": "name", "SortOrder": "asc", "MaxResults": 2}
    first = api("ListSecrets", **asked)
    second = api("ListSecrets", NextToken=first["NextToken"], **asked)
    assert [s["Name"] for page in (first, second) for s in page["SecretList"]] == ["a", "b", "c"]
    assert "NextToken" not in second
    assert api.error("ListSecrets", NextToken="x").code == "InvalidNextTokenException"
    asked["SortOrder"] = "desc"
    assert api.error("ListSecrets", NextToken=first["NextToken"], **asked).code == "InvalidNextTokenException"


@pytest.mark.parametrize(
    ("key", "values", "found"),
    [
        ("name", ["prod/"], ["prod/db"]),
        ("name", ["Prod"], []),
        ("name", ["!prod/"], ["dev/db"]),
        ("name", ["prod/", "dev"], ["dev/db", "prod/db"]),
        ("name", ["!prod/", "!dev/"], []),
        ("description", ["the shop"], ["prod/db"]),
        ("tag-key", ["te"], ["prod/db"]),
        ("tag-value", ["red"], ["prod/db"]),
        ("tag-value", ["r", "!red"], []),
        ("all", ["shop red"], ["prod/db"]),
        ("all", ["db"], ["dev/db", "prod/db"]),
        ("owning-service", ["rds"], []),
        ("primary-region", ["us"], []),
    ],
)
def test_filters_of_lists(api: Api, key: str, values: list[str], found: list[str]) -> None:
    create(api, "prod/db", Description="The Shop", Tags=[{"Key": "team", "Value": "red"}])
    create(api, "dev/db")
    filters = [{"Key": key, "Values": values}]
    assert sorted(s["Name"] for s in api("ListSecrets", Filters=filters)["SecretList"]) == found
    both = [*filters, {"Key": "name", "Values": ["prod"]}]
    assert sorted(s["Name"] for s in api("ListSecrets", Filters=both)["SecretList"]) == [
        name for name in found if name == "prod/db"
    ]


def test_many_values_are_read_at_once(api: Api) -> None:
    create(api, "a", "1")
    create(api, "b", "2")
    create(api, "gone")
    api("DeleteSecret", SecretId="gone")
    answer = api("BatchGetSecretValue", SecretIdList=["b", "missing", "a", "gone"])
    assert [(v["Name"], v["SecretString"]) for v in answer["SecretValues"]] == [("b", "2"), ("a", "1")]
    assert [(e["SecretId"], e["ErrorCode"]) for e in answer["Errors"]] == [
        ("missing", "ResourceNotFoundException"),
        ("gone", "InvalidRequestException"),
    ]
    filters = [{"Key": "name", "Values": ["a", "b", "gone"]}]
    first = api("BatchGetSecretValue", Filters=filters, MaxResults=1)
    second = api("BatchGetSecretValue", Filters=filters, MaxResults=1, NextToken=first["NextToken"])
    assert [page["SecretValues"][0]["Name"] for page in (first, second)] == ["a", "b"]
    assert "NextToken" not in second
    for wrong in ({}, {"SecretIdList": ["a"], "Filters": filters}, {"SecretIdList": ["a"], "MaxResults": 1}):
        assert api.error("BatchGetSecretValue", **wrong).code == "InvalidParameterException"
    assert api.error("BatchGetSecretValue", SecretIdList=["a"], NextToken="x").code == "InvalidParameterException"


# ------------------------------------------------------------------------------------------------ tags, policies


def test_tags_come_and_go(api: Api) -> None:
    create(api)
    api("TagResource", SecretId="db", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    api("TagResource", SecretId="db", Tags=[{"Key": "a", "Value": "3"}])
    api("UntagResource", SecretId="db", TagKeys=["b", "c"])
    assert api("DescribeSecret", SecretId="db")["Tags"] == [{"Key": "a", "Value": "3"}]
    for wrong in (
        [{"Key": f"k{number}"} for number in range(50)],
        [{"Key": "aws:x"}],
        [{"Value": "x"}],
        [{"Key": "x"}, {"Key": "x"}],
    ):
        assert api.error("TagResource", SecretId="db", Tags=wrong).code == "InvalidParameterException"


def statement(**changes: Any) -> str:
    own = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**own, **changes}]})


def test_a_policy_is_kept_checked_and_deleted(api: Api) -> None:
    create(api)
    assert "ResourcePolicy" not in api("GetResourcePolicy", SecretId="db")
    api("PutResourcePolicy", SecretId="db", ResourcePolicy=statement())
    assert api("GetResourcePolicy", SecretId="db")["ResourcePolicy"] == statement()
    api("DeleteResourcePolicy", SecretId="db")
    assert "ResourcePolicy" not in api("GetResourcePolicy", SecretId="db")
    for wrong in (
        "no",
        "[]",
        "{}",
        '{"Statement": [1]}',
        statement(Effect="Maybe"),
        "[" * 5000,
        statement(Action=None)[:-2],
    ):
        error = api.error("PutResourcePolicy", SecretId="db", ResourcePolicy=wrong)
        assert error.code == "MalformedPolicyDocumentException", wrong
    assert api.error("PutResourcePolicy", SecretId="db", ResourcePolicy=statement(), PolicyName="x").code == (
        "InvalidParameterException"
    )


def test_where_roles_must_exist_a_policy_names_none_that_does_not(api: Api) -> None:
    create(api)
    named = statement(Principal={"AWS": f"arn:aws:iam::{SCOPE.account}:role/app"})
    api("PutResourcePolicy", SecretId="db", ResourcePolicy=named)
    api.access.enforce = True
    error = api.error("PutResourcePolicy", SecretId="db", ResourcePolicy=named)
    assert error.code == "MalformedPolicyDocumentException"
    assert error.message == "This resource policy contains an unsupported principal."
    api.put(Role(account=SCOPE.account, region="", name="app", unique_id="AROA1", created_at=1.0, trust="{}"))
    api("PutResourcePolicy", SecretId="db", ResourcePolicy=named)


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
def test_a_policy_for_everybody_is_found_out(api: Api, principal: Any) -> None:
    create(api)
    public = statement(Principal=principal)
    asked = {"SecretId": "db", "BlockPublicPolicy": True}
    assert api.error("PutResourcePolicy", ResourcePolicy=public, **asked).code == "PublicPolicyException"
    checked = api("ValidateResourcePolicy", ResourcePolicy=public)
    assert (checked["PolicyValidationPassed"], len(checked["ValidationErrors"])) == (False, 1)
    limited = statement(Principal=principal, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
    assert api("ValidateResourcePolicy", ResourcePolicy=limited, SecretId="db")["PolicyValidationPassed"]
    api("PutResourcePolicy", ResourcePolicy=limited, **asked)


# ---------------------------------------------------------------------------------------------- rotation, passwords


def test_rotation_is_kept_and_changes_no_value(api: Api) -> None:
    create(api)
    assert api.error("RotateSecret", SecretId="db").message == (
        "No Lambda rotation function ARN is associated with this secret."
    )
    api("RotateSecret", SecretId="db", RotationLambdaARN="arn:f", RotationRules={"AutomaticallyAfterDays": 10})
    shown = api("DescribeSecret", SecretId="db")
    assert (shown["RotationEnabled"], shown["RotationLambdaARN"]) == (True, "arn:f")
    assert shown["RotationRules"] == {"AutomaticallyAfterDays": 10}
    assert shown["NextRotationDate"] == api.now + 10 * DAY_S
    assert "LastRotatedDate" not in shown
    assert read(api) == "one"
    rules = {"ScheduleExpression": "rate(12 hours)", "Duration": "2h"}
    api("RotateSecret", SecretId="db", RotationRules=rules)
    shown = api("DescribeSecret", SecretId="db")
    assert (shown["RotationRules"], shown["NextRotationDate"]) == (rules, api.now + 12 * 3600)
    api("CancelRotateSecret", SecretId="db")
    shown = api("DescribeSecret", SecretId="db")
    assert "RotationEnabled" not in shown
    assert shown["RotationLambdaARN"] == "arn:f"


@pytest.mark.parametrize(
    "rules",
    [
        {"Duration": "2h"},
        {"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"},
        {"ScheduleExpression": "rate(3 hours)"},
        {"ScheduleExpression": "daily"},
    ],
)
def test_rules_of_rotation_that_aws_does_not_take(api: Api, rules: dict[str, Any]) -> None:
    create(api)
    asked = {"RotationLambdaARN": "arn:f", "RotationRules": rules}
    assert api.error("RotateSecret", SecretId="db", **asked).code == "InvalidParameterException"


def test_what_was_never_configured_or_has_no_value_is_not_rotated(api: Api) -> None:
    api("CreateSecret", Name="db")
    assert api.error("RotateSecret", SecretId="db", RotationLambdaARN="arn:f").code == "InvalidRequestException"
    assert api.error("CancelRotateSecret", SecretId="db").code == "InvalidRequestException"


def test_passwords_have_what_is_asked_for(api: Api) -> None:
    made = {str(api("GetRandomPassword")["RandomPassword"]) for _ in range(20)}
    assert len(made) == 20
    for password in made:
        assert len(password) == 32
        for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation):
            assert set(password) & set(kind)
    asked = {"PasswordLength": 4, "ExcludePunctuation": True, "IncludeSpace": True, "ExcludeCharacters": "abc"}
    for _ in range(20):
        password = api("GetRandomPassword", **asked)["RandomPassword"]
        assert len(password) == 4
        assert " " in password
        assert not set(password) & set("abc" + string.punctuation)
    digits = {"ExcludeUppercase": True, "ExcludeLowercase": True, "ExcludePunctuation": True}
    assert api("GetRandomPassword", **digits)["RandomPassword"].isdecimal()
    assert api.error("GetRandomPassword", ExcludeNumbers=True, **digits).code == "InvalidParameterException"
    assert api.error("GetRandomPassword", PasswordLength=3).code == "InvalidRequestException"
    short = api("GetRandomPassword", PasswordLength=1, RequireEachIncludedType=False)
    assert len(short["RandomPassword"]) == 1


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("CreateSecret", {"Name": "x", "AddReplicaRegions": [{"Region": "us-east-2"}]}),
        ("CreateSecret", {"Name": "x", "Type": "SalesforceClientSecret"}),
        ("CreateSecret", {"Name": "x", "ForceOverwriteReplicaSecret": True}),
        ("CreateSecret", {"Name": "x", "CrossAccountPrimaryARN": f"{ARN}x-aaaaaa"}),
        ("UpdateSecret", {"SecretId": "x", "Type": "SalesforceClientSecret"}),
        ("PutSecretValue", {"SecretId": "x", "SecretString": "x", "RotationToken": "r" * 36}),
    ],
)
def test_what_is_not_served_is_refused(api: Api, operation: str, asked: dict[str, Any]) -> None:
    assert api.error(operation, **asked).code == "InvalidParameterException"
