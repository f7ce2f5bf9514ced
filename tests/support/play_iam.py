"""Each operation of IAM and STS at least once, for the test that looks at which members of inputs are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longshore.api.callers.auth import root_of
from longshore.domain.iam import Role
from longshore.wire.errors import ApiError
from tests.support.api import SCOPE
from tests.support.identities import READS, TASKS, trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.api import Api

TAGS = [{"Key": "k", "Value": "v"}]


def play_iam(call: Callable[..., dict[str, Any]], _api: Api) -> None:
    """Roles, users and groups with their policies; then what else there is."""
    arn = call("CreatePolicy", PolicyName="p", PolicyDocument=READS, Tags=TAGS)["Policy"]["Arn"]
    call("CreateRole", RoleName="x", AssumeRolePolicyDocument=TASKS, PermissionsBoundary=arn, Tags=TAGS)
    call("CreateUser", UserName="x", PermissionsBoundary=arn, Tags=TAGS)
    call("CreateGroup", GroupName="x")
    for noun in ("Role", "User", "Group"):
        _policies(call, {f"{noun}Name": "x"}, noun, arn)
    for noun in ("Role", "User"):
        name = {f"{noun}Name": "x"}
        call(f"Put{noun}PermissionsBoundary", **name, PermissionsBoundary=arn)
        call(f"Delete{noun}PermissionsBoundary", **name)
    _profiles_and_tags(call, arn)
    _users(call)
    call("UpdateRole", RoleName="x", Description="d", MaxSessionDuration=7200)
    call("UpdateRoleDescription", RoleName="x", Description="d")
    call("UpdateAssumeRolePolicy", RoleName="x", PolicyDocument=TASKS)
    call("DeleteRole", RoleName="x")
    _versions(call, arn)
    name = call("CreateServiceLinkedRole", AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="x")["Role"]
    task = call("DeleteServiceLinkedRole", RoleName=name["RoleName"])["DeletionTaskId"]
    call("GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task)
    _simulate(call)
    _providers(call)
    call("GetAccountSummary")
    call("GetAccountAuthorizationDetails")
    call(
        "UpdateAccountPasswordPolicy",
        MinimumPasswordLength=8,
        MaxPasswordAge=9,
        PasswordReusePrevention=1,
        HardExpiry=True,
        AllowUsersToChangePassword=True,
        **dict.fromkeys(
            ("RequireSymbols", "RequireNumbers", "RequireUppercaseCharacters", "RequireLowercaseCharacters"), True
        ),
    )
    call("GetAccountPasswordPolicy")
    call("DeleteAccountPasswordPolicy")
    call("CreateAccountAlias", AccountAlias="ours")
    call("ListAccountAliases")
    call("DeleteAccountAlias", AccountAlias="ours")


def _providers(call: Callable[..., dict[str, Any]]) -> None:
    asked = {"Url": "https://id.example", "ClientIDList": ["a"], "ThumbprintList": ["0" * 40]}
    arn = call("CreateOpenIDConnectProvider", **asked, Tags=TAGS)["OpenIDConnectProviderArn"]
    named = {"OpenIDConnectProviderArn": arn}
    call("GetOpenIDConnectProvider", **named)
    call("ListOpenIDConnectProviders")
    call("AddClientIDToOpenIDConnectProvider", **named, ClientID="b")
    call("RemoveClientIDFromOpenIDConnectProvider", **named, ClientID="b")
    call("UpdateOpenIDConnectProviderThumbprint", **named, ThumbprintList=["1" * 40])
    call("TagOpenIDConnectProvider", **named, Tags=TAGS)
    call("ListOpenIDConnectProviderTags", **named)
    call("UntagOpenIDConnectProvider", **named, TagKeys=["k"])
    call("DeleteOpenIDConnectProvider", **named)


def _simulate(call: Callable[..., dict[str, Any]]) -> None:
    source = call("CreateUser", UserName="simulated")["User"]["Arn"]
    entries = [{"ContextKeyName": "aws:username", "ContextKeyValues": ["x"], "ContextKeyType": "string"}]
    asked = {"ActionNames": ["ecs:RunTask"], "ResourceArns": ["*"], "ContextEntries": entries}
    call("SimulatePrincipalPolicy", PolicySourceArn=source, PolicyInputList=[READS], **asked)
    call("SimulateCustomPolicy", PolicyInputList=[READS], PermissionsBoundaryPolicyInputList=[READS], **asked)
    call("GetContextKeysForCustomPolicy", PolicyInputList=[READS])
    call("GetContextKeysForPrincipalPolicy", PolicySourceArn=source, PolicyInputList=[READS])


def _policies(call: Callable[..., dict[str, Any]], name: dict[str, str], noun: str, arn: str) -> None:
    call(f"Put{noun}Policy", **name, PolicyName="own", PolicyDocument=READS)
    call(f"Get{noun}Policy", **name, PolicyName="own")
    call(f"List{noun}Policies", **name)
    call(f"Delete{noun}Policy", **name, PolicyName="own")
    call(f"Attach{noun}Policy", **name, PolicyArn=arn)
    call(f"ListAttached{noun}Policies", **name)
    call("ListEntitiesForPolicy", PolicyArn=arn)
    call(f"Detach{noun}Policy", **name, PolicyArn=arn)
    call(f"Get{noun}", **name)
    call(f"List{noun}s")


def _profiles_and_tags(call: Callable[..., dict[str, Any]], arn: str) -> None:
    profile = {"InstanceProfileName": "x"}
    call("CreateInstanceProfile", **profile, Tags=TAGS)
    call("AddRoleToInstanceProfile", **profile, RoleName="x")
    call("GetInstanceProfile", **profile)
    call("ListInstanceProfiles")
    call("ListInstanceProfilesForRole", RoleName="x")
    call("RemoveRoleFromInstanceProfile", **profile, RoleName="x")
    for noun, name in (
        ("Role", {"RoleName": "x"}),
        ("User", {"UserName": "x"}),
        ("InstanceProfile", profile),
        ("Policy", {"PolicyArn": arn}),
    ):
        call(f"Tag{noun}", **name, Tags=TAGS)
        call(f"List{noun}Tags", **name)
        call(f"Untag{noun}", **name, TagKeys=["k"])
    call("DeleteInstanceProfile", **profile)


def _users(call: Callable[..., dict[str, Any]]) -> None:
    user = {"UserName": "x"}
    call("AddUserToGroup", GroupName="x", **user)
    call("ListGroupsForUser", **user)
    call("RemoveUserFromGroup", GroupName="x", **user)
    call("UpdateGroup", GroupName="x", NewGroupName="y", NewPath="/a/")
    call("DeleteGroup", GroupName="y")
    key = {"AccessKeyId": call("CreateAccessKey", **user)["AccessKey"]["AccessKeyId"]}
    call("ListAccessKeys", **user)
    call("GetAccessKeyLastUsed", **key)
    call("UpdateAccessKey", **user, **key, Status="Inactive")
    call("DeleteAccessKey", **user, **key)
    for operation in (
        "ListMFADevices",
        "ListSSHPublicKeys",
        "ListServiceSpecificCredentials",
        "ListSigningCertificates",
    ):
        call(operation, **user)
    call("ListVirtualMFADevices")
    for operation in ("GetLoginProfile", "DeleteLoginProfile"):
        with pytest.raises(ApiError, match="Login Profile"):
            call(operation, **user)
    call("UpdateUser", **user, NewUserName="y", NewPath="/a/")
    call("DeleteUser", UserName="y")


def _versions(call: Callable[..., dict[str, Any]], arn: str) -> None:
    call("GetPolicy", PolicyArn=arn)
    call("ListPolicies")
    version = call("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=READS)["PolicyVersion"]["VersionId"]
    call("SetDefaultPolicyVersion", PolicyArn=arn, VersionId=version)
    call("GetPolicyVersion", PolicyArn=arn, VersionId=version)
    call("ListPolicyVersions", PolicyArn=arn)
    call("DeletePolicyVersion", PolicyArn=arn, VersionId="v1")
    call("DeletePolicy", PolicyArn=arn)


def play_sts(call: Callable[..., dict[str, Any]], api: Api) -> None:
    """Each operation of STS."""
    role = Role(
        account=SCOPE.account,
        region="",
        name="app",
        unique_id="AROAAPP",
        created_at=api.now,
        trust=trust("sts:TagSession", AWS=SCOPE.account),
    )
    api.put(role)
    call("GetSessionToken", DurationSeconds=900)
    api.principal = root_of(SCOPE.account)
    call(
        "AssumeRole",
        RoleArn=role.arn,
        RoleSessionName="s",
        Policy=READS,
        PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
        DurationSeconds=900,
        ExternalId="x",
        Tags=TAGS,
    )
    call("GetCallerIdentity")
    call("GetAccessKeyInfo", AccessKeyId=api.access.credentials.root().access_key_id)
    of_provider = "e30.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIn0.c2ln"
    for operation, params in (
        ("AssumeRoleWithWebIdentity", {"RoleArn": role.arn, "WebIdentityToken": of_provider}),
        ("AssumeRoleWithSAML", {}),
        ("DecodeAuthorizationMessage", {}),
    ):
        with pytest.raises(ApiError):
            call(operation, **params)
