"""Keeps the Service Connect proxy of each task what its namespace says, and says when a task that stops is forgotten.

Writes no record: who answers to a name follows from the tasks as they are. What it knows besides (who answers, what
each proxy was told) is in memory, and is learned anew after a restart. The proxies themselves begin and end with
their tasks, by the engine.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import structlog

from longshore.control.loop import Loop, Timer
from longshore.decide.names import connect as decide
from longshore.domain.clock import Clock
from longshore.domain.ec2.network import Subnet
from longshore.domain.ecs.service import Deployment
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key_of
from longshore.domain.names.connect import ConnectCounts, ConnectPlan, ConnectRoute, Endpoint
from longshore.domain.record import Key
from longshore.drivers.ports import ConnectDriver, Retryable
from longshore.store.store import Change, Store

log = structlog.get_logger(__name__)

PROBE_S = 0.1
"""How often to try whether a new endpoint answers."""
PROBES_QUICK_S = 30.0
PROBE_SLOW_S = 2.0
DRAIN_LOOK_S = 0.1
COUNT_S = 10.0
Namespace = Key
"""`(account, region, id)`."""


class ConnectController:
    """All proxies of one Longshore."""

    def __init__(self, store: Store, driver: ConnectDriver, clock: Clock) -> None:
        self._store = store
        self._driver = driver
        self._clock = clock
        self.on_withdrawn: Callable[[Key], None] = lambda _task: None
        """Told when nobody sends a task anything any more."""
        self._members: dict[Namespace, dict[Key, None]] = defaultdict(dict)
        """Live tasks by namespace, in the order in which they came."""
        self._namespace_of: dict[Key, Namespace] = {}
        self._at: dict[tuple[str, str], Key] = {}
        """Tasks by `(VPC, address)`."""
        self._routes: dict[Namespace, tuple[ConnectRoute, ...]] = {}
        """Those that are up to date."""
        self._told: dict[Key, ConnectPlan] = {}
        """What each proxy has, where that is certain."""
        self._place_of: dict[Key, tuple[str, str]] = {}
        self._answering: dict[Endpoint, Key] = {}
        """Endpoints that have taken a connection, with their tasks."""
        self._answers_of: dict[Key, set[Endpoint]] = defaultdict(set)
        self._withdrawn: set[Key] = set()
        self._leaving: dict[Namespace, dict[Key, None]] = defaultdict(dict)
        """Tasks that wait for proxies to let go of them."""
        self.proxies: Loop[Key] = Loop("connect", self._reconcile, clock)
        self.probes: Loop[Key] = Loop("connect probes", self._probe, clock)
        self.drains: Loop[Key] = Loop("connect drains", self._drain, clock)
        self.counts: dict[Key, Sequence[ConnectCounts]] = {}
        """By task, as they were when last asked for."""
        self._counter = Timer("connect counts", self._count, COUNT_S)
        store.watch(self._changed, Task, Deployment)

    def resume(self) -> None:
        """At a start, before tasks are adopted: who is to be found was found before."""
        for task in self._store.select(Task, "live", ()):
            self._note(task)
            if decide.ready(task):
                for endpoint in self._endpoints(task):
                    self._answered(endpoint, task.key)

    def start(self) -> None:
        """Begin: bring all proxies up to date."""
        for loop in (self.proxies, self.probes, self.drains):
            loop.start()
        self._counter.start()
        for key in self._namespace_of:
            self._look(key)

    async def stop(self) -> None:
        """Stop looking; proxies go on."""
        for loop in (self.proxies, self.probes, self.drains):
            await loop.stop()
        await self._counter.stop()

    # -------------------------------------------------------------------------------------- what others ask for

    def plan(self, task: Task) -> ConnectPlan | None:
        """What the task's proxy is to be told now; None for a task without Service Connect."""
        if not task.deployment_id:
            return None
        self._note(task)
        namespace = self._namespace_of.get(task.key)
        deployment, definition = self._revision(task)
        if namespace is None or deployment is None or definition is None:
            return None
        return decide.plan_of(deployment.service_connect, definition, self.routes(namespace), task)

    def withdrawn(self, task: Task) -> bool:
        """Whether no proxy sends the task anything any more, and none has a connection to it."""
        return task.key in self._withdrawn or not self._endpoints(task)

    def routes(self, namespace: Namespace) -> tuple[ConnectRoute, ...]:
        """Every name of a namespace, and who answers to it now."""
        known = self._routes.get(namespace)
        if known is None:
            known = self._routes[namespace] = decide.routes_of(self._offers(namespace), self._answering.__contains__)
        return known

    def routes_at(self, vpc_id: str, address: str) -> tuple[ConnectRoute, ...]:
        """What the task at an address can connect to; nothing where it has no Service Connect."""
        task = self._at.get((vpc_id, address))
        namespace = self._namespace_of.get(task) if task is not None else None
        return self.routes(namespace) if namespace is not None else ()

    # --------------------------------------------------------------------------------------------- what changes

    def _changed(self, change: Change) -> None:
        record = change.after or change.before
        if isinstance(record, Task):
            if record.service_uid and _stage(change.before) != _stage(change.after):
                self._task_changed(record, gone=change.after is None or not record.live)
        elif isinstance(record, Deployment) and record.namespace and _offer(change.before) != _offer(change.after):
            self._stale((*record.scope, record.namespace))

    def _task_changed(self, task: Task, *, gone: bool) -> None:
        if gone:
            self._forget(task.key)
            return
        self._note(task)
        namespace = self._namespace_of.get(task.key)
        if namespace is None:
            return
        self._stale(namespace)
        self._look(task.key)

    def _look(self, key: Key) -> None:
        self.proxies.enqueue(key)
        self.probes.enqueue(key)
        self.drains.enqueue(key)

    def _stale(self, namespace: Namespace) -> None:
        self._routes.pop(namespace, None)
        for key in self._members.get(namespace, ()):
            self.proxies.enqueue(key)

    def _note(self, task: Task) -> None:
        """Know a task of a namespace, and its address once it has one."""
        if not task.deployment_id:
            return
        if task.key not in self._namespace_of:
            deployment, _ = self._revision(task)
            if deployment is None or not deployment.namespace:
                return
            namespace = (*task.scope, deployment.namespace)
            self._namespace_of[task.key] = namespace
            self._members[namespace][task.key] = None
        if task.attachment is not None and task.attachment.private_ip:
            subnet = self._store.get(Subnet, (*task.scope, task.attachment.subnet_id))
            if subnet is not None:
                place = (subnet.vpc_id, task.attachment.private_ip)
                self._at[place], self._place_of[task.key] = task.key, place

    def _answered(self, endpoint: Endpoint, key: Key) -> None:
        self._answering[endpoint] = key
        self._answers_of[key].add(endpoint)

    def _forget(self, key: Key) -> None:
        namespace = self._namespace_of.pop(key, None)
        if namespace is None:
            return
        del self._members[namespace][key]
        self._leaving[namespace].pop(key, None)
        place = self._place_of.pop(key, None)
        if place is not None and self._at.get(place) == key:
            del self._at[place]
        for endpoint in self._answers_of.pop(key, ()):
            if self._answering.get(endpoint) == key:
                del self._answering[endpoint]
        self._told.pop(key, None)
        self.counts.pop(key, None)
        self._withdrawn.discard(key)
        self._stale(namespace)

    # ------------------------------------------------------------------------------------------------ the loops

    async def _reconcile(self, key: Key) -> None:
        """One proxy. Tasks that are to stop may be waiting for it to let go of them."""
        task = self._store.get(Task, key)
        plan = self.plan(task) if task is not None and task.live else None
        if task is None or plan is None or self._told.get(key) == plan:
            return
        self._told.pop(key, None)  # nobody knows what it has if this fails halfway
        await self._driver.apply(task.task_id, plan)
        if key in self._namespace_of:
            self._told[key] = plan
        for leaving in self._leaving.get(self._namespace_of.get(key, ()), ()):
            self.drains.enqueue(leaving)

    async def _probe(self, key: Key) -> float | None:
        """A task comes into its namespace when it takes connections: running is not yet listening."""
        task = self._store.get(Task, key)
        if task is None or not decide.ready(task):
            return None
        waiting = [endpoint for endpoint in sorted(self._endpoints(task)) if endpoint not in self._answering]
        for endpoint in waiting:
            if await self._driver.answers(endpoint) and key in self._namespace_of:
                self._answered(endpoint, key)
                self._stale(self._namespace_of[key])
        if all(endpoint in self._answering for endpoint in waiting):
            return None
        now = self._clock.now()
        quick = now - (task.started_at or now) < PROBES_QUICK_S
        return now + (PROBE_S if quick else PROBE_SLOW_S)

    async def _drain(self, key: Key) -> float | None:
        """A task that is to stop: all proxies have to know, and then their connections to it have to end."""
        task = self._store.get(Task, key)
        if task is None or task.wanted or not task.live or key in self._withdrawn:
            return None
        endpoints = self._endpoints(task)
        ends_at = (task.stopping_at or self._clock.now()) + decide.DRAIN_S
        namespace = self._namespace_of.get(key, ())
        members = list(self._members.get(namespace, ()))
        if endpoints and self._clock.now() < ends_at:
            self._leaving[namespace][key] = None
            if any(member not in self._told or decide.uses(self._told[member], endpoints) for member in members):
                return ends_at  # the last of them wakes us
            if await self._busy(members, endpoints):
                return min(ends_at, self._clock.now() + DRAIN_LOOK_S)
        self._leaving[namespace].pop(key, None)
        self._withdrawn.add(key)
        self.on_withdrawn(key)
        return None

    async def _busy(self, members: list[Key], endpoints: set[Endpoint]) -> bool:
        for member in members:
            try:
                if not endpoints.isdisjoint(await self._driver.busy(member[-1])):
                    return True
            except Retryable as error:
                log.info("a proxy does not say what it is busy with", task=member[-1], reason=error.reason)
        return False

    async def _count(self) -> None:
        for key in list(self._told):
            try:
                counted = await self._driver.counts(key[-1])
            except Retryable:
                continue
            if key in self._namespace_of:
                self.counts[key] = counted

    # ------------------------------------------------------------------------------------------------- the state

    def _revision(self, task: Task) -> tuple[Deployment | None, TaskDefinition | None]:
        if not task.service_uid:
            return None, None
        deployment = self._store.get(Deployment, (*task.scope, task.deployment_id))
        return deployment, self._store.get(TaskDefinition, task_definition_key_of(task.task_definition_arn))

    def _endpoints(self, task: Task) -> set[Endpoint]:
        deployment, _ = self._revision(task)
        return set(decide.endpoints_of(task, deployment.service_connect).values()) if deployment else set()

    def _offers(self, namespace: Namespace) -> Iterator[decide.Offer]:
        for deployment in self._store.select(Deployment, "namespace", namespace):
            definition = self._store.get(TaskDefinition, task_definition_key_of(deployment.task_definition_arn))
            if definition is not None:
                live = self._store.select(Task, "live_service", (deployment.service_uid,))
                tasks = [task for task in live if task.deployment_id == deployment.number]
                yield decide.Offer(deployment, definition, tasks)


def _stage(record: object) -> object:
    """What of a task bears on who answers, and on what its proxy is told."""
    if not isinstance(record, Task):
        return None
    return (record.wanted, record.live, record.last_status, record.attachment, decide.ready(record))


def _offer(record: object) -> object:
    if not isinstance(record, Deployment) or record.status == "INACTIVE":
        return None
    return (record.service_connect, record.task_definition_arn)
