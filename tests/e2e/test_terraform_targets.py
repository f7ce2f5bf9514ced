"""Terraform: target groups and their targets are applied, changed, destroyed; the plan after each apply is empty."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from tests.support import terraform
from tests.support.server import REGION, Server

if TYPE_CHECKING:
    pass

PROJECT = Path(__file__).parent / "terraform" / "targets.tf"

pytestmark = terraform.NEEDED


def test_target_groups_are_applied_changed_and_destroyed(simulated: Server, tmp_path: Path) -> None:
    project = terraform.Terraform(tmp_path / "project", simulated.environment())
    shutil.copy(PROJECT, project.folder)
    project.init()
    elb = boto3.client(
        "elbv2",
        endpoint_url=simulated.url,
        region_name=REGION,
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106  nobody signs here
    )
    project.apply()
    assert project.changes() == ""
    raw = elb.describe_target_groups(Names=["raw"])["TargetGroups"][0]
    registered = elb.describe_target_health(TargetGroupArn=raw["TargetGroupArn"])["TargetHealthDescriptions"]
    assert sorted(each["Target"]["Port"] for each in registered) == [5432, 5433]
    project.apply(interval="20")
    assert project.changes() == ""
    (web,) = elb.describe_target_groups(Names=["web"])["TargetGroups"]
    assert web["HealthCheckIntervalSeconds"] == 20
    project.destroy()
    assert elb.describe_target_groups()["TargetGroups"] == []
