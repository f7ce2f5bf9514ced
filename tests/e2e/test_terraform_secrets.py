"""Terraform: keys, secrets and parameters are applied, changed, destroyed; plans are empty; a task runs with them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support import terraform
from tests.support.server import Server

PROJECT = Path(__file__).parent / "terraform" / "secrets.tf"

pytestmark = terraform.NEEDED


def test_secrets_are_applied_changed_and_destroyed(simulated: Server, tmp_path: Path) -> None:
    project = terraform.Terraform(tmp_path / "project", simulated.environment())
    shutil.copy(PROJECT, project.folder)
    project.init()
    project.apply()
    assert project.changes() == ""

    outputs = project.outputs()
    assert outputs["image"].startswith("ami-")
    assert (outputs["read"], outputs["secure"]) == ("one", "one")
    assert outputs["names"] == ["/tf/keyed", "/tf/level", "/tf/secure"]
    kms, manager, ssm = (simulated.client(name) for name in ("kms", "secretsmanager", "ssm"))
    key = kms.describe_key(KeyId="alias/tf")["KeyMetadata"]
    assert (key["KeyId"], key["Description"]) == (outputs["own_key"], "first")
    assert kms.describe_key(KeyId=outputs["managed_key"])["KeyMetadata"]["KeyManager"] == "AWS"
    asked = {"taskDefinition": outputs["task_definition"], "cluster": "tf", "launchType": "FARGATE"}
    ran = simulated.ecs.run_task(**asked, networkConfiguration=simulated.network)
    task = ran["tasks"][0]["taskArn"]
    waiter = simulated.ecs.get_waiter("tasks_running")
    waiter.wait(cluster="tf", tasks=[task], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    simulated.ecs.stop_task(cluster="tf", task=task)

    simulated.restart(kill=True)
    assert project.changes() == ""
    project.apply(word="two", description="second", level="debug")
    assert project.changes() == ""
    assert manager.get_secret_value(SecretId="tf/db", VersionStage="AWSPREVIOUS")["SecretString"].count("one") == 1
    assert project.outputs()["read"] == "two"
    assert ssm.get_parameter(Name="/tf/keyed", WithDecryption=True)["Parameter"]["Version"] == 2
    assert kms.describe_key(KeyId="alias/tf")["KeyMetadata"]["Description"] == "second"

    project.destroy()
    assert [each["Name"] for each in manager.list_secrets()["SecretList"]] == []
    assert ssm.describe_parameters()["Parameters"] == []
    states = [kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"] for each in kms.list_keys()["Keys"]]
    assert {state["KeyState"] for state in states if state["KeyManager"] == "CUSTOMER"} == {"PendingDeletion"}
