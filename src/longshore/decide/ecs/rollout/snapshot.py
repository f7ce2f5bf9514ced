"""What a plan is made from and what it consists of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from longshore.decide.ecs.backoff import passed
from longshore.domain.ecs.service import Deployment, Service, ServiceLoadBalancer
from longshore.domain.ecs.task import Task
from longshore.domain.elbv2.balancer import Target

IN_SERVICE = frozenset({"healthy", "unavailable"})
"""Target states in which a target gets requests; it is unavailable where its group has no health checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSnapshot:
    """A service and all that bears on what it does next."""

    service: Service
    deployments: tuple[Deployment, ...]
    """Those in `deployments[]`: the PRIMARY and the ones still draining."""
    past: tuple[Deployment, ...] = ()
    """Earlier ones that once completed (what a rollback may go back to), or whose rollback still goes on."""
    tasks: tuple[Task, ...] = ()
    """All that are not STOPPED."""
    unaccounted: tuple[Task, ...] = ()
    """Those that are to stop or have stopped, and that no plan has counted yet."""
    has_checks: Mapping[str, bool] = field(default_factory=dict)
    """By task definition ARN: whether an essential container has a health check."""
    healthy_after_s: float = 3.0
    targets: Mapping[str, Sequence[Target]] = field(default_factory=dict)
    """By task id: the targets of the service's tasks, those that drain too."""

    @property
    def primary(self) -> Deployment:
        """The deployment that the service goes towards."""
        return next(d for d in self.deployments if d.status == "PRIMARY")

    def tasks_of(self, number: str) -> list[Task]:
        """The live tasks of a deployment."""
        return [task for task in self.tasks if task.deployment_id == number]

    def checked(self, task: Task) -> bool:
        """Whether the task's health is known from checks."""
        return self.has_checks.get(task.task_definition_arn, False)

    def healthy(self, task: Task, now: float) -> bool:
        """Whether the task counts towards the minimum: it runs, is to run, and is healthy.

        Health comes from its containers' checks and from its targets'; a task without either is taken for healthy a
        while after RUNNING.
        """
        if not task.wanted or task.last_status != "RUNNING" or task.started_at is None:
            return False
        if self.checked(task) and task.health != "HEALTHY":
            return False
        if self.load_balancers_of(task):
            return self.in_service(task)
        return self.checked(task) or passed(task.started_at, self.healthy_after_s, now)

    def load_balancers_of(self, task: Task) -> tuple[ServiceLoadBalancer, ...]:
        """Where the task is to be registered."""
        for deployment in self.deployments:
            if deployment.number == task.deployment_id:
                return deployment.load_balancers
        return ()

    def targets_of(self, task: Task) -> Sequence[Target]:
        """Where it is."""
        return self.targets.get(task.task_id, ())

    def in_service(self, task: Task) -> bool:
        """Whether each of its load balancers sends it requests."""
        ready = {(t.group_id, t.port) for t in self.targets_of(task) if t.state in IN_SERVICE and not t.draining}
        wanted = self.load_balancers_of(task)
        return all((use.group_id, use.container_port) in ready for use in wanted)

    def failed_target(self, task: Task) -> Target | None:
        """One of its targets that fails its checks."""
        return next((t for t in self.targets_of(task) if t.state == "unhealthy" and not t.draining), None)

    def serving(self, task: Task) -> bool:
        """Whether the task may be answering somebody: it runs and is not known to fail, though it may be too young
        to count as healthy."""
        if not task.wanted or task.last_status != "RUNNING" or self.failing(task):
            return False
        return not self.load_balancers_of(task) or any(t.state in IN_SERVICE for t in self.targets_of(task))

    def healthy_at(self, task: Task) -> float | None:
        """When a task without checks will count as healthy, if it goes on running."""
        if task.started_at is None or self.checked(task) or self.load_balancers_of(task):
            return None
        return task.started_at + self.healthy_after_s

    def failing(self, task: Task) -> bool:
        """Whether its checks fail: its containers', or its targets'."""
        return task.health == "UNHEALTHY" or self.failed_target(task) is not None

    def unhealthy(self, task: Task, now: float) -> bool:
        """Whether the task is to be replaced: its checks fail, and its grace period is over."""
        grace_s = float(self.service.health_check_grace_s or 0)
        return (
            task.wanted and task.started_at is not None and self.failing(task) and passed(task.started_at, grace_s, now)
        )


@dataclass(frozen=True, slots=True)
class Stop:
    """A task to stop, and what its `stoppedReason` will say."""

    task: Task
    reason: str


@dataclass(frozen=True, slots=True)
class Wake:
    """When to plan again although nothing has changed."""

    at: float | None = None

    @classmethod
    def first(cls, times: Iterable[float]) -> "Wake":
        """The earliest of some times."""
        return cls(min(times, default=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to change. Records are given as they are to be; unchanged ones cost nothing to write."""

    service: Service
    deployments: tuple[Deployment, ...] = ()
    accounted: tuple[Task, ...] = ()
    starts: int = 0
    """How many tasks of the PRIMARY deployment to start."""
    replaced: int = 0
    """How many of them take the place of unhealthy ones."""
    stops: tuple[Stop, ...] = ()
    registered: tuple[Target, ...] = ()
    """Targets to register."""
    deregistered: tuple[Target, ...] = ()
    """Targets to deregister."""
    events: tuple[str, ...] = ()
    wake: Wake = Wake()
