"""One turn of a rolling update: how many tasks may start and which must stop, within the minimum and the maximum.

Floor: at least ceil(desired x minimumHealthyPercent / 100) healthy tasks stay.
Ceiling: at most floor(desired x maximumPercent / 100) tasks are starting or running.

Worked example, desired 4, minimum 50 %, maximum 150 %: floor 2, ceiling 6. With 4 old healthy tasks a turn starts 2 new
(6 - 4) and stops 2 old (4 - 2). When the stopped two no longer run there is room for 2 more new ones; as the first new
ones turn healthy, the remaining old ones stop. With 100 % and 200 %: floor 4, ceiling 8: 4 new start, and each old one
stops as a new one turns healthy. A plan is made from what *is*, so any number of turns keeps the bounds: a task that
was told to stop but still runs counts towards the ceiling and no longer towards the floor.
"""

import math
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from longshore.decide.ecs.backoff import MAX_DELAY_S
from longshore.decide.ecs.rollout.snapshot import ServiceSnapshot, Stop
from longshore.domain.ecs.task import STARTING, Task
from longshore.domain.elbv2.balancer import Target

CONTAINER_REASON = "Task failed container health checks"
TARGET_REASON = "Task failed ELB health checks in (target-group {arn})"
UNHEALTHY_REASONS = (CONTAINER_REASON, TARGET_REASON.partition(" in ")[0])
"""How the `stoppedReason` of a task begins that was replaced because it was unhealthy."""
BLOCKED = (
    "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
    "Update the minimumHealthyPercent or maximumPercent value and try again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What to do now, and when to look again."""

    starts: int = 0
    replaced: int = 0
    stops: tuple[Stop, ...] = ()
    events: tuple[str, ...] = ()
    wakes: tuple[float, ...] = ()


def floor_of(desired_count: int, minimum_percent: int) -> int:
    """The fewest healthy tasks."""
    return math.ceil(desired_count * minimum_percent / 100)


def ceiling_of(desired_count: int, maximum_percent: int) -> int:
    """The most starting and running tasks."""
    return math.floor(desired_count * maximum_percent / 100)


def occupies(task: Task) -> bool:
    """Whether a task counts towards the ceiling: it is starting or running, wanted or not."""
    return task.last_status in STARTING or task.last_status == "RUNNING"


def _age(task: Task) -> tuple[float, str]:
    """Orders tasks from the oldest on."""
    return (task.created_at, task.task_id)


def scaling_reason(task: Task) -> str:
    """The `stoppedReason` of a task that the scheduler doesn't need any more."""
    return f"Scaling activity initiated by (deployment ecs-svc/{task.deployment_id})"


def turn(snapshot: ServiceSnapshot, now: float) -> Turn:
    """One turn."""
    starts, missing, retry_at = _starts(snapshot, now)
    unhealthy = [task for task in snapshot.tasks_of(snapshot.primary.number) if snapshot.unhealthy(task, now)]
    stops = _Stops(snapshot, now)
    stops.unhealthy(unhealthy, for_room=0 if retry_at is not None else missing - starts)
    stops.surplus()
    stops.old()
    wakes = [at for task in snapshot.tasks if (at := snapshot.healthy_at(task)) is not None and at > now]
    wakes += _grace_ends(snapshot, now)
    if retry_at is not None:
        wakes.append(retry_at)
    return Turn(
        starts=starts,
        replaced=min(len(unhealthy), starts),
        stops=tuple(stops.chosen),
        events=(
            *_unhealthy_events(snapshot, stops.chosen),
            *_blocked(snapshot, starts, stops.chosen, retry_at, now),
        ),
        wakes=tuple(wakes),
    )


def _starts(snapshot: ServiceSnapshot, now: float) -> tuple[int, int, float | None]:
    """How many to start now, how many are missing, and when to try again if the back-off forbids it now."""
    service, primary = snapshot.service, snapshot.primary
    if primary.rollout_state == "FAILED":
        return 0, 0, None
    good = sum(task.wanted and not snapshot.unhealthy(task, now) for task in snapshot.tasks_of(primary.number))
    missing = max(0, service.desired_count - good)
    ceiling = ceiling_of(service.desired_count, service.deployment_configuration.maximum_percent)
    room = ceiling - sum(map(occupies, snapshot.tasks))
    count = max(0, min(missing, room))
    # A clock that was set back must not stretch the wait beyond the longest there is.
    if count and primary.retry_at is not None and now < primary.retry_at <= now + MAX_DELAY_S:
        return 0, missing, primary.retry_at
    return count, missing, None


class _Stops:
    """The tasks that one turn stops, chosen in order of how little they are worth."""

    def __init__(self, snapshot: ServiceSnapshot, now: float) -> None:
        self.chosen: list[Stop] = []
        self._snapshot = snapshot
        self._now = now
        service = snapshot.service
        self._healthy = sum(snapshot.healthy(task, now) for task in snapshot.tasks)
        self._floor = floor_of(service.desired_count, service.deployment_configuration.minimum_healthy_percent)
        self._taken: set[str] = set()

    def surplus(self) -> None:
        """Scale in: what the PRIMARY has beyond the desired count, least useful first."""
        own = self._snapshot.tasks_of(self._snapshot.primary.number)
        good = [task for task in own if task.wanted and not self._snapshot.unhealthy(task, self._now)]
        excess = max(0, len(good) - self._snapshot.service.desired_count)
        for task in islice(self._by_worth(good), excess):
            self._stop(task, scaling_reason(task))

    def old(self) -> None:
        """Replace: old deployments' tasks, as far as the floor lets."""
        primary = self._snapshot.primary
        if primary.rollout_state == "FAILED":
            return
        old = [task for task in self._snapshot.tasks if task.deployment_id != primary.number and task.wanted]
        for task in self._by_worth(old):
            self._stop_above_floor(task, scaling_reason(task))

    def unhealthy(self, tasks: list[Task], *, for_room: int) -> None:
        """Stop what fails its checks once it is replaced; before that only as many as replacements need room for.

        An unhealthy task adds nothing to the healthy count, so the floor does not hold it.
        """
        replaced = self._healthy >= self._snapshot.service.desired_count
        for task in tasks if replaced else tasks[: max(0, for_room)]:
            self._stop(task, _unhealthy_reason(self._snapshot, task))

    def _by_worth(self, tasks: list[Task]) -> Iterator[Task]:
        """Not yet healthy before healthy, who serves nobody first; from the fullest availability zone; then the oldest.

        A generator, since most turns take none or few. It costs one sort, and a look at each zone per task taken.
        """
        left_in = Counter(task.availability_zone for task in tasks)
        queues: dict[tuple[bool, bool, bool], dict[str, deque[Task]]] = {}
        for task in sorted(tasks, key=_age):
            snapshot = self._snapshot
            worth = (snapshot.healthy(task, self._now), snapshot.serving(task), task.last_status == "RUNNING")
            queues.setdefault(worth, {}).setdefault(task.availability_zone, deque()).append(task)
        for worth in sorted(queues):
            zones = queues[worth]
            while zones:
                zone = min(zones, key=lambda name: (-left_in[name], _age(zones[name][0])))
                yield zones[zone].popleft()
                left_in[zone] -= 1
                if not zones[zone]:
                    del zones[zone]

    def _stop_above_floor(self, task: Task, reason: str) -> None:
        """Stop a task if enough healthy ones stay without it; one that serves nobody may always go."""
        others = self._healthy - self._snapshot.healthy(task, self._now)
        if not self._snapshot.serving(task) or others >= self._floor:
            self._stop(task, reason)

    def _stop(self, task: Task, reason: str) -> None:
        if task.task_id in self._taken:
            return
        self._taken.add(task.task_id)
        self._healthy -= self._snapshot.healthy(task, self._now)
        self.chosen.append(Stop(task, reason))


def _unhealthy_reason(snapshot: ServiceSnapshot, task: Task) -> str:
    target = snapshot.failed_target(task)
    return TARGET_REASON.format(arn=_arn_of(snapshot, task, target)) if target is not None else CONTAINER_REASON


def _unhealthy_events(snapshot: ServiceSnapshot, stops: list[Stop]) -> tuple[str, ...]:
    """What a load balancer says of the tasks that are stopped because they fail its checks."""
    said = []
    for stop in stops:
        target = snapshot.failed_target(stop.task) if stop.reason.startswith(UNHEALTHY_REASONS) else None
        if target is not None:
            where = f"(task {stop.task.task_id}) (port {target.port}) is unhealthy in (target-group "
            why = f"due to (reason {target.description or target.reason})"
            said.append(f"(service {snapshot.service.name}) {where}{_arn_of(snapshot, stop.task, target)}) {why}.")
    return tuple(said)


def _arn_of(snapshot: ServiceSnapshot, task: Task, target: Target) -> str:
    """The target group's ARN, as the service has it."""
    uses = snapshot.load_balancers_of(task)
    return next((use.target_group_arn for use in uses if use.group_id == target.group_id), "")


def _grace_ends(snapshot: ServiceSnapshot, now: float) -> list[float]:
    grace_s = float(snapshot.service.health_check_grace_s or 0)
    if not grace_s:
        return []
    ends = [t.started_at + grace_s for t in snapshot.tasks if t.started_at is not None and snapshot.failing(t)]
    return [end for end in ends if end > now]


def _blocked(
    snapshot: ServiceSnapshot, starts: int, stops: list[Stop], retry_at: float | None, now: float
) -> tuple[str, ...]:
    """A deployment that the percentages leave no way to go on: say so."""
    primary = snapshot.primary
    missing = snapshot.service.desired_count - len(snapshot.tasks_of(primary.number))
    if primary.rollout_state != "IN_PROGRESS" or missing <= 0 or starts or stops or retry_at is not None:
        return ()
    if any(not snapshot.healthy(task, now) for task in snapshot.tasks):
        return ()  # something is on its way up or down: its arrival may open the way
    return (f"(service {snapshot.service.name}) {BLOCKED}",)
