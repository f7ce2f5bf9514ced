"""RunTask, StopTask, DescribeTasks and ListTasks, as callers see them."""

from typing import Any

import pytest

from longshore.api.ecs import tasks
from longshore.decide.ecs import task as life
from longshore.domain.ec2.network import SecurityGroup, Subnet, Vpc
from longshore.domain.ecs.cluster import HOST_KEY, Cluster, Host
from longshore.domain.ecs.task import Task
from tests.support.api import SCOPE, Api, awsvpc
from tests.support.shapes import has_input

PLACE: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region}


@pytest.fixture
def api() -> Api:
    made = Api(tasks.OPERATIONS)
    made.define()
    return made


def run(api: Api, **params: Any) -> list[dict[str, Any]]:
    answer = api("RunTask", **{"taskDefinition": "web", "networkConfiguration": awsvpc(), **params})
    assert answer["failures"] == []
    tasks_run: list[dict[str, Any]] = answer["tasks"]
    return tasks_run


def record(api: Api, arn: str) -> Task:
    found = api.store.get(Task, (*SCOPE, "default", arn.rpartition("/")[2]))
    assert found is not None
    return found


def end(api: Api, arn: str) -> None:
    """A task whose life is over."""
    task = life.stopping(
        life.request_stop(record(api, arn), "EssentialContainerExited", "It ended."), api.now, withdrawn=True
    )
    while task.last_status == "STOPPING":
        task = life.move(task, "ended")
    api.put(life.released(task, api.now))


# RunTask


def test_run_task_answers_at_once_in_provisioning_with_every_container_in_overrides(api: Api) -> None:
    api.define(
        containerDefinitions=[{"name": "app", "image": "a", "cpu": 64}, {"name": "log", "image": "b", "memory": 64}]
    )
    [task] = run(api, overrides={"containerOverrides": [{"name": "log", "command": ["tail"], "memory": 128}]})
    assert task["lastStatus"] == "PROVISIONING"
    assert task["desiredStatus"] == "RUNNING"
    assert task["taskArn"].startswith("arn:aws:ecs:us-east-1:123456789012:task/default/")
    assert task["overrides"] == {
        "containerOverrides": [{"name": "app"}, {"name": "log", "command": ["tail"], "memory": 128}],
        "inferenceAcceleratorOverrides": [],
    }
    [attachment] = task["attachments"]
    assert (attachment["type"], attachment["status"]) == ("ElasticNetworkInterface", "PRECREATED")
    assert [detail["name"] for detail in attachment["details"]] == ["subnetId"]
    assert [c["lastStatus"] for c in task["containers"]] == ["PENDING", "PENDING"]
    assert [(c["cpu"], c.get("memory")) for c in task["containers"]] == [("64", None), ("0", "128")]
    assert (task["cpu"], task["memory"]) == ("256", "512")
    assert (task["launchType"], task["platformVersion"], task["platformFamily"]) == ("FARGATE", "1.4.0", "Linux")
    assert task["ephemeralStorage"] == {"sizeInGiB": 20}
    assert task["group"] == "family:web"
    assert "connectivity" not in task
    assert "startedBy" not in task


def test_run_task_keeps_group_and_started_by_and_spreads_over_subnets(api: Api) -> None:
    made = run(api, count=4, group="batch", startedBy="me/too_1")
    assert {task["group"] for task in made} == {"batch"}
    assert {task["startedBy"] for task in made} == {"me/too_1"}
    subnets = sorted(task["attachments"][0]["details"][0]["value"] for task in made)
    assert subnets == ["subnet-a", "subnet-a", "subnet-b", "subnet-b"]
    assert {task["availabilityZone"] for task in made} == {"us-east-1a", "us-east-1b"}


def test_run_task_gives_the_default_security_group_where_none_is_named(api: Api) -> None:
    [task] = run(api)
    assert record(api, task["taskArn"]).network_configuration["awsvpcConfiguration"]["securityGroups"] == ["sg-default"]


def test_run_task_tags_come_from_the_definition_the_caller_and_ecs(api: Api) -> None:
    api.put(api.define().but(tags={"team": "a", "tier": "web"}))
    [task] = run(api, tags=[{"key": "team", "value": "b"}], propagateTags="TASK_DEFINITION", enableECSManagedTags=True)
    tags = {tag["key"]: tag["value"] for tag in task["tags"]}
    assert tags == {"team": "b", "tier": "web", "aws:ecs:clusterName": "default"}


def test_run_task_places_what_fits_and_names_what_does_not(api: Api) -> None:
    api.put(Host(account="", region="", cpu_units=600, memory_mib=65536))
    answer = api("RunTask", taskDefinition="web", networkConfiguration=awsvpc(), count=3)
    assert len(answer["tasks"]) == 2
    [failure] = answer["failures"]
    assert failure["reason"] == "RESOURCE:CPU"
    assert "needs 256 CPU units" in failure["detail"]
    assert "88 CPU units" in failure["detail"]


def test_run_task_fails_for_memory_when_memory_is_short(api: Api) -> None:
    api.put(Host(account="", region="", cpu_units=65536, memory_mib=100))
    answer = api("RunTask", taskDefinition="web", networkConfiguration=awsvpc())
    assert (answer["tasks"], answer["failures"][0]["reason"]) == ([], "RESOURCE:MEMORY")


def test_run_task_says_so_while_the_machine_is_unknown(api: Api) -> None:
    with api.transaction() as tx:
        tx.delete(Host, HOST_KEY)
    [failure] = api("RunTask", taskDefinition="web", networkConfiguration=awsvpc())["failures"]
    assert "Try again" in failure["detail"]


def test_run_task_reserves_what_overrides_ask_for(api: Api) -> None:
    [task] = run(api, overrides={"cpu": "512", "memory": "1 GB"})
    assert (task["cpu"], task["memory"]) == ("512", "1024")


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"taskDefinition": "nope"}, "ClientException", "TaskDefinition not found."),
        ({"cluster": "nope"}, "ClusterNotFoundException", "Cluster not found."),
        ({"count": 0}, "InvalidParameterException", "between 1 and 10"),
        ({"count": 11}, "InvalidParameterException", "between 1 and 10"),
        ({"launchType": "EC2"}, "InvalidParameterException", "Only the launch type FARGATE is served yet"),
        ({"launchType": "EXTERNAL"}, "InvalidParameterException", "Only the launch type FARGATE is served yet"),
        ({"platformVersion": "9.9.9"}, "PlatformUnknownException", "platform version does not exist"),
        (
            {"networkConfiguration": None},
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ),
        ({"networkConfiguration": {}}, "InvalidParameterException", "Network Configuration must be provided"),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}},
            "InvalidParameterException",
            "subnets can not be empty.",
        ),
        (
            {"networkConfiguration": awsvpc(*(f"subnet-{n}" for n in range(17)))},
            "InvalidParameterException",
            "subnets can have at most 16 items.",
        ),
        (
            {"networkConfiguration": awsvpc("subnet-a", groups=("1", "2", "3", "4", "5", "6"))},
            "InvalidParameterException",
            "securityGroups can have at most 5 items.",
        ),
        (
            {"networkConfiguration": awsvpc("subnet-x")},
            "InvalidParameterException",
            "The subnet ID 'subnet-x' does not exist (Service: AmazonEC2;",
        ),
        (
            {"networkConfiguration": awsvpc("subnet-a", groups=("sg-x",))},
            "InvalidParameterException",
            "The security group 'sg-x' does not exist (Service: AmazonEC2;",
        ),
        (
            {"networkConfiguration": awsvpc("subnet-a", "subnet-other")},
            "InvalidParameterException",
            "subnets must belong to the same VPC.",
        ),
        (
            {"networkConfiguration": awsvpc("subnet-a", groups=("sg-other",))},
            "InvalidParameterException",
            "Security group sg-other does not appear to belong to the same VPC",
        ),
        (
            {"overrides": {"containerOverrides": [{"name": "db"}]}},
            "InvalidParameterException",
            "Override for container named db is not a container in the TaskDefinition.",
        ),
        (
            {"overrides": {"containerOverrides": [{"command": ["x"]}]}},
            "InvalidParameterException",
            "name can not be empty",
        ),
        (
            {"overrides": {"containerOverrides": [{"name": "app", "command": ["x" * 8192]}]}},
            "InvalidParameterException",
            "Container Overrides length must be at most 8192",
        ),
        (
            {"overrides": {"cpu": "300"}},
            "ClientException",
            "No Fargate configuration exists for given values.",
        ),
        (
            {"overrides": {"ephemeralStorage": {"sizeInGiB": 20}}},
            "InvalidParameterException",
            "EphemeralStorage size should be at least 21",
        ),
        ({"startedBy": "a b"}, "InvalidParameterException", "startedBy can have up to 128"),
        ({"startedBy": "a" * 129}, "InvalidParameterException", "startedBy can have up to 128"),
        ({"group": "g" * 256}, "InvalidParameterException", "255 characters"),
        ({"propagateTags": "SERVICE"}, "InvalidParameterException", "propagateTags SERVICE is for services"),
        ({"clientToken": "t" * 65}, "InvalidParameterException", "clientToken can have up to 64"),
    ],
)
def test_run_task_refuses(api: Api, params: dict[str, Any], code: str, text: str) -> None:
    api.put(
        Vpc(**PLACE, vpc_id="vpc-2", cidr="10.0.0.0/16"),
        Subnet(**PLACE, subnet_id="subnet-other", vpc_id="vpc-2", cidr="10.0.0.0/24", availability_zone="us-east-1a"),
        SecurityGroup(**PLACE, group_id="sg-other", vpc_id="vpc-2", name="other", description=""),
    )
    asked = {"taskDefinition": "web", "networkConfiguration": awsvpc(), **params}
    error = api.error("RunTask", **asked)
    assert (error.code, text in error.message) == (code, True), error.message


def test_run_task_refuses_an_inactive_definition(api: Api) -> None:
    api.put(api.define().but(status="INACTIVE"))
    error = api.error("RunTask", taskDefinition="web:1", networkConfiguration=awsvpc())
    assert (error.code, error.message) == ("ClientException", "TaskDefinition is inactive")


def test_run_task_refuses_fargate_for_a_definition_that_it_cannot_run(api: Api) -> None:
    api.define("bridge", networkMode="bridge", compatibilities=["EXTERNAL", "EC2"])
    error = api.error("RunTask", taskDefinition="bridge", launchType="FARGATE")
    assert error.message == "Task definition does not support launch_type FARGATE."
    assert "EC2 is not served yet" in api.error("RunTask", taskDefinition="bridge").message


def test_run_task_refuses_an_old_platform_for_what_it_cannot_do(api: Api) -> None:
    api.define("big", cpu="8192", memory="16384")
    asked = {"taskDefinition": "big", "networkConfiguration": awsvpc(), "platformVersion": "1.3.0"}
    assert api.error("RunTask", **asked).code == "PlatformTaskDefinitionIncompatibilityException"


def test_run_task_refuses_a_definition_with_what_is_not_served(api: Api) -> None:
    file = {"type": "s3", "value": "arn:aws:s3:::bucket/some.env"}
    api.define("files", containerDefinitions=[{"name": "app", "image": "busybox", "environmentFiles": [file]}])
    error = api.error("RunTask", taskDefinition="files", networkConfiguration=awsvpc())
    assert error.code == "InvalidParameterException"
    assert "Environment files are not fetched yet" in error.message


# Client tokens


def test_a_repeated_client_token_answers_with_the_same_tasks(api: Api) -> None:
    first = run(api, count=2, clientToken="once")
    again = run(api, count=2, clientToken="once", cluster="default")
    assert {task["taskArn"] for task in first} == {task["taskArn"] for task in again}
    assert api.store.count(Task, "live", ()) == 2


def test_a_client_token_with_other_parameters_is_a_conflict_that_names_the_tasks(api: Api) -> None:
    [task] = run(api, clientToken="once")
    error = api.error("RunTask", taskDefinition="web", networkConfiguration=awsvpc(), clientToken="once", count=2)
    assert (error.code, error.members) == ("ConflictException", {"resourceIds": [task["taskArn"]]})


def test_a_stopped_task_is_remembered_by_its_token_for_an_hour_with_only_its_statuses(api: Api) -> None:
    [task] = run(api, clientToken="once")
    end(api, task["taskArn"])
    api.now += 3599
    [again] = run(api, clientToken="once")
    assert again == {"taskArn": task["taskArn"], "lastStatus": "STOPPED", "desiredStatus": "STOPPED"}
    api.now += 1
    [new] = run(api, clientToken="once")
    assert new["taskArn"] != task["taskArn"]


def test_a_token_is_forgotten_after_a_day(api: Api) -> None:
    [task] = run(api, clientToken="once")
    api.now += 86400
    [new] = run(api, clientToken="once")
    assert new["taskArn"] != task["taskArn"]


def test_a_client_token_counts_in_its_cluster_alone(api: Api) -> None:
    api.put(Cluster(**PLACE, name="other", created_at=api.now))
    [task] = run(api, clientToken="once")
    [other] = run(api, clientToken="once", cluster="other")
    assert task["taskArn"] != other["taskArn"]


# StopTask


def test_stop_task_says_why_and_keeps_the_first_reason(api: Api) -> None:
    [task] = run(api)
    stopped = api("StopTask", task=task["taskArn"], reason="enough")["task"]
    assert (stopped["desiredStatus"], stopped["stopCode"], stopped["stoppedReason"]) == (
        "STOPPED",
        "UserInitiated",
        "enough",
    )
    assert stopped["lastStatus"] == "PROVISIONING"
    assert stopped["version"] == 2
    assert api("StopTask", task=task["taskArn"], reason="again")["task"]["stoppedReason"] == "enough"


def test_stop_task_without_a_reason_has_one(api: Api) -> None:
    [task] = run(api)
    stopped = api("StopTask", task=task["taskArn"].rpartition("/")[2])["task"]
    assert stopped["stoppedReason"] == "Task stopped by user"


def test_stop_task_on_a_stopped_task_changes_nothing(api: Api) -> None:
    [task] = run(api)
    end(api, task["taskArn"])
    assert api("StopTask", task=task["taskArn"])["task"]["stopCode"] == "EssentialContainerExited"


def test_stop_task_refuses_an_unknown_task_and_one_of_another_cluster(api: Api) -> None:
    assert api.error("StopTask", task="0" * 32).message == "The referenced task was not found."
    elsewhere = f"arn:aws:ecs:us-east-1:123456789012:task/other/{'0' * 32}"
    error = api.error("StopTask", task=elsewhere)
    assert error.code == "InvalidParameterException"
    assert error.message == "Invalid identifier: Identifier is for cluster other. Your cluster is default"


# DescribeTasks


def test_describe_tasks_finds_by_id_and_arn_and_misses_the_rest(api: Api) -> None:
    first, second = run(api, count=2)
    answer = api("DescribeTasks", tasks=[first["taskArn"], second["taskArn"].rpartition("/")[2], "f" * 32])
    assert [task["taskArn"] for task in answer["tasks"]] == [first["taskArn"], second["taskArn"]]
    arn = f"arn:aws:ecs:us-east-1:123456789012:task/default/{'f' * 32}"
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]


def test_describe_tasks_shows_tags_only_when_asked(api: Api) -> None:
    [task] = run(api, tags=[{"key": "a", "value": "b"}])
    assert api("DescribeTasks", tasks=[task["taskArn"]])["tasks"][0]["tags"] == []
    included = api("DescribeTasks", tasks=[task["taskArn"]], include=["TAGS"])["tasks"][0]["tags"]
    assert included == [{"key": "a", "value": "b"}]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ([], "Tasks cannot be empty."),
        (["f" * 32] * 101, "Tasks can have at most 100 items."),
        (["arn:aws:ecs:us-east-1:123456789012:service/default/web"], "is no task"),
        (["arn:aws:ecs:eu-west-1:123456789012:task/default/abc"], "eu-west-1"),
        (["a/b/c"], "is no task"),
    ],
)
def test_describe_tasks_refuses(api: Api, asked: list[str], text: str) -> None:
    error = api.error("DescribeTasks", tasks=asked)
    assert (error.code, text in error.message) == ("InvalidParameterException", True), error.message


# ListTasks


def listed(api: Api, **params: Any) -> set[str]:
    return set(api("ListTasks", **params)["taskArns"])


def test_list_tasks_filters(api: Api) -> None:
    api.define("db")
    web = {task["taskArn"] for task in run(api, startedBy="ci")}
    stopping = {task["taskArn"] for task in run(api)}
    db = {task["taskArn"] for task in run(api, taskDefinition="db", startedBy="ci")}
    api("StopTask", task=next(iter(stopping)))
    assert listed(api) == web | db
    assert listed(api, desiredStatus="STOPPED") == stopping
    assert listed(api, desiredStatus="PENDING") == set()
    assert listed(api, family="web") == web
    assert listed(api, family="web", desiredStatus="STOPPED") == stopping
    assert listed(api, family="nope") == set()
    assert listed(api, startedBy="ci") == web | db
    assert listed(api, startedBy="ci", desiredStatus="STOPPED") == set()
    assert listed(api, launchType="FARGATE") == web | db
    assert listed(api, launchType="EC2") == set()


def test_list_tasks_of_a_service_that_is_not_there(api: Api) -> None:
    assert api.error("ListTasks", serviceName="nope").code == "ServiceNotFoundException"


def test_list_tasks_takes_started_by_alone(api: Api) -> None:
    assert "only filter" in api.error("ListTasks", startedBy="ci", family="web").message


def test_list_tasks_pages_through_all_of_them_once(api: Api) -> None:
    arns = sorted(task["taskArn"] for _ in range(3) for task in run(api, count=10))
    seen: list[str] = []
    token = None
    while True:
        answer = api("ListTasks", maxResults=7, **({"nextToken": token} if token else {}))
        seen += answer["taskArns"]
        token = answer.get("nextToken")
        if token is None:
            break
    assert seen == arns


def test_list_tasks_refuses_a_token_of_another_question(api: Api) -> None:
    run(api, count=3)
    token = api("ListTasks", maxResults=2)["nextToken"]
    assert api.error("ListTasks", maxResults=2, nextToken=token, family="web").code == "InvalidParameterException"
    assert api.error("ListTasks", maxResults=101).code == "InvalidParameterException"


# The tables


def test_every_refused_and_inert_member_is_one_of_the_model() -> None:
    for name, operation in tasks.OPERATIONS.items():
        for path in (*operation.refuses, *operation.allowed, *operation.inert):
            assert has_input("ecs", name, path), f"{name}: {path}"


def test_run_task_refuses_a_definition_for_another_architecture(api: Api) -> None:
    api.define("arm", runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"})
    error = api.error("RunTask", taskDefinition="arm", networkConfiguration=awsvpc())
    assert error.code == "InvalidParameterException"
    assert "This machine is X86_64, and the task definition asks for ARM64." in error.message
    api.put(Host(account="", region="", cpu_units=65536, memory_mib=65536, architecture="ARM64"))
    assert run(api, taskDefinition="arm")


@pytest.mark.parametrize("role", ["taskRoleArn", "executionRoleArn"])
def test_run_task_refuses_an_override_with_what_is_no_role(api: Api, role: str) -> None:
    error = api.error("RunTask", taskDefinition="web", networkConfiguration=awsvpc(), overrides={role: "no role!"})
    assert (error.code, error.message) == ("ClientException", "Role is not valid")


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"containerOverrides": [{"name": "app", "cpu": 257}]}, "The sum of all container 'cpu' values cannot be"),
        ({"containerOverrides": [{"name": "app", "memory": 513}]}, "The 'memory' setting for container 'app' is"),
        (
            {"containerOverrides": [{"name": "app", "memoryReservation": 513}]},
            "The 'memoryReservation' setting for container 'app' is",
        ),
    ],
)
def test_run_task_refuses_overrides_that_do_not_fit_into_the_task(
    api: Api, overrides: dict[str, Any], text: str
) -> None:
    error = api.error("RunTask", taskDefinition="web", networkConfiguration=awsvpc(), overrides=overrides)
    assert error.code == "ClientException"
    assert error.message.startswith(text)
    larger = {"cpu": "512", "memory": "1024"}
    assert run(api, overrides={**overrides, **larger})


def test_run_task_refuses_an_override_of_a_variable_without_a_name(api: Api) -> None:
    given = {"containerOverrides": [{"name": "app", "environment": [{"value": "x"}]}]}
    error = api.error("RunTask", taskDefinition="web", networkConfiguration=awsvpc(), overrides=given)
    assert "has no name" in error.message
