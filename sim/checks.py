"""What must hold in every world at every moment, and once it has healed."""

from collections import defaultdict
from collections.abc import Iterator

from longshore.control.ec2.rules import Rules
from longshore.control.ecs.services import ServiceController
from longshore.decide.ecs.rollout.rolling import ceiling_of, floor_of, occupies
from longshore.decide.ecs.service import Plan, ServiceSnapshot
from longshore.decide.ecs.task import MOVES, was_started
from longshore.decide.names.connect import DRAIN_S, ready
from longshore.decide.names.names import discoverable
from longshore.domain.ec2.network import NetworkInterface
from longshore.domain.ecs.launch import TaskLaunch
from longshore.domain.ecs.service import Deployment, Service
from longshore.domain.ecs.task import Task
from longshore.domain.elbv2.balancer import Target
from longshore.domain.names.naming import DiscoveryService, ServiceInstance
from longshore.store.store import Change, Reader, Transaction
from sim.world import SCOPE, World

DEREGISTRATION_S = 300.0
"""How long a target may drain, by default."""


class Violation(AssertionError):  # noqa: N818  reads as what it is
    """A promise was broken."""


class CheckedServices(ServiceController):
    """The production controller; each of its acts is measured against the minimum and the maximum."""

    def _apply(self, tx: Transaction, made: Plan, now: float) -> None:
        before = self._snapshot(tx, made.service)
        super()._apply(tx, made, now)
        after = self._snapshot(tx, made.service)
        service = made.service
        if service.status != "ACTIVE":
            return
        configuration = service.deployment_configuration
        floor = floor_of(service.desired_count, configuration.minimum_healthy_percent)
        ceiling = ceiling_of(service.desired_count, configuration.maximum_percent)
        had, has = _healthy(before, now), _healthy(after, now)
        if has < min(had, floor):
            raise Violation(f"{service.name}: our own stops took it from {had} to {has} healthy tasks, below {floor}")
        served, serves = (sum(map(snapshot.serving, snapshot.tasks)) for snapshot in (before, after))
        if serves < min(served, floor):
            raise Violation(f"{service.name}: our own stops took it from {served} to {serves} running, below {floor}")
        took, takes = sum(map(occupies, before.tasks)), sum(map(occupies, after.tasks))
        if takes > max(took, ceiling):
            raise Violation(f"{service.name}: our own starts took it from {took} to {takes} tasks, above {ceiling}")


def _healthy(snapshot: ServiceSnapshot, now: float) -> int:
    return sum(snapshot.healthy(task, now) for task in snapshot.tasks)


def _reachable() -> dict[str, set[str]]:
    """Where a task may get from a state in one transaction: along the table, or nowhere."""
    reach: dict[str, set[str]] = defaultdict(set)
    for (start, _), end in MOVES.items():
        reach[start].add(end)
    for _ in MOVES:
        for state in list(reach):
            reach[state] |= {further for end in reach[state] for further in reach.get(end, set())}
    return reach


REACHABLE = _reachable()


def check_change(change: Change) -> None:
    """One change, as the store tells it."""
    before, after = change.before, change.after
    if not isinstance(after, Task):
        return
    if isinstance(before, Task):
        if after.last_status != before.last_status and after.last_status not in REACHABLE[before.last_status]:
            raise Violation(f"task {after.task_id} went from {before.last_status} to {after.last_status}")
        if before.desired_status == "STOPPED" != after.desired_status:
            raise Violation(f"task {after.task_id} was to stop and is to run again")
        if after.version < before.version:
            raise Violation(f"the version of task {after.task_id} went back")
    elif after.last_status != "PROVISIONING":
        raise Violation(f"task {after.task_id} was made in {after.last_status}")


def check_names(reader: Reader, change: Change) -> None:
    """With every change of a task, in the same commit: it is in its service's names if it runs and is to, else not.

    One that is unhealthy is left out where nobody could be told so.
    """
    task = change.after
    if not isinstance(task, Task):
        return
    deployment = reader.get(Deployment, (*task.scope, task.deployment_id))
    wanted = set()
    for registry in deployment.registries if deployment is not None and discoverable(task) else ():
        service = reader.get(DiscoveryService, (*task.scope, registry.service_id))
        if service is not None and (service.custom_health or task.health != "UNHEALTHY"):
            wanted.add(registry.service_id)
    have = {instance.service_id for instance in reader.select(ServiceInstance, "task", (task.task_id,))}
    if have != wanted:
        raise Violation(f"task {task.task_id} is {task.last_status} and in the names {have}, not in {wanted}")


def check_stop(world: World, task_id: str) -> None:
    """What holds when a task is told to stop: no new request can come to a container that answers.

    Unless the longest wait is over, as it may be at once when the clock is put forward.
    """
    task = world.machine.tasks.get(task_id)
    record = next(iter(world.plane.store.select(Task, "id", (task_id,))), None)
    if task is None or record is None or task.ended or task.stopping or task.launch.network is None:
        return
    address, waited_s = task.launch.network.address, world.clock.now() - (record.stopping_at or 0.0)
    if waited_s < DEREGISTRATION_S and world.forwarder.serves(address):
        raise Violation(f"task {task_id} was told to stop while its load balancer sends it requests")
    if waited_s < DRAIN_S and (sender := _sender_to(world, address)):
        raise Violation(f"task {task_id} was told to stop while the proxy of {sender} sends it requests")


def check_start(world: World, launch: TaskLaunch) -> None:
    """What holds when a task is told to start: its security groups' rules hold for its interface already."""
    if launch.network is None:
        return
    interface = next(each for each in world.plane.store.all(NetworkInterface) if each.task_arn == launch.task_arn)
    rules = world.table.rules
    place = rules.places.get(interface.interface_id) if rules is not None else None
    if place is None or (place.address, set(place.groups)) != (interface.private_ip, set(interface.security_groups)):
        raise Violation(f"task {launch.task_id} was told to start while nothing guarded {interface.private_ip}")


def check_guarded(world: World) -> None:
    """At rest the firewall holds what the records say."""
    if world.plane.firewall.behind:  # tasks of a service that always fails come and go
        return
    wanted = Rules(world.plane.store, by_groups=True, by_routes=False).all()
    if world.table.rules != wanted:
        raise Violation(f"the firewall holds {world.table.rules}, not {wanted}")


def _sender_to(world: World, address: str) -> str | None:
    """A task that runs, and whose proxy sends requests to an address."""
    for other, task in world.machine.tasks.items():
        endpoints = (endpoint for route in world.routes_in(other) for endpoint in route.endpoints)
        if not task.ended and not task.stopping and any(endpoint.address == address for endpoint in endpoints):
            return other
    return None


def check_always(world: World) -> None:
    """What holds at any moment."""
    for (task_id, container), times in world.machine.started.items():
        if times > 1:
            raise Violation(f"container {container} of task {task_id} was started {times} times")
    store = world.plane.store
    addresses: dict[tuple[str, str], str] = {}
    for interface in store.all(NetworkInterface):
        other = addresses.setdefault((interface.vpc_id, interface.private_ip), interface.interface_id)
        if other != interface.interface_id:
            raise Violation(f"{interface.private_ip} was handed out twice: {other} and {interface.interface_id}")
    for service in store.all(Service):
        primaries = [d for d in store.select(Deployment, "current", (service.uid,)) if d.status == "PRIMARY"]
        if service.status == "ACTIVE" and len(primaries) != 1:
            raise Violation(f"service {service.name} has {len(primaries)} PRIMARY deployments")


def unsettled(world: World) -> Iterator[str]:
    """Why a world that has healed is not yet at rest; nothing when it is."""
    store = world.plane.store
    restless = {
        service.uid for service in store.all(Service) if service.status == "ACTIVE" and _hopeless(world, service)
    }
    for task in store.select(Task, "live", ()):
        if task.service_uid in restless:
            continue
        if task.last_status != "RUNNING" or not task.wanted:
            yield f"task {task.task_id} is {task.last_status}, desired {task.desired_status}"
    for service in store.all(Service):
        if service.status == "DRAINING":
            yield f"service {service.name} still drains"
        if service.status != "ACTIVE":
            continue
        if service.uid in restless:
            continue
        if service.steady_since is None:
            tasks = store.select(Task, "live_service", (service.uid,))
            yield f"service {service.name} is not steady: {len(tasks)} live tasks, {service.desired_count} desired"


def _hopeless(world: World, service: Service) -> bool:
    """Whether a service has no way to settle, through no fault of ours."""
    current = world.plane.store.select(Deployment, "current", (service.uid,))
    primary = next(d for d in current if d.status == "PRIMARY")
    return primary.rollout_state == "FAILED" or world.hopeless(service, primary)


def check_settled(world: World) -> None:
    """What holds at rest: the machine runs exactly what the records say."""
    store = world.plane.store
    live = {task.task_id for task in store.select(Task, "live", ())}
    # Tasks of a service that always fails come and go: what holds of them holds at any moment.
    orphans = set(world.machine.tasks) - live
    if orphans:
        raise Violation(f"orphans on the machine: {sorted(orphans)}")
    for task in store.select(Task, "live", ()):
        if was_started(task) and task.wanted and task.task_id not in world.machine.tasks:
            raise Violation(f"task {task.task_id} is {task.last_status}, but the machine knows nothing of it")
    check_guarded(world)
    _check_targets(world)
    _check_proxies(world)
    taken = {interface.task_arn for interface in store.all(NetworkInterface) if interface.task_arn}
    holders = {task.arn for task in store.select(Task, "live", ())}
    if taken != holders:
        raise Violation(f"addresses held by no live task: {sorted(taken - holders)}")


def _check_targets(world: World) -> None:
    """Targets are those of live tasks, the data plane has them all and no other, and a task that settled is served."""
    store = world.plane.store
    targets = list(store.all(Target))
    for target in targets:
        task = store.get(Task, (*target.scope, target.cluster, target.task_id))
        if task is None or not task.live:
            raise Violation(f"target {target.address}:{target.port} is of no live task")
    known = {(target.group_id, target.address, target.port) for target in targets}
    placed = {(plan.group_id, plan.address, plan.port) for plan in world.forwarder.targets}
    if known != placed:
        raise Violation(f"the data plane has other targets than the records: {sorted(known ^ placed)[:3]}")
    for service in store.all(Service):
        if service.status != "ACTIVE" or _hopeless(world, service):
            continue
        for task in store.select(Task, "live_service", (service.uid,)):
            have = {t.group_id for t in store.select(Target, "task", (task.task_id,)) if t.state == "healthy"}
            wanted = {use.group_id for use in service.load_balancers}
            if have != wanted:
                raise Violation(f"task {task.task_id} is in service in {have}, and should be in {wanted}")


def _check_proxies(world: World) -> None:
    """Every proxy sends requests for a service that settled to all of its tasks that are ready, and to no other."""
    store = world.plane.store
    answering: dict[str, set[str]] = {}
    for service in store.all(Service):
        if service.status == "ACTIVE" and not _hopeless(world, service):
            tasks = store.select(Task, "live_service", (service.uid,))
            answering[service.name] = {task.attachment.private_ip for task in tasks if task.attachment and ready(task)}
    for task in store.select(Task, "live", ()):
        if not ready(task):
            continue
        for route in world.routes_in(task.task_id):
            have = {endpoint.address for endpoint in route.endpoints}
            wanted = answering.get(route.discovery_name, have)
            if have != wanted:
                raise Violation(f"the proxy of {task.task_id} has {route.discovery_name} at {have}, not at {wanted}")


async def check_answers(world: World) -> None:
    """The API's answers agree with each other."""
    clusters = (await world.call("DescribeClusters", clusters=["default"]))["clusters"]
    listed: list[str] = []
    for status in ("RUNNING", "STOPPED"):
        token: str | None = None
        while True:
            page = await world.call("ListTasks", desiredStatus=status, **({"nextToken": token} if token else {}))
            listed += page["taskArns"]
            token = page.get("nextToken")
            if not token:
                break
    running = 0
    for start in range(0, len(listed), 100):
        tasks = (await world.call("DescribeTasks", tasks=listed[start : start + 100]))["tasks"]
        running += sum(task["lastStatus"] == "RUNNING" for task in tasks)
    if clusters[0]["runningTasksCount"] != running:
        raise Violation(f"the cluster says {clusters[0]['runningTasksCount']} running tasks, its tasks say {running}")
    if len(set(listed)) != len(listed):
        raise Violation("ListTasks told a task twice")
    stored = {task.arn for task in world.plane.store.all(Task) if task.scope == SCOPE}
    if set(listed) != stored:
        raise Violation(f"ListTasks told {len(listed)} tasks of {len(stored)}")
