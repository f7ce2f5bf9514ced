"""The order in which a task's containers start and stop."""

import pytest

from longshore.domain.ecs.launch import ContainerLaunch, ContainerObservation, Dependency, TaskLaunch
from longshore.drivers.ordering import next_starts, next_stops


def container(name: str, *, on: dict[str, str] | None = None, **fields: object) -> ContainerLaunch:
    depends_on = tuple(Dependency(container=c, condition=condition) for c, condition in (on or {}).items())  # type: ignore[arg-type]  # str for brevity
    return ContainerLaunch(name=name, image="image", depends_on=depends_on, **fields)  # type: ignore[arg-type]  # any field


def task(*containers: ContainerLaunch) -> TaskLaunch:
    return TaskLaunch(
        task_id="t", task_arn="t", account="1", region="r", cluster="c", cluster_arn="c", family="f", revision=1,
        launch_type="FARGATE", network_mode="awsvpc", containers=containers,
    )  # fmt: skip


def seen(name: str, status: str, **fields: object) -> ContainerObservation:
    if status in {"RUNNING", "STOPPED"}:
        fields = {"started_at": 100.0, **fields}
    return ContainerObservation(name=name, status=status, **fields)  # type: ignore[arg-type]  # literals for brevity


SCENARIOS = [
    # condition, what is seen of the container waited for, ready, part of the reason
    ("START", seen("b", "PENDING"), False, ""),
    ("START", seen("b", "CREATED"), False, ""),
    ("START", seen("b", "RUNNING"), True, ""),
    ("START", seen("b", "STOPPED", exit_code=1), True, ""),
    ("START", seen("b", "STOPPED", started_at=None), False, "which never started"),
    ("COMPLETE", seen("b", "RUNNING"), False, ""),
    ("COMPLETE", seen("b", "STOPPED", exit_code=3), True, ""),
    ("COMPLETE", seen("b", "STOPPED", started_at=None), False, "which never started"),
    ("SUCCESS", seen("b", "RUNNING"), False, ""),
    ("SUCCESS", seen("b", "STOPPED", exit_code=0), True, ""),
    ("SUCCESS", seen("b", "STOPPED", exit_code=3), False, "exited with code 3"),
    ("HEALTHY", seen("b", "RUNNING"), False, ""),
    ("HEALTHY", seen("b", "RUNNING", health="HEALTHY"), True, ""),
    ("HEALTHY", seen("b", "RUNNING", health="UNHEALTHY"), False, "reports it unhealthy"),
    ("HEALTHY", seen("b", "STOPPED", exit_code=0, health="HEALTHY"), False, "exited with code 0"),
]


@pytest.mark.parametrize(("condition", "target", "ready", "reason"), SCENARIOS)
def test_a_container_starts_when_its_dependency_is_met_and_fails_when_it_never_can_be(
    condition: str, target: ContainerObservation, *, ready: bool, reason: str
) -> None:
    launch = task(container("a", on={"b": condition}), container("b"))
    starts = next_starts(launch, {"a": seen("a", "CREATED"), "b": target}, 101.0)
    assert ("a" in starts.ready) is ready
    if reason:
        ((name, text),) = starts.doomed
        assert name == "a"
        assert text.startswith("TaskDependencyError: container a waits for ")
        assert reason in text
    else:
        assert not starts.doomed


def test_links_and_volumes_from_imply_that_the_other_has_started() -> None:
    launch = task(container("a", links=("b:alias",)), container("c", volumes_from=(("b", True),)), container("b"))
    assert next_starts(launch, {}, 0.0).ready == ("b",)
    assert next_starts(launch, {"b": seen("b", "RUNNING")}, 0.0).ready == ("a", "c")


def test_an_explicit_condition_wins_over_an_implied_one() -> None:
    launch = task(container("a", links=("b",), on={"b": "COMPLETE"}), container("b"))
    assert not next_starts(launch, {"b": seen("b", "RUNNING")}, 0.0).ready


def test_containers_without_order_are_ready_at_once_and_only_once() -> None:
    launch = task(container("a"), container("b"))
    assert next_starts(launch, {}, 0.0).ready == ("a", "b")
    assert next_starts(launch, {"a": seen("a", "RUNNING")}, 0.0).ready == ("b",)


def test_start_timeout_counts_from_the_start_of_the_container_that_is_waited_for() -> None:
    launch = task(container("a", on={"b": "SUCCESS"}), container("b", start_timeout_s=30))
    assert next_starts(launch, {"b": seen("b", "PENDING")}, 1000.0).wake_at is None
    running = {"b": seen("b", "RUNNING")}
    assert next_starts(launch, running, 129.0).wake_at == 130.0
    assert not next_starts(launch, running, 129.9).doomed
    ((name, reason),) = next_starts(launch, running, 130.0).doomed
    assert name == "a"
    assert "startTimeout" in reason


def test_start_timeout_does_not_matter_for_start() -> None:
    launch = task(container("a", on={"b": "START"}), container("b", start_timeout_s=1))
    assert next_starts(launch, {"b": seen("b", "RUNNING")}, 1000.0).ready == ("a",)


def test_dependents_stop_first_and_the_unordered_together() -> None:
    launch = task(
        container("app", on={"db": "HEALTHY", "proxy": "START"}),
        container("proxy", on={"db": "START"}),
        container("db"),
        container("log"),
    )
    assert next_stops(launch, {"app", "proxy", "db", "log"}) == {"app", "log"}
    assert next_stops(launch, {"proxy", "db"}) == {"proxy"}
    assert next_stops(launch, {"db"}) == {"db"}
    assert next_stops(launch, set()) == frozenset()


def test_a_cycle_stops_at_once_rather_than_never() -> None:
    launch = task(container("a", on={"b": "START"}), container("b", on={"a": "START"}))
    assert next_stops(launch, {"a", "b"}) == {"a", "b"}
