"""One world's story: users' calls and faults in any order, then healing, then rest."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from longshore.control.loop import Loop
from longshore.domain.ecs.launch import TaskLaunch
from longshore.domain.ecs.service import Deployment, Service
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key_of
from longshore.domain.names.naming import DiscoveryService, Namespace
from longshore.wire.errors import ApiError
from sim.checks import (
    CheckedServices,
    Violation,
    check_always,
    check_answers,
    check_change,
    check_names,
    check_settled,
    check_start,
    check_stop,
    unsettled,
)
from sim.time import SimLoop, run
from sim.world import SCOPE, ControlPlane, World

STEPS = 60
REST_S = 4 * 3600.0
PERCENTAGES = [(100, 200), (50, 100), (0, 100), (50, 150), (100, 150)]
NAME = DiscoveryService(
    account=SCOPE.account,
    region=SCOPE.region,
    service_id="srv-names",
    namespace_id="ns-names",
    name="app",
    type="HTTP",
    created_at=0.0,
)
NAMED = {"s0", "s2"}
SHOP = Namespace(
    account=SCOPE.account, region=SCOPE.region, namespace_id="ns-shop", name="shop", type="HTTP", created_at=0.0
)
CONNECTED = {"s1", "s2"}
BEHAVIOURS: list[dict[str, str]] = [
    {},
    {},
    {},
    {"LONGSHORE_SIM_FAIL": "start"},
    {"LONGSHORE_SIM_FAIL": "pull"},
    {"LONGSHORE_SIM_EXIT_CODE": "1"},
    {"LONGSHORE_SIM_HEALTH": "UNHEALTHY"},
]


class CheckedPlane(ControlPlane):
    """A control plane under watch."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.services = CheckedServices(self.store, world.clock, world.ids, healthy_after_s=3.0)
        self.violations: list[Exception] = []
        self.store.watch(self._check)
        self.engine.starts = self._check_start
        self.engine.stops = self._check_stop
        loops: list[Loop[Any]] = [self.tasks.loop, self.services.loop, self.balancers.plans, self.balancers.targets]
        self.firewall.loop.on_fault = self._fault
        for loop in (*loops, self.connect.proxies, self.connect.probes, self.connect.drains):
            loop.on_fault = self._fault

    def _check(self, change: Any) -> None:
        try:
            check_change(change)
            check_names(self.store, change)
        except Violation as violation:
            self.violations.append(violation)

    def _check_start(self, launch: TaskLaunch) -> None:
        try:
            check_start(self.world, launch)
        except Violation as violation:
            self.violations.append(violation)

    def _check_stop(self, task_id: str) -> None:
        try:
            check_stop(self.world, task_id)
        except Violation as violation:
            self.violations.append(violation)

    def _fault(self, _key: object, error: Exception) -> None:
        self.violations.append(error)


class Story(World):
    """A world with users in it."""

    more_of_definition: Mapping[str, Any] = MappingProxyType({})
    """What its task definitions have besides."""

    def __init__(self, seed: int, loop: SimLoop) -> None:
        super().__init__(seed, loop)
        self.acknowledged: dict[str, str] = {}
        """ARN -> what was promised: it must be found after any crash."""
        self.groups: list[str] = []
        """ARNs of target groups."""

    def make_plane(self) -> ControlPlane:
        """Every life of the control plane is watched."""
        return CheckedPlane(self)

    def hopeless(self, service: Service, primary: Deployment) -> bool:
        """Whether a service can't settle: its definition always fails, or its percentages block it."""
        definition = self.plane.store.get(TaskDefinition, task_definition_key_of(primary.task_definition_arn))
        broken = definition is not None and bool(definition.containers[0].get("environment"))
        configuration = service.deployment_configuration
        floor = -(-service.desired_count * configuration.minimum_healthy_percent // 100)
        ceiling = service.desired_count * configuration.maximum_percent // 100
        return service.desired_count > 0 and (broken or ceiling <= floor)

    async def play(self) -> None:
        """The whole story."""
        await self.plane.start()
        await self.call("CreateCluster", clusterName="default")
        await self.prepare()
        await self._register({})
        await self._make_load_balancer()
        await self._make_name()
        for _ in range(STEPS):
            await self._step()
            self.look()
            await asyncio.sleep(self.dice.choice([0.0, 0.01, 0.3, 2.0, 10.0]))
        await self.heal()
        await self._rest()
        check_settled(self)
        await check_answers(self)
        await self.check_promises()

    async def _step(self) -> None:
        act = self.dice.choice([*self.users(), *self._troubles()])
        try:
            await act()
        except ApiError as error:
            self.note(f"refused: {error}")

    def users(self) -> list[Callable[[], Awaitable[None]]]:
        """What users do."""
        once = [self._create, self._scale, self._delete, self._stop]
        return [*once, self._update, self._update, self._run, self._run]

    def _troubles(self) -> list[Callable[[], Awaitable[None]]]:
        return [self._kill, self._kill, self._crash, self._clock, self._reboot, self._sicken]

    def container(self, environment: dict[str, str]) -> dict[str, Any]:
        """A container definition."""
        container: dict[str, Any] = {
            "name": "app",
            "image": "app",
            "portMappings": [{"containerPort": 80, "name": "http"}],
        }
        if environment:
            container["environment"] = [{"name": k, "value": v} for k, v in environment.items()]
        return container

    async def prepare(self) -> None:
        """What a story needs besides, before its first task."""

    async def _register(self, environment: dict[str, str]) -> str:
        container = self.container(environment)
        if self.dice.random() < 0.5 or "LONGSHORE_SIM_HEALTH" in environment:
            container["healthCheck"] = {"command": ["CMD", "true"], "interval": 5, "timeout": 2, "retries": 1}
        answer = await self.call(
            "RegisterTaskDefinition",
            family="web",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[container],
            **self.more_of_definition,
        )
        arn: str = answer["taskDefinition"]["taskDefinitionArn"]
        self.acknowledged[arn] = "task definition"
        return arn

    async def _make_load_balancer(self) -> None:
        """One, whose listener forwards to two target groups; services take turns to use them."""
        subnets = [s.subnet_id for s in self.subnets()]
        [balancer] = (await self.call("CreateLoadBalancer", Name="front", Subnets=subnets))["LoadBalancers"]
        for name in ("one", "two"):
            [group] = (
                await self.call(
                    "CreateTargetGroup",
                    Name=name,
                    Protocol="HTTP",
                    Port=80,
                    VpcId=self.subnets()[0].vpc_id,
                    TargetType="ip",
                )
            )["TargetGroups"]
            self.groups.append(group["TargetGroupArn"])
        forward = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": 1} for arn in self.groups]}
        await self.call(
            "CreateListener",
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "ForwardConfig": forward}],
        )

    async def _make_name(self) -> None:
        """A Cloud Map service, in which every second service is registered, and a namespace of Service Connect."""
        with self.plane.store.transaction() as tx:
            tx.put(NAME)
            tx.put(SHOP)
        await self.plane.store.durable()

    def _uses(self) -> list[dict[str, Any]]:
        """The `loadBalancers` of a service: none, one or two."""
        chosen = self.dice.choice([[], self.groups[:1], self.groups[1:], self.groups])
        return [{"targetGroupArn": arn, "containerName": "app", "containerPort": 80} for arn in chosen]

    def _services(self) -> list[Service]:
        return [s for s in self.plane.store.all(Service) if s.status == "ACTIVE"]

    def network(self) -> dict[str, Any]:
        """The `networkConfiguration` of services and tasks."""
        subnets = [s.subnet_id for s in self.subnets()]
        return {"awsvpcConfiguration": {"subnets": subnets}}

    async def _create(self) -> None:
        name = f"s{self.dice.randrange(4)}"
        minimum, maximum = self.dice.choice(PERCENTAGES)
        answer = await self.call(
            "CreateService",
            serviceName=name,
            taskDefinition="web",
            desiredCount=self.dice.randrange(5),
            launchType="FARGATE",
            networkConfiguration=self.network(),
            loadBalancers=self._uses(),
            serviceRegistries=[{"registryArn": NAME.arn}] if name in NAMED else [],
            **({"serviceConnectConfiguration": _connect(name)} if name in CONNECTED else {}),
            deploymentConfiguration={
                "minimumHealthyPercent": minimum,
                "maximumPercent": maximum,
                "deploymentCircuitBreaker": {"enable": self.dice.random() < 0.5, "rollback": self.dice.random() < 0.7},
            },
        )
        self.acknowledged[answer["service"]["serviceArn"]] = "service"

    async def _update(self) -> None:
        services = self._services()
        if services:
            arn = await self._register(self.dice.choice(BEHAVIOURS))
            service = self.dice.choice(services)
            others = {"loadBalancers": self._uses()} if self.dice.random() < 0.2 else {}
            await self.call("UpdateService", service=service.name, taskDefinition=arn, **others)

    async def _scale(self) -> None:
        services = self._services()
        if services:
            service = self.dice.choice(services)
            await self.call("UpdateService", service=service.name, desiredCount=self.dice.randrange(6))

    async def _delete(self) -> None:
        services = self._services()
        if services and self.dice.random() < 0.4:
            service = self.dice.choice(services)
            await self.call("DeleteService", service=service.name, force=True)

    async def _run(self) -> None:
        environment = self.dice.choice(BEHAVIOURS[3:])
        arn = await self._register(environment or {"LONGSHORE_SIM_EXIT_CODE": "0"})
        network = self.network()
        call = self.call("RunTask", taskDefinition=arn, launchType="FARGATE", count=2, networkConfiguration=network)
        if self.dice.random() < 0.2:
            await self.cut_off(call)
            return
        for task in (await call)["tasks"]:
            self.acknowledged[task["taskArn"]] = "task"

    async def cut_off(self, call: Awaitable[dict[str, Any]]) -> dict[str, Any] | ApiError | None:
        """Crash in the middle of a call. Its answer or refusal if that came before; any other error is a fault."""
        doomed = asyncio.ensure_future(call)
        await asyncio.sleep(0)
        await self.restart()
        doomed.cancel()
        await asyncio.wait([doomed])
        if doomed.cancelled():
            return None
        error = doomed.exception()
        if error is None or isinstance(error, ApiError):
            return error or doomed.result()
        raise error

    async def _stop(self) -> None:
        live = [t for t in self.plane.store.select(Task, "live", ()) if t.wanted]
        if live:
            task = self.dice.choice(live)
            await self.call("StopTask", task=task.task_id, reason="the story wants it")

    async def _kill(self) -> None:
        if self.machine.tasks:
            self.machine.kill(self.dice.choice(sorted(self.machine.tasks)), "app")
            self.note("a container dies")

    async def _sicken(self) -> None:
        if self.machine.tasks:
            task_id = self.dice.choice(sorted(self.machine.tasks))
            if self.machine.tasks[task_id].launch.containers[0].health_check is not None:
                self.machine.set_health(task_id, "app", healthy=False)
                self.note("a container's health check fails")

    async def _reboot(self) -> None:
        if self.dice.random() < 0.3:
            self.note("the machine reboots")
            for task_id in sorted(self.machine.tasks):
                self.machine.kill(task_id, "app")

    async def _clock(self) -> None:
        self.clock.offset_s = self.dice.choice([0.0, 0.0, -3600.0, 30.0])
        self.note(f"the clock is off by {self.clock.offset_s} s")

    async def _crash(self) -> None:
        await self.restart()

    async def heal(self) -> None:
        """Whatever was broken is mended."""
        self.note("faults end")
        self.fate.healed = True
        self.clock.offset_s = max(0.0, self.clock.offset_s)
        good = await self._register({})
        for service in self._services():
            # Whatever was broken is mended: from here on everything has a way to settle.
            await self.call(
                "UpdateService",
                service=service.name,
                taskDefinition=good,
                deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 200},
            )
        for task_id in sorted(self.machine.tasks):
            self.machine.set_health(task_id, "app", healthy=True)

    async def _rest(self) -> None:
        """Wait until nothing moves. Services that always fail go on trying, so their tasks are left out."""
        reasons: list[str] = []
        waited, step = 0.0, 5.0
        while waited < REST_S:
            await asyncio.sleep(step)
            waited += step
            self.look()
            reasons = list(unsettled(self))
            if not reasons:
                return
            step = min(step * 1.3, 600.0)
        raise Violation("it does not come to rest: " + "; ".join(reasons[:5]))

    def look(self) -> None:
        """Whether what must always hold does."""
        check_always(self)
        if isinstance(self.plane, CheckedPlane) and self.plane.violations:
            raise self.plane.violations[0]

    async def check_promises(self) -> None:
        """Whether all that was acknowledged is there."""
        store = self.plane.store
        known = {task.arn for task in store.all(Task)}
        known |= {service.arn for service in store.all(Service)}
        known |= {definition.arn for definition in store.all(TaskDefinition)}
        lost = [arn for arn in self.acknowledged if arn not in known]
        if lost:
            raise Violation(f"acknowledged and lost: {lost[:3]}")


def _connect(name: str) -> dict[str, Any]:
    """A service that its namespace reaches by its name."""
    aliases = [{"port": 80, "dnsName": name}]
    offered = {"portName": "http", "discoveryName": name, "clientAliases": aliases}
    return {"enabled": True, "namespace": SHOP.name, "services": [offered]}


def play(seed: int, kind: type[Story] = Story, option: str = "") -> None:
    """One world; raises with its seed and timeline when a promise was broken. `option` is what asks for its kind."""
    loop = SimLoop()
    told: list[str] = []

    async def story() -> None:
        world = kind(seed, loop)
        told.append("")
        try:
            await world.play()
        except BaseException as error:
            tail = "\n".join(world.timeline[-60:])
            raise Violation(f"seed {seed}: {error}\n{tail}\nAgain: python -m sim{option} --seed {seed}") from error
        finally:
            await world.plane.crash()

    random.seed(seed)
    run(story(), loop)
