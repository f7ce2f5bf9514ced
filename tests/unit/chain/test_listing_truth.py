"""Every list pages stably, every describe has AWS's limit, and what does not exist is a failure, not an error."""

from collections.abc import Callable
from typing import Any

import pytest

from longshore.api import logs
from longshore.api.ecs import clusters, deployments, services, task_definitions, tasks
from longshore.domain.ecs.cluster import Cluster
from longshore.store.events import EventLog
from tests.support.api import SCOPE, Api, awsvpc

PLACE: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region}
ARN = "arn:aws:ecs:us-east-1:123456789012:"


@pytest.fixture
def ecs() -> Api:
    tables = (clusters, deployments, services, task_definitions, tasks)
    api = Api(*(table.OPERATIONS for table in tables))
    api.define()
    return api


def run_task(api: Api, _number: int) -> str:
    ran = api("RunTask", taskDefinition="web", networkConfiguration=awsvpc())
    return str(ran["tasks"][0]["taskArn"])


def create_service(api: Api, number: int) -> str:
    asked = {"taskDefinition": "web", "desiredCount": 0, "networkConfiguration": awsvpc()}
    return str(api("CreateService", serviceName=f"s{number}", **asked)["service"]["serviceArn"])


def create_cluster(api: Api, number: int) -> str:
    return str(api("CreateCluster", clusterName=f"c{number}")["cluster"]["clusterArn"])


def register(api: Api, number: int) -> str:
    """Every third is another revision of the same family."""
    container = {"name": "a", "image": "b", "memory": 64}
    made = api("RegisterTaskDefinition", family=f"f{number // 3}", containerDefinitions=[container])
    return str(made["taskDefinition"]["taskDefinitionArn"])


def deploy(api: Api, number: int) -> str:
    if number == 0:
        create_service(api, 0)
    else:
        api.now += 1
        api("UpdateService", service="s0", forceNewDeployment=True)
    [service] = api("DescribeServices", services=["s0"])["services"]
    return str(service["currentServiceDeployment"])


LISTS: list[tuple[str, str, Callable[[Api, int], str], dict[str, Any]]] = [
    ("ListClusters", "clusterArns", create_cluster, {}),
    ("ListServices", "serviceArns", create_service, {}),
    ("ListServiceDeployments", "serviceDeployments", deploy, {"service": "s0"}),
    ("ListTaskDefinitions", "taskDefinitionArns", register, {}),
    ("ListTaskDefinitions", "taskDefinitionArns", register, {"sort": "DESC"}),
    ("ListTaskDefinitionFamilies", "families", register, {}),
    ("ListTasks", "taskArns", run_task, {}),
]


@pytest.mark.parametrize(("operation", "member", "make", "asked"), LISTS)
def test_pages_show_each_thing_once_while_others_are_made(
    ecs: Api, operation: str, member: str, make: Callable[[Api, int], str], asked: dict[str, Any]
) -> None:
    for number in range(8):
        make(ecs, number)
    before = [str(each) for each in ecs(operation, maxResults=100, **asked)[member]]
    shown: list[str] = []
    token: dict[str, Any] = {}
    for number in range(8, 40):
        page = ecs(operation, maxResults=2, **asked, **token)
        assert len(page[member]) <= 2
        shown += [str(each) for each in page[member]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
        if number < 12:
            make(ecs, number)
    assert len(shown) == len(set(shown)), "shown twice"
    if operation != "ListServiceDeployments":  # whose views change when a newer one begins
        assert set(before) <= set(shown), "skipped"
        after = [str(each) for each in ecs(operation, maxResults=100, **asked)[member]]
        assert shown == [each for each in after if each in shown], "in another order"


@pytest.mark.parametrize(("operation", "make", "asked"), [(o, m, a) for o, _, m, a in LISTS])
@pytest.mark.parametrize("wrong", [{"maxResults": 0}, {"maxResults": 101}, {"nextToken": "AAAA"}])
def test_lists_refuse_bad_pages(
    ecs: Api, operation: str, make: Callable[[Api, int], str], asked: dict[str, Any], wrong: dict[str, Any]
) -> None:
    make(ecs, 0)
    assert ecs.error(operation, **asked, **wrong).code == "InvalidParameterException"


LIMITS = [
    ("DescribeClusters", "clusters", 100, "c{}"),
    ("DescribeServices", "services", 10, "s{}"),
    ("DescribeTasks", "tasks", 100, "{:032x}"),
    ("DescribeServiceDeployments", "serviceDeploymentArns", 20, ARN + "service-deployment/default/s/{:021}"),
    ("DescribeServiceRevisions", "serviceRevisionArns", 20, ARN + "service-revision/default/s/{:019}"),
    ("DeleteTaskDefinitions", "taskDefinitions", 10, "f{}:1"),
]


@pytest.mark.parametrize(("operation", "member", "limit", "form"), LIMITS)
def test_describe_takes_as_many_as_aws_and_names_each_that_is_missing(
    ecs: Api, operation: str, member: str, limit: int, form: str
) -> None:
    names = [form.format(number) for number in range(limit + 1)]
    assert ecs.error(operation, **{member: names}).code == "InvalidParameterException"
    answer = ecs(operation, **{member: names[:limit]})
    assert len(answer["failures"]) == limit
    for name, failure in zip(names, answer["failures"], strict=False):
        assert failure["arn"].startswith("arn:aws:ecs:us-east-1:123456789012:")
        assert failure["arn"].endswith(name)
        assert failure["reason"] == "MISSING" or operation == "DeleteTaskDefinitions"


def test_what_is_asked_for_twice_is_answered_once(ecs: Api) -> None:
    ecs.put(Cluster(**PLACE, name="c", created_at=ecs.now))
    answer = ecs("DescribeClusters", clusters=["c", "c", f"{ARN}cluster/c", "x", "x"])
    assert len(answer["clusters"]) == len(answer["failures"]) == 1


@pytest.mark.parametrize(
    "asked", [{}, {"descending": True}, {"orderBy": "LastEventTime"}, {"orderBy": "LastEventTime", "descending": True}]
)
def test_pages_of_log_streams_show_each_once_while_others_are_made(asked: dict[str, Any]) -> None:
    api = Api(logs.SERVICE.operations, service="logs")
    api.events = EventLog(None)
    api("CreateLogGroup", logGroupName="g")
    for number in range(8):
        api("CreateLogStream", logGroupName="g", logStreamName=f"s{number}")
    shown: list[str] = []
    token: dict[str, Any] = {}
    for number in range(40):
        page = api("DescribeLogStreams", logGroupName="g", limit=2, **asked, **token)
        shown += [stream["logStreamName"] for stream in page["logStreams"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
        if number < 3:
            api("CreateLogStream", logGroupName="g", logStreamName=f"a{number}")
    assert len(shown) == len(set(shown))
    assert {f"s{number}" for number in range(8)} <= set(shown)
