"""What a service does next, scenario by scenario."""

from itertools import pairwise

import pytest

from longshore.decide.ecs.backoff import launch_delay_s, passed
from longshore.decide.ecs.rollout.breaker import threshold
from longshore.decide.ecs.rollout.rolling import CONTAINER_REASON, ceiling_of, floor_of, occupies
from longshore.domain.ecs.service import ServiceLoadBalancer
from tests.support.world import World, configuration, service

GROUP_ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"


def settled(desired: int = 2, **changes: object) -> World:
    world = World(service(desired, **changes))
    world.deploy(1)
    world.settle()
    return world


def rollout(world: World) -> str:
    return world.primary.rollout_state


def status(world: World) -> str:
    return world.service.status


def test_new_service_starts_desired_count_and_reaches_steady_state() -> None:
    world = World(service(3))
    world.deploy(1)
    assert world.turn().starts == 3
    world.settle()
    assert world.primary.rollout_state == "COMPLETED"
    assert world.primary.service_deployment_status == "SUCCESSFUL"
    assert [e for e in world.events if "steady state" in e] == ["(service web) has reached a steady state."]
    assert f"(service web) (deployment ecs-svc/{world.primary.number}) deployment completed." in world.events


def test_task_without_checks_is_not_healthy_before_its_time() -> None:
    world = World(service(1))
    world.deploy(1)
    world.turn()
    world.run(world.live[0])
    assert world.turn().wake.at == pytest.approx(world.now + 3.0)
    assert rollout(world) == "IN_PROGRESS"
    world.now += 3.0
    world.turn()
    assert rollout(world) == "COMPLETED"


def test_dead_task_is_replaced_at_once() -> None:
    world = settled(2)
    world.crash(world.live[0])
    assert world.turn().starts == 1


def test_scale_out_starts_and_makes_no_deployment() -> None:
    world = settled(2)
    world.service = world.service.but(desired_count=5)
    assert world.turn().starts == 3
    assert len(world.deployments) == 1


def test_scale_in_stops_pending_tasks_first() -> None:
    world = settled(2)
    world.service = world.service.but(desired_count=3)
    world.turn()
    pending = [t for t in world.live if t.last_status == "PROVISIONING"]
    world.service = world.service.but(desired_count=2)
    assert [stop.task.task_id for stop in world.turn().stops] == [pending[0].task_id]
    assert "(service web) stopped" not in " ".join(world.events)  # the applier says it, with its ids


def test_scale_to_zero_stops_all_and_is_steady() -> None:
    world = settled(2)
    world.service = world.service.but(desired_count=0)
    assert len(world.turn().stops) == 2
    world.settle()
    assert not world.live
    assert world.service.steady_since is not None


def test_rolling_starts_new_before_it_stops_old() -> None:
    world = settled(2)
    old = {t.task_id for t in world.live}
    world.deploy(2)
    first = world.turn()
    assert first.starts == 2
    assert not first.stops
    for task in world.live:
        if task.task_id not in old:
            world.run(task)
    assert not world.turn().stops
    world.now += 3.0
    assert {s.task.task_id for s in world.turn().stops} == old


def test_rolling_with_half_minimum_and_no_surplus_stops_before_it_starts() -> None:
    world = settled(4, deployment_configuration=configuration(50, 100))
    world.deploy(2)
    first = world.turn()
    assert first.starts == 0
    assert len(first.stops) == 2
    for stop in first.stops:
        world.begin_stop(world.tasks[stop.task.task_id])
    assert world.turn().starts == 2


def test_deployment_is_completed_while_old_tasks_still_take_their_time_to_stop() -> None:
    world = settled(1)
    old = world.live[0]
    world.deploy(2)
    world.turn()
    new = next(t for t in world.live if t.task_id != old.task_id)
    world.run(new)
    world.now += 3
    world.turn()
    world.begin_stop(world.tasks[old.task_id])
    world.turn()
    assert world.primary.rollout_state == "COMPLETED"
    assert sum(d.status != "INACTIVE" for d in world.deployments.values()) == 1


def test_young_task_is_not_stopped_while_the_minimum_needs_it() -> None:
    world = settled(2)
    world.crash(world.live[0])
    world.turn()
    world.run(next(t for t in world.live if t.last_status == "PROVISIONING"))
    world.deploy(2)
    assert not world.turn().stops


def test_second_update_during_a_rollout_supersedes_the_first() -> None:
    world = settled(2)
    second = world.deploy(2)
    world.turn()
    world.deploy(3)
    assert world.deployments[second.number].service_deployment_status == "STOPPED"
    world.settle()
    assert {t.task_definition_arn[-1] for t in world.live} == {"3"}
    assert len(world.live) == 2


def test_percentages_that_block_a_deployment_are_named() -> None:
    world = settled(1, deployment_configuration=configuration(100, 150))
    world.deploy(2)
    assert "Update the minimumHealthyPercent or maximumPercent" in " ".join(world.turn().events)


def test_crash_loop_backs_off() -> None:
    world = World(service(1))
    world.deploy(1)
    starts = []
    end = world.now + 300
    while world.now < end:
        if world.turn().starts:
            starts.append(world.now)
        for task in world.live:
            world.run(task)
            world.crash(world.tasks[task.task_id])
        world.now += 0.25
    gaps = [b - a for a, b in pairwise(starts)]
    assert len(starts) < 12
    assert gaps[-1] > gaps[2] > gaps[1]
    assert world.primary.failed_tasks == len(starts)
    assert "(service web) is unable to consistently start tasks successfully." in world.events


def test_back_off_ends_with_a_new_deployment_and_with_a_healthy_task() -> None:
    world = World(service(1))
    world.deploy(1)
    for _ in range(4):
        while not world.turn().starts:
            world.now += 1
        world.crash(world.live[0], "TaskFailedToStart")
    world.turn()
    assert world.primary.retry_at is not None
    world.deploy(2)
    assert world.turn().starts == 1
    world.run(world.live[0])
    world.now += 4
    world.turn()
    assert world.primary.launch_failures == 0


def test_task_that_crashes_long_after_it_was_healthy_is_no_failed_launch() -> None:
    world = settled(1)
    world.now += 100
    world.crash(world.live[0])
    world.turn()
    assert world.primary.failed_tasks == 0


def test_breaker_rolls_back_to_the_last_completed_deployment() -> None:
    config = configuration(breaker_enabled=True, breaker_rollback=True)
    world = settled(2, deployment_configuration=config)
    first = world.primary
    bad = world.deploy(2)
    for _ in range(40):
        world.turn()
        for task in world.live:
            if task.deployment_id == bad.number and task.wanted:
                world.crash(task, "TaskFailedToStart")
        if world.primary.number == first.number:
            break
        world.now += 1
    assert world.primary.number == first.number
    assert world.service.task_definition_arn == first.task_definition_arn
    world.settle()
    failed = world.deployments[bad.number]
    assert failed.rollout_state == "FAILED"
    assert failed.service_deployment_status == "ROLLBACK_SUCCESSFUL"
    assert failed.rollback is not None
    assert world.primary.rollout_state == "COMPLETED"
    assert f"(service web) rolling back to deployment ecs-svc/{first.number}." in world.events


def test_breaker_without_rollback_stalls_and_leaves_the_old_tasks() -> None:
    config = configuration(breaker_enabled=True)
    world = settled(2, deployment_configuration=config)
    old = {t.task_id for t in world.live}
    world.deploy(2)
    for _ in range(40):
        world.turn()
        for task in world.live:
            if task.task_id not in old and task.wanted:
                world.crash(task, "TaskFailedToStart")
        world.now += 1
    assert world.primary.rollout_state == "FAILED"
    assert world.turn().starts == 0
    assert {t.task_id for t in world.live} == old


def test_breaker_without_a_candidate_says_so() -> None:
    config = configuration(breaker_enabled=True, breaker_rollback=True)
    world = World(service(1, deployment_configuration=config))
    world.deploy(1)
    for _ in range(40):
        world.turn()
        for task in world.live:
            world.crash(task, "TaskFailedToStart")
        world.now += 1
    assert world.primary.service_deployment_status == "ROLLBACK_FAILED"
    assert world.primary.status_reason == "No rollback candidate was found to run the rollback."


def test_stop_service_deployment_rolls_back() -> None:
    world = settled(2)
    first = world.primary
    second = world.deploy(2)
    world.turn()
    world.deployments[second.number] = world.primary.but(service_deployment_status="ROLLBACK_REQUESTED")
    world.settle()
    assert world.primary.number == first.number
    assert world.deployments[second.number].service_deployment_status == "ROLLBACK_SUCCESSFUL"


def test_unhealthy_task_is_replaced_before_it_is_stopped() -> None:
    world = World(service(2), checked=True)
    world.deploy(1)
    world.settle()
    sick = world.live[0]
    world.health(sick, "UNHEALTHY")
    made = world.turn()
    assert (made.starts, made.replaced, made.stops) == (1, 1, ())
    new = next(t for t in world.live if t.last_status == "PROVISIONING")
    world.run(new)
    world.health(world.tasks[new.task_id], "HEALTHY")
    stops = world.turn().stops
    assert [(s.task.task_id, s.reason) for s in stops] == [(sick.task_id, CONTAINER_REASON)]


def test_unhealthy_task_goes_first_where_the_maximum_leaves_no_room() -> None:
    world = World(service(2, deployment_configuration=configuration(50, 100)), checked=True)
    world.deploy(1)
    world.settle()
    world.health(world.live[0], "UNHEALTHY")
    made = world.turn()
    assert made.starts == 0
    assert len(made.stops) == 1


def test_unhealthy_tasks_are_let_alone_during_their_grace_period() -> None:
    world = World(service(1, health_check_grace_s=60), checked=True)
    world.deploy(1)
    world.turn()
    world.run(world.live[0])
    world.health(world.live[0], "UNHEALTHY")
    made = world.turn()
    assert (made.starts, made.stops) == (0, ())
    assert made.wake.at == pytest.approx(world.now + 60)
    world.now += 61
    assert world.turn().starts == 1


def test_deleted_service_stops_its_tasks_then_is_inactive() -> None:
    world = settled(2)
    world.service = world.service.but(status="DRAINING", desired_count=0)
    assert len(world.turn().stops) == 2
    assert status(world) == "DRAINING"
    for task in world.live:
        world.end(task)
    world.turn()
    assert status(world) == "INACTIVE"
    assert all(d.status == "INACTIVE" for d in world.deployments.values())


def test_deleted_service_drains_for_as_long_as_its_tasks_do() -> None:
    world = settled(1)
    world.service = world.service.but(status="DRAINING", desired_count=0)
    world.turn()
    [task] = world.live
    world.tasks[task.task_id] = world.tasks[task.task_id].but(last_status="DEACTIVATING")
    world.turn()
    assert status(world) == "DRAINING"
    world.tasks[task.task_id] = world.tasks[task.task_id].but(last_status="STOPPING")
    world.turn()
    assert status(world) == "INACTIVE"


def test_clock_set_back_does_not_hold_up_a_rollout() -> None:
    world = World(service(1))
    world.deploy(1)
    world.turn()
    world.run(world.live[0])
    world.now -= 3600
    world.turn()
    assert world.primary.rollout_state == "COMPLETED"


@pytest.mark.parametrize(
    ("desired", "percent", "floor", "ceiling"), [(4, 50, 2, 2), (3, 50, 2, 1), (1, 100, 1, 1), (10, 150, 15, 15)]
)
def test_bounds(desired: int, percent: int, floor: int, ceiling: int) -> None:
    assert floor_of(desired, percent) == floor
    assert ceiling_of(desired, percent) == ceiling


@pytest.mark.parametrize(("desired", "expected"), [(1, 3), (25, 13), (400, 200), (1000, 200)])
def test_breaker_threshold_is_bounded(desired: int, expected: int) -> None:
    assert threshold(configuration(), desired) == expected


def test_launch_delays_grow_to_a_quarter_of_an_hour() -> None:
    assert [launch_delay_s(n) for n in (1, 2, 3, 4)] == [0.0, 1.0, 2.0, 4.0]
    assert launch_delay_s(50) == 900.0


def test_passed_survives_a_clock_set_back() -> None:
    assert passed(100.0, 10.0, 50.0)
    assert not passed(100.0, 10.0, 105.0)


def test_stopping_task_no_longer_occupies_a_place() -> None:
    world = settled(1)
    task = world.live[0]
    assert occupies(task)
    world.begin_stop(task.but(desired_status="STOPPED"))
    assert not occupies(world.tasks[task.task_id])


# Services with load balancers


def balanced(desired: int = 2, **changes: object) -> World:
    """A service behind one target group, none of its tasks started yet."""
    use = ServiceLoadBalancer(target_group_arn=GROUP_ARN, container_name="app", container_port=80)
    world = World(service(desired, load_balancers=(use,), **changes))
    world.deploy(1)
    return world


def test_task_is_registered_once_it_runs_and_healthy_once_its_target_is() -> None:
    world = balanced(1)
    world.turn()
    assert world.turn().registered == ()
    world.run(world.live[0])
    [target] = world.turn().registered
    assert (target.address, target.port, target.task_id) == (world.address(world.live[0]), 80, world.live[0].task_id)
    assert world.turn().registered == ()
    world.now += 60.0
    world.turn()
    assert rollout(world) == "IN_PROGRESS"
    world.see(world.live[0], "healthy")
    world.turn()
    assert rollout(world) == "COMPLETED"


def test_rollout_stops_an_old_task_only_when_a_new_one_is_in_service() -> None:
    world = balanced(2)
    world.settle()
    world.deploy(2)
    old = world.live
    assert world.turn().starts == 2
    new = [task for task in world.live if task not in old]
    for task in new:
        world.run(task)
    assert world.turn().stops == ()
    world.see(new[0], "healthy")
    made = world.turn()
    assert len(made.stops) == 1
    assert [t.task_id for t in made.deregistered] == [made.stops[0].task.task_id]


def test_task_whose_target_fails_is_replaced_after_its_grace_period() -> None:
    world = balanced(1, health_check_grace_s=30)
    world.settle()
    [sick] = world.live
    world.tasks[sick.task_id] = sick.but(started_at=world.now)
    world.see(sick, "unhealthy")
    assert world.turn().starts == 0
    assert world.wake_at == pytest.approx(world.now + 30.0)
    world.now += 30.0
    made = world.turn()
    assert (made.starts, made.replaced, made.stops) == (1, 1, ())
    world.run(next(task for task in world.live if task.task_id != sick.task_id))
    world.turn()
    world.see(next(task for task in world.live if task.task_id != sick.task_id), "healthy")
    [stop] = world.turn().stops
    assert stop.task.task_id == sick.task_id
    assert stop.reason == f"Task failed ELB health checks in (target-group {GROUP_ARN})"
    assert (
        f"(service web) (task {sick.task_id}) (port 80) is unhealthy in (target-group {GROUP_ARN}) "
        "due to (reason Health checks failed)."
    ) in world.events


def test_task_that_was_never_in_service_counts_as_a_failed_launch() -> None:
    world = balanced(1)
    world.turn()
    world.run(world.live[0])
    world.turn()
    world.crash(world.live[0])
    world.turn()
    assert world.primary.failed_tasks == 1
    world.now = world.primary.retry_at or world.now
    world.turn()
    world.run(world.live[0])
    world.turn()
    world.see(world.live[0], "healthy")
    world.turn()
    world.crash(world.live[0])
    world.turn()
    assert world.primary.failed_tasks == 1


def test_target_without_health_checks_counts_as_in_service() -> None:
    world = balanced(1)
    world.turn()
    world.run(world.live[0])
    world.turn()
    world.see(world.live[0], "unavailable")
    world.turn()
    assert rollout(world) == "COMPLETED"


def test_rollback_brings_the_load_balancers_back() -> None:
    world = balanced(1)
    world.settle()
    uses = world.service.load_balancers
    world.service = world.service.but(
        load_balancers=(), deployment_configuration=configuration(breaker_enabled=True, breaker_rollback=True)
    )
    world.deploy(2)
    for _ in range(4):
        world.now += 1000.0
        world.turn()
        for task in world.live:
            if task.task_definition_arn.endswith(":2"):
                world.crash(task, "TaskFailedToStart")
    world.turn()
    assert world.service.load_balancers == uses
