"""A service in a world of plain values: what the planner's tests build snapshots from and apply plans to."""

import random
from dataclasses import dataclass, field

import msgspec

from longshore.decide.ecs import task as life
from longshore.decide.ecs.rollout.begin import begin
from longshore.decide.ecs.service import Plan, ServiceSnapshot, plan
from longshore.domain.ecs.service import Deployment, DeploymentConfiguration, Service
from longshore.domain.ecs.task import Attachment, Container, Task
from longshore.domain.elbv2.balancer import Target, TargetState

ACCOUNT, REGION = "123456789012", "us-east-1"


class SeededIds:
    """Ids from a seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def hex(self, length: int) -> str:
        return "".join(self._random.choices("0123456789abcdef", k=length))

    def digits(self, length: int) -> str:
        return str(self._random.randrange(10 ** (length - 1), 10**length))

    def token(self, length: int) -> str:
        return "".join(self._random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))

    def uuid(self) -> str:
        return f"{self.hex(8)}-{self.hex(4)}-4{self.hex(3)}-a{self.hex(3)}-{self.hex(12)}"

    def choice(self, options: int) -> int:
        return self._random.randrange(options)


def definition_arn(revision: int) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web:{revision}"


def service(desired: int = 2, **changes: object) -> Service:
    made = Service(
        account=ACCOUNT,
        region=REGION,
        cluster="default",
        name="web",
        uid="svc",
        created_at=0.0,
        created_by="me",
        task_definition_arn=definition_arn(1),
        desired_count=desired,
    )
    return made.but(**changes)


@dataclass
class World:
    """One service, its deployments and tasks, and the events said so far."""

    service: Service
    now: float = 1000.0
    checked: bool = False
    healthy_after_s: float = 3.0
    deployments: dict[str, Deployment] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    ids: SeededIds = field(default_factory=SeededIds)
    wake_at: float | None = None
    targets: dict[str, list[Target]] = field(default_factory=dict)
    """By task id."""

    def deploy(self, revision: int) -> Deployment:
        """What UpdateService does."""
        self.service = self.service.but(task_definition_arn=definition_arn(revision))
        current = [d for d in self.deployments.values() if d.status != "INACTIVE"]
        made = begin(self.service, current, ids=self.ids, now=self.now)
        self.deployments.update({d.number: d for d in made})
        return made[0]

    def snapshot(self) -> ServiceSnapshot:
        current = [d for d in self.deployments.values() if d.status != "INACTIVE"]
        past = [d for d in self.deployments.values() if d.status == "INACTIVE"]
        past = [d for d in past if d.completed_once or d.service_deployment_status == "ROLLBACK_IN_PROGRESS"]
        return ServiceSnapshot(
            service=self.service,
            deployments=tuple(current),
            past=tuple(past),
            tasks=tuple(t for t in self.tasks.values() if t.live),
            unaccounted=tuple(t for t in self.tasks.values() if t.desired_status == "STOPPED" and not t.accounted),
            has_checks={t.task_definition_arn: self.checked for t in self.tasks.values()},
            healthy_after_s=self.healthy_after_s,
            targets=self.targets,
        )

    def turn(self) -> Plan:
        """One plan, carried out."""
        made = plan(self.snapshot(), self.now)
        self.service = made.service
        self.deployments.update({d.number: d for d in made.deployments})
        for task in made.accounted:
            self.tasks[task.task_id] = task.but(accounted=True)
        for _ in range(made.starts):
            self._start(next(d for d in made.deployments if d.status == "PRIMARY"))
        for stop in made.stops:
            task = self.tasks[stop.task.task_id]
            self.tasks[task.task_id] = life.request_stop(task, "ServiceSchedulerInitiated", stop.reason)
        for target in made.registered:
            self.targets.setdefault(target.task_id, []).append(target)
        for target in made.deregistered:
            self.targets[target.task_id] = [t.but(deregistered_at=self.now) for t in self.targets[target.task_id]]
        self.events += made.events
        self.wake_at = made.wake.at
        return made

    def _start(self, deployment: Deployment) -> None:
        task = Task(
            account=ACCOUNT,
            region=REGION,
            task_id=self.ids.hex(32),
            cluster="default",
            task_definition_arn=deployment.task_definition_arn,
            group="service:web",
            launch_type="FARGATE",
            created_at=self.now,
            cpu_units=256,
            memory_mib=512,
            service_uid=self.service.uid,
            deployment_id=deployment.number,
            availability_zone=f"us-east-1{'abc'[self.ids.choice(3)]}",
            containers=(Container(name="app", image="app", container_id="c", has_health_check=self.checked),),
        )
        self.tasks[task.task_id] = task

    # What may happen to a task. Each is what the engine would report.

    def run(self, task: Task) -> None:
        """It is running."""
        if task.last_status == "PROVISIONING":
            place = Attachment(attachment_id="a", subnet_id="subnet-a", private_ip=self.address(task))
            task = life.attached(task, place)
        containers = tuple(
            msgspec.structs.replace(c, last_status="RUNNING", started_at=self.now) for c in task.containers
        )
        task = life.move(task, "started").but(started_at=self.now, containers=containers)
        self.tasks[task.task_id] = task

    def address(self, task: Task) -> str:
        """The address that it has once it runs."""
        return f"172.31.0.{4 + list(self.tasks).index(task.task_id)}"

    def see(self, task: Task, state: TargetState) -> None:
        """Its targets are in this state."""
        words = ("Target.FailedHealthChecks", "Health checks failed") if state == "unhealthy" else ("", "")
        seen = [t.but(state=state, reason=words[0], description=words[1]) for t in self.targets[task.task_id]]
        self.targets[task.task_id] = seen
        if state == "healthy" and task.first_in_service_at is None:
            self.tasks[task.task_id] = self.tasks[task.task_id].but(first_in_service_at=self.now)

    def health(self, task: Task, state: str) -> None:
        first = task.first_healthy_at or (self.now if state == "HEALTHY" else None)
        self.tasks[task.task_id] = task.but(health=state, first_healthy_at=first)

    def crash(self, task: Task, code: str = "EssentialContainerExited") -> None:
        """It ended by itself, and everything of it is gone."""
        if task.last_status == "PROVISIONING":
            task = life.attached(task, None)
        task = life.request_stop(task, code, "it broke")  # type: ignore[arg-type]  # any code may be given
        self.end(task.but(execution_stopped_at=self.now))

    def end(self, task: Task) -> None:
        """A task that is to stop has stopped."""
        containers = tuple(msgspec.structs.replace(c, last_status="STOPPED") for c in task.containers)
        task = life.stopping(task.but(containers=containers), self.now, withdrawn=True)
        self.tasks[task.task_id] = life.released(task, self.now)
        self.targets.pop(task.task_id, None)

    def begin_stop(self, task: Task) -> None:
        """A task that is to stop is being stopped."""
        self.tasks[task.task_id] = life.stopping(task, self.now, withdrawn=True)

    @property
    def live(self) -> list[Task]:
        return [t for t in self.tasks.values() if t.live]

    @property
    def primary(self) -> Deployment:
        return next(d for d in self.deployments.values() if d.status == "PRIMARY")

    def settle(self, *, rounds: int = 200) -> None:
        """Everything goes well until nothing changes any more."""
        for _ in range(rounds):
            before = (self.service, dict(self.deployments), dict(self.tasks))
            self.turn()
            for task in self.live:
                if not task.wanted:
                    self.end(task)
                elif task.last_status in {"PROVISIONING", "PENDING"}:
                    self.run(task)
                elif self.checked and task.health != "HEALTHY":
                    self.health(task, "HEALTHY")
                elif task.task_id in self.targets:
                    self.see(task, "healthy")
            self.now += 1.0
            if (self.service, self.deployments, self.tasks) == before and self.now > (self.wake_at or 0) - 10_000:
                ages = [self.now - (t.started_at or self.now) for t in self.live]
                if all(age > self.healthy_after_s + 2 for age in ages):
                    return


def configuration(minimum: int = 100, maximum: int = 200, **changes: object) -> DeploymentConfiguration:
    made = DeploymentConfiguration(minimum_healthy_percent=minimum, maximum_percent=maximum)
    return msgspec.structs.replace(made, **changes)
