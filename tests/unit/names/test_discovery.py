"""`serviceRegistries`: checked, kept and answered; and tasks in Cloud Map from RUNNING on until they are to stop."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from longshore.control.names.discovery import Discovery
from longshore.decide.ecs import task as life
from longshore.decide.names.names import instance_of
from longshore.domain.ecs.launch import TaskObservation
from longshore.domain.ecs.service import ServiceRegistry
from longshore.domain.ecs.task import Container, NetworkBinding, Task
from longshore.domain.names.naming import DiscoveryService, ServiceInstance
from tests.support.api import SCOPE, awsvpc
from tests.support.names import registry
from tests.support.services import ClockOf, ServiceApi
from tests.support.world import ACCOUNT, REGION, definition_arn

ADDRESS = "172.31.0.4"


class NamedApi(ServiceApi):
    """Services, kept by the real controller and registered by the real discovery."""

    def __init__(self) -> None:
        super().__init__()
        self.define("ported", ports=[{"containerPort": 80}])
        self.discovery = Discovery(self.store, ClockOf(self))

    def registry(self, *types: str, custom: bool = False, service_id: str = "srv-1") -> DiscoveryService:
        """A Cloud Map service with such records."""
        made = registry(*types, service_id=service_id, custom_health=custom)
        self.put(made)
        return made

    def instances(self, service_id: str = "srv-1") -> list[ServiceInstance]:
        """What is registered."""
        return self.store.select(ServiceInstance, "service", (*SCOPE, service_id))

    def revision(self) -> int:
        """Of the registry."""
        found = self.store.get(DiscoveryService, (*SCOPE, "srv-1"))
        assert found is not None
        return found.revision

    async def run(self, count: int = 2, **asked: Any) -> list[Task]:
        """A service of tasks that run."""
        self.create(desiredCount=count, **asked)
        await self.turn()
        self.obey(address=ADDRESS)
        return self.live()


@pytest.fixture
def api() -> NamedApi:
    return NamedApi()


def to(registry: DiscoveryService, **more: Any) -> dict[str, Any]:
    return {"serviceRegistries": [{"registryArn": registry.arn, **more}]}


# ------------------------------------------------------------------------------------------------------- the API


def test_registries_are_answered_as_they_were_given_and_empty_ones_remove_them(api: NamedApi) -> None:
    given = to(api.registry("SRV"), containerName="app", containerPort=80)
    api.create(taskDefinition="ported", **given)
    described = api.described()
    assert described["serviceRegistries"] == given["serviceRegistries"]
    revision = described["currentServiceRevisions"][0]["arn"]
    [shown] = api("DescribeServiceRevisions", serviceRevisionArns=[revision])["serviceRevisions"]
    assert shown["serviceRegistries"] == given["serviceRegistries"]
    api("UpdateService", service="web", **given)
    assert len(api.deployments()) == 1
    api("UpdateService", service="web", serviceRegistries=[])
    assert len(api.deployments()) == 2
    assert api.described()["serviceRegistries"] == []


@pytest.mark.parametrize(
    ("types", "more", "text"),
    [
        (("A",), {"containerPort": 80}, "The values specified for serviceRegistries do not require a value for"),
        (("A",), {"port": 80}, "The values specified for serviceRegistries do not require a value for 'port'"),
        (("SRV",), {}, "The values specified for serviceRegistries require a value for 'containerPort' or 'port'"),
        (("SRV",), {"containerPort": 80}, "containerName and containerPort must be specified together"),
        (("SRV",), {"containerName": "app", "containerPort": 81}, "did not have a container port 81 defined"),
        (("SRV",), {"containerName": "app", "containerPort": 80, "port": 1}, "either a port, or a containerName"),
        (("SRV",), {"port": 0}, "should be between 1 and 65535"),
        (("A", "AAAA"), {}, "has AAAA records, which tasks can't be registered with"),
        (("CNAME",), {}, "has CNAME records"),
        (("A",), {"registryArn": "arn:aws:servicediscovery:us-east-1:123456789012:service/srv-9"}, "does not exist"),
        (("A",), {"registryArn": "srv-1"}, "Invalid registryArn"),
    ],
)
def test_registries_that_cannot_be_are_refused(
    api: NamedApi, types: tuple[str, ...], more: dict[str, Any], text: str
) -> None:
    asked = {"serviceName": "web", "taskDefinition": "ported", "desiredCount": 1, "networkConfiguration": awsvpc()}
    error = api.error("CreateService", **asked, **to(api.registry(*types), **more))
    assert error.code == "InvalidParameterException"
    assert text in error.message


def test_a_service_has_one_registry_and_its_port_stays_with_a_new_definition(api: NamedApi) -> None:
    given = to(api.registry("SRV"), containerName="app", containerPort=80)
    asked = {"serviceName": "web", "taskDefinition": "ported", "desiredCount": 1, "networkConfiguration": awsvpc()}
    two = given["serviceRegistries"] * 2
    error = api.error("CreateService", **asked, serviceRegistries=two)
    assert error.message == "service registries can have at most 1 items"
    api.create(taskDefinition="ported", **given)
    assert "container port 80" in api.error("UpdateService", service="web", taskDefinition="web").message


# ----------------------------------------------------------------------------------------------------- discovery


async def test_tasks_are_instances_with_ecs_attributes_while_they_run(api: NamedApi) -> None:
    given = to(api.registry("A", "SRV"), containerName="app", containerPort=80)
    api.create(taskDefinition="ported", **given)
    await api.turn()
    assert api.instances() == [], "before they run"
    api.obey(address=ADDRESS)
    tasks = api.live()
    assert {each.instance_id for each in api.instances()} == {task.task_id for task in tasks}
    [first] = [each for each in api.instances() if each.instance_id == tasks[0].task_id]
    assert first.attributes == {
        "AWS_INSTANCE_IPV4": ADDRESS,
        "AWS_INSTANCE_PORT": "80",
        "AVAILABILITY_ZONE": tasks[0].availability_zone,
        "REGION": "us-east-1",
        "ECS_SERVICE_NAME": "web",
        "ECS_CLUSTER_NAME": "default",
        "ECS_TASK_DEFINITION_FAMILY": "ported",
    }


async def test_a_task_that_is_told_to_stop_is_withdrawn_in_the_commit_that_tells_it(api: NamedApi) -> None:
    one, two = await api.run(**to(api.registry("A")))
    before = api.revision()
    seen: list[int] = []
    api.store.watch(lambda _change: seen.append(len(api.instances())))
    api("StopTask", task=one.task_id)
    assert seen, "there was a commit"
    assert set(seen) == {1}, "in no moment the task is to stop and still in the name"
    assert [each.instance_id for each in api.instances()] == [two.task_id]
    assert api.revision() == before + 1


async def test_a_task_whose_container_ends_is_withdrawn_with_the_report(api: NamedApi) -> None:
    one, _ = await api.run(**to(api.registry("A")))
    api.put(life.observe(one, TaskObservation(task_id=one.task_id, sequence=9, failure="gone"), api.now))
    assert one.task_id not in {each.instance_id for each in api.instances()}


async def test_a_scheduler_that_replaces_a_task_withdraws_it_and_registers_the_new_one(api: NamedApi) -> None:
    before = await api.run(**to(api.registry("A")))
    api("UpdateService", service="web", desiredCount=1)
    await api.turn()
    assert len(api.instances()) == 1
    await api.settle()
    api("UpdateService", service="web", forceNewDeployment=True)
    for _ in range(5):
        await api.turn()
        api.obey(address="172.31.0.5")
        api.now += 4
    [left] = api.instances()
    assert left.attributes["AWS_INSTANCE_IPV4"] == "172.31.0.5"
    assert left.instance_id not in {task.task_id for task in before}


async def test_a_new_registry_takes_over_with_the_new_deployment(api: NamedApi) -> None:
    api.registry("A", service_id="srv-2")
    await api.run(count=1, **to(api.registry("A")))
    second = api.registry("A", service_id="srv-2")
    api("UpdateService", service="web", **to(second))
    assert (len(api.instances()), len(api.instances("srv-2"))) == (1, 0)
    for _ in range(5):
        await api.turn()
        api.obey(address=ADDRESS)
        api.now += 4
    assert (len(api.instances()), len(api.instances("srv-2"))) == (0, 1)


def with_health(task: Task, health: str) -> Task:
    containers = tuple(msgspec.structs.replace(each, has_health_check=True) for each in task.containers)
    return task.but(health=health, containers=containers)


async def test_an_unhealthy_task_is_taken_out_and_comes_back_when_its_checks_pass(api: NamedApi) -> None:
    one, _ = await api.run(**to(api.registry("A")))
    api.put(with_health(one, "UNHEALTHY"))
    assert len(api.instances()) == 1
    api.put(with_health(one, "HEALTHY"))
    assert len(api.instances()) == 2


async def test_with_custom_health_a_task_is_as_healthy_as_its_checks_say(api: NamedApi) -> None:
    check = {"command": ["CMD", "true"]}
    api.define("checked", containerDefinitions=[{"name": "app", "image": "busybox", "healthCheck": check}])
    [task] = await api.run(count=1, taskDefinition="checked", **to(api.registry("A", custom=True)))
    states = []
    for health in ("UNKNOWN", "HEALTHY", "UNHEALTHY", "HEALTHY"):
        api.put(with_health(task, health))
        [instance] = api.instances()
        states.append(instance.health)
    assert states == ["UNHEALTHY", "HEALTHY", "UNHEALTHY", "HEALTHY"]


async def test_with_custom_health_a_task_without_checks_is_healthy(api: NamedApi) -> None:
    await api.run(count=1, **to(api.registry("A", custom=True)))
    [instance] = api.instances()
    assert (instance.health, instance.attributes["AWS_INIT_HEALTH_STATUS"]) == ("HEALTHY", "HEALTHY")


async def test_a_start_makes_the_names_what_the_tasks_say(api: NamedApi) -> None:
    named = api.registry("A")
    one, _ = await api.run(**to(named))
    [kept, lost] = api.instances()
    with api.transaction() as tx:
        tx.delete(ServiceInstance, lost.key)
        tx.put(kept.but(instance_id="stale", task_id="stale"))
        tx.put(kept.but(instance_id="a user's", task_id=""))
    Discovery(api.store, ClockOf(api)).resume()
    left = {each.instance_id for each in api.instances()}
    assert left == {"a user's", kept.instance_id, lost.instance_id}
    assert one.task_id in left


async def test_a_registry_that_was_deleted_keeps_no_task_from_running(api: NamedApi) -> None:
    named = api.registry("A")
    api.create(**to(named))
    with api.transaction() as tx:
        tx.delete(DiscoveryService, named.key)
    await api.turn()
    api.obey(address=ADDRESS)
    assert [task.last_status for task in api.live()] == ["RUNNING", "RUNNING"]
    assert api.instances() == []


async def test_tasks_without_a_service_or_registry_are_in_no_name(api: NamedApi) -> None:
    api.registry("A")
    await api.run()
    api("RunTask", taskDefinition="web", networkConfiguration=awsvpc())
    assert api.instances() == []


# ------------------------------------------------------------------------------------------------- the pure part


def a_task(**changes: Any) -> Task:
    bindings = (NetworkBinding(container_port=80, host_port=49153), NetworkBinding(container_port=81, host_port=49154))
    containers = (Container(name="app", image="app", container_id="c", network_bindings=bindings),)
    made = Task(
        account=ACCOUNT,
        region=REGION,
        task_id="t",
        cluster="default",
        task_definition_arn=definition_arn(1),
        group="service:web",
        launch_type="FARGATE",
        created_at=0.0,
        cpu_units=1,
        memory_mib=1,
        last_status="RUNNING",
        containers=containers,
    )
    return made.but(**changes)


def test_a_task_without_an_address_of_its_own_answers_at_its_hosts_at_the_port_it_got() -> None:
    service = registry()
    use = ServiceRegistry(registry_arn=service.arn, container_name="app", container_port=81)
    assert instance_of(a_task(), use, service, None, 1.0) is None
    made = instance_of(a_task(), use, service, None, 1.0, "10.0.0.9")
    assert made is not None
    assert (made.attributes["AWS_INSTANCE_IPV4"], made.attributes["AWS_INSTANCE_PORT"]) == ("10.0.0.9", "49154")
