"""Longshore ends, well or badly, at any moment, and starts again: what runs is adopted, nothing is doubled or lost."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support import engine
from tests.support.server import Server, answer, runtime_ids, sh, until, web

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.docker

PER_TASK = Counter({"app": 1, "~pause": 1})


def container_counts(server: Server) -> dict[str, Counter[str]]:
    """By task ARN: how many containers of each name the Engine has."""
    counts: dict[str, Counter[str]] = {}
    for container in server.containers():
        labels = container["Labels"]
        counts.setdefault(labels["com.amazonaws.ecs.task-arn"], Counter())[labels["longshore.container"]] += 1
    return counts


def converges(server: Server, name: str, count: int = 2) -> None:
    """The service gets to where it should be, and the Engine has what its tasks need and nothing else."""
    server.stable(name)

    def exact() -> bool:
        wanted = {task["taskArn"] for task in server.tasks_of(name)}
        return len(wanted) == count and container_counts(server) == dict.fromkeys(wanted, PER_TASK)

    until(exact, "exactly the containers of the service's tasks")
    service = server.service(name)
    assert (service["runningCount"], service["pendingCount"]) == (count, 0)
    networks = [t for t in engine.labelled(server.docker_url, "longshore.instance") if t.instance == server.instance]
    assert [thing.kind for thing in networks if thing.kind != "containers"] == ["networks"]


@pytest.mark.parametrize("kill", [False, True], ids=["clean", "kill-9"])
def test_running_service_is_adopted(launch: Callable[..., Server], kill: bool) -> None:
    server = launch()
    server.serve("stays", server.define("stays", web()))
    before = server.tasks_of("stays")
    server.restart(kill=kill)
    converges(server, "stays")
    after = server.tasks_of("stays")
    assert runtime_ids(after) == runtime_ids(before)
    assert [task["startedAt"] for task in after] == [task["startedAt"] for task in before]
    assert [answer(task) for task in after] == ["hello", "hello"]
    # Adopted means watched, too.
    server.kill_container(after[0])
    assert server.stopped(after[0]["taskArn"])["containers"][0]["exitCode"] == 137
    converges(server, "stays")


def test_containers_that_died_meanwhile_are_replaced(launch: Callable[..., Server]) -> None:
    server = launch()
    server.serve("dies", server.define("dies", web()))
    victim, survivor = server.tasks_of("dies")
    server.kill9()
    server.kill_container(victim)
    server.start()
    stopped = server.stopped(victim["taskArn"])
    assert (stopped["stopCode"], stopped["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)
    converges(server, "dies")
    assert runtime_ids([survivor]) < runtime_ids(server.tasks_of("dies"))


def test_containers_that_were_removed_meanwhile_are_replaced(launch: Callable[..., Server]) -> None:
    server = launch()
    server.serve("gone", server.define("gone", web()), count=1)
    (victim,) = server.tasks_of("gone")
    assert server.stop() == 0
    with engine.client(server.docker_url) as http:
        for container in server.containers():
            http.delete(f"/containers/{container['Id']}", params={"force": "true"}).raise_for_status()
    server.start()
    assert "gone" in server.stopped(victim["taskArn"])["stoppedReason"]
    converges(server, "gone", count=1)


@pytest.mark.parametrize("after_s", [0.0, 0.3, 1.5])
def test_kill_in_the_middle_of_a_rollout_only_delays_it(launch: Callable[..., Server], after_s: float) -> None:
    server = launch()

    def define(colour: str) -> str:
        return server.define("rolls", web("$COLOUR", environment=[{"name": "COLOUR", "value": colour}]))

    server.serve("rolls", define("blue"))
    old = server.tasks_of("rolls")
    server.ecs.update_service(service="rolls", taskDefinition=define("green"))
    time.sleep(after_s)
    server.kill9()
    assert [answer(task) for task in old[:2]] == ["blue", "blue"]  # nothing of the new ones counts as healthy yet
    server.start()
    until(lambda: len(server.service("rolls")["deployments"]) == 1, "the rollout to complete")
    converges(server, "rolls")
    assert {answer(task) for task in server.tasks_of("rolls")} == {"green"}


def test_every_task_that_was_promised_before_a_kill_runs_once(launch: Callable[..., Server]) -> None:
    server = launch()
    definition = server.define("promised", web())
    arns = [server.run(definition) for _ in range(3)]
    server.kill9()
    server.start()
    for arn in arns:
        server.running(arn)
    assert container_counts(server) == dict.fromkeys(arns, PER_TASK)


def test_task_that_ends_while_longshore_is_down_keeps_its_exit_code_and_its_last_lines(
    launch: Callable[..., Server],
) -> None:
    server = launch()
    arn = server.run(server.define("ends", sh("app", "echo first; sleep 2; echo last; exit 6")))
    until(lambda: server.lines(arn) == ["first"], "the first line")
    server.kill9()
    until(lambda: not any("app" in c["Names"][0] for c in server.containers(every=False)), "the container's end")
    server.start()
    assert server.stopped(arn)["containers"][0]["exitCode"] == 6
    assert server.lines(arn) == ["first", "last"]


def test_stop_that_was_asked_for_before_a_kill_is_carried_out(launch: Callable[..., Server]) -> None:
    server = launch()
    arn = server.run(server.define("stops", web()))
    server.running(arn)
    server.ecs.stop_task(task=arn, reason="enough")
    server.kill9()
    server.start()
    stopped = server.stopped(arn)
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    until(lambda: not server.containers(), "its containers to be removed")


def test_two_longshores_on_one_engine_leave_each_other_alone(launch: Callable[..., Server]) -> None:
    one, other = launch(), launch()
    for server in (one, other):
        server.serve("same", server.define("same", web()), count=1)
    kept = runtime_ids(one.tasks_of("same"))
    other.restart(kill=True)
    other.unserve("same")
    other.empty()
    assert other.stop() == 0
    one.restart()
    converges(one, "same", count=1)
    assert runtime_ids(one.tasks_of("same")) == kept
    assert [answer(task) for task in one.tasks_of("same")] == ["hello"]
