"""Whatever happens to tasks and whatever users ask: the scheduler's own acts keep the bounds, and it ends."""

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from longshore.decide.ecs.rollout.rolling import ceiling_of, floor_of, occupies
from longshore.domain.ecs.task import Task
from tests.support.world import World, configuration, service

PERCENTAGES = [(100, 200), (50, 100), (0, 100), (50, 150), (75, 125), (100, 150), (0, 200)]


def healthy(world: World) -> int:
    snapshot = world.snapshot()
    return sum(snapshot.healthy(task, world.now) for task in snapshot.tasks)


def serving(world: World) -> int:
    snapshot = world.snapshot()
    return sum(snapshot.serving(task) for task in snapshot.tasks)


def act_checked(world: World) -> None:
    """One turn; our own stops may not cross the floor, our own starts not the ceiling."""
    before, served = healthy(world), serving(world)
    made = world.turn()
    config, desired = world.service.deployment_configuration, world.service.desired_count
    floor = floor_of(desired, config.minimum_healthy_percent)
    ceiling = ceiling_of(desired, config.maximum_percent)
    if made.stops:
        assert healthy(world) >= min(before, floor)
        assert serving(world) >= min(served, floor)
    if made.starts:
        assert sum(map(occupies, world.live)) <= ceiling


def failed(world: World) -> bool:
    """Whether the rollout was given up."""
    return world.primary.rollout_state == "FAILED"


def fate(world: World, task: Task, roll: float, *, faults: bool) -> None:
    """Something happens to a task."""
    if not task.wanted:
        if task.last_status in {"PROVISIONING", "PENDING", "RUNNING"}:
            world.begin_stop(task)
        else:
            world.end(task)
    elif task.last_status in {"PROVISIONING", "PENDING"}:
        if faults and roll < 0.2:
            world.crash(task, "TaskFailedToStart")
        else:
            world.run(task)
    elif world.checked:
        world.health(task, "UNHEALTHY" if faults and roll < 0.2 else "HEALTHY")
    elif faults and roll < 0.1:
        world.crash(task)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(PERCENTAGES), st.booleans())
@example(6074026, (75, 125), True)  # the breaker trips on a failure that is counted after the last fault
def test_bounds_hold_and_it_converges_once_faults_stop(seed: int, percent: tuple[int, int], checked: bool) -> None:
    dice = random.Random(seed)
    config = configuration(*percent, breaker_enabled=dice.random() < 0.3, breaker_rollback=True)
    world = World(service(dice.randrange(0, 8), deployment_configuration=config), checked=checked)
    world.deploy(1)
    revision = 1
    for _ in range(120):
        act_checked(world)
        for _ in range(dice.randrange(4)):
            if world.live:
                fate(world, dice.choice(world.live), dice.random(), faults=True)
        if dice.random() < 0.03:
            revision += 1
            world.deploy(revision)
        if dice.random() < 0.03:
            world.service = world.service.but(desired_count=dice.randrange(0, 8))
        world.now += dice.choice([0.0, 0.1, 1.0, 5.0])
    if failed(world):
        return  # nothing to go back to: it stays, as it should
    desired = world.service.desired_count
    if desired and ceiling_of(desired, percent[1]) <= floor_of(desired, percent[0]):
        return  # these percentages block this count: the event says so
    for _ in range(4000):
        act_checked(world)
        for task in world.live:
            fate(world, task, 1.0, faults=False)
        world.now += 1.0
        if failed(world):
            return  # the last fault before the end was one too many for the breaker
        if world.service.steady_since is not None:
            break
    assert world.service.steady_since is not None
    assert len(world.live) == desired
    assert {task.deployment_id for task in world.live} <= {world.primary.number}
