"""Tasks of real containers: how they start, what they share, how they end, and what they print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.server import (
    LOG_GROUP,
    QUICK,
    STAY,
    Server,
    address,
    answer,
    container_of,
    runtime_ids,
    sh,
    until,
    web,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.docker

ABSENT_IMAGE = "127.0.0.1:1/absent:1"
SHARED = {"volumes": [{"name": "shared"}]}
MOUNT = {"mountPoints": [{"sourceVolume": "shared", "containerPath": "/shared"}]}


def test_one_shot_tasks_stop_with_their_exit_codes(server: Server) -> None:
    arns = [server.run(server.define("once", sh("app", f"exit {code}"))) for code in (0, 7)]
    server.ecs.get_waiter("tasks_stopped").wait(tasks=arns, WaiterConfig=QUICK)
    tasks = [server.task(arn) for arn in arns]
    assert [task["containers"][0]["exitCode"] for task in tasks] == [0, 7]
    assert {task["stopCode"] for task in tasks} == {"EssentialContainerExited"}
    assert {task["stoppedReason"] for task in tasks} == {"Essential container in task exited"}
    assert {task["attachments"][0]["status"] for task in tasks} == {"DELETED"}


def test_sidecar_that_exits_ends_the_task_only_if_it_is_essential(server: Server) -> None:
    beside = sh("beside", "exit 4", essential=False)
    main = sh("app", f"{STAY}; exit 5")
    lives = server.run(server.define("lives", main, beside))
    server.ecs.get_waiter("tasks_running").wait(tasks=[lives], WaiterConfig=QUICK)
    until(lambda: container_of(server.task(lives), "beside")["lastStatus"] == "STOPPED", "the sidecar's end")
    task = server.task(lives)
    assert (task["lastStatus"], container_of(task, "beside")["exitCode"]) == ("RUNNING", 4)
    assert container_of(task, "app")["lastStatus"] == "RUNNING"

    # A second's sleep: before its shell has set its trap, the other container would not hear SIGTERM.
    ends = server.run_to_end(server.define("ends", main, sh("beside", "sleep 1; exit 4")))
    assert ends["stopCode"] == "EssentialContainerExited"
    assert {c["name"]: c["exitCode"] for c in ends["containers"]} == {"app": 0, "beside": 4}
    server.ecs.stop_task(task=lives)


def test_containers_start_in_the_order_of_their_dependencies(server: Server) -> None:
    check = {"command": ["CMD-SHELL", "test -e /shared/ready"], "interval": 5, "timeout": 2, "retries": 3}
    seen = server.run_to_end(
        server.define(
            "ordered",
            sh("init", "sleep 1; echo init >>/shared/order", essential=False, **MOUNT),
            sh(
                "db",
                f"echo db >>/shared/order; touch /shared/ready; {STAY}",
                dependsOn=[{"containerName": "init", "condition": "SUCCESS"}],
                healthCheck=check,
                **MOUNT,
            ),
            sh(
                "app",
                "echo app >>/shared/order; cat /shared/order",
                dependsOn=[{"containerName": "db", "condition": "HEALTHY"}],
                **MOUNT,
            ),
            **SHARED,
        )
    )
    assert {c["name"]: c["exitCode"] for c in seen["containers"]} == {"init": 0, "db": 0, "app": 0}
    assert server.lines(seen["taskArn"]) == ["init", "db", "app"]


def test_containers_of_a_task_share_localhost_and_a_volume(server: Server) -> None:
    front = sh("front", f"httpd -p 8080 -h /shared; {STAY}", **MOUNT)
    asks = "echo kept >/shared/page; until http-get 127.0.0.1 8080 /page; do sleep 0.1; done"
    seen = server.run_to_end(server.define("shares", front, sh("app", asks, **MOUNT), **SHARED))
    assert container_of(seen, "app")["exitCode"] == 0
    assert server.lines(seen["taskArn"])[-1] == "kept"


def test_two_tasks_listen_at_port_80_at_once(server: Server) -> None:
    definition = server.define("eighty", web())
    arns = [server.run(definition) for _ in range(2)]
    tasks = [server.running(arn) for arn in arns]
    assert len({address(task) for task in tasks}) == 2
    assert [answer(task) for task in tasks] == ["hello", "hello"]
    for arn in arns:
        server.ecs.stop_task(task=arn)


def test_stopped_task_is_asked_first_and_then_killed(server: Server) -> None:
    polite = sh("polite", "trap 'echo bye; exit 3' TERM; echo up; sleep 1000 & wait")
    deaf = sh("deaf", "trap '' TERM; echo up; while :; do sleep 1; done")
    arn = server.run(server.define("stops", polite, deaf))
    until(lambda: server.lines(arn, "polite") == server.lines(arn, "deaf") == ["up"], "both containers to be up")
    server.ecs.stop_task(task=arn, reason="no longer needed")
    task = server.stopped(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "no longer needed")
    assert {c["name"]: c["exitCode"] for c in task["containers"]} == {"polite": 3, "deaf": 137}
    assert server.lines(arn, "polite") == ["up", "bye"]


def test_container_that_exceeds_its_memory_says_so(server: Server) -> None:
    seen = server.run_to_end(server.define("eats", sh("app", "x=a; while :; do x=$x$x; done", memory=16)))
    assert seen["containers"][0]["exitCode"] == 137
    assert seen["containers"][0]["reason"].startswith("OutOfMemoryError: Container killed due to memory usage")


def test_image_that_cannot_be_pulled_fails_the_task(server: Server) -> None:
    seen = server.run_to_end(server.define("absent", web() | {"image": ABSENT_IMAGE}))
    assert seen["stopCode"] == "TaskFailedToStart"
    assert seen["stoppedReason"].startswith("CannotPullContainerError")
    assert seen["containers"][0]["reason"].startswith("CannotPullContainerError")
    assert "exitCode" not in seen["containers"][0]


def test_run_task_returns_before_anything_runs(server: Server) -> None:
    definition = server.define("quick", sh("app", "true"))
    (task,) = server.ecs.run_task(taskDefinition=definition, launchType="FARGATE", networkConfiguration=server.network)[
        "tasks"
    ]
    assert task["lastStatus"] == "PROVISIONING"
    assert task["desiredStatus"] == "RUNNING"
    server.stopped(task["taskArn"])


def test_task_too_big_for_the_machine_is_a_failure(launch: Callable[..., Server]) -> None:
    server = launch("--memory-overcommit", "0.001")
    request = {"launchType": "FARGATE", "networkConfiguration": server.network}
    for size, reason in (({}, "RESOURCE:MEMORY"), ({"cpu": "16384", "memory": "122880"}, "RESOURCE:CPU")):
        refused = server.ecs.run_task(taskDefinition=server.define("big", web(), **size), **request)
        assert refused["tasks"] == []
        assert [failure["reason"] for failure in refused["failures"]] == [reason]


def test_overrides_reach_the_container(server: Server) -> None:
    definition = server.define("given", sh("app", "exit 9", environment=[{"name": "A", "value": "1"}]))
    environment = [{"name": "B", "value": "2"}]
    override = {"name": "app", "command": ["sh", "-c", "echo $A $B"], "environment": environment}
    seen = server.run_to_end(definition, overrides={"containerOverrides": [override]})
    assert seen["containers"][0]["exitCode"] == 0
    assert seen["overrides"]["containerOverrides"][0]["environment"] == environment
    assert server.lines(seen["taskArn"]) == ["1 2"]


def test_user_working_directory_and_readonly_root_hold(server: Server) -> None:
    script = "id -u; pwd; touch /tmp/x 2>/dev/null || echo readonly"
    definition = server.define(
        "bound", sh("app", script, user="1000:1000", workingDirectory="/home/app", readonlyRootFilesystem=True)
    )
    seen = server.run_to_end(definition)
    assert server.lines(seen["taskArn"]) == ["1000", "/home/app", "readonly"]


def test_unhealthy_task_of_a_service_is_replaced(server: Server) -> None:
    check = {"command": ["CMD-SHELL", "test ! -e /tmp/ill"], "interval": 5, "timeout": 2, "retries": 1}
    server.serve("ill", server.define("ill", web(healthCheck=check)), count=1)
    (task,) = server.tasks_of("ill")
    until(lambda: server.task(task["taskArn"])["healthStatus"] == "HEALTHY", "the task to be healthy")
    server.execute(task, "touch", "/tmp/ill")  # noqa: S108  a file in the container
    stopped = server.stopped(task["taskArn"])
    assert "health check" in stopped["stoppedReason"].lower()
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    server.stable("ill")
    assert not runtime_ids([task]) & runtime_ids(server.tasks_of("ill"))
    server.unserve("ill")


def test_logs_are_there_while_the_task_runs_and_whole_when_it_has_stopped(server: Server) -> None:
    script = "for i in 1 2 3; do echo line $i; done; until test -e /tmp/go; do sleep 0.1; done; seq 4 500; printf end"
    arn = server.run(server.define("prints", sh("app", script)))
    until(lambda: server.lines(arn) == ["line 1", "line 2", "line 3"], "the first lines")
    assert server.task(arn)["lastStatus"] == "RUNNING"
    stream = f"t/app/{arn.rpartition('/')[2]}"
    found = server.aws("logs", "filter-log-events", "--log-group-name", LOG_GROUP, "--log-stream-names", stream)
    assert [event["message"] for event in found["events"]] == ["line 1", "line 2", "line 3"]

    server.execute(server.task(arn), "touch", "/tmp/go")  # noqa: S108  a file in the container
    server.stopped(arn)
    assert server.lines(arn) == [f"line {i}" for i in (1, 2, 3)] + [str(i) for i in range(4, 501)] + ["end"]


def test_aws_logs_tail_shows_lines_where_the_cli_has_it(server: Server) -> None:
    aws = str(Path(sys.executable).with_name("aws"))
    if subprocess.run([aws, "--version"], capture_output=True, text=True, check=True).stdout.startswith("aws-cli/1."):
        pytest.skip("AWS CLI 1, which PyPI has, knows no `aws logs tail`; version 2 does")
    server.run_to_end(server.define("tailed", sh("app", "echo tailed")))
    words = [aws, "logs", "tail", LOG_GROUP, "--since", "5m"]
    told = subprocess.run(words, env=server.environment(), capture_output=True, text=True, check=True, timeout=60)
    assert "tailed" in told.stdout
