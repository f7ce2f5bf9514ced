"""Terraform: repositories with their policies are applied, changed, destroyed; every plan after an apply is empty."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.support import terraform
from tests.support.server import ACCOUNT, REGION, Server

PROJECT = Path(__file__).parent / "terraform" / "repositories.tf"

pytestmark = terraform.NEEDED


def test_repositories_are_applied_changed_and_destroyed(simulated: Server, tmp_path: Path) -> None:
    project = terraform.Terraform(tmp_path / "project", simulated.environment())
    shutil.copy(PROJECT, project.folder)
    project.init()
    project.apply()
    assert project.changes() == ""
    outputs = project.outputs()
    assert outputs == {
        "repository_url": f"{simulated.registry_host}/{ACCOUNT}/{REGION}/team/app",
        "user": "AWS",
        "endpoint": f"http://{simulated.registry_host}",
    }
    ecr = simulated.client("ecr")
    found = ecr.describe_repositories(repositoryNames=["team/app"])["repositories"][0]
    assert found["encryptionConfiguration"]["encryptionType"] == "KMS"
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    policy = json.loads(ecr.get_lifecycle_policy(repositoryName="team/app")["lifecyclePolicyText"])
    assert [rule["selection"]["countNumber"] for rule in policy["rules"]] == [14, 10]

    project.apply(mutability="IMMUTABLE", kept="3", team="two")
    assert project.changes() == ""
    found = ecr.describe_repositories(repositoryNames=["team/app"])["repositories"][0]
    assert found["imageTagMutability"] == "IMMUTABLE"
    assert ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"] == [{"Key": "Team", "Value": "two"}]

    simulated.restart(kill=True)
    assert project.changes() == ""
    project.destroy()
    assert ecr.describe_repositories()["repositories"] == []
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}
