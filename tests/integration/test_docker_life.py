"""The Docker engine: one task from start to removal, what ends it, and in which order its containers go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from longshore.domain.ecs.launch import Dependency, HealthCheck, RestartPolicy
from tests.support.docker_rig import LISTENS, SLEEP, RecordingSink, Rig, container, make_rig, network, sh, task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("busybox_image")]


@pytest.fixture
async def rig(docker_instance: str, docker_url: str) -> AsyncIterator[Rig]:
    rig = await make_rig(docker_instance, docker_url, RecordingSink(), {"FROM_LONGSHORE": "yes", "BOTH": "longshore"})
    yield rig
    await rig.engine.purge()
    await rig.close()


async def test_awsvpc_task_starts_is_observed_stops_and_leaves_nothing(
    rig: Rig, free_cidr: Callable[[int], str]
) -> None:
    launch = task(
        sh("app", LISTENS), network_mode="awsvpc", network=network(free_cidr(24)), cpu_units=256, memory_mib=128
    )
    seen = await rig.run(launch)
    app = container(seen, "app")
    assert app.runtime_id
    assert app.image_digest.startswith("sha256:")
    assert app.started_at is not None
    assert seen.pull_started_at is not None
    await rig.sink.until("app", "up")
    seen = await rig.stop(launch.task_id)
    assert (container(seen, "app").status, container(seen, "app").exit_code) == ("STOPPED", 0)
    await rig.engine.remove(launch.task_id)
    assert await rig.engine.adopt([launch]) == frozenset()


async def test_start_is_idempotent_and_sequence_rises(rig: Rig) -> None:
    launch = task(sh("app", SLEEP))
    await rig.engine.start(launch)
    await rig.engine.start(launch)
    seen = await rig.running(launch.task_id)
    first = container(seen, "app").runtime_id
    await rig.engine.start(launch)
    seen = await rig.stop(launch.task_id)
    assert container(seen, "app").runtime_id == first
    sequences = [report.sequence for report in rig.reports[launch.task_id]]
    assert sequences == sorted(set(sequences))


async def test_exit_codes_are_reported_and_the_task_ends_by_itself(rig: Rig) -> None:
    seen = await rig.run_to_end(task(sh("a", "exit 7"), sh("b", "exit 0", essential=False)))
    assert [c.exit_code for c in seen.containers] == [7, 0]
    assert not seen.failure


async def test_memory_limit_of_the_task_kills_with_out_of_memory(rig: Rig) -> None:
    # busybox's sort reads all of it before it writes
    eat = sh("app", "head -c 200000000 /dev/zero | tr '\\0' 'x' | sort >/dev/null; exit 9")
    seen = await rig.run_to_end(task(eat, cpu_units=256, memory_mib=32))
    assert container(seen, "app").reason == "OutOfMemoryError: Container killed due to memory usage"


async def test_image_that_cannot_be_pulled_fails_the_task(rig: Rig) -> None:
    app = msgspec.structs.replace(sh("app", "true"), image="127.0.0.1:1/no/such:image")
    seen = await rig.run_to_end(task(app, sh("other", SLEEP)))
    assert seen.failure.startswith("CannotPullContainerError: ")
    assert container(seen, "app").reason == seen.failure
    assert container(seen, "app").status == "STOPPED"
    assert container(seen, "app").exit_code is None


async def test_command_that_does_not_exist_cannot_start(rig: Rig) -> None:
    app = msgspec.structs.replace(sh("app", ""), command=("/no/such/program",))
    seen = await rig.run_to_end(task(app))
    assert container(seen, "app").reason.startswith("CannotStartContainerError: ")
    assert seen.failure.startswith("CannotStartContainerError: ")


async def test_impossible_container_cannot_be_created(rig: Rig) -> None:
    seen = await rig.run_to_end(task(sh("app", "true", capabilities_add=("NO_SUCH_THING",))))
    assert container(seen, "app").reason.startswith("CannotCreateContainerError: ")


async def test_missing_log_group_fails_the_task_before_it_starts(rig: Rig) -> None:
    rig.sink.missing_groups.add("group")
    seen = await rig.run_to_end(task(sh("app", "true")))
    assert seen.failure.startswith("ResourceInitializationError: failed to validate logger args: ")
    assert container(seen, "app").exit_code is None


async def test_impossible_ulimit_fails_with_a_reason_that_says_what_to_do(rig: Rig) -> None:
    facts = await rig.engine._facts()
    if facts.nofile_limit == 65535:
        pytest.skip("this Docker Engine may raise limits: no ulimit is impossible")
    seen = await rig.run_to_end(task(sh("app", "true", ulimits=(("nofile", 900000, 900000),))))
    assert "nofile 900000:900000" in container(seen, "app").reason
    assert "raise the limits of dockerd" in seen.failure


async def test_open_files_are_as_many_as_fargate_gives_or_the_engine_can(rig: Rig) -> None:
    await rig.run_to_end(task(sh("app", "ulimit -n")))
    await rig.engine.remove("1" * 32)
    facts = await rig.engine._facts()
    assert rig.sink.lines("app") == [str(facts.nofile_limit)]


async def test_dependencies_order_the_start(rig: Rig) -> None:
    check = HealthCheck(command=("CMD-SHELL", "test -e /tmp/ok"), interval_s=1)
    launch = task(
        sh(
            "app",
            SLEEP,
            depends_on=(
                Dependency(container="migrate", condition="SUCCESS"),
                Dependency(container="warm", condition="COMPLETE"),
                Dependency(container="db", condition="HEALTHY"),
                Dependency(container="log", condition="START"),
            ),
        ),
        sh("migrate", "sleep 0.3; exit 0", essential=False),
        sh("warm", "exit 4", essential=False),
        sh("db", f"sleep 0.5; touch /tmp/ok; {SLEEP}", health_check=check),
        sh("log", SLEEP),
    )
    await rig.engine.start(launch)
    seen = await rig.running(launch.task_id, "app")
    started = {c.name: c.started_at or 0 for c in seen.containers}
    assert max(started, key=lambda name: started[name]) == "app"
    assert container(seen, "migrate").exit_code == 0
    assert container(seen, "warm").exit_code == 4
    assert container(seen, "db").health == "HEALTHY"


async def test_failed_dependency_ends_the_task(rig: Rig) -> None:
    launch = task(
        sh("app", SLEEP, depends_on=(Dependency(container="migrate", condition="SUCCESS"),)),
        sh("migrate", "exit 3", essential=False),
        sh("beside", SLEEP),
    )
    seen = await rig.run_to_end(launch)
    assert seen.failure == (
        "TaskDependencyError: container app waits for container migrate to succeed, but it exited with code 3."
    )
    assert container(seen, "app").started_at is None
    assert container(seen, "beside").status == "STOPPED"


async def test_start_timeout_of_a_dependency_ends_the_task(rig: Rig) -> None:
    launch = task(
        sh("app", SLEEP, depends_on=(Dependency(container="slow", condition="COMPLETE"),)),
        sh("slow", SLEEP, essential=False, start_timeout_s=1),
    )
    seen = await rig.run_to_end(launch)
    assert "startTimeout" in seen.failure


async def test_health_turns_unhealthy_and_is_reported(rig: Rig) -> None:
    check = HealthCheck(command=("CMD", "test", "-e", "/run-ok"), interval_s=1, retries=2)
    launch = task(sh("app", f"touch /run-ok; sleep 2; rm /run-ok; {SLEEP}", health_check=check))
    await rig.engine.start(launch)
    await rig.until(launch.task_id, lambda seen: container(seen, "app").health == "HEALTHY")
    await rig.until(launch.task_id, lambda seen: container(seen, "app").health == "UNHEALTHY")


async def test_stop_takes_dependents_first_and_kills_after_the_timeout(rig: Rig) -> None:
    deaf = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    launch = task(
        sh("app", deaf, stop_timeout_s=1, depends_on=(Dependency(container="db", condition="START"),)),
        sh("db", LISTENS.replace("exit 0", "exit 5")),
    )
    await rig.run(launch)
    await rig.sink.until("app", "up")
    await rig.sink.until("db", "up")
    seen = await rig.stop(launch.task_id)
    app, db = container(seen, "app"), container(seen, "db")
    assert (app.exit_code, db.exit_code) == (137, 5)
    assert (app.finished_at or 0) <= (db.finished_at or 0)


async def test_stop_before_the_start_starts_nothing(rig: Rig) -> None:
    launch = task(
        sh("app", SLEEP, depends_on=(Dependency(container="first", condition="COMPLETE"),)),
        sh("first", SLEEP, essential=False),
    )
    await rig.engine.start(launch)
    await rig.running(launch.task_id, "first")
    seen = await rig.stop(launch.task_id)
    assert container(seen, "app").started_at is None
    assert container(seen, "app").status == "STOPPED"


async def test_stop_of_an_unknown_task_is_reported_as_ended(rig: Rig) -> None:
    seen = await rig.stop("f" * 32)
    assert seen.ended
    await rig.engine.remove("f" * 32)


async def test_essential_exit_is_only_reported(rig: Rig) -> None:
    launch = task(sh("app", "exit 1"), sh("other", SLEEP))
    await rig.engine.start(launch)
    seen = await rig.until(
        launch.task_id,
        lambda s: container(s, "app").status == "STOPPED" and container(s, "other").status == "RUNNING",
    )
    assert not seen.ended


async def test_restart_policy_starts_again_in_place(rig: Rig) -> None:
    count = "echo x >>/tmp/runs; test $(wc -l </tmp/runs) -ge 3 && exit 2; exit 1"
    policy = RestartPolicy(attempt_period_s=0, ignored_exit_codes=(2,))
    seen = await rig.run_to_end(task(sh("app", f"sleep 0.1; {count}", restart_policy=policy)))
    app = container(seen, "app")
    assert (app.restart_count, app.exit_code) == (2, 2)
    assert len({report.containers[0].runtime_id for report in rig.reports["1" * 32]} - {""}) == 1


async def test_container_removed_by_someone_else_is_stopped(rig: Rig) -> None:
    launch = task(sh("app", SLEEP))
    seen = await rig.run(launch)
    await rig.engine._client.delete(f"/containers/{container(seen, 'app').runtime_id}", force=True)
    seen = await rig.ended(launch.task_id)
    assert container(seen, "app").status == "STOPPED"


async def test_lost_namespace_ends_the_task(rig: Rig, free_cidr: Callable[[int], str]) -> None:
    launch = task(sh("app", SLEEP), network_mode="awsvpc", network=network(free_cidr(24)))
    await rig.run(launch)
    await rig.engine._client.post(f"/containers/{rig.engine._runners[launch.task_id]._namespace.container_id}/kill")
    seen = await rig.ended(launch.task_id)
    assert seen.failure.startswith("ContainerNetworkingError: ")


async def test_ten_tasks_at_once(rig: Rig) -> None:
    launches = [task(sh(f"app{i}", SLEEP), task_id=f"{i:032x}") for i in range(10)]
    await asyncio.gather(*(rig.run(launch) for launch in launches))
    await asyncio.gather(*(rig.stop(launch.task_id) for launch in launches))
    await asyncio.gather(*(rig.engine.remove(launch.task_id) for launch in launches))


async def test_stats_have_two_readings_after_the_second_call(rig: Rig) -> None:
    launch = task(sh("app", SLEEP))
    await rig.run(launch)
    first = (await rig.engine.stats(launch.task_id))["app"]
    second = (await rig.engine.stats(launch.task_id))["app"]
    assert first["memory_stats"]["usage"] > 0
    assert second["precpu_stats"]["cpu_usage"] == first["cpu_stats"]["cpu_usage"]


async def test_capacity_is_the_machines(rig: Rig) -> None:
    capacity = await rig.engine.capacity()
    assert capacity.cpu_units >= 1024
    assert capacity.memory_mib > 256
    assert capacity.architecture in {"X86_64", "ARM64"}
