"""Terraform: roles, policies, users and keys are applied, changed, destroyed; plans are empty; the keys work."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.support import terraform
from tests.support.server import ACCOUNT, Server

PROJECT = Path(__file__).parent / "terraform" / "iam.tf"

pytestmark = terraform.NEEDED


def test_roles_policies_and_keys_are_applied_changed_and_destroyed(simulated: Server, tmp_path: Path) -> None:
    project = terraform.Terraform(tmp_path / "project", simulated.environment())
    shutil.copy(PROJECT, project.folder)
    project.init()
    project.apply()
    assert project.changes() == ""

    iam = simulated.client("iam")
    outputs = project.outputs()
    assert outputs["task_role"] == f"arn:aws:iam::{ACCOUNT}:role/app/tf-task"
    assert iam.get_policy(PolicyArn=outputs["policy"])["Policy"]["DefaultVersionId"] == "v1"
    keys = {"aws_access_key_id": outputs["key"], "aws_secret_access_key": outputs["secret"]}
    assert simulated.client("sts", **keys).get_caller_identity()["Arn"].endswith("user/robots/tf-ci")
    assert simulated.client("ecs", **keys).list_clusters()["clusterArns"] == []
    with pytest.raises(ClientError, match="is not authorized to perform: ecs:CreateCluster"):
        simulated.client("ecs", **keys).create_cluster()

    simulated.restart(kill=True)
    assert project.changes() == ""
    project.apply(action="ecs:DescribeClusters", description="changed", session="7200")
    assert project.changes() == ""
    version = iam.get_policy(PolicyArn=outputs["policy"])["Policy"]["DefaultVersionId"]
    assert version != "v1"
    found = iam.get_policy_version(PolicyArn=outputs["policy"], VersionId=version)["PolicyVersion"]["Document"]
    assert "ecs:DescribeClusters" in json.dumps(found)
    assert iam.get_role(RoleName="tf-task")["Role"]["MaxSessionDuration"] == 7200

    project.destroy()
    for operation, member in (
        ("list_roles", "Roles"),
        ("list_users", "Users"),
        ("list_groups", "Groups"),
        ("list_instance_profiles", "InstanceProfiles"),
        ("list_account_aliases", "AccountAliases"),
        ("list_open_id_connect_providers", "OpenIDConnectProviderList"),
    ):
        assert getattr(iam, operation)()[member] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []
    with pytest.raises(ClientError, match="cannot be found"):
        iam.get_account_password_policy()
