"""`loadBalancers` of services: what is checked, kept, answered, and what begins a deployment."""

from typing import Any

import pytest

from longshore.domain.elbv2.balancer import Target, TargetGroup
from tests.support.api import awsvpc
from tests.support.balancers import group_in_use
from tests.support.services import ServiceApi


@pytest.fixture
def api() -> ServiceApi:
    api = ServiceApi()
    api.define("ported", ports=[{"containerPort": 80}, {"containerPort": 53, "protocol": "udp"}])
    return api


def use(group: TargetGroup, **changes: Any) -> dict[str, Any]:
    return {"targetGroupArn": group.arn, "containerName": "app", "containerPort": 80, **changes}


def test_load_balancers_are_answered_as_they_were_given(api: ServiceApi) -> None:
    given = [use(group_in_use(api))]
    assert api.create(taskDefinition="ported", loadBalancers=given)["loadBalancers"] == given
    described = api.described()
    assert described["loadBalancers"] == given
    revision = described["currentServiceRevisions"][0]["arn"]
    [shown] = api("DescribeServiceRevisions", serviceRevisionArns=[revision])["serviceRevisions"]
    assert shown["loadBalancers"] == given


def test_changed_load_balancers_begin_a_deployment_and_an_empty_list_removes_them(api: ServiceApi) -> None:
    one, two = group_in_use(api, "one"), group_in_use(api, "two")
    api.create(taskDefinition="ported", loadBalancers=[use(one)])
    api("UpdateService", service="web", loadBalancers=[use(one)])
    assert len(api.deployments()) == 1
    api("UpdateService", service="web", loadBalancers=[use(two)])
    assert [len(d.load_balancers) for d in api.deployments()] == [1, 1]
    api("UpdateService", service="web", loadBalancers=[])
    assert len(api.deployments()) == 3
    assert api.described()["loadBalancers"] == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"containerName": "other"}, "The container other does not exist in the task definition."),
        ({"containerPort": 81}, "The container app did not have a container port 81 defined."),
        ({"containerPort": 53}, "The container app did not have a container port 53 defined."),
        ({"targetGroupArn": ""}, "targetGroupArn must be specified for each load balancer."),
        ({"containerName": ""}, "containerName and containerPort must be specified for each load balancer."),
        ({"targetGroupArn": "nonsense"}, "The specified target group does not exist."),
    ],
)
def test_load_balancers_that_name_nothing_are_refused(api: ServiceApi, changes: dict[str, Any], text: str) -> None:
    asked = {"serviceName": "web", "taskDefinition": "ported", "desiredCount": 1, "networkConfiguration": awsvpc()}
    given = use(group_in_use(api), **changes)
    assert api.error("CreateService", loadBalancers=[given], **asked).message == text


def test_groups_that_do_not_fit_are_refused(api: ServiceApi) -> None:
    asked = {"serviceName": "web", "taskDefinition": "ported", "desiredCount": 1, "networkConfiguration": awsvpc()}
    instances = group_in_use(api, "instances", target_type="instance")
    error = api.error("CreateService", loadBalancers=[use(instances)], **asked)
    assert "has target type instance, which is incompatible with the awsvpc network mode" in error.message
    elsewhere = group_in_use(api, "elsewhere", vpc_id="vpc-2")
    assert "is in vpc-2" in api.error("CreateService", loadBalancers=[use(elsewhere)], **asked).message
    group = group_in_use(api, "twice")
    twice = api.error("CreateService", loadBalancers=[use(group), use(group)], **asked)
    assert twice.message == "A target group can be named only once for each container port."
    many = api.error("CreateService", loadBalancers=[use(group)] * 6, **asked)
    assert many.message == "load balancers can have at most 5 items."
    unused = group.but(group_id="f" * 16)
    api.put(unused)
    error = api.error("CreateService", loadBalancers=[use(unused)], **asked)
    text = "The target group with targetGroupArn {} does not have an associated load balancer."
    assert error.message == text.format(unused.arn)


def test_role_is_refused_with_load_balancers(api: ServiceApi) -> None:
    given = [use(group_in_use(api))]
    asked = {"serviceName": "web", "taskDefinition": "ported", "desiredCount": 1, "networkConfiguration": awsvpc()}
    error = api.error("CreateService", loadBalancers=given, role="r", **asked)
    assert error.message == "You cannot specify an IAM role for services that require a service linked role"


def test_new_definition_must_have_the_port_that_is_registered(api: ServiceApi) -> None:
    api.create(taskDefinition="ported", loadBalancers=[use(group_in_use(api))])
    error = api.error("UpdateService", service="web", taskDefinition="web")
    assert error.message == "The container app did not have a container port 80 defined."


async def test_targets_come_and_go_with_tasks_and_the_service_says_so(api: ServiceApi) -> None:
    group = group_in_use(api)
    api.create(taskDefinition="ported", loadBalancers=[use(group)])
    await api.turn()
    api.obey(address="172.31.0.9")
    await api.turn()
    targets = api.store.select(Target, "group", (group.group_id,))
    assert {(t.target_id, t.port, t.state, t.availability_zone) for t in targets} == {
        ("172.31.0.9", 80, "initial", t.availability_zone) for t in targets
    }
    assert {t.task_id for t in targets} <= {task.task_id for task in api.live()}
    api("UpdateService", service="web", desiredCount=0)
    await api.turn()
    assert all(t.deregistered_at == api.now for t in api.store.select(Target, "group", (group.group_id,)))
    said = [event["message"] for event in reversed(api.described()["events"])]
    number = api.deployments()[0].number
    assert f"(service web) registered 1 targets in (target-group {group.arn})" in said
    assert f"(service web) deregistered 1 targets in (target-group {group.arn})" in said
    assert f"(service web, taskSet ecs-svc/{number}) has begun draining connections on 1 tasks." in said


async def test_group_that_is_gone_is_said_once(api: ServiceApi) -> None:
    group = group_in_use(api)
    api.create(taskDefinition="ported", loadBalancers=[use(group)])
    with api.transaction() as tx:
        tx.delete(TargetGroup, group.key)
    await api.turn()
    api.obey(address="172.31.0.9")
    await api.turn()
    await api.turn()
    said = [event["message"] for event in api.described()["events"]]
    text = f"(service web) failed to register targets in (target-group {group.arn}) with (error The target group does"
    assert len([message for message in said if message.startswith(text)]) == 1
    assert not api.store.select(Target, "group", (group.group_id,))
