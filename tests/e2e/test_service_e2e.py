"""A service of real containers: it answers, heals, rolls over, backs off, and goes away again."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.server import QUICK, address, answer, runtime_ids, sh, until, web

if TYPE_CHECKING:
    from tests.support.server import Server

pytestmark = pytest.mark.docker

ABSENT_IMAGE = "127.0.0.1:1/absent:1"
"""Nobody listens there: the pull fails at once, wherever the test runs."""


def test_every_task_answers_at_its_own_address_from_the_host_and_from_other_tasks(server: Server) -> None:
    server.serve("answers", server.define("answers", web("from $HOSTNAME")))
    tasks = server.tasks_of("answers")
    addresses = {address(task) for task in tasks}
    assert len(tasks) == len(addresses) == 2
    assert all(answer(task).startswith("from ") for task in tasks)

    asks = "".join(f"http-get {server_address} 80 && " for server_address in addresses)
    asked = server.run_to_end(server.define("asks", sh("app", f"{asks} echo both")))
    assert asked["containers"][0]["exitCode"] == 0
    assert server.lines(asked["taskArn"])[-1] == "both"
    server.unserve("answers")


def test_killed_container_is_replaced_and_its_task_says_why(server: Server) -> None:
    server.serve("heals", server.define("heals", web()))
    victim, survivor = server.tasks_of("heals")
    server.kill_container(victim)
    stopped = server.stopped(victim["taskArn"])
    assert (stopped["stopCode"], stopped["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)
    assert stopped["stoppedReason"] == "Essential container in task exited"

    server.stable("heals")
    tasks = server.tasks_of("heals")
    assert len(tasks) == 2
    assert survivor["taskArn"] in {task["taskArn"] for task in tasks}
    assert [answer(task) for task in tasks] == ["hello", "hello"]
    server.unserve("heals")


def test_rolling_update_never_has_fewer_running_than_wanted(server: Server) -> None:
    def define(colour: str) -> str:
        return server.define("rolls", web("$COLOUR", environment=[{"name": "COLOUR", "value": colour}]))

    server.serve("rolls", define("blue"))
    old = runtime_ids(server.tasks_of("rolls"))
    assert {answer(task) for task in server.tasks_of("rolls")} == {"blue"}
    ecs = server.ecs
    ecs.update_service(service="rolls", taskDefinition=define("green"))

    samples: list[int] = []

    def completed() -> bool:
        service = ecs.describe_services(services=["rolls"])["services"][0]
        samples.append(service["runningCount"])
        return [deployment["rolloutState"] for deployment in service["deployments"]] == ["COMPLETED"]

    until(completed, "the rollout to complete")
    assert min(samples) >= 2
    assert max(samples) <= 4
    server.stable("rolls")
    assert {answer(task) for task in server.tasks_of("rolls")} == {"green"}
    assert not old & runtime_ids(server.tasks_of("rolls"))
    server.unserve("rolls")


def test_revision_that_cannot_start_is_rolled_back_by_the_circuit_breaker(server: Server) -> None:
    good = server.define("breaks", web())
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    # One task: of two, the second may be on its way when the first trips the breaker, and is stopped by the scheduler.
    server.serve("breaks", good, 1, deploymentConfiguration=breaker)
    until(lambda: server.service("breaks")["deployments"][0]["rolloutState"] == "COMPLETED", "the first rollout")
    before = runtime_ids(server.tasks_of("breaks"))
    bad = server.define("breaks", web() | {"image": ABSENT_IMAGE})
    server.ecs.update_service(service="breaks", taskDefinition=bad)

    def rolled_back() -> bool:
        service = server.service("breaks")
        state = service["deployments"][0]["rolloutState"]
        return (service["taskDefinition"], state) == (good, "COMPLETED")

    until(rolled_back, "the rollback to complete")
    server.stable("breaks")
    assert runtime_ids(server.tasks_of("breaks")) == before
    failed = server.tasks_of("breaks", "STOPPED")
    assert {task["stopCode"] for task in failed} == {"TaskFailedToStart"}
    assert all("CannotPullContainerError" in task["stoppedReason"] for task in failed)
    assert any("rolling back" in event["message"] for event in server.service("breaks")["events"])
    server.unserve("breaks")


def test_crash_loop_backs_off_and_leaves_no_containers(server: Server) -> None:
    definition = server.define("crashes", sh("app", "exit 3"))
    server.ecs.create_service(
        serviceName="crashes",
        taskDefinition=definition,
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=server.network,
    )

    def crashed_five_times() -> list[dict[str, Any]] | None:
        stopped = server.tasks_of("crashes", "STOPPED")
        return stopped if len(stopped) >= 5 else None

    stopped = until(crashed_five_times, "five crashes")
    born = [task["createdAt"].timestamp() for task in stopped]
    gaps = [later - earlier for earlier, later in pairwise(born)]
    assert gaps[2] >= 2  # 0, 1, 2, 4 … seconds after each failure
    assert gaps[3] >= 4
    assert {task["containers"][0]["exitCode"] for task in stopped} == {3}
    ended = server.tasks_of("crashes", "STOPPED")
    dead = {task["taskArn"] for task in ended if task["lastStatus"] == "STOPPED"}
    assert not dead & {container["Labels"]["com.amazonaws.ecs.task-arn"] for container in server.containers()}
    events = [event["message"] for event in server.service("crashes")["events"]]
    assert any("is unable to consistently start tasks successfully" in message for message in events)
    server.unserve("crashes")


def test_scaled_to_nothing_deleted_and_made_again_with_the_aws_cli(server: Server) -> None:
    definition = server.define("again", web())
    create = [
        *("ecs", "create-service", "--service-name", "again", "--task-definition", definition),
        *("--desired-count", "1", "--launch-type", "FARGATE"),
        *("--network-configuration", f"awsvpcConfiguration={{subnets=[{_subnet(server)}]}}"),
    ]
    first = server.aws(*create)["service"]
    server.stable("again")
    (task,) = server.tasks_of("again")
    server.aws("ecs", "update-service", "--service", "again", "--desired-count", "0")
    server.ecs.get_waiter("tasks_stopped").wait(tasks=[task["taskArn"]], WaiterConfig=QUICK)
    server.stable("again")
    assert server.service("again")["runningCount"] == 0
    assert server.task(task["taskArn"])["stopCode"] == "ServiceSchedulerInitiated"
    server.aws("ecs", "delete-service", "--service", "again")
    server.ecs.get_waiter("services_inactive").wait(services=["again"], WaiterConfig=QUICK)

    second = server.aws(*create)["service"]
    assert second["serviceArn"] == first["serviceArn"]
    server.stable("again")
    (task,) = server.tasks_of("again")
    assert answer(task) == "hello"
    server.aws("ecs", "wait", "services-stable", "--services", "again")
    server.unserve("again")
    until(lambda: not server.containers(), "all containers to be removed")


def _subnet(server: Server) -> str:
    return str(server.network["awsvpcConfiguration"]["subnets"][0])
