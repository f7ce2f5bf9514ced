"""Roles, users and policies for tests: documents, and what `house` has of IAM."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from longshore.domain.iam import AccessKey, Group, IdentityProvider, InstanceProfile, Policy, Role, User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longshore.store.store import Store
    from tests.support.house import House


def document(*statements: Mapping[str, Any]) -> str:
    """A policy document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, on: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that denies."""
    return {**allow(*actions, on=on, **more), "Effect": "Deny"}


def trust(*more: str, **principal: str | list[str]) -> str:
    """A document that lets somebody assume a role, and do more with it: `trust(Service="ecs-tasks.amazonaws.com")`."""
    return document({"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", *more]})


READS = document(allow("ecs:List*", "ecs:Describe*"))
TASKS = trust(Service="ecs-tasks.amazonaws.com")


async def furnish(house: House) -> None:
    """A few of everything."""
    made = await house.ok("iam", "CreatePolicy", PolicyName="reads", PolicyDocument=READS)
    arn = made["Policy"]["Arn"]
    await house.ok("iam", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=READS)
    for name in ("app", "bare"):
        await house.ok("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=TASKS)
    await house.ok("iam", "PutRolePolicy", RoleName="app", PolicyName="own", PolicyDocument=READS)
    await house.ok("iam", "AttachRolePolicy", RoleName="app", PolicyArn=arn)
    await house.ok("iam", "CreateInstanceProfile", InstanceProfileName="host")
    await house.ok("iam", "AddRoleToInstanceProfile", InstanceProfileName="host", RoleName="app")
    await house.ok("iam", "CreateServiceLinkedRole", AWSServiceName="ecs.amazonaws.com")
    await house.ok("iam", "CreateGroup", GroupName="team")
    for name in ("ann", "bob"):
        await house.ok("iam", "CreateUser", UserName=name)
    await house.ok("iam", "AddUserToGroup", GroupName="team", UserName="ann")
    await house.ok("iam", "PutUserPolicy", UserName="ann", PolicyName="own", PolicyDocument=READS)
    await house.ok("iam", "CreateAccessKey", UserName="ann")
    await house.ok("iam", "CreateOpenIDConnectProvider", Url="https://id.example", ClientIDList=["a"])


def known(store: Store) -> dict[str, list[str]]:
    """Names of what exists, by the members that take them (in small letters)."""
    roles = list(store.all(Role))
    policies = [policy.arn for policy in store.all(Policy)]
    return {
        "rolename": [role.name for role in roles],
        "rolearn": [role.arn for role in roles],
        "username": [user.name for user in store.all(User)],
        "groupname": [group.name for group in store.all(Group)],
        "policyname": ["own", "reads"],
        "policyarn": [*policies, "arn:aws:iam::aws:policy/AdministratorAccess"],
        "policysourcearn": [each.arn for each in (*roles, *store.all(User), *store.all(Group))],
        "permissionsboundary": policies,
        "policydocument": [READS],
        "assumerolepolicydocument": [TASKS],
        "versionid": ["v1", "v2"],
        "instanceprofilename": [profile.name for profile in store.all(InstanceProfile)],
        "openidconnectproviderarn": [each.arn for each in store.all(IdentityProvider)],
        "accesskeyid": [key.access_key_id for key in store.all(AccessKey)],
        "awsservicename": ["ecs.amazonaws.com", "autoscaling.amazonaws.com"],
    }


EXAMPLES: dict[str, dict[str, Any]] = {
    "CreateOpenIDConnectProvider": {"Url": "https://other.example", "ThumbprintList": ["0" * 40]},
    "UpdateOpenIDConnectProviderThumbprint": {"ThumbprintList": ["0" * 40]},
    "UpdateAssumeRolePolicy": {"PolicyDocument": TASKS},
    "CreateServiceLinkedRole": {"AWSServiceName": "autoscaling.amazonaws.com"},
    "SimulatePrincipalPolicy": {"ActionNames": ["ecs:ListClusters"], "ResourceArns": ["*"]},
    "SimulateCustomPolicy": {"ActionNames": ["ecs:ListClusters"], "ResourceArns": ["*"], "PolicyInputList": [READS]},
    "GetContextKeysForCustomPolicy": {"PolicyInputList": [READS]},
    "DeleteServiceLinkedRole": {"RoleName": "AWSServiceRoleForECS"},
    "GetServiceLinkedRoleDeletionStatus": {
        "DeletionTaskId": "task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/11111111-2222-4333-8444-5555"
    },
}
"""What an operation takes that hardly takes anything drawn at random."""
