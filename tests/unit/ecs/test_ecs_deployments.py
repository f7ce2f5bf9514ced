"""Service deployments and revisions, as callers see them."""

import pytest

from longshore.api.ecs import deployments
from longshore.decide.ecs import task as life
from longshore.domain.ecs.service import Deployment
from tests.support.services import ServiceApi
from tests.support.shapes import has_input


@pytest.fixture
def api() -> ServiceApi:
    made = ServiceApi()
    made.create()
    return made


def described(api: ServiceApi, deployment: Deployment) -> dict[str, object]:
    [view] = api("DescribeServiceDeployments", serviceDeploymentArns=[deployment.service_deployment_arn])[
        "serviceDeployments"
    ]
    shown: dict[str, object] = view
    return shown


async def test_a_deployment_is_listed_from_its_creation_on_and_ends_successful(api: ServiceApi) -> None:
    [brief] = api("ListServiceDeployments", service="web")["serviceDeployments"]
    assert brief["status"] == "PENDING"
    assert brief["createdAt"] == api.now
    await api.settle()
    [brief] = api("ListServiceDeployments", service="web")["serviceDeployments"]
    assert brief["status"] == "SUCCESSFUL"
    assert brief["finishedAt"] > brief["startedAt"]


async def test_the_deployment_of_an_update_is_found_by_its_time_and_names_the_primary(api: ServiceApi) -> None:
    await api.settle()
    before = api.now
    api.now += 0.25
    service = api("UpdateService", service="web", forceNewDeployment=True)["service"]
    found = api("ListServiceDeployments", service="web", createdAt={"after": before})["serviceDeployments"]
    [brief] = found
    assert service["deployments"][0]["id"].removeprefix("ecs-svc/") in brief["targetServiceRevisionArn"]
    assert service["deployments"][0]["createdAt"] > before
    older = api("ListServiceDeployments", service="web", createdAt={"before": before})["serviceDeployments"]
    assert len(older) == 1


async def test_deployments_are_listed_newest_first_by_status_in_pages(api: ServiceApi) -> None:
    for _ in range(3):
        api.now += 1
        api("UpdateService", service="web", forceNewDeployment=True)
    every = api("ListServiceDeployments", service="web")["serviceDeployments"]
    assert [brief["status"] for brief in every] == ["PENDING", "STOPPED", "STOPPED", "STOPPED"]
    assert every == sorted(every, key=lambda brief: -brief["createdAt"])
    first = api("ListServiceDeployments", service="web", status=["STOPPED"], maxResults=2)
    rest = api("ListServiceDeployments", service="web", status=["STOPPED"], maxResults=2, nextToken=first["nextToken"])
    assert first["serviceDeployments"] + rest["serviceDeployments"] == every[1:]


async def test_a_deployment_shows_its_revisions_and_their_counts(api: ServiceApi) -> None:
    await api.settle()
    old = api.deployments()[0]
    api.now += 1
    api("UpdateService", service="web", forceNewDeployment=True)
    await api.turn()
    new = api.deployments()[0]
    view = described(api, new)
    assert view["status"] == "IN_PROGRESS"
    assert view["targetServiceRevision"] == {
        "arn": new.revision_arn,
        "requestedTaskCount": 2,
        "runningTaskCount": 0,
        "pendingTaskCount": 2,
    }
    assert view["sourceServiceRevisions"] == [
        {"arn": old.revision_arn, "requestedTaskCount": 2, "runningTaskCount": 2, "pendingTaskCount": 0}
    ]
    assert view["deploymentCircuitBreaker"] == {"status": "DISABLED", "failureCount": 0, "threshold": 3}
    assert view["deploymentConfiguration"]["strategy"] == "ROLLING"  # type: ignore[index]  # a JSON document


async def test_a_stopped_deployment_rolls_back_to_the_one_before(api: ServiceApi) -> None:
    await api.settle()
    old = api.deployments()[0]
    api.now += 1
    api.define(revision=2)
    api("UpdateService", service="web", taskDefinition="web")
    await api.turn()
    new = api.deployments()[0]
    answer = api("StopServiceDeployment", serviceDeploymentArn=new.service_deployment_arn, stopType="ROLLBACK")
    assert answer == {"serviceDeploymentArn": new.service_deployment_arn}
    assert described(api, new)["status"] == "ROLLBACK_REQUESTED"
    await api.turn()
    view = described(api, new)
    assert view["status"] == "ROLLBACK_IN_PROGRESS"
    assert view["rollback"]["serviceRevisionArn"] == old.revision_arn  # type: ignore[index]  # a JSON document
    assert api.described()["currentServiceDeployment"] == new.service_deployment_arn
    await api.settle()
    assert described(api, new)["status"] == "ROLLBACK_SUCCESSFUL"
    shown = api.described()
    assert (len(shown["deployments"]), shown["runningCount"]) == (1, 2)
    assert shown["taskDefinition"].endswith("web:1")
    assert shown["currentServiceDeployment"] == old.service_deployment_arn


async def test_a_finished_deployment_cannot_be_stopped(api: ServiceApi) -> None:
    await api.settle()
    [done] = api.deployments()
    error = api.error("StopServiceDeployment", serviceDeploymentArn=done.service_deployment_arn)
    assert error.code == "ConflictException"
    assert "SUCCESSFUL" in error.message


async def test_a_tripped_circuit_breaker_is_shown_as_triggered(api: ServiceApi) -> None:
    breaker = {"enable": True, "rollback": False}
    api("UpdateService", service="web", deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    [deployment] = api.deployments()
    assert described(api, deployment)["deploymentCircuitBreaker"] == {
        "status": "MONITORING",
        "failureCount": 0,
        "threshold": 3,
    }
    for _ in range(4):
        await api.turn()
        for task in api.live():
            stopped = life.stopping(
                life.request_stop(task, "TaskFailedToStart", "It could not start."), api.now, withdrawn=True
            )
            api.put(life.released(stopped, api.now))
        api.now += 1000
    view = described(api, deployment)
    assert view["deploymentCircuitBreaker"]["status"] == "TRIGGERED"  # type: ignore[index]  # a JSON document
    [shown] = api.described()["deployments"]
    assert (shown["rolloutState"], shown["failedTasks"] >= 3) == ("FAILED", True)


async def test_a_revision_says_what_runs(api: ServiceApi) -> None:
    [deployment] = api.deployments()
    [view] = api("DescribeServiceRevisions", serviceRevisionArns=[deployment.revision_arn])["serviceRevisions"]
    assert view["taskDefinition"].endswith("web:1")
    assert view["containerImages"] == [{"containerName": "app", "image": "busybox"}]
    assert view["launchType"] == "FARGATE"
    assert view["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == ["subnet-a", "subnet-b"]


def test_unknown_deployments_and_revisions_are_missing(api: ServiceApi) -> None:
    arn = "arn:aws:ecs:us-east-1:123456789012:service-deployment/default/web/aaaaaaaaaaaaaaaaaaaaa"
    revision = "arn:aws:ecs:us-east-1:123456789012:service-revision/default/web/123"
    missing = api("DescribeServiceDeployments", serviceDeploymentArns=[arn])
    assert missing == {"serviceDeployments": [], "failures": [{"arn": arn, "reason": "MISSING"}]}
    missing = api("DescribeServiceRevisions", serviceRevisionArns=[revision])
    assert missing == {"serviceRevisions": [], "failures": [{"arn": revision, "reason": "MISSING"}]}
    error = api.error("StopServiceDeployment", serviceDeploymentArn=arn)
    assert error.code == "ServiceDeploymentNotFoundException"
    assert api.error("ListServiceDeployments", service="nope").code == "ServiceNotFoundException"


@pytest.mark.parametrize("count", [0, 21])
def test_between_one_and_twenty_deployments_can_be_described(api: ServiceApi, count: int) -> None:
    arns = [api.deployments()[0].service_deployment_arn] * count
    assert "between 1 and 20" in api.error("DescribeServiceDeployments", serviceDeploymentArns=arns).message


def test_what_is_no_arn_of_a_deployment_is_refused(api: ServiceApi) -> None:
    error = api.error("DescribeServiceDeployments", serviceDeploymentArns=["ecs-svc/1"])
    assert "not the ARN of a service-deployment" in error.message


def test_every_refused_member_is_one_of_the_model() -> None:
    for name, operation in deployments.OPERATIONS.items():
        for path in (*operation.refuses, *operation.allowed, *operation.inert):
            assert has_input("ecs", name, path), f"{name}: {path}"
