"""IAM's API: what an account has as a whole, its password policy, its identity providers, all of it at once."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from longshore.api.iam import OPERATIONS
from tests.support.api import SCOPE, Api
from tests.support.identities import READS, TASKS

IAM = f"arn:aws:iam::{SCOPE.account}"
URL = "https://token.actions.example.com/path"
ARN = f"{IAM}:oidc-provider/token.actions.example.com/path"
PRINT = "a031c46782e6e6c662c2c87c76da9aa62ccabd8e"
PAIRS = [{"Key": "k", "Value": "v"}]
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
def api() -> Api:
    return Api(OPERATIONS, service="iam")


# ------------------------------------------------------------------------------------------------ password policy


def test_a_password_policy_is_kept_whole_and_deleted(api: Api) -> None:
    missing = f"The Password Policy with domain name {SCOPE.account} cannot be found."
    for operation in ("GetAccountPasswordPolicy", "DeleteAccountPasswordPolicy"):
        error = api.error(operation)
        assert (error.code, error.message) == ("NoSuchEntity", missing)
    api("UpdateAccountPasswordPolicy", MinimumPasswordLength=14, RequireSymbols=True, MaxPasswordAge=90)
    plain = {
        "RequireSymbols": False,
        "RequireNumbers": False,
        "RequireUppercaseCharacters": False,
        "RequireLowercaseCharacters": False,
        "AllowUsersToChangePassword": False,
    }
    given = {"MinimumPasswordLength": 14, "RequireSymbols": True, "MaxPasswordAge": 90, "ExpirePasswords": True}
    assert api("GetAccountPasswordPolicy")["PasswordPolicy"] == {**plain, **given}
    api("UpdateAccountPasswordPolicy", PasswordReusePrevention=5, HardExpiry=False)  # the rest is as at first again
    given = {"MinimumPasswordLength": 6, "PasswordReusePrevention": 5, "HardExpiry": False, "ExpirePasswords": False}
    assert api("GetAccountPasswordPolicy")["PasswordPolicy"] == {**plain, **given}
    api("DeleteAccountPasswordPolicy")
    assert api.error("GetAccountPasswordPolicy").code == "NoSuchEntity"


# ---------------------------------------------------------------------------------------------- identity providers


def provider(api: Api, **asked: Any) -> str:
    return str(api("CreateOpenIDConnectProvider", **{"Url": URL, **asked})["OpenIDConnectProviderArn"])


def test_an_identity_provider_is_made_shown_changed_and_deleted(api: Api) -> None:
    made = api(
        "CreateOpenIDConnectProvider", Url=URL, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[PRINT], Tags=PAIRS
    )
    assert made == {"OpenIDConnectProviderArn": ARN, "Tags": PAIRS}
    named = {"OpenIDConnectProviderArn": ARN}
    shown = api("GetOpenIDConnectProvider", **named)
    assert shown == {
        "Url": URL.removeprefix("https://"),
        "ClientIDList": ["sts.amazonaws.com"],
        "ThumbprintList": [PRINT],
        "CreateDate": api.now,
        "Tags": PAIRS,
    }
    assert api("ListOpenIDConnectProviders")["OpenIDConnectProviderList"] == [{"Arn": ARN}]
    for _ in range(2):
        api("AddClientIDToOpenIDConnectProvider", **named, ClientID="other")
    for _ in range(2):
        api("RemoveClientIDFromOpenIDConnectProvider", **named, ClientID="sts.amazonaws.com")
    api("UpdateOpenIDConnectProviderThumbprint", **named, ThumbprintList=[PRINT[::-1]])
    api("TagOpenIDConnectProvider", **named, Tags=[{"Key": "l", "Value": "w"}])
    api("UntagOpenIDConnectProvider", **named, TagKeys=["k"])
    assert api("ListOpenIDConnectProviderTags", **named)["Tags"] == [{"Key": "l", "Value": "w"}]
    shown = api("GetOpenIDConnectProvider", **named)
    assert (shown["ClientIDList"], shown["ThumbprintList"]) == (["other"], [PRINT[::-1]])
    assert api("GetAccountSummary")["SummaryMap"]["Providers"] == 1
    for _ in range(2):
        api("DeleteOpenIDConnectProvider", **named)
    error = api.error("GetOpenIDConnectProvider", **named)
    assert (error.code, error.message) == ("NoSuchEntity", f"OpenIDConnect Provider not found for arn {ARN}")
    assert api("ListOpenIDConnectProviders")["OpenIDConnectProviderList"] == []


def test_an_identity_provider_without_a_thumbprint_has_none(api: Api) -> None:
    assert api("GetOpenIDConnectProvider", OpenIDConnectProviderArn=provider(api))["ThumbprintList"] == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"Url": "http://a.example"}, "ValidationError"),
        ({"Url": "a.example"}, "ValidationError"),
        ({"Url": "https://a.example?x=1"}, "ValidationError"),
        ({"Url": "https://"}, "ValidationError"),
        ({"Url": URL}, "EntityAlreadyExists"),
        ({"Url": "https://b.example", "ThumbprintList": ["xyz"]}, "InvalidInput"),
        ({"Url": "https://b.example", "ThumbprintList": [PRINT] * 6}, "InvalidInput"),
        ({"Url": "https://b.example", "ClientIDList": [f"c{n}" for n in range(101)]}, "LimitExceeded"),
        ({"Url": "https://b.example", "Tags": [*PAIRS, {"Key": "K", "Value": ""}]}, "InvalidInput"),
    ],
)
def test_what_is_no_new_identity_provider_is_refused(api: Api, asked: dict[str, Any], code: str) -> None:
    provider(api)
    assert api.error("CreateOpenIDConnectProvider", **asked).code == code


def test_no_other_accounts_provider_is_meant(api: Api) -> None:
    provider(api)
    other = ARN.replace(SCOPE.account, "111122223333")
    for operation, more in (
        ("GetOpenIDConnectProvider", {}),
        ("AddClientIDToOpenIDConnectProvider", {"ClientID": "x"}),
        ("TagOpenIDConnectProvider", {"Tags": PAIRS}),
        ("UpdateOpenIDConnectProviderThumbprint", {"ThumbprintList": [PRINT]}),
    ):
        for arn in (other, f"{IAM}:role/token.actions.example.com/path"):
            assert api.error(operation, OpenIDConnectProviderArn=arn, **more).code == "NoSuchEntity"
    api("DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=other)
    assert api("ListOpenIDConnectProviders")["OpenIDConnectProviderList"] == [{"Arn": ARN}]


# --------------------------------------------------------------------------------------------------- all at once


def furnish(api: Api) -> str:
    arn: str = api("CreatePolicy", PolicyName="reads", PolicyDocument=READS, Description="d")["Policy"]["Arn"]
    api("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=READS)
    api("CreateRole", RoleName="app", AssumeRolePolicyDocument=TASKS, Tags=PAIRS, PermissionsBoundary=arn)
    api("PutRolePolicy", RoleName="app", PolicyName="own", PolicyDocument=READS)
    api("AttachRolePolicy", RoleName="app", PolicyArn=ADMIN)
    api("CreateInstanceProfile", InstanceProfileName="host")
    api("AddRoleToInstanceProfile", InstanceProfileName="host", RoleName="app")
    api("CreateGroup", GroupName="team")
    api("PutGroupPolicy", GroupName="team", PolicyName="own", PolicyDocument=READS)
    api("AttachGroupPolicy", GroupName="team", PolicyArn=arn)
    api("CreateUser", UserName="ann", Tags=PAIRS)
    api("AddUserToGroup", GroupName="team", UserName="ann")
    api("PutUserPolicy", UserName="ann", PolicyName="own", PolicyDocument=READS)
    return arn


def test_all_of_an_account_is_told_at_once(api: Api) -> None:
    arn = furnish(api)
    found = api("GetAccountAuthorizationDetails")
    assert found["IsTruncated"] is False
    [role], [user], [group] = found["RoleDetailList"], found["UserDetailList"], found["GroupDetailList"]
    assert json.loads(unquote(role["RolePolicyList"][0]["PolicyDocument"])) == json.loads(READS)
    assert role["AttachedManagedPolicies"] == [{"PolicyName": "AdministratorAccess", "PolicyArn": ADMIN}]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    assert [each["InstanceProfileName"] for each in role["InstanceProfileList"]] == ["host"]
    assert json.loads(unquote(role["AssumeRolePolicyDocument"])) == json.loads(TASKS)
    assert (user["GroupList"], user["Tags"], user["UserPolicyList"][0]["PolicyName"]) == (["team"], PAIRS, "own")
    assert group["AttachedManagedPolicies"] == [{"PolicyName": "reads", "PolicyArn": arn}]
    policies = {each["Arn"]: each for each in found["Policies"]}
    assert set(policies) == {arn, ADMIN}  # of AWS's, those that are in use
    assert [each["VersionId"] for each in policies[arn]["PolicyVersionList"]] == ["v2", "v1"]
    assert json.loads(unquote(policies[arn]["PolicyVersionList"][1]["Document"])) == json.loads(READS)
    assert (policies[arn]["DefaultVersionId"], policies[arn]["Description"]) == ("v1", "d")


@pytest.mark.parametrize(
    ("wanted", "member"),
    [
        ("User", "UserDetailList"),
        ("Role", "RoleDetailList"),
        ("Group", "GroupDetailList"),
        ("LocalManagedPolicy", "Policies"),
        ("AWSManagedPolicy", "Policies"),
    ],
)
def test_a_part_of_an_account_can_be_asked_for(api: Api, wanted: str, member: str) -> None:
    furnish(api)
    lists = ("UserDetailList", "RoleDetailList", "GroupDetailList", "Policies")
    found = api("GetAccountAuthorizationDetails", Filter=[wanted])
    assert {name: len(found[name]) for name in lists if found[name]} == {member: 1}


def test_an_account_is_told_page_by_page(api: Api) -> None:
    furnish(api)
    counts = dict.fromkeys(("UserDetailList", "RoleDetailList", "GroupDetailList", "Policies"), 0)
    marker: dict[str, str] = {}
    for page in range(5):
        found = api("GetAccountAuthorizationDetails", MaxItems=1, **marker)
        assert sum(len(found[name]) for name in counts) == 1
        for name in counts:
            counts[name] += len(found[name])
        assert found["IsTruncated"] is (page < 4)
        marker = {"Marker": found.get("Marker", "")}
    assert counts == {"UserDetailList": 1, "RoleDetailList": 1, "GroupDetailList": 1, "Policies": 2}
