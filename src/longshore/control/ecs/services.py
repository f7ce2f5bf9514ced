"""Keeps each service true: takes its snapshot, has `decide` plan, and carries the plan out in one transaction.

The only writer of deployments after they are made, of service events, and of a service's steady state.
"""

from collections import Counter

from longshore.control.loop import Loop
from longshore.decide.ecs.launch import counts_health
from longshore.decide.ecs.launching import TaskRequest, choose_subnet, new_task, room_for
from longshore.decide.ecs.service import Plan, ServiceSnapshot, plan
from longshore.decide.ecs.task import request_stop
from longshore.decide.elbv2 import targets
from longshore.domain.clock import Clock, Ids
from longshore.domain.ec2.network import SecurityGroup, Subnet
from longshore.domain.ecs.cluster import HOST_KEY, Cluster, Host
from longshore.domain.ecs.service import Deployment, Service, ServiceEvent
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key_of
from longshore.domain.elbv2.balancer import Target, TargetGroup
from longshore.domain.record import Scope
from longshore.domain.tag import Tags
from longshore.store.store import Change, Store, Transaction

EVENTS_KEPT = 100
REPEAT_AFTER_S = 6 * 3600.0
"""An event that only says again what was said is left out for this long, as on ECS."""
STATE_EVENTS = ("was unable to", "is unable to", "failed to register")
NO_ROOM = (
    "(service {name}) was unable to place a task. Reason: Capacity is unavailable at this time "
    "({reason}: the task needs {cpu} CPU units and {memory} MiB; {free_cpu} and {free_memory} are free)."
)
NO_NETWORK = "(service {name}) was unable to place a task. Reason: {reason}."
NO_GROUP = (
    "(service {name}) failed to register targets in (target-group {arn}) with (error The target group does not exist.)"
)


class ServiceController:
    """One loop over services, by internal id."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, *, healthy_after_s: float) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._healthy_after_s = healthy_after_s
        self._short_of_room: set[str] = set()
        self.loop: Loop[str] = Loop("services", self._reconcile, clock, workers=1)
        store.watch(self._changed, Task, Target, Service, Deployment, Host)

    def resume(self) -> None:
        """At a start: look at every service that is not gone."""
        for service in self._store.all(Service):
            if service.status != "INACTIVE":
                self.loop.enqueue(service.uid)

    def _changed(self, change: Change) -> None:
        record = change.after or change.before
        if isinstance(record, Task):
            if record.service_uid:
                self.loop.enqueue(record.service_uid)
            if not record.live or change.after is None:
                self._room_came()
        elif isinstance(record, Target):
            if record.service_uid:
                self.loop.enqueue(record.service_uid)
        elif isinstance(record, Service):
            self.loop.enqueue(record.uid)
        elif isinstance(record, Deployment):
            self.loop.enqueue(record.service_uid)
        elif isinstance(record, Host):
            self._room_came()

    def _room_came(self) -> None:
        waiting, self._short_of_room = self._short_of_room, set()
        for uid in waiting:
            self.loop.enqueue(uid)

    async def _reconcile(self, uid: str) -> float | None:
        found = self._store.select(Service, "uid", (uid,))
        if not found or found[0].status == "INACTIVE":
            return None
        now = self._clock.now()
        with self._store.transaction() as tx:
            snapshot = self._snapshot(tx, found[0])
            made = plan(snapshot, now)
            self._apply(tx, made, now)
        return made.wake.at

    def _snapshot(self, tx: Transaction, service: Service) -> ServiceSnapshot:
        current = tx.select(Deployment, "current", (service.uid,))
        tasks = tx.select(Task, "live_service", (service.uid,))
        unaccounted = tx.select(Task, "unaccounted", (service.uid,))
        definitions = {task.task_definition_arn for task in (*tasks, *unaccounted)}
        return ServiceSnapshot(
            service=service,
            deployments=tuple(current),
            past=tuple(tx.select(Deployment, "past", (service.uid,))),
            tasks=tuple(tasks),
            unaccounted=tuple(unaccounted),
            has_checks={arn: counts_health(_definition(tx, arn)) for arn in definitions},
            healthy_after_s=self._healthy_after_s,
            targets=_by_task(tx.select(Target, "service", (service.uid,))),
        )

    def _apply(self, tx: Transaction, made: Plan, now: float) -> None:
        for task in made.accounted:
            tx.put(task.but(accounted=True))
        for deployment in made.deployments:
            tx.put(deployment)
        tx.put(made.service)
        events = list(made.events)
        if made.starts:
            events += self._start(tx, made, now)
        events += _register(tx, made)
        if made.stops:
            events += _stop(tx, made)
        events += _deregister(tx, made, now)
        self._say(tx, made.service, events, now)

    def _start(self, tx: Transaction, made: Plan, now: float) -> list[str]:
        service = made.service
        primary = next(d for d in made.deployments if d.status == "PRIMARY")
        definition = _definition(tx, primary.task_definition_arn)
        cluster = tx.get(Cluster, (*service.scope, service.cluster))
        if cluster is None:
            return []
        request = TaskRequest(
            cluster=cluster,
            definition=definition,
            launch_type=primary.launch_type,
            platform_version=primary.platform_version,
            network_configuration=primary.network_configuration,
            group=f"service:{service.name}",
            started_by=primary.deployment_id,
            tags=_task_tags(service, definition),
            enable_execute_command=service.enable_execute_command,
            service_uid=service.uid,
            service_name=service.name,
            deployment_id=primary.number,
        )
        placement = _Placement(tx, service, request)
        started: list[Task] = []
        for _ in range(made.starts):
            task = new_task(request, subnet=placement.next_subnet(), ids=self._ids, now=now)
            refusal = placement.refusal(task)
            if refusal is not None:
                self._short_of_room.add(service.uid)
                return [*_started(service, started, made.replaced), refusal]
            tx.put(task)
            placement.took(task)
            started.append(task)
        return _started(service, started, made.replaced)

    def _say(self, tx: Transaction, service: Service, messages: list[str], now: float) -> None:
        if not messages:
            return
        said = tx.select(ServiceEvent, "service", (service.uid,))
        last = {event.message: event.created_at for event in said}
        sequence = max((event.sequence for event in said), default=0)
        for message in messages:
            repeated = any(state in message for state in STATE_EVENTS) and message in last
            if repeated and now - last[message] < REPEAT_AFTER_S:
                continue
            sequence += 1
            event = ServiceEvent(
                account=service.account,
                region=service.region,
                service_uid=service.uid,
                event_id=self._ids.uuid(),
                created_at=now,
                sequence=sequence,
                message=message,
            )
            tx.put(event)
            said.append(event)
        for old in sorted(said, key=lambda event: event.sequence)[:-EVENTS_KEPT]:
            tx.delete(ServiceEvent, old.key)


class _Placement:
    """Where the next tasks of one service go, and whether there is room."""

    def __init__(self, tx: Transaction, service: Service, request: TaskRequest) -> None:
        self._name = service.name
        self._host = tx.get(Host, HOST_KEY)
        self._cpu_used = tx.tally(Task, "cpu_units", ())
        self._memory_used = tx.tally(Task, "memory_mib", ())
        self._subnets = _subnets(tx, service.scope, request)
        self._missing = _missing(tx, service.scope, request, self._subnets)
        live = tx.select(Task, "live_service", (service.uid,))
        self._tasks_in = Counter(task.attachment.subnet_id for task in live if task.attachment and task.wanted)

    def next_subnet(self) -> Subnet | None:
        """The subnet of the next task."""
        if not self._subnets:
            return None
        subnet = choose_subnet(self._subnets, self._tasks_in)
        self._tasks_in[subnet.subnet_id] += 1
        return subnet

    def took(self, task: Task) -> None:
        """A task has been placed: what it holds is no longer free for the next."""
        self._cpu_used += task.cpu_units
        self._memory_used += task.memory_mib

    def refusal(self, task: Task) -> str | None:
        """Why the machine has no room for the task, or its network is gone, as the service's event says it."""
        if self._missing:
            return NO_NETWORK.format(name=self._name, reason=self._missing)
        host, cpu_used, memory_used = self._host, self._cpu_used, self._memory_used
        reason = room_for(
            host, cpu_used=cpu_used, memory_used=memory_used, cpu_units=task.cpu_units, memory_mib=task.memory_mib
        )
        if reason is None:
            return None
        return NO_ROOM.format(
            name=self._name,
            reason=reason,
            cpu=task.cpu_units,
            memory=task.memory_mib,
            free_cpu=max(0, host.cpu_units - cpu_used) if host else 0,
            free_memory=max(0, host.memory_mib - memory_used) if host else 0,
        )


def _subnets(tx: Transaction, scope: Scope, request: TaskRequest) -> list[Subnet]:
    wanted = request.network_configuration.get("awsvpcConfiguration", {}).get("subnets", ())
    found = (tx.get(Subnet, (*scope, subnet_id)) for subnet_id in wanted)
    return [subnet for subnet in found if subnet is not None]


def _missing(tx: Transaction, scope: Scope, request: TaskRequest, subnets: list[Subnet]) -> str:
    """What a user has deleted of that which a service's tasks need; empty where all is there."""
    awsvpc = request.network_configuration.get("awsvpcConfiguration", {})
    if awsvpc.get("subnets") and not subnets:
        return f"The subnet ID '{awsvpc['subnets'][0]}' does not exist"
    for group_id in awsvpc.get("securityGroups", ()):
        if tx.get(SecurityGroup, (*scope, group_id)) is None:
            return f"The security group '{group_id}' does not exist"
    return ""


def _definition(tx: Transaction, arn: str) -> TaskDefinition:
    definition = tx.get(TaskDefinition, task_definition_key_of(arn))
    if definition is None:
        raise LookupError(f"{arn} is in use but not in the store")
    return definition


def _task_tags(service: Service, definition: TaskDefinition) -> Tags:
    """The tags that a service's tasks begin with."""
    tags: Tags = {}
    if service.propagate_tags == "SERVICE":
        tags.update(service.tags)
    elif service.propagate_tags == "TASK_DEFINITION":
        tags.update(definition.tags)
    if service.enable_ecs_managed_tags:
        tags["aws:ecs:clusterName"] = service.cluster
        tags["aws:ecs:serviceName"] = service.name
    return tags


def _stop(tx: Transaction, made: Plan) -> list[str]:
    running, pending = [], 0
    for stop in made.stops:
        task = tx.get(Task, stop.task.key) or stop.task
        tx.put(request_stop(task, "ServiceSchedulerInitiated", stop.reason))
        if task.last_status == "RUNNING":
            running.append(task)
        else:
            pending += 1
    name = made.service.name
    events = []
    if running:
        events.append(f"(service {name}) has stopped {len(running)} running tasks: {_listed(running)}.")
    if pending:
        events.append(f"(service {name}) stopped {pending} pending tasks.")
    return events


def _register(tx: Transaction, made: Plan) -> list[str]:
    registered, missing = [], []
    for target in made.registered:
        arn = _group_arn(made, target)
        if tx.get(TargetGroup, (*target.scope, target.group_id)) is None:
            missing.append(arn)
            continue
        tx.put(target)
        registered.append(arn)
    name = made.service.name
    events = [NO_GROUP.format(name=name, arn=arn) for arn in dict.fromkeys(missing)]
    return [*targets.registered_events(name, registered), *events]


def _deregister(tx: Transaction, made: Plan, now: float) -> list[str]:
    tasks = {target.task_id: task for target in made.deregistered for task in tx.select(Task, "id", (target.task_id,))}
    groups = [_group_arn(made, target) for target in made.deregistered]
    for target in made.deregistered:
        tx.put(target.but(deregistered_at=now))
    deployments = [f"ecs-svc/{task.deployment_id}" for task in tasks.values()]
    return targets.deregistered_events(made.service.name, groups, deployments)


def _group_arn(made: Plan, target: Target) -> str:
    """As a deployment has it; the group itself may be gone."""
    uses = (use for deployment in made.deployments for use in deployment.load_balancers)
    return next((use.target_group_arn for use in uses if use.group_id == target.group_id), target.group_id)


def _by_task(found: list[Target]) -> dict[str, list[Target]]:
    by_task: dict[str, list[Target]] = {}
    for target in found:
        by_task.setdefault(target.task_id, []).append(target)
    return by_task


def _started(service: Service, tasks: list[Task], replaced: int) -> list[str]:
    if not tasks:
        return []
    said = f"(service {service.name}) has started {len(tasks)} tasks: {_listed(tasks)}."
    if replaced:
        said += f" Amazon ECS replaced {min(replaced, len(tasks))} tasks due to an unhealthy status."
    return [said]


def _listed(tasks: list[Task]) -> str:
    return " ".join(f"(task {task.task_id})" for task in tasks)
