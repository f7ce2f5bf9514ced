"""Terraform: the project of examples/terraform-ecs, with more beside it, is applied, changed, and destroyed.

`terraform/beside.tf` adds what users write and the example does not: every served field of a task definition, services
with nothing but the necessary and with everything, data sources. An empty plan after each apply says that all of it is
read back as it was written.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import terraform
from tests.support.server import ACCOUNT, Server, until

if TYPE_CHECKING:
    pass

EXAMPLE = Path(__file__).parents[2] / "examples" / "terraform-ecs"
BESIDE = Path(__file__).parent / "terraform" / "beside.tf"

pytestmark = terraform.NEEDED


@pytest.fixture
def project(tmp_path: Path, simulated: Server) -> terraform.Terraform:
    made = terraform.Terraform(tmp_path / "project", simulated.environment())
    for source in (*EXAMPLE.glob("*.tf"), BESIDE):
        shutil.copy(source, made.folder)
    made.init()
    return made


def service(server: Server, name: str) -> dict[str, Any]:
    found = server.ecs.describe_services(cluster="example", services=[name], include=["TAGS"])["services"]
    shown: dict[str, Any] = found[0]
    return shown


def web_definition(server: Server) -> dict[str, Any]:
    arn = service(server, "web")["taskDefinition"]
    found: dict[str, Any] = server.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return found


def greeting(definition: dict[str, Any]) -> str:
    containers = {container["name"]: container for container in definition["containerDefinitions"]}
    variables: dict[str, str] = {pair["name"]: pair["value"] for pair in containers["writer"]["environment"]}
    return variables["GREETING"]


def test_project_is_applied_changed_and_destroyed_with_empty_plans_between(
    simulated: Server, project: terraform.Terraform
) -> None:
    project.apply()
    assert project.changes() == ""
    assert service(simulated, "web")["runningCount"] == 2
    # Terraform waits for the tasks to run, not for them to be healthy.
    until(lambda: service(simulated, "web")["deployments"][0]["rolloutState"] == "COMPLETED", "the rollout to complete")
    worker_tags = [{"key": "Owner", "value": "platform"}]
    assert service(simulated, "worker")["tags"] == worker_tags
    outputs = project.outputs()
    (vpc,) = simulated.client("ec2").describe_vpcs()["Vpcs"]
    assert (outputs["account"], outputs["vpc"], len(outputs["subnets"])) == (ACCOUNT, vpc["VpcId"], 3)
    assert outputs["main_route_table"].startswith("rtb-")

    project.apply(greeting="Welcome", tasks="3", stage="prod", retention_in_days="30")
    changed = service(simulated, "web")
    assert (changed["runningCount"], len(changed["deployments"])) == (3, 1)
    assert changed["tags"] == [{"key": "Stage", "value": "prod"}]
    definition = web_definition(simulated)
    assert (definition["revision"], greeting(definition)) == (2, "Welcome")

    simulated.restart(kill=True)
    assert project.changes() == ""
    assert service(simulated, "worker")["tags"] == worker_tags
    assert service(simulated, "web")["runningCount"] == 3

    project.destroy()
    assert project.resources() == []
    see_nothing_left(simulated)


def see_nothing_left(server: Server) -> None:
    """Only INACTIVE records, which ECS keeps too."""
    ecs, ec2 = server.ecs, server.client("ec2")
    assert ecs.list_clusters()["clusterArns"] == []
    (cluster,) = ecs.describe_clusters(clusters=["example"])["clusters"]
    counts = {name: count for name, count in cluster.items() if name.endswith("Count")}
    assert (cluster["status"], set(counts.values())) == ("INACTIVE", {0})
    assert ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"] == []
    assert len(ecs.list_task_definitions(status="INACTIVE", familyPrefix="example-web")["taskDefinitionArns"]) == 2
    assert server.client("logs").describe_log_groups()["logGroups"] == []
    until(lambda: not ec2.describe_network_interfaces()["NetworkInterfaces"], "the tasks' interfaces to be gone")
