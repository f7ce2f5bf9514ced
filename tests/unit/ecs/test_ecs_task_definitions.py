"""Task definitions through their handlers: what is kept, what is answered, and a revision's life."""

from typing import Any

import pytest

from longshore.api.ecs import task_definitions
from tests.support.api import ME, Api

PREFIX = "arn:aws:ecs:us-east-1:123456789012:task-definition/"
APP = {"name": "app", "image": "busybox", "memory": 64}


@pytest.fixture
def api() -> Api:
    return Api(task_definitions.OPERATIONS)


def register(api: Api, family: str = "web", **document: Any) -> dict[str, Any]:
    document.setdefault("containerDefinitions", [APP])
    definition: dict[str, Any] = api("RegisterTaskDefinition", family=family, **document)["taskDefinition"]
    return definition


def test_the_least_definition_is_answered_with_its_defaults(api: Api) -> None:
    assert register(api) == {
        "taskDefinitionArn": PREFIX + "web:1",
        "family": "web",
        "revision": 1,
        "status": "ACTIVE",
        "registeredAt": api.now,
        "registeredBy": ME,
        "networkMode": "bridge",
        "containerDefinitions": [
            {
                "name": "app",
                "image": "busybox",
                "memory": 64,
                "cpu": 0,
                "essential": True,
                "portMappings": [],
                "environment": [],
                "mountPoints": [],
                "volumesFrom": [],
                "systemControls": [],
            }
        ],
        "volumes": [],
        "placementConstraints": [],
        "requiresAttributes": [],
        "compatibilities": ["EXTERNAL", "EC2"],
    }


def test_a_fargate_definition_is_compatible_with_fargate(api: Api) -> None:
    made = register(api, networkMode="awsvpc", cpu=".25 vCPU", memory="0.5 GB", requiresCompatibilities=["FARGATE"])
    assert (made["cpu"], made["memory"]) == ("256", "512")
    assert made["compatibilities"] == ["EC2", "MANAGED_INSTANCES", "FARGATE"]
    assert made["requiresCompatibilities"] == ["FARGATE"]
    assert made["requiresAttributes"] == [
        {"name": "ecs.capability.task-cpu-mem-limit"},
        {"name": "ecs.capability.task-eni"},
    ]


def test_a_size_that_fargate_does_not_have_still_registers_for_ec2(api: Api) -> None:
    made = register(api, networkMode="awsvpc", cpu="300", memory="512")
    assert made["compatibilities"] == ["EC2", "MANAGED_INSTANCES"]


@pytest.mark.parametrize(("mode", "host_port"), [("awsvpc", 80), ("host", 80), ("bridge", 0)])
def test_host_ports_are_echoed(api: Api, mode: str, host_port: int) -> None:
    container = {**APP, "portMappings": [{"containerPort": 80}]}
    made = register(api, networkMode=mode, containerDefinitions=[container])
    assert made["containerDefinitions"][0]["portMappings"] == [
        {"containerPort": 80, "hostPort": host_port, "protocol": "tcp"}
    ]


def test_a_port_range_keeps_its_form(api: Api) -> None:
    container = {**APP, "portMappings": [{"containerPortRange": "8000-8010", "protocol": "udp"}]}
    made = register(api, containerDefinitions=[container])
    assert made["containerDefinitions"][0]["portMappings"] == [{"containerPortRange": "8000-8010", "protocol": "udp"}]
    assert {"name": "ecs.capability.network.container-port-range"} in made["requiresAttributes"]


def test_health_checks_and_volumes_get_their_defaults(api: Api) -> None:
    container = {
        **APP,
        "healthCheck": {"command": ["CMD", "true"], "retries": 5},
        "mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}],
    }
    volumes = [{"name": "v"}, {"name": "e", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]
    made = register(api, containerDefinitions=[container], volumes=volumes)
    assert made["containerDefinitions"][0]["healthCheck"] == {
        "command": ["CMD", "true"],
        "interval": 30,
        "timeout": 5,
        "retries": 5,
    }
    assert made["volumes"] == [
        {"name": "v", "host": {}},
        {"name": "e", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "/"}},
    ]


def test_role_names_become_arns(api: Api) -> None:
    made = register(api, taskRoleArn="worker", executionRoleArn="arn:aws:iam::123456789012:role/exec")
    assert made["taskRoleArn"] == "arn:aws:iam::123456789012:role/worker"
    assert made["executionRoleArn"] == "arn:aws:iam::123456789012:role/exec"


def test_attributes_say_what_an_agent_must_be_able_to_do(api: Api) -> None:
    container = {
        **APP,
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1",
        "memoryReservation": 32,
        "healthCheck": {"command": ["CMD-SHELL", "true"]},
        "linuxParameters": {"initProcessEnabled": True},
        "privileged": True,
        "stopTimeout": 5,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "g", "awslogs-region": "r"},
            "secretOptions": [{"name": "t", "valueFrom": "parameter"}],
        },
        "secrets": [{"name": "S", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"}],
        "restartPolicy": {"enabled": True},
    }
    made = register(
        api,
        networkMode="host",
        taskRoleArn="worker",
        executionRoleArn="e",
        pidMode="host",
        containerDefinitions=[container],
    )
    assert [attribute["name"] for attribute in made["requiresAttributes"]] == [
        "com.amazonaws.ecs.capability.docker-remote-api.1.18",
        "com.amazonaws.ecs.capability.docker-remote-api.1.19",
        "com.amazonaws.ecs.capability.docker-remote-api.1.21",
        "com.amazonaws.ecs.capability.docker-remote-api.1.25",
        "com.amazonaws.ecs.capability.ecr-auth",
        "com.amazonaws.ecs.capability.logging-driver.awslogs",
        "com.amazonaws.ecs.capability.privileged-container",
        "com.amazonaws.ecs.capability.task-iam-role-network-host",
        "ecs.capability.container-health-check",
        "ecs.capability.container-ordering",
        "ecs.capability.container-restart-policy",
        "ecs.capability.execution-role-awslogs",
        "ecs.capability.execution-role-ecr-pull",
        "ecs.capability.pid-ipc-namespace-sharing",
        "ecs.capability.secrets.asm.environment-variables",
        "ecs.capability.secrets.ssm.bootstrap.log-driver",
    ]


def test_what_is_not_served_registers_all_the_same(api: Api) -> None:
    container = {**APP, "secrets": [{"name": "S", "valueFrom": "p"}], "versionConsistency": "disabled"}
    made = register(api, containerDefinitions=[container], enableFaultInjection=True)
    assert made["containerDefinitions"][0]["versionConsistency"] == "disabled"
    assert made["enableFaultInjection"] is True


def test_tags_stand_beside_the_definition(api: Api) -> None:
    tags = [{"key": "a", "value": "b"}]
    made = api("RegisterTaskDefinition", family="web", containerDefinitions=[APP], tags=tags)
    assert made["tags"] == tags
    assert "tags" not in made["taskDefinition"]
    assert "tags" not in api("DescribeTaskDefinition", taskDefinition="web")
    assert api("DescribeTaskDefinition", taskDefinition="web", include=["TAGS"])["tags"] == tags


def test_an_empty_list_of_tags_is_refused(api: Api) -> None:
    error = api.error("RegisterTaskDefinition", family="web", containerDefinitions=[APP], tags=[])
    assert (error.code, error.message) == ("InvalidParameterException", "Tags can not be empty")


def test_describe_answers_what_register_did(api: Api) -> None:
    made = register(api)
    for reference in ("web", "web:1", PREFIX + "web:1"):
        assert api("DescribeTaskDefinition", taskDefinition=reference)["taskDefinition"] == made


def test_a_family_is_its_latest_active_revision(api: Api) -> None:
    for _ in range(3):
        register(api)
    assert api("DescribeTaskDefinition", taskDefinition="web")["taskDefinition"]["revision"] == 3
    api("DeregisterTaskDefinition", taskDefinition="web:3")
    assert api("DescribeTaskDefinition", taskDefinition="web")["taskDefinition"]["revision"] == 2
    assert api("DescribeTaskDefinition", taskDefinition="web:3")["taskDefinition"]["status"] == "INACTIVE"
    for revision in (1, 2):
        api("DeregisterTaskDefinition", taskDefinition=f"web:{revision}")
    assert api.error("DescribeTaskDefinition", taskDefinition="web").message == "Unable to describe task definition."


@pytest.mark.parametrize(
    "reference",
    [
        "nope",
        "web:2",
        "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1",
        "arn:aws:ecs:us-east-1:123456789012:cluster/web",
    ],
)
def test_unknown_definitions_can_not_be_described(api: Api, reference: str) -> None:
    register(api)
    error = api.error("DescribeTaskDefinition", taskDefinition=reference)
    assert (error.code, error.message) == ("ClientException", "Unable to describe task definition.")


@pytest.mark.parametrize("reference", ["web:x", "web:0", "web:-1", "web:", "web:1:2", "web:99999999999", ""])
def test_bad_references_are_refused(api: Api, reference: str) -> None:
    register(api)
    assert api.error("DescribeTaskDefinition", taskDefinition=reference).code == "InvalidParameterException"


def test_revisions_are_never_used_again(api: Api) -> None:
    assert [register(api)["revision"] for _ in range(2)] == [1, 2]
    for revision in (1, 2):
        api("DeregisterTaskDefinition", taskDefinition=f"web:{revision}")
    api("DeleteTaskDefinitions", taskDefinitions=["web:1", "web:2"])
    assert register(api)["revision"] == 3
    assert register(api, family="other")["revision"] == 1


def test_deregister_keeps_the_revision_as_inactive(api: Api) -> None:
    register(api)
    api.now += 5
    gone = api("DeregisterTaskDefinition", taskDefinition="web:1")["taskDefinition"]
    assert (gone["status"], gone["deregisteredAt"]) == ("INACTIVE", api.now)


@pytest.mark.parametrize(
    ("reference", "code", "text"),
    [
        ("web", "InvalidParameterException", "Missing revision"),
        ("web:9", "ClientException", "The specified task definition does not exist."),
        ("web:1", "ClientException", "The specified task definition is inactive."),
    ],
)
def test_deregister_refuses(api: Api, reference: str, code: str, text: str) -> None:
    register(api)
    api("DeregisterTaskDefinition", taskDefinition="web:1")
    error = api.error("DeregisterTaskDefinition", taskDefinition=reference)
    assert (error.code, error.message) == (code, text)


def test_delete_marks_inactive_revisions_and_names_the_others(api: Api) -> None:
    for _ in range(2):
        register(api)
    api("DeregisterTaskDefinition", taskDefinition="web:1")
    answer = api("DeleteTaskDefinitions", taskDefinitions=["web:1", "web:2", "web:3", "web", PREFIX + "web:1"])
    (deleted,) = answer["taskDefinitions"]
    assert (deleted["revision"], deleted["status"], deleted["deleteRequestedAt"]) == (1, "DELETE_IN_PROGRESS", api.now)
    assert {failure["arn"]: failure["reason"] for failure in answer["failures"]} == {
        PREFIX + "web:2": (
            "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
        ),
        PREFIX + "web:3": (
            "The specified task definition does not exist. Specify a valid account, family, revision and try again."
        ),
        PREFIX + "web": (
            "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
        ),
    }


@pytest.mark.parametrize("count", [0, 11])
def test_delete_takes_one_to_ten(api: Api, count: int) -> None:
    names = [f"web:{n + 1}" for n in range(count)]
    assert api.error("DeleteTaskDefinitions", taskDefinitions=names).code == "InvalidParameterException"


def arns(api: Api, **params: Any) -> list[str]:
    return [arn.removeprefix(PREFIX) for arn in api("ListTaskDefinitions", **params)["taskDefinitionArns"]]


def test_list_sorts_by_family_and_number(api: Api) -> None:
    for _ in range(11):
        register(api, family="b")
    for family in ("a-b", "a", "B"):
        register(api, family=family)
    api("DeregisterTaskDefinition", taskDefinition="b:3")
    listed = ["B:1", "a:1", "a-b:1", *(f"b:{n}" for n in range(1, 12) if n != 3)]
    assert arns(api) == listed
    assert arns(api, sort="DESC") == listed[::-1]
    assert arns(api, status="INACTIVE") == ["b:3"]
    assert arns(api, familyPrefix="a") == ["a:1"]
    assert arns(api, familyPrefix="b", status="INACTIVE") == ["b:3"]


@pytest.mark.parametrize("sort", ["ASC", "DESC"])
def test_list_pages(api: Api, sort: str) -> None:
    for _ in range(5):
        register(api)
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = api("ListTaskDefinitions", maxResults=2, sort=sort, **token)
        seen += answer["taskDefinitionArns"]
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert seen == [PREFIX + f"web:{n}" for n in (range(1, 6) if sort == "ASC" else range(5, 0, -1))]


def test_families_are_listed_by_prefix_and_status(api: Api) -> None:
    for family in ("web", "web-two", "job"):
        register(api, family=family)
    api("DeregisterTaskDefinition", taskDefinition="job:1")
    assert api("ListTaskDefinitionFamilies")["families"] == ["job", "web", "web-two"]
    assert api("ListTaskDefinitionFamilies", status="ACTIVE")["families"] == ["web", "web-two"]
    assert api("ListTaskDefinitionFamilies", status="INACTIVE")["families"] == ["job"]
    assert api("ListTaskDefinitionFamilies", familyPrefix="web-")["families"] == ["web-two"]
