"""The simulated engine after a restart: a machine of memory alone goes on with the tasks that it is told of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from longshore.domain.ecs.launch import ContainerLaunch, ContainerObservation, Dependency, TaskLaunch, TaskObservation
from longshore.drivers.sim.engine import SimEngine
from longshore.drivers.sim.machine import SimMachine
from longshore.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = SystemClock().now()
AFTER = Dependency(container="app", condition="SUCCESS")


def running(name: str, **fields: object) -> ContainerObservation:
    seen = {"status": "RUNNING", "runtime_id": f"sim-{name}", "started_at": NOW, **fields}
    return ContainerObservation(name=name, **seen)  # type: ignore[arg-type]  # any field


def container(name: str, **fields: object) -> ContainerLaunch:
    return ContainerLaunch(name=name, image="image", **fields)  # type: ignore[arg-type]  # any field


def task(
    task_id: str, *containers: ContainerLaunch, known: Sequence[ContainerObservation], observed: int = 7
) -> TaskLaunch:
    return TaskLaunch(
        task_id=task_id, task_arn="t", account="1", region="r", cluster="c", cluster_arn="c", family="f", revision=1,
        launch_type="FARGATE", network_mode="awsvpc", containers=containers, known=tuple(known), observed=observed,
    )  # fmt: skip


async def adopted(*expected: TaskLaunch, machine: SimMachine | None = None) -> tuple[SimEngine, frozenset[str]]:
    engine = SimEngine(SystemClock(), machine=machine)
    await engine.open()
    return engine, await engine.adopt(expected)


async def reports(engine: SimEngine, until: str) -> list[TaskObservation]:
    """What it reports until a container is in a status, told as `name STATUS`."""
    told: list[TaskObservation] = []
    async with asyncio.timeout(20):
        async for some in engine.observations():
            told += some
            if any(until == f"{c.name} {c.status}" for report in some for c in report.containers):
                break
    return told


async def test_what_ran_goes_on_and_nothing_of_it_is_told_again() -> None:
    engine, found = await adopted(task("a", container("app"), known=[running("app")]))
    assert found == {"a"}
    assert engine.machine.tasks["a"].containers == {"app": running("app")}
    assert not engine._reports
    await engine.start(task("a", container("app"), known=[]))
    await engine.stop("a")
    told = await reports(engine, until="app STOPPED")
    assert told[-1].ended
    assert not engine.machine.started  # it was never started a second time


async def test_a_task_of_which_nothing_was_made_is_not_found_and_can_be_started() -> None:
    launch = task("a", container("app"), known=[], observed=0)
    engine, found = await adopted(launch)
    assert not found
    await engine.start(launch)
    assert await reports(engine, until="app RUNNING")


async def test_a_container_that_runs_for_a_time_ends_when_it_would_have() -> None:
    long_ago = running("app", started_at=NOW - 3600)
    launch = task("a", container("app", environment={"LONGSHORE_SIM_RUN_S": "3599"}), known=[long_ago])
    engine, _ = await adopted(launch)
    [ended] = (await reports(engine, until="app STOPPED"))[-1].containers
    assert ended.exit_code == 0


async def test_a_container_that_had_yet_to_start_starts_when_its_turn_comes() -> None:
    first, second = container("app"), container("next", depends_on=(AFTER,))
    over = running("app", status="STOPPED", exit_code=0)
    engine, _ = await adopted(
        task("a", first, second, known=[over, ContainerObservation(name="next", status="PENDING")])
    )
    told = await reports(engine, until="next RUNNING")
    assert told[-1].containers[0] == over


async def test_reports_go_on_above_what_is_known_even_when_the_clock_went_back() -> None:
    later = int(NOW * 1e6) + 3_600_000_000
    engine, _ = await adopted(task("a", container("app"), known=[running("app")], observed=later))
    await engine.stop("a")
    assert all(report.sequence > later for report in await reports(engine, until="app STOPPED"))


async def test_a_machine_that_outlives_its_engine_is_believed_rather_than_what_is_told_of_it() -> None:
    machine = SimMachine(SystemClock())
    engine, found = await adopted(task("a", container("app"), known=[running("app")]), machine=machine)
    assert not found
    assert not engine.machine.tasks
