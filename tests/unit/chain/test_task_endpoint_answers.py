"""What a task is told at 169.254.170.2, and what others are not."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from longshore.api.access.access import Access
from longshore.api.callers.credentials import Credentials
from longshore.api.task_endpoint import TaskEndpoint
from longshore.domain.ec2.network import NetworkInterface
from longshore.domain.ecs.launch import ContainerLaunch, TaskLaunch
from longshore.domain.ecs.task import Attachment, Container, NetworkBinding, Task
from tests.support.api import SCOPE, Api
from tests.support.clock import HandClock

TASK_ID = "a" * 32
OTHER_ID = "b" * 32
TASK_ARN = f"arn:aws:ecs:us-east-1:123456789012:task/default/{TASK_ID}"
PLACE: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region}


def launch(task_id: str = TASK_ID) -> TaskLaunch:
    return TaskLaunch(
        task_id=task_id,
        task_arn=TASK_ARN.replace(TASK_ID, task_id),
        account=SCOPE.account,
        region="eu-west-1",
        cluster="default",
        cluster_arn="arn:aws:ecs:us-east-1:123456789012:cluster/default",
        family="web",
        revision=1,
        launch_type="FARGATE",
        network_mode="awsvpc",
        containers=(ContainerLaunch(name="app", image="busybox"),),
    )


class Rig:
    """An endpoint, and a running task of two containers."""

    def __init__(self, **definition: Any) -> None:
        self.api = Api()
        names = ("app", "side")
        containers = [
            {
                "name": name,
                "image": f"{name}:1",
                "essential": True,
                "cpu": 64,
                "memory": 128,
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/app"}},
            }
            for name in names
        ]
        made = self.api.define(containerDefinitions=containers, **definition)
        self.task = Task(
            **PLACE,
            task_id=TASK_ID,
            cluster="default",
            task_definition_arn=made.arn,
            group="service:web",
            service_name="web",
            launch_type="FARGATE",
            created_at=1.0,
            cpu_units=256,
            memory_mib=512,
            availability_zone="us-east-1a",
            last_status="RUNNING",
            pull_started_at=1_600_000_000.25,
            tags={"team": "a"},
            attachment=Attachment(
                attachment_id="1",
                subnet_id="subnet-a",
                status="ATTACHED",
                interface_id="eni-1",
                private_ip="172.31.0.4",
                mac_address="02:42:ac:1f:00:04",
            ),
            containers=tuple(
                Container(
                    name=name,
                    image=f"{name}:1",
                    container_id=f"id-of-{name}",
                    runtime_id=f"docker-{name}",
                    image_digest="sha256:1",
                    last_status="RUNNING",
                    has_health_check=name == "app",
                    health="HEALTHY" if name == "app" else "UNKNOWN",
                    network_bindings=(NetworkBinding(container_port=80, host_port=32768),) if name == "side" else (),
                )
                for name in names
            ),
        )
        self.api.put(
            self.task,
            NetworkInterface(
                **PLACE,
                interface_id="eni-1",
                vpc_id="vpc-1",
                subnet_id="subnet-a",
                availability_zone="us-east-1a",
                private_ip="172.31.0.4",
                mac_address="02:42:ac:1f:00:04",
                security_groups=(),
                created_at=1.0,
                attachment_id="1",
            ),
        )
        self.endpoint = TaskEndpoint(self.api.store, Access(Credentials(b"k" * 32, SCOPE.account)), HandClock())
        self.endpoint.stats = self.stats
        self.key = self.endpoint.key(TASK_ID, "app")

    async def stats(self, task_id: str) -> Mapping[str, Mapping[str, Any]]:
        assert task_id == TASK_ID
        return {"app": {"read": "now"}}

    async def get(self, path: str, method: str = "GET") -> tuple[int, Any]:
        answer = await self.endpoint.answer(method, path)
        return answer.status, msgspec.json.decode(answer.body)


def test_every_container_is_told_where_to_ask() -> None:
    rig = Rig()
    environment = rig.endpoint.environment_for(launch(), "app", api_port=4566)
    assert environment["ECS_CONTAINER_METADATA_URI_V4"] == f"http://169.254.170.2/v4/{rig.key}"
    assert environment["ECS_CONTAINER_METADATA_URI"] == f"http://169.254.170.2/v3/{rig.key}"
    assert environment["ECS_AGENT_URI"] == f"http://169.254.170.2/api/{rig.key}"
    assert environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] == f"/v2/credentials/{rig.key}"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_ECS_FARGATE"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environment["AWS_ENDPOINT_URL"] == "http://169.254.170.2:4566"


def test_keys_are_stable_and_differ_by_container_task_and_master_key() -> None:
    rig = Rig()
    other = TaskEndpoint(rig.api.store, Access(Credentials(b"x" * 32, SCOPE.account)), HandClock())
    keys = [rig.key, rig.endpoint.key(TASK_ID, "side"), rig.endpoint.key(OTHER_ID, "app"), other.key(TASK_ID, "app")]
    assert len(set(keys)) == 4
    assert rig.endpoint.key(TASK_ID, "app") == rig.key


async def test_credentials_are_of_the_tasks_role() -> None:
    role = "arn:aws:iam::123456789012:role/app"
    status, answer = await Rig(taskRoleArn=role).get(f"/v2/credentials/{Rig().key}")
    assert status == 200
    assert answer["RoleArn"] == role
    assert {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"} < set(answer)


async def test_task_without_a_role_has_the_default_one() -> None:
    rig = Rig()
    _, answer = await rig.get(f"/v2/credentials/{rig.key}")
    assert answer["RoleArn"] == "arn:aws:iam::123456789012:role/longshore-task"


async def test_role_of_the_overrides_goes_first() -> None:
    rig = Rig(taskRoleArn="arn:aws:iam::123456789012:role/app")
    rig.api.put(rig.task.but(overrides={"taskRoleArn": "arn:aws:iam::123456789012:role/other"}))
    _, answer = await rig.get(f"/v2/credentials/{rig.key}")
    assert answer["RoleArn"].endswith("role/other")


async def test_container_metadata_version_4() -> None:
    rig = Rig()
    _, answer = await rig.get(f"/v4/{rig.key}")
    assert answer["Name"] == "app"
    assert answer["DockerId"] == "docker-app"
    assert answer["KnownStatus"] == "RUNNING"
    assert answer["Limits"] == {"CPU": 64, "Memory": 128}
    assert answer["Health"]["status"] == "HEALTHY"
    assert answer["LogDriver"] == "awslogs"
    assert answer["ContainerARN"].endswith(f":container/default/{TASK_ID}/id-of-app")
    assert answer["Labels"]["com.amazonaws.ecs.task-arn"] == TASK_ARN
    (network,) = answer["Networks"]
    assert network["IPv4Addresses"] == ["172.31.0.4"]
    assert network["IPv4SubnetCIDRBlock"] == "172.31.0.0/20"
    assert network["SubnetGatewayIpv4Address"] == "172.31.0.1/20"
    assert "Ports" not in answer


async def test_task_metadata() -> None:
    rig = Rig()
    _, answer = await rig.get(f"/v4/{rig.key}/task")
    assert answer["TaskARN"] == TASK_ARN
    assert answer["Revision"] == "1"
    assert answer["Limits"] == {"CPU": 0.25, "Memory": 512}
    assert answer["PullStartedAt"] == "2020-09-13T12:26:40.250000Z"
    assert answer["AvailabilityZoneID"] == "use1-az1"
    assert answer["VPCID"] == "vpc-1"
    assert [container["Name"] for container in answer["Containers"]] == ["app", "side"]
    assert answer["Containers"][1]["Ports"] == [{"ContainerPort": 80, "Protocol": "tcp", "HostPort": 32768}]
    assert "TaskTags" not in answer
    _, tagged = await rig.get(f"/v4/{rig.key}/taskWithTags")
    assert tagged == {**answer, "TaskTags": {"team": "a"}}


async def test_version_3_lacks_what_came_later() -> None:
    rig = Rig()
    _, answer = await rig.get(f"/v3/{rig.key}")
    assert answer["Networks"] == [{"NetworkMode": "awsvpc", "IPv4Addresses": ["172.31.0.4"]}]
    assert "LogDriver" not in answer


async def test_statistics_come_from_the_engine() -> None:
    rig = Rig()
    assert await rig.get(f"/v4/{rig.key}/stats") == (200, {"read": "now"})
    assert await rig.get(f"/v4/{rig.key}/task/stats") == (200, {"docker-app": {"read": "now"}, "docker-side": None})


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_task_protection_never_claims_success(method: str) -> None:
    rig = Rig()
    status, answer = await rig.get(f"/api/{rig.key}/task-protection/v1/state", method)
    assert status == 400
    assert answer["error"]["Arn"] == TASK_ARN
    assert "protection" not in answer


async def test_unknown_keys_and_paths_are_not_found() -> None:
    rig = Rig()
    wrong = rig.key[:-1] + ("0" if rig.key[-1] != "0" else "1")
    for path in (
        *("/", "/v4", "/v4/", f"/v4/{TASK_ID}", f"/v4/{wrong}", f"/v2/credentials/{wrong}", "/v4/é/task"),
        *(f"/v4/{rig.key}/none", f"/v2/credentials/{rig.key}/x", f"/v5/{rig.key}", f"/v2/{rig.key}"),
    ):
        assert (await rig.get(path))[0] == 404, path
    assert (await rig.get(f"/v4/{rig.key}", "POST"))[0] == 404


async def test_stopped_task_is_told_nothing_more() -> None:
    rig = Rig()
    rig.api.put(rig.task.but(last_status="STOPPED", stopped_at=2.0))
    assert (await rig.get(f"/v2/credentials/{rig.key}"))[0] == 404


async def test_it_is_an_asgi_application_that_waits_for_no_body() -> None:
    rig = Rig()
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError("a client that never sends its body would be waited for")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await rig.endpoint.app({"type": "http", "method": "GET", "path": f"/v4/{rig.key}/task"}, receive, send)
    assert sent[0]["status"] == 200
    assert msgspec.json.decode(sent[1]["body"])["TaskARN"] == TASK_ARN
