"""CreateService, UpdateService, DescribeServices, ListServices and DeleteService, as callers see them."""

from typing import Any

import pytest

from longshore.api.ecs import services
from longshore.domain.ec2.network import Subnet
from tests.support.api import SCOPE, awsvpc
from tests.support.services import ServiceApi
from tests.support.shapes import has_input


@pytest.fixture
def api() -> ServiceApi:
    return ServiceApi()


# What CreateService answers


def test_create_service_answers_with_all_that_terraform_reads_back(api: ServiceApi) -> None:
    service = api.create(tags=[{"key": "a", "value": "b"}])
    assert service["serviceArn"] == "arn:aws:ecs:us-east-1:123456789012:service/default/web"
    assert service["clusterArn"] == "arn:aws:ecs:us-east-1:123456789012:cluster/default"
    assert service["taskDefinition"] == "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"
    expected = {
        "status": "ACTIVE",
        "desiredCount": 2,
        "runningCount": 0,
        "pendingCount": 0,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "availabilityZoneRebalancing": "ENABLED",
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "propagateTags": "NONE",
        "loadBalancers": [],
        "serviceRegistries": [],
        "events": [],
        "tags": [{"key": "a", "value": "b"}],
        "createdBy": "arn:aws:iam::123456789012:user/me",
    }
    assert {name: service.get(name) for name in expected} == expected
    assert service["deploymentConfiguration"] == {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    given = {"subnets": ["subnet-a", "subnet-b"], "securityGroups": [], "assignPublicIp": "DISABLED"}
    assert service["networkConfiguration"] == {"awsvpcConfiguration": given}
    assert service["roleArn"].endswith(":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
    assert "taskSets" not in service
    assert "healthCheckGracePeriodSeconds" not in service


def test_create_service_begins_its_first_deployment(api: ServiceApi) -> None:
    service = api.create()
    [deployment] = service["deployments"]
    assert (deployment["status"], deployment["rolloutState"]) == ("PRIMARY", "IN_PROGRESS")
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} in progress."
    assert (deployment["desiredCount"], deployment["failedTasks"], deployment["platformVersion"]) == (2, 0, "1.4.0")
    assert deployment["networkConfiguration"] == service["networkConfiguration"]
    assert service["currentServiceDeployment"].startswith(
        "arn:aws:ecs:us-east-1:123456789012:service-deployment/default/web/"
    )
    [revision] = service["currentServiceRevisions"]
    assert revision["arn"].endswith(f"service-revision/default/web/{deployment['id'].removeprefix('ecs-svc/')}")
    assert revision["requestedTaskCount"] == 2


def test_create_service_keeps_the_circuit_breaker_as_given(api: ServiceApi) -> None:
    breaker = {
        "enable": True,
        "rollback": True,
        "resetOnHealthyTask": False,
        "thresholdConfiguration": {"type": "COUNT", "value": 500},
    }
    service = api.create(deploymentConfiguration={"deploymentCircuitBreaker": breaker, "maximumPercent": 150})
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == breaker
    assert service["deploymentConfiguration"]["maximumPercent"] == 150


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"serviceName": "a b"}, "InvalidParameterException", "Invalid service name"),
        ({"serviceName": ""}, "InvalidParameterException", "Invalid service name"),
        ({"serviceName": "x" * 256}, "InvalidParameterException", "Invalid service name"),
        ({"cluster": "nope"}, "ClusterNotFoundException", "Cluster not found."),
        ({"taskDefinition": None}, "InvalidParameterException", "TaskDefinition can not be blank."),
        ({"taskDefinition": "nope"}, "ClientException", "TaskDefinition not found."),
        ({"desiredCount": None}, "InvalidParameterException", "desiredCount is required"),
        ({"desiredCount": -1}, "InvalidParameterException", "desiredCount should be at least 0"),
        ({"desiredCount": 5001}, "InvalidParameterException", "desiredCount should be at most 5000"),
        ({"launchType": "EC2"}, "InvalidParameterException", "Only the launch type FARGATE is served yet"),
        ({"platformVersion": "2"}, "PlatformUnknownException", "does not exist"),
        ({"role": "ecs"}, "InvalidParameterException", "IAM roles are only valid for services"),
        ({"networkConfiguration": None}, "InvalidParameterException", "Network Configuration must be provided"),
        ({"networkConfiguration": awsvpc("subnet-x")}, "InvalidParameterException", "'subnet-x' does not exist"),
        ({"healthCheckGracePeriodSeconds": -1}, "InvalidParameterException", "between 0 and 2147483647"),
        ({"clientToken": "t" * 37}, "InvalidParameterException", "up to 36 ASCII"),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "InvalidParameterException", "reserved"),
        (
            {"deploymentConfiguration": {"minimumHealthyPercent": 101}},
            "InvalidParameterException",
            "minimumHealthyPercent must be at most 100",
        ),
        (
            {"deploymentConfiguration": {"maximumPercent": 99}},
            "InvalidParameterException",
            "maximumPercent must be at least 100",
        ),
        (
            {"deploymentConfiguration": {"maximumPercent": 100}},
            "InvalidParameterException",
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments",
        ),
        (
            {
                "deploymentConfiguration": {
                    "deploymentCircuitBreaker": {
                        "enable": True,
                        "rollback": False,
                        "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 101},
                    }
                }
            },
            "InvalidParameterException",
            "between 1 and 100",
        ),
    ],
)
def test_create_service_refuses(api: ServiceApi, params: dict[str, Any], code: str, text: str) -> None:
    asked = {"serviceName": "web", "taskDefinition": "web", "desiredCount": 1, "networkConfiguration": awsvpc()}
    error = api.error("CreateService", **{**asked, **params})
    assert (error.code, text in error.message) == (code, True), error.message


def test_create_service_refuses_a_definition_that_is_not_served(api: ServiceApi) -> None:
    api.define("bad", volumes=[{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}])
    error = api.error(
        "CreateService", serviceName="web", taskDefinition="bad", desiredCount=1, networkConfiguration=awsvpc()
    )
    assert "EFS volumes are not served" in error.message


@pytest.mark.parametrize(
    "params",
    [
        {"loadBalancers": [{"loadBalancerName": "classic", "containerName": "app", "containerPort": 80}]},
        {"loadBalancers": [{"targetGroupArn": "arn", "advancedConfiguration": {"alternateTargetGroupArn": "arn"}}]},
        {"serviceConnectConfiguration": {"enabled": True, "services": [{"portName": "a", "tls": {"kmsKey": "k"}}]}},
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
        {"schedulingStrategy": "DAEMON"},
        {"deploymentController": {"type": "CODE_DEPLOY"}},
        {"enableExecuteCommand": True},
        {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}},
        {"serviceConnectConfiguration": {"enabled": True, "containerConfigurations": [{"logLevel": "INFO"}]}},
        {"deploymentConfiguration": {"earlySuccessCriteria": {"enable": False, "healthyPercent": 50}}},
        {"deploymentConfiguration": {"alarms": {"alarmNames": ["a"], "enable": True, "rollback": True}}},
    ],
)
def test_create_service_refuses_what_is_not_served(api: ServiceApi, params: dict[str, Any]) -> None:
    asked = {"serviceName": "web", "taskDefinition": "web", "desiredCount": 1, "networkConfiguration": awsvpc()}
    assert "served" in api.error("CreateService", **asked, **params).message


def test_services_refuse_a_definition_for_another_architecture(api: ServiceApi) -> None:
    api.define("arm", runtimePlatform={"cpuArchitecture": "ARM64"})
    asked = {"desiredCount": 1, "networkConfiguration": awsvpc()}
    assert (
        "This machine is X86_64" in api.error("CreateService", serviceName="a", taskDefinition="arm", **asked).message
    )
    api.create()
    assert "This machine is X86_64" in api.error("UpdateService", service="web", taskDefinition="arm").message


@pytest.mark.parametrize("token", ["a" * 37, "a b", "\u00e9"])
def test_create_service_refuses_a_malformed_token(api: ServiceApi, token: str) -> None:
    error = api.error("CreateService", serviceName="web", taskDefinition="web", desiredCount=1, clientToken=token)
    assert "36 ASCII characters" in error.message


def test_create_service_takes_the_served_values_of_what_is_partly_served(api: ServiceApi) -> None:
    api.create(
        schedulingStrategy="REPLICA",
        deploymentController={"type": "ECS"},
        enableExecuteCommand=False,
        loadBalancers=[],
        serviceConnectConfiguration={"enabled": False},
        deploymentConfiguration={
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
            "alarms": {"alarmNames": [], "enable": False, "rollback": False},
        },
    )


# Idempotency


def test_create_service_again_with_the_same_input_answers_with_the_same_service(api: ServiceApi) -> None:
    first = api.create(clientToken="a")
    assert api.create(clientToken="a") == first
    assert api.create(clientToken="b", cluster="arn:aws:ecs:us-east-1:123456789012:cluster/default") == first
    assert len(api.deployments()) == 1


def test_create_service_again_with_another_input_is_not_idempotent(api: ServiceApi) -> None:
    api.create(clientToken="a")
    error = api.error(
        "CreateService",
        serviceName="web",
        taskDefinition="web",
        desiredCount=3,
        networkConfiguration=awsvpc(),
        clientToken="a",
    )
    assert (error.code, error.message) == ("InvalidParameterException", "Creation of service was not idempotent.")


async def test_a_deleted_service_can_be_created_again_once_it_has_drained(api: ServiceApi) -> None:
    api.create()
    await api.settle()
    first = api.record().uid
    api("DeleteService", service="web", force=True)
    asked = {"serviceName": "web", "taskDefinition": "web", "desiredCount": 1, "networkConfiguration": awsvpc()}
    assert api.error("CreateService", **asked).message == "Unable to Start a service that is still Draining."
    await api.settle()
    assert api.described()["status"] == "INACTIVE"
    again = api.create(desiredCount=1)
    assert (again["status"], again["desiredCount"], len(again["deployments"])) == ("ACTIVE", 1, 1)
    assert again["events"] == []
    assert api.record().uid != first
    assert len(api.deployments()) == 1


# UpdateService


def updated(api: ServiceApi, **params: Any) -> dict[str, Any]:
    service: dict[str, Any] = api("UpdateService", service="web", **params)["service"]
    return service


@pytest.mark.parametrize(
    "change",
    [
        {"taskDefinition": "web"},
        {"taskDefinition": "arn:aws:ecs:us-east-1:123456789012:task-definition/web:2"},
        {"networkConfiguration": awsvpc("subnet-a")},
        {"networkConfiguration": awsvpc(public="ENABLED")},
        {"networkConfiguration": awsvpc(groups=("sg-default",))},
        {"platformVersion": "1.4.0"},
        {"forceNewDeployment": True},
    ],
)
async def test_update_service_begins_a_deployment_for(api: ServiceApi, change: dict[str, Any]) -> None:
    api.create()
    await api.settle()
    api.define(revision=2)
    service = updated(api, **change)
    assert [d["status"] for d in service["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert [d["desiredCount"] for d in service["deployments"]] == [2, 2]
    assert len(service["currentServiceRevisions"]) == 2


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"desiredCount": 5}, {"desiredCount": 5}),
        ({"taskDefinition": "web:1"}, {}),
        ({"taskDefinition": "web"}, {}),
        ({"networkConfiguration": awsvpc()}, {}),
        ({"networkConfiguration": awsvpc(public="DISABLED")}, {}),
        ({"platformVersion": "LATEST"}, {}),
        ({"healthCheckGracePeriodSeconds": 7}, {"healthCheckGracePeriodSeconds": 7}),
        ({"enableECSManagedTags": True}, {"enableECSManagedTags": True}),
        ({"propagateTags": "SERVICE"}, {"propagateTags": "SERVICE"}),
        ({"availabilityZoneRebalancing": "DISABLED"}, {"availabilityZoneRebalancing": "DISABLED"}),
        ({"loadBalancers": [], "serviceRegistries": []}, {}),
    ],
)
def test_update_service_begins_no_deployment_for(
    api: ServiceApi, change: dict[str, Any], shown: dict[str, Any]
) -> None:
    api.create()
    service = updated(api, **change)
    assert len(service["deployments"]) == 1
    assert {name: service[name] for name in shown} == shown


def test_update_service_puts_the_given_over_the_present_configuration(api: ServiceApi) -> None:
    api.create(deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 150})
    service = updated(api, deploymentConfiguration={"maximumPercent": 300})
    assert service["deploymentConfiguration"]["minimumHealthyPercent"] == 50
    assert service["deploymentConfiguration"]["maximumPercent"] == 300
    assert len(service["deployments"]) == 1


def test_update_service_scales_although_a_subnet_and_the_definition_are_gone(api: ServiceApi) -> None:
    api.create()
    api.put(api.define().but(status="INACTIVE"))
    with api.transaction() as tx:
        tx.delete(Subnet, (*SCOPE, "subnet-a"))
    assert updated(api, desiredCount=0)["desiredCount"] == 0


def test_update_service_refuses_what_is_not_there_or_not_active(api: ServiceApi) -> None:
    error = api.error("UpdateService", service="nope", desiredCount=1)
    assert (error.code, error.message) == ("ServiceNotFoundException", "Service not found.")
    api.create()
    api("DeleteService", service="web", force=True)
    error = api.error("UpdateService", service="web", desiredCount=1)
    assert (error.code, error.message) == ("ServiceNotActiveException", "Service was not ACTIVE.")


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"desiredCount": -1}, "at least 0"),
        ({"taskDefinition": "nope"}, "TaskDefinition not found."),
        ({"taskDefinition": "bridge"}, "does not support launch_type FARGATE"),
        ({"networkConfiguration": awsvpc("subnet-x")}, "'subnet-x' does not exist"),
        ({"deploymentConfiguration": {"maximumPercent": 100}}, "cannot be 100"),
        ({"service": "arn:aws:ecs:us-east-1:123456789012:service/other/web"}, "Your cluster is default"),
    ],
)
def test_update_service_refuses(api: ServiceApi, params: dict[str, Any], text: str) -> None:
    api.define("bridge", networkMode="bridge", compatibilities=["EC2"])
    api.create()
    assert text in api.error("UpdateService", **{"service": "web", **params}).message


# DescribeServices: what waiters and people look at


async def test_a_service_becomes_stable_with_one_deployment_and_all_tasks_running(api: ServiceApi) -> None:
    api.create()
    await api.turn()
    shown = api.described()
    assert (shown["pendingCount"], shown["runningCount"]) == (2, 0)
    assert shown["deployments"][0]["pendingCount"] == 2
    await api.settle()
    shown = api.described()
    assert (shown["pendingCount"], shown["runningCount"], len(shown["deployments"])) == (0, 2, 1)
    [deployment] = shown["deployments"]
    assert (deployment["rolloutState"], deployment["runningCount"]) == ("COMPLETED", 2)
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} completed."
    messages = [event["message"] for event in shown["events"]]
    assert messages[0] == "(service web) has reached a steady state."
    assert "has started 2 tasks" in messages[-1]


async def test_the_tasks_of_a_service_are_listed_by_it(api: ServiceApi) -> None:
    api.create()
    await api.settle()
    arns = api("ListTasks", serviceName="web")["taskArns"]
    assert sorted(arns) == sorted(task.arn for task in api.live())
    [first, _] = api("DescribeTasks", tasks=arns)["tasks"]
    assert first["group"] == "service:web"
    assert first["startedBy"] == api.deployments()[0].deployment_id
    assert api("ListTasks", serviceName="web", desiredStatus="STOPPED")["taskArns"] == []


async def test_an_update_rolls_over_and_leaves_one_deployment(api: ServiceApi) -> None:
    api.create()
    await api.settle()
    api.define(revision=2)
    updated(api, taskDefinition="web")
    await api.settle()
    shown = api.described()
    assert (len(shown["deployments"]), shown["runningCount"]) == (1, 2)
    assert shown["deployments"][0]["taskDefinition"].endswith("web:2")
    assert len(api("ListTasks", serviceName="web", desiredStatus="STOPPED")["taskArns"]) == 2


def test_describe_services_misses_what_is_not_there(api: ServiceApi) -> None:
    api.create()
    answer = api("DescribeServices", services=["web", "arn:aws:ecs:us-east-1:123456789012:service/nope"])
    assert len(answer["services"]) == 1
    missing = "arn:aws:ecs:us-east-1:123456789012:service/default/nope"
    assert answer["failures"] == [{"arn": missing, "reason": "MISSING"}]


def test_describe_services_shows_tags_only_when_asked(api: ServiceApi) -> None:
    api.create(tags=[{"key": "a", "value": "b"}])
    assert "tags" not in api.described()
    assert api.described(include=["TAGS"])["tags"] == [{"key": "a", "value": "b"}]


@pytest.mark.parametrize(("asked", "text"), [([], "cannot be empty"), (["web"] * 11, "at most 10 items")])
def test_describe_services_refuses(api: ServiceApi, asked: list[str], text: str) -> None:
    assert text in api.error("DescribeServices", services=asked).message


# ListServices


def test_list_services_by_name_in_pages_without_draining_ones(api: ServiceApi) -> None:
    for number in range(12):
        api.create(f"s{number:02d}", desiredCount=0)
    api("DeleteService", service="s03")
    first = api("ListServices")
    assert len(first["serviceArns"]) == 10
    second = api("ListServices", nextToken=first["nextToken"])
    names = [arn.rpartition("/")[2] for arn in first["serviceArns"] + second["serviceArns"]]
    assert names == [f"s{number:02d}" for number in range(12) if number != 3]
    assert "nextToken" not in second


def test_list_services_filters(api: ServiceApi) -> None:
    api.create()
    assert len(api("ListServices", launchType="FARGATE", schedulingStrategy="REPLICA")["serviceArns"]) == 1
    assert api("ListServices", launchType="EC2")["serviceArns"] == []
    assert api("ListServices", schedulingStrategy="DAEMON")["serviceArns"] == []
    assert api("ListServices", resourceManagementType="ECS")["serviceArns"] == []


def test_no_service_is_in_a_namespace_that_is_not_there(api: ServiceApi) -> None:
    api.create()
    assert api.error("ListServicesByNamespace", namespace="internal").code == "NamespaceNotFoundException"


# DeleteService


def test_delete_service_refuses_one_that_is_scaled_above_zero_unless_forced(api: ServiceApi) -> None:
    api.create()
    error = api.error("DeleteService", service="web")
    assert error.message == "The service cannot be stopped while it is scaled above 0."
    service = api("DeleteService", service="web", force=True)["service"]
    assert (service["status"], service["desiredCount"]) == ("DRAINING", 0)


async def test_a_deleted_service_becomes_inactive_and_stays_describable(api: ServiceApi) -> None:
    api.create(desiredCount=1)
    await api.settle()
    api("DeleteService", service="web", force=True)
    await api.settle()
    shown = api.described()
    assert (shown["status"], shown["runningCount"], shown["deployments"]) == ("INACTIVE", 0, [])
    assert api("DeleteService", service="web")["service"]["status"] == "INACTIVE"
    assert api.error("DeleteService", service="nope").code == "ServiceNotFoundException"


# The tables


def test_every_refused_and_inert_member_is_one_of_the_model() -> None:
    for name, operation in services.OPERATIONS.items():
        for path in (*operation.refuses, *operation.allowed, *operation.inert):
            assert has_input("ecs", name, path), f"{name}: {path}"
