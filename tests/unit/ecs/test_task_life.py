"""The life of a task, event by event."""

import msgspec
import pytest

from longshore.decide.ecs import task as life
from longshore.domain.ecs.launch import ContainerObservation, TaskObservation
from longshore.domain.ecs.task import Container, Task
from tests.support.world import ACCOUNT, REGION


def a_task(*names: str, checks: bool = False) -> Task:
    return Task(
        account=ACCOUNT,
        region=REGION,
        task_id="t" * 32,
        cluster="default",
        task_definition_arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web:1",
        group="family:web",
        launch_type="FARGATE",
        created_at=1.0,
        cpu_units=256,
        memory_mib=512,
        last_status="PENDING",
        containers=tuple(
            Container(name=name, image="i", container_id=name, essential=number == 0, has_health_check=checks)
            for number, name in enumerate(names or ("app",))
        ),
    )


def seen(sequence: int, failure: str = "", ended: bool = False, **containers: ContainerObservation) -> TaskObservation:
    return TaskObservation(
        task_id="t" * 32, sequence=sequence, containers=tuple(containers.values()), failure=failure, ended=ended
    )


def running(name: str, health: str = "UNKNOWN") -> ContainerObservation:
    made = ContainerObservation(name=name, status="RUNNING", runtime_id="r", started_at=2.0)
    return msgspec.structs.replace(made, health=health)


def exited(name: str, code: int = 0) -> ContainerObservation:
    return ContainerObservation(
        name=name, status="STOPPED", runtime_id="r", started_at=2.0, finished_at=3.0, exit_code=code
    )


def test_runs_when_every_container_has_started() -> None:
    task = life.observe(a_task("app", "side"), seen(1, app=running("app")), 2.0)
    assert task.last_status == "PENDING"
    task = life.observe(task, seen(2, app=running("app"), side=running("side")), 2.5)
    assert (task.last_status, task.started_at) == ("RUNNING", 2.5)


def test_init_container_that_has_finished_counts_as_started() -> None:
    task = life.observe(a_task("app", "init"), seen(1, app=running("app"), init=exited("init")), 2.0)
    assert (task.last_status, task.desired_status) == ("RUNNING", "RUNNING")


def test_essential_exit_stops_the_task_with_its_code() -> None:
    task = life.observe(a_task(), seen(1, app=exited("app", 3)), 4.0)
    assert task.started_at == 4.0  # it ran, however shortly
    assert (task.desired_status, task.stop_code) == ("STOPPED", "EssentialContainerExited")
    assert task.containers[0].exit_code == 3
    task = life.stopping(task, 4.0, withdrawn=True)
    assert task.last_status == "DEPROVISIONING"
    assert life.released(task, 5.0).last_status == "STOPPED"


def test_pull_failure_is_a_task_that_failed_to_start() -> None:
    reason = "CannotPullContainerError: no such image"
    broken = ContainerObservation(name="app", status="STOPPED", reason=reason)
    task = life.observe(a_task(), seen(1, failure=reason, ended=True, app=broken), 2.0)
    assert (task.stop_code, task.stopped_reason) == ("TaskFailedToStart", reason)
    assert task.started_at is None


def test_late_and_doubled_reports_change_nothing() -> None:
    task = life.observe(a_task(), seen(5, app=exited("app", 1)), 2.0)
    assert life.observe(task, seen(5, app=running("app")), 3.0) is task
    assert life.observe(task, seen(4, app=running("app")), 3.0) is task


def test_first_wish_to_stop_names_the_reason() -> None:
    task = life.request_stop(a_task(), "UserInitiated", "enough")
    again = life.request_stop(task, "ServiceSchedulerInitiated", "scaling")
    assert (again.stop_code, again.stopped_reason) == ("UserInitiated", "enough")
    after = life.observe(again, seen(1, app=exited("app", 143)), 2.0)
    assert after.stop_code == "UserInitiated"


def test_essential_containers_alone_decide_on_health() -> None:
    task = a_task("app", "side", checks=True)
    task = life.observe(task, seen(1, app=running("app", "HEALTHY"), side=running("side", "UNHEALTHY")), 2.0)
    assert (task.health, task.first_healthy_at) == ("HEALTHY", 2.0)


def test_health_of_a_task_without_checks_is_unknown() -> None:
    task = life.observe(a_task(), seen(1, app=running("app", "HEALTHY")), 2.0)
    assert task.health == "UNKNOWN"


def test_task_stopped_before_it_was_provisioned_holds_nothing() -> None:
    task = life.request_stop(a_task().but(last_status="PROVISIONING"), "UserInitiated", "")
    task = life.stopping(task, 2.0, withdrawn=True)
    assert task.last_status == "DEPROVISIONING"
    assert all(c.last_status == "STOPPED" for c in life.released(task, 3.0).containers)


def test_lost_task_stops_with_a_reason() -> None:
    task = life.observe(a_task(), seen(1, app=running("app")), 2.0)
    task = life.lost(task, 9.0)
    assert (task.desired_status, task.stopped_reason) == ("STOPPED", life.LOST)
    assert life.stopping(task, 9.0, withdrawn=True).last_status == "DEPROVISIONING"


def test_illegal_move_tells_the_story() -> None:
    with pytest.raises(life.IllegalMove, match=r"no move for 'started' in STOPPED"):
        life.move(a_task().but(last_status="STOPPED"), "started")


def test_every_state_leads_to_stopped() -> None:
    for status in {before for before, _ in life.MOVES}:
        reached: set[str] = {status}
        seen_states: set[str] = set()
        while reached - seen_states:
            state = (reached - seen_states).pop()
            seen_states.add(state)
            reached |= {after for (before, _), after in life.MOVES.items() if before == state}
        assert "STOPPED" in reached
