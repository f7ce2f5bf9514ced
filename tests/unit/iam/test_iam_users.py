"""IAM's API: users, groups, access keys, managed policies with their versions, and the account."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from longshore.api.callers.credentials import Principal
from longshore.api.iam import OPERATIONS
from longshore.decide.policy.document import parse
from longshore.decide.policy.managed import MANAGED, document_of
from longshore.domain.iam import AccessKey
from tests.support.api import ROOT, SCOPE, VAULT, Api
from tests.support.identities import READS, TASKS, allow, document

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
OWN = f"arn:aws:iam::{SCOPE.account}:policy/reads"
OTHER = document(allow("logs:*"))


@pytest.fixture
def api() -> Api:
    return Api(OPERATIONS, service="iam")


def policy(api: Api, name: str = "reads", **asked: Any) -> dict[str, Any]:
    made: dict[str, Any] = api("CreatePolicy", PolicyName=name, PolicyDocument=READS, **asked)["Policy"]
    return made


def read(api: Api, version: str) -> Any:
    found = api("GetPolicyVersion", PolicyArn=OWN, VersionId=version)["PolicyVersion"]
    return json.loads(unquote(found["Document"])), found["IsDefaultVersion"]


# ----------------------------------------------------------------------------------------------------------- users


def test_a_user_is_made_shown_renamed_and_deleted(api: Api) -> None:
    made = api("CreateUser", UserName="ann", Path="/team/", Tags=[{"Key": "a", "Value": "b"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{SCOPE.account}:user/team/ann"
    assert made["UserId"].startswith("AIDA")
    api("CreateGroup", GroupName="team")
    api("AddUserToGroup", GroupName="team", UserName="ann")
    api("CreateAccessKey", UserName="ann")
    api("UpdateUser", UserName="ann", NewUserName="anna", NewPath="/")
    assert api("GetUser", UserName="anna")["User"]["Tags"] == [{"Key": "a", "Value": "b"}]
    assert [each["UserName"] for each in api("GetGroup", GroupName="team")["Users"]] == ["anna"]
    [key] = api("ListAccessKeys", UserName="anna")["AccessKeyMetadata"]
    assert api.error("DeleteUser", UserName="anna").message == "Cannot delete entity, must delete access keys first."
    api("DeleteAccessKey", UserName="anna", AccessKeyId=key["AccessKeyId"])
    error = api.error("DeleteUser", UserName="anna")
    assert (error.code, error.message) == (
        "DeleteConflict",
        "Cannot delete entity, must remove users from group first.",
    )
    api("RemoveUserFromGroup", GroupName="team", UserName="anna")
    api("DeleteUser", UserName="anna")
    assert api.error("GetUser", UserName="anna").message == "The user with name anna cannot be found."


def test_what_users_cannot_have_is_an_empty_list(api: Api) -> None:
    api("CreateUser", UserName="ann")
    for operation, member in (
        ("ListMFADevices", "MFADevices"),
        ("ListSSHPublicKeys", "SSHPublicKeys"),
        ("ListServiceSpecificCredentials", "ServiceSpecificCredentials"),
        ("ListSigningCertificates", "Certificates"),
    ):
        assert api(operation, UserName="ann")[member] == []
        assert api.error(operation, UserName="bob").code == "NoSuchEntity"
    assert api("ListVirtualMFADevices")["VirtualMFADevices"] == []
    for operation in ("GetLoginProfile", "DeleteLoginProfile"):
        assert api.error(operation, UserName="ann").message == "Login Profile for User ann cannot be found."


def test_the_one_who_asks_is_meant_where_no_user_is_named(api: Api) -> None:
    assert api.error("GetUser").message == "The user with name me cannot be found."
    api("CreateUser", UserName="me")
    assert api("GetUser")["User"]["UserName"] == "me"
    assert api("CreateAccessKey")["AccessKey"]["UserName"] == "me"


@pytest.mark.parametrize("caller", ["user", "root"])
def test_a_key_of_another_user_is_not_meant_where_no_user_is_named(api: Api, caller: str) -> None:
    for name in ("me", "bob"):
        api("CreateUser", UserName=name)
    keys = {name: api("CreateAccessKey", UserName=name)["AccessKey"]["AccessKeyId"] for name in ("me", "bob")}
    if caller == "root":
        api.principal = ROOT
    for operation, more in (("UpdateAccessKey", {"Status": "Inactive"}), ("DeleteAccessKey", {})):
        error = api.error(operation, AccessKeyId=keys["bob"], **more)
        assert (error.code, error.message) == (
            "NoSuchEntity",
            f"The Access Key with id {keys['bob']} cannot be found.",
        )
    if caller == "user":
        api("UpdateAccessKey", AccessKeyId=keys["me"], Status="Inactive")
        api("DeleteAccessKey", AccessKeyId=keys["me"])
    api("DeleteAccessKey", AccessKeyId=keys["bob"], UserName="bob")


def test_a_session_of_a_role_has_to_name_the_user(api: Api) -> None:
    api("CreateUser", UserName="bob")
    key = api("CreateAccessKey", UserName="bob")["AccessKey"]["AccessKeyId"]
    api.principal = Principal(f"arn:aws:sts::{SCOPE.account}:assumed-role/r/s", SCOPE.account, source="x", session=True)
    for operation in ("DeleteAccessKey", "ListAccessKeys", "ListMFADevices"):
        error = api.error(operation, **({"AccessKeyId": key} if operation == "DeleteAccessKey" else {}))
        assert error.message == "Must specify userName when calling with non-User credentials"


def test_the_root_has_none_of_what_users_have(api: Api) -> None:
    api.principal = ROOT
    for operation, member in (
        ("ListAccessKeys", "AccessKeyMetadata"),
        ("ListMFADevices", "MFADevices"),
        ("ListSSHPublicKeys", "SSHPublicKeys"),
        ("ListServiceSpecificCredentials", "ServiceSpecificCredentials"),
        ("ListSigningCertificates", "Certificates"),
    ):
        assert api(operation)[member] == []


def test_a_secret_is_told_once_and_kept_sealed(api: Api) -> None:
    api("CreateUser", UserName="ann")
    made = api("CreateAccessKey", UserName="ann")["AccessKey"]
    assert (len(made["AccessKeyId"]), made["AccessKeyId"][:4]) == (20, "AKIA")
    assert len(made["SecretAccessKey"]) == 40
    [kept] = api.store.all(AccessKey)
    assert made["SecretAccessKey"] not in str(kept)
    assert VAULT.open(kept.sealed_secret).decode() == made["SecretAccessKey"]
    [listed] = api("ListAccessKeys", UserName="ann")["AccessKeyMetadata"]
    assert listed == {name: value for name, value in made.items() if name != "SecretAccessKey"}
    unused = {"Region": "N/A", "ServiceName": "N/A"}
    found = api("GetAccessKeyLastUsed", AccessKeyId=made["AccessKeyId"])
    assert found == {"UserName": "ann", "AccessKeyLastUsed": unused}


def test_a_user_has_two_keys_at_most_and_they_can_be_switched_off(api: Api) -> None:
    api("CreateUser", UserName="ann")
    api("CreateUser", UserName="bob")
    first = api("CreateAccessKey", UserName="ann")["AccessKey"]["AccessKeyId"]
    api("CreateAccessKey", UserName="ann")
    error = api.error("CreateAccessKey", UserName="ann")
    assert (error.code, error.message) == ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    api("UpdateAccessKey", UserName="ann", AccessKeyId=first, Status="Inactive")
    assert {each["Status"] for each in api("ListAccessKeys", UserName="ann")["AccessKeyMetadata"]} == {
        "Active",
        "Inactive",
    }
    assert api.error("UpdateAccessKey", AccessKeyId=first, Status="Expired").code == "ValidationError"
    for asked in ({"UserName": "bob", "AccessKeyId": first}, {"AccessKeyId": "AKIANONE000000000000"}):
        error = api.error("DeleteAccessKey", **asked)
        assert error.message == f"The Access Key with id {asked['AccessKeyId']} cannot be found."
    assert api.error("GetAccessKeyLastUsed", AccessKeyId="AKIANONE000000000000").code == "NoSuchEntity"


def test_a_group_is_made_renamed_and_deleted(api: Api) -> None:
    api("CreateGroup", GroupName="team")
    api("CreateUser", UserName="ann")
    api("AddUserToGroup", GroupName="team", UserName="ann")
    api("UpdateGroup", GroupName="team", NewGroupName="crew")
    assert [each["GroupName"] for each in api("ListGroupsForUser", UserName="ann")["Groups"]] == ["crew"]
    assert api.error("DeleteGroup", GroupName="crew").code == "DeleteConflict"
    api("RemoveUserFromGroup", GroupName="crew", UserName="ann")
    assert api.error("RemoveUserFromGroup", GroupName="crew", UserName="ann").code == "NoSuchEntity"
    api("AttachGroupPolicy", GroupName="crew", PolicyArn=ADMIN)
    assert api.error("DeleteGroup", GroupName="crew").code == "DeleteConflict"
    api("DetachGroupPolicy", GroupName="crew", PolicyArn=ADMIN)
    api("DeleteGroup", GroupName="crew")
    assert api("ListGroups")["Groups"] == []
    assert api.error("GetGroup", GroupName="crew").message == "The group with name crew cannot be found."


# -------------------------------------------------------------------------------------------------------- policies


def test_a_policy_has_versions_of_which_one_holds(api: Api) -> None:
    made = policy(api, Description="reads", Tags=[{"Key": "a", "Value": "b"}])
    assert (made["Arn"], made["DefaultVersionId"]) == (OWN, "v1")
    assert api("GetPolicy", PolicyArn=OWN)["Policy"]["Description"] == "reads"
    second = api("CreatePolicyVersion", PolicyArn=OWN, PolicyDocument=OTHER)["PolicyVersion"]
    assert (second["VersionId"], second["IsDefaultVersion"]) == ("v2", False)
    assert read(api, "v1") == (json.loads(READS), True)
    api("CreatePolicyVersion", PolicyArn=OWN, PolicyDocument=OTHER, SetAsDefault=True)
    assert read(api, "v3") == (json.loads(OTHER), True)
    assert [each["VersionId"] for each in api("ListPolicyVersions", PolicyArn=OWN)["Versions"]] == ["v3", "v2", "v1"]
    error = api.error("DeletePolicyVersion", PolicyArn=OWN, VersionId="v3")
    assert (error.code, error.message) == ("DeleteConflict", "Cannot delete the default version of a policy.")
    api("SetDefaultPolicyVersion", PolicyArn=OWN, VersionId="v1")
    api("DeletePolicyVersion", PolicyArn=OWN, VersionId="v3")
    fourth = api("CreatePolicyVersion", PolicyArn=OWN, PolicyDocument=OTHER)["PolicyVersion"]
    assert fourth["VersionId"] == "v4"
    assert api.error("GetPolicyVersion", PolicyArn=OWN, VersionId="v3").code == "NoSuchEntity"


def test_a_policy_has_five_versions_at_most(api: Api) -> None:
    policy(api)
    for _ in range(4):
        api("CreatePolicyVersion", PolicyArn=OWN, PolicyDocument=OTHER)
    error = api.error("CreatePolicyVersion", PolicyArn=OWN, PolicyDocument=OTHER)
    assert (error.code, "up to 5 versions" in error.message) == ("LimitExceeded", True)


def test_a_policy_in_use_or_with_versions_is_not_deleted(api: Api) -> None:
    policy(api)
    api("CreateRole", RoleName="app", AssumeRolePolicyDocument=TASKS)
    api("AttachRolePolicy", RoleName="app", PolicyArn=OWN)
    api("CreateUser", UserName="ann", PermissionsBoundary=OWN)
    entities = api("ListEntitiesForPolicy", PolicyArn=OWN)
    assert [each["RoleName"] for each in entities["PolicyRoles"]] == ["app"]
    assert [each["UserName"] for each in entities["PolicyUsers"]] == ["ann"]
    only = api("ListEntitiesForPolicy", PolicyArn=OWN, EntityFilter="Role", PolicyUsageFilter="PermissionsBoundary")
    assert (only["PolicyRoles"], only["PolicyUsers"]) == ([], [])
    assert api.error("DeletePolicy", PolicyArn=OWN).message == "Cannot delete a policy attached to entities."
    api("DetachRolePolicy", RoleName="app", PolicyArn=OWN)
    assert api.error("DeletePolicy", PolicyArn=OWN).code == "DeleteConflict"
    api("DeleteUserPermissionsBoundary", UserName="ann")
    api("CreatePolicyVersion", PolicyArn=OWN, PolicyDocument=OTHER)
    assert "more than one version" in api.error("DeletePolicy", PolicyArn=OWN).message
    api("DeletePolicyVersion", PolicyArn=OWN, VersionId="v2")
    api("DeletePolicy", PolicyArn=OWN)
    error = api.error("GetPolicy", PolicyArn=OWN)
    assert (error.code, error.message) == ("NoSuchEntity", f"Policy {OWN} was not found.")


def test_policies_are_listed_by_owner_and_use(api: Api) -> None:
    policy(api)
    assert [each["Arn"] for each in api("ListPolicies", Scope="Local")["Policies"]] == [OWN]
    of_aws = api("ListPolicies", Scope="AWS", MaxItems=1000)["Policies"]
    assert {each["Arn"] for each in of_aws} == set(MANAGED)
    assert api("ListPolicies", OnlyAttached=True)["Policies"] == []
    api("CreateGroup", GroupName="team")
    api("AttachGroupPolicy", GroupName="team", PolicyArn=OWN)
    assert [each["Arn"] for each in api("ListPolicies", OnlyAttached=True)["Policies"]] == [OWN]
    assert len(api("ListPolicies", MaxItems=1000)["Policies"]) == len(MANAGED) + 1


def test_a_policy_has_a_name_of_its_own_and_a_bounded_size(api: Api) -> None:
    policy(api)
    error = api.error("CreatePolicy", PolicyName="READS", PolicyDocument=READS)
    assert error.message == "A policy called READS already exists. Duplicate names are not allowed."
    large = document(*(allow("ecs:ListClusters", on=f"arn:aws:ecs:*:*:cluster/{number:040}") for number in range(50)))
    error = api.error("CreatePolicy", PolicyName="large", PolicyDocument=large)
    assert (error.code, error.message) == ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")


def test_nobody_changes_what_aws_manages(api: Api) -> None:
    for operation, more in (
        ("DeletePolicy", {}),
        ("CreatePolicyVersion", {"PolicyDocument": OTHER}),
        ("TagPolicy", {"Tags": [{"Key": "a", "Value": "b"}]}),
    ):
        assert api.error(operation, PolicyArn=ADMIN, **more).code == "AccessDenied"
    version = api("GetPolicyVersion", PolicyArn=ADMIN, VersionId="v1")["PolicyVersion"]
    assert json.loads(unquote(version["Document"]))["Statement"][0]["Action"] == "*"
    assert api.error("GetPolicyVersion", PolicyArn=ADMIN, VersionId="v2").code == "NoSuchEntity"
    assert len(api("ListPolicyVersions", PolicyArn=ADMIN)["Versions"]) == 1


@pytest.mark.parametrize("arn", sorted(MANAGED))
def test_documents_of_managed_policies_are_ones_that_iam_takes(arn: str) -> None:
    assert parse(document_of(MANAGED[arn])).statements


# --------------------------------------------------------------------------------------------------------- account


def test_the_account_counts_what_it_has_and_has_one_alias(api: Api) -> None:
    policy(api)
    summary = api("GetAccountSummary")["SummaryMap"]
    assert (summary["Policies"], summary["Users"], summary["PolicySizeQuota"]) == (1, 0, 6144)
    assert api("ListAccountAliases")["AccountAliases"] == []
    api("CreateAccountAlias", AccountAlias="ours")
    api("CreateAccountAlias", AccountAlias="mine")
    assert api("ListAccountAliases")["AccountAliases"] == ["mine"]
    assert api.error("DeleteAccountAlias", AccountAlias="ours").code == "NoSuchEntity"
    api("DeleteAccountAlias", AccountAlias="mine")
    assert api("ListAccountAliases")["AccountAliases"] == []
