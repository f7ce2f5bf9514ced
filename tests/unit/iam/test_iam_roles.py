"""IAM's API: roles, instance profiles, service-linked roles, and the policies in and at them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from longshore.api.access.access import Access
from longshore.api.iam import OPERATIONS
from tests.support.api import SCOPE, Api
from tests.support.identities import READS, TASKS, allow, document, trust

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


@pytest.fixture
def api() -> Api:
    return Api(OPERATIONS, service="iam")


def role(api: Api, name: str = "app", **asked: Any) -> dict[str, Any]:
    made: dict[str, Any] = api("CreateRole", RoleName=name, AssumeRolePolicyDocument=TASKS, **asked)["Role"]
    return made


def test_a_role_is_made_shown_changed_and_deleted(api: Api) -> None:
    made = role(api, Path="/team/", Description="of the app", Tags=[{"Key": "Env", "Value": "a"}])
    assert made["Arn"] == f"arn:aws:iam::{SCOPE.account}:role/team/app"
    assert made["RoleId"].startswith("AROA")
    assert len(made["RoleId"]) == 21
    assert json.loads(unquote(made["AssumeRolePolicyDocument"])) == json.loads(TASKS)
    assert made["MaxSessionDuration"] == 3600
    assert api("GetRole", RoleName="app")["Role"] == {**made, "RoleLastUsed": {}}
    [listed] = api("ListRoles")["Roles"]
    assert "Tags" not in listed

    api("UpdateRole", RoleName="app", Description="other", MaxSessionDuration=7200)
    api("UpdateAssumeRolePolicy", RoleName="app", PolicyDocument=trust(AWS=SCOPE.account))
    now = api("GetRole", RoleName="app")["Role"]
    assert (now["Description"], now["MaxSessionDuration"]) == ("other", 7200)
    assert json.loads(unquote(now["AssumeRolePolicyDocument"])) == json.loads(trust(AWS=SCOPE.account))
    assert api("UpdateRoleDescription", RoleName="app", Description="third")["Role"]["Description"] == "third"

    api("DeleteRole", RoleName="app")
    error = api.error("GetRole", RoleName="app")
    assert (error.code, error.message) == ("NoSuchEntity", "The role with name app cannot be found.")


def test_names_are_taken_whatever_their_case(api: Api) -> None:
    role(api)
    error = api.error("CreateRole", RoleName="APP", AssumeRolePolicyDocument=TASKS)
    assert (error.code, error.message) == ("EntityAlreadyExists", "Role with name APP already exists.")


def test_roles_are_listed_in_pages_and_by_path(api: Api) -> None:
    for name in ("c", "a", "b"):
        role(api, name, Path="/x/" if name != "b" else "/y/")
    first = api("ListRoles", MaxItems=2)
    assert ([each["RoleName"] for each in first["Roles"]], first["IsTruncated"]) == (["a", "b"], True)
    rest = api("ListRoles", MaxItems=2, Marker=first["Marker"])
    assert ([each["RoleName"] for each in rest["Roles"]], rest["IsTruncated"]) == (["c"], False)
    assert [each["RoleName"] for each in api("ListRoles", PathPrefix="/x/")["Roles"]] == ["a", "c"]
    assert api.error("ListRoles", Marker="nonsense").code == "ValidationError"


def test_inline_policies_are_put_shown_and_deleted(api: Api) -> None:
    role(api)
    api("PutRolePolicy", RoleName="app", PolicyName="own", PolicyDocument=READS)
    found = api("GetRolePolicy", RoleName="app", PolicyName="own")
    assert json.loads(unquote(found["PolicyDocument"])) == json.loads(READS)
    assert api("ListRolePolicies", RoleName="app")["PolicyNames"] == ["own"]
    error = api.error("DeleteRole", RoleName="app")
    assert (error.code, error.message) == ("DeleteConflict", "Cannot delete entity, must delete policies first.")
    api("DeleteRolePolicy", RoleName="app", PolicyName="own")
    for operation in ("GetRolePolicy", "DeleteRolePolicy"):
        error = api.error(operation, RoleName="app", PolicyName="own")
        assert (error.code, error.message) == ("NoSuchEntity", "The role policy with name own cannot be found.")


def test_all_inline_policies_of_a_role_have_a_bound(api: Api) -> None:
    role(api)
    large = document(*(allow("ecs:ListClusters", on=f"arn:aws:ecs:*:*:cluster/{number:04}") for number in range(70)))
    api("PutRolePolicy", RoleName="app", PolicyName="one", PolicyDocument=large)
    error = api.error("PutRolePolicy", RoleName="app", PolicyName="two", PolicyDocument=large)
    assert error.code == "LimitExceeded"
    assert error.message == "Maximum policy size of 10240 bytes exceeded for role app"


def test_managed_policies_are_attached_and_detached(api: Api) -> None:
    role(api)
    api("AttachRolePolicy", RoleName="app", PolicyArn=EXECUTION)
    api("AttachRolePolicy", RoleName="app", PolicyArn=EXECUTION)
    attached = api("ListAttachedRolePolicies", RoleName="app")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AmazonECSTaskExecutionRolePolicy", "PolicyArn": EXECUTION}]
    assert api("ListAttachedRolePolicies", RoleName="app", PathPrefix="/other/")["AttachedPolicies"] == []
    assert api("GetPolicy", PolicyArn=EXECUTION)["Policy"]["AttachmentCount"] == 1
    assert api.error("DeleteRole", RoleName="app").message == "Cannot delete entity, must detach all policies first."
    api("DetachRolePolicy", RoleName="app", PolicyArn=EXECUTION)
    error = api.error("DetachRolePolicy", RoleName="app", PolicyArn=EXECUTION)
    assert (error.code, error.message) == ("NoSuchEntity", f"Policy {EXECUTION} was not found.")


def test_what_is_no_policy_cannot_be_attached(api: Api) -> None:
    role(api)
    own = f"arn:aws:iam::{SCOPE.account}:policy/none"
    error = api.error("AttachRolePolicy", RoleName="app", PolicyArn=own)
    assert (error.code, error.message) == ("NoSuchEntity", f"Policy {own} does not exist or is not attachable.")
    assert api.error("AttachRolePolicy", RoleName="app", PolicyArn="x" * 20).code == "ValidationError"
    assert api.error("AttachRolePolicy", RoleName="app", PolicyArn="arn:aws:iam::aws:policy/a b").code == "NoSuchEntity"


def test_a_policy_of_aws_without_a_document_here_can_be_attached_but_not_read(api: Api) -> None:
    role(api)
    arn = "arn:aws:iam::aws:policy/AmazonKinesisFullAccess"
    api("AttachRolePolicy", RoleName="app", PolicyArn=arn)
    assert api("ListAttachedRolePolicies", RoleName="app")["AttachedPolicies"][0]["PolicyArn"] == arn
    assert "grants nothing" in api.error("GetPolicy", PolicyArn=arn).message
    assert api("ListEntitiesForPolicy", PolicyArn=arn)["PolicyRoles"][0]["RoleName"] == "app"


def test_a_role_has_ten_managed_policies_at_most(api: Api) -> None:
    role(api)
    for number in range(10):
        api("AttachRolePolicy", RoleName="app", PolicyArn=f"arn:aws:iam::aws:policy/P{number}")
    error = api.error("AttachRolePolicy", RoleName="app", PolicyArn=ADMIN)
    assert (error.code, error.message) == ("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")


def test_boundaries_are_put_shown_and_deleted(api: Api) -> None:
    made = role(api, PermissionsBoundary=ADMIN)
    assert made["PermissionsBoundary"]["PermissionsBoundaryArn"] == ADMIN
    api("PutRolePermissionsBoundary", RoleName="app", PermissionsBoundary=EXECUTION)
    assert api("GetRole", RoleName="app")["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == EXECUTION
    assert api("GetPolicy", PolicyArn=EXECUTION)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    api("DeleteRolePermissionsBoundary", RoleName="app")
    assert api.error("DeleteRolePermissionsBoundary", RoleName="app").code == "NoSuchEntity"


def test_tags_are_added_and_removed_and_keys_know_no_case(api: Api) -> None:
    role(api, Tags=[{"Key": "Env", "Value": "a"}])
    api("TagRole", RoleName="app", Tags=[{"Key": "env", "Value": "b"}, {"Key": "x", "Value": ""}])
    tags = api("ListRoleTags", RoleName="app")["Tags"]
    assert tags == [{"Key": "env", "Value": "b"}, {"Key": "x", "Value": ""}]
    api("UntagRole", RoleName="app", TagKeys=["ENV", "none"])
    assert api("ListRoleTags", RoleName="app")["Tags"] == [{"Key": "x", "Value": ""}]
    twice = [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]
    assert api.error("TagRole", RoleName="app", Tags=twice).code == "InvalidInput"
    assert api.error("TagRole", RoleName="app", Tags=[{"Key": "aws:a", "Value": ""}]).code == "InvalidInput"
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert api.error("TagRole", RoleName="app", Tags=many).code == "LimitExceeded"


def test_an_instance_profile_has_one_role(api: Api) -> None:
    role(api)
    role(api, "other")
    made = api("CreateInstanceProfile", InstanceProfileName="host", Tags=[{"Key": "a", "Value": "b"}])
    assert made["InstanceProfile"]["Arn"] == f"arn:aws:iam::{SCOPE.account}:instance-profile/host"
    api("AddRoleToInstanceProfile", InstanceProfileName="host", RoleName="app")
    assert api("GetInstanceProfile", InstanceProfileName="host")["InstanceProfile"]["Roles"][0]["RoleName"] == "app"
    error = api.error("AddRoleToInstanceProfile", InstanceProfileName="host", RoleName="other")
    assert error.message == "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"
    assert len(api("ListInstanceProfilesForRole", RoleName="app")["InstanceProfiles"]) == 1
    assert len(api("ListInstanceProfiles")["InstanceProfiles"]) == 1
    refusal = "Cannot delete entity, must remove roles from instance profile first."
    assert api.error("DeleteInstanceProfile", InstanceProfileName="host").message == refusal
    assert api.error("DeleteRole", RoleName="app").message == refusal
    error = api.error("RemoveRoleFromInstanceProfile", InstanceProfileName="host", RoleName="other")
    assert error.code == "NoSuchEntity"
    api("RemoveRoleFromInstanceProfile", InstanceProfileName="host", RoleName="app")
    api("DeleteRole", RoleName="app")
    api("DeleteInstanceProfile", InstanceProfileName="host")
    error = api.error("GetInstanceProfile", InstanceProfileName="host")
    assert (error.code, error.message) == ("NoSuchEntity", "Instance Profile host cannot be found.")


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:iam::{SCOPE.account}:role/none",
        f"arn:aws:iam::{SCOPE.account}:role/p/app",
        f"arn:aws:iam::{SCOPE.account}:group/team",
        f"arn:aws:sts::{SCOPE.account}:assumed-role/none/s",
        "AROANOBODYXXXXXXXXXXX",
    ],
)
def test_a_trust_policy_names_who_is_there_where_roles_must_exist(api: Api, principal: str) -> None:
    made = role(api)
    api("CreateGroup", GroupName="team")
    user = api("CreateUser", UserName="ann", Path="/p/")["User"]
    session = f"arn:aws:sts::{SCOPE.account}:assumed-role/app/s"
    api("UpdateAssumeRolePolicy", RoleName="app", PolicyDocument=trust(AWS=principal))  # elsewhere they need not
    api.access = Access(api.access.credentials, enforce=True)
    for operation, asked in (
        ("UpdateAssumeRolePolicy", {"RoleName": "app", "PolicyDocument": trust(AWS=[user["Arn"], principal])}),
        ("CreateRole", {"RoleName": "b", "AssumeRolePolicyDocument": trust(AWS=principal)}),
    ):
        error = api.error(operation, **asked)
        assert (error.code, error.message) == (
            "MalformedPolicyDocument",
            f'Invalid principal in policy: "AWS":"{principal}"',
        )
    good = ["*", SCOPE.account, f"arn:aws:iam::{SCOPE.account}:root", made["Arn"], user["Arn"], session]
    for each in (*good, user["UserId"], made["RoleId"]):
        api("UpdateAssumeRolePolicy", RoleName="app", PolicyDocument=trust(AWS=each))
    api("UpdateAssumeRolePolicy", RoleName="app", PolicyDocument=TASKS)


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
        ("ecs.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_ECSService"),
        ("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
        ("something-new.amazonaws.com", "AWSServiceRoleForSomethingNew"),
    ],
)
def test_a_service_linked_role_belongs_to_its_service(api: Api, service: str, name: str) -> None:
    made = api("CreateServiceLinkedRole", AWSServiceName=service)["Role"]
    assert made["Arn"] == f"arn:aws:iam::{SCOPE.account}:role/aws-service-role/{service}/{name}"
    error = api.error("CreateServiceLinkedRole", AWSServiceName=service)
    assert (error.code, "has been taken in this account" in error.message) == ("InvalidInput", True)
    assert api.error("DeleteRole", RoleName=name).code == "UnmodifiableEntity"
    assert api.error("AttachRolePolicy", RoleName=name, PolicyArn=ADMIN).code == "UnmodifiableEntity"
    api("TagRole", RoleName=name, Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}])
    api("UntagRole", RoleName=name, TagKeys=["c"])
    assert api("ListRoleTags", RoleName=name)["Tags"] == [{"Key": "a", "Value": "b"}]
    api("UpdateRole", RoleName=name, Description="another")
    assert api("GetRole", RoleName=name)["Role"]["Description"] == "another"
    assert api.error("UpdateRole", RoleName=name, MaxSessionDuration=7200).code == "UnmodifiableEntity"
    task = api("DeleteServiceLinkedRole", RoleName=name)["DeletionTaskId"]
    assert api("GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert api("ListRoles")["Roles"] == []


def test_only_some_services_take_a_suffix_and_only_linked_roles_are_deleted_so(api: Api) -> None:
    made = api("CreateServiceLinkedRole", AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="x")["Role"]
    assert made["RoleName"] == "AWSServiceRoleForAutoScaling_x"
    error = api.error("CreateServiceLinkedRole", AWSServiceName="ecs.amazonaws.com", CustomSuffix="x")
    assert error.message == "Custom suffix is not allowed for ecs.amazonaws.com"
    assert api.error("CreateServiceLinkedRole", AWSServiceName="ecs").code == "InvalidInput"
    role(api)
    assert api.error("DeleteServiceLinkedRole", RoleName="app").code == "NoSuchEntity"
    assert api.error("GetServiceLinkedRoleDeletionStatus", DeletionTaskId="x").code == "NoSuchEntity"
    error = api.error("CreateRole", RoleName="y", AssumeRolePolicyDocument=TASKS, Path="/aws-service-role/x/")
    assert error.code == "ValidationError"
