"""Keeps each task where it should be: gives it a place, has the engine start or stop it, and lets go of what it held.

The only writer of a task's attachment and, through `places.py`, of its network interface. What the engine sees comes
back through `observe.py`. Before the engine is told anything, the record that says so is on disk: a crash at any
moment finds, at the next start, a record of whatever may exist. Secrets are read when the engine is told to start a
task, and are in no record: a task that has not started when Longshore ends gets them at the next start.
"""

from collections.abc import Collection, Mapping

from longshore.control.ec2.firewall import Guarded, unguarded
from longshore.control.ecs.places import Places, release
from longshore.control.loop import Loop
from longshore.control.names.connect import ConnectController
from longshore.decide.ecs import task as life
from longshore.decide.ecs.launch import launch_of
from longshore.decide.ecs.roles import permit_of, refused_role
from longshore.decide.ecs.task_secrets import SecretsUnavailable, needs_secrets, task_secrets
from longshore.domain.clock import Clock, Ids
from longshore.domain.ec2.network import Subnet, Vpc
from longshore.domain.ecs.launch import Hidden, TaskLaunch
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key_of
from longshore.domain.elbv2.balancer import Target
from longshore.domain.iam import Role
from longshore.domain.record import Key, Record
from longshore.domain.secrets.vault import Vault
from longshore.drivers.ports import Permanent, Retryable, TaskEngine
from longshore.store.store import Change, Reader, Store, Transaction

STARTABLE = frozenset({"PROVISIONING", "PENDING"})
"""Where a task that is wanted has yet to be started."""


class TaskController:
    """One loop over tasks, by key."""

    def __init__(
        self,
        store: Store,
        engine: TaskEngine,
        clock: Clock,
        ids: Ids,
        vault: Vault,
        connect: ConnectController | None = None,
        *,
        roles_exist: bool = False,
        guarded: Guarded = unguarded,
    ) -> None:
        """`connect`: None where no task can have Service Connect. `roles_exist`: whether the roles of tasks must."""
        self._roles_exist = roles_exist
        self._guarded = guarded
        self._vault = vault
        self._ordered: set[str] = set()
        """The ids of tasks with secrets that the engine has been told of: those are read once, as on ECS."""
        self._connect = connect
        self._store = store
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self.loop: Loop[Key] = Loop("tasks", self._reconcile, clock, workers=64, together=self._begin)
        store.watch(self._changed, Task, Target)
        if connect is not None:
            connect.on_withdrawn = self.loop.enqueue

    async def adopt(self) -> None:
        """At a start: take over what runs, let go of what is nobody's, and mourn what is gone."""
        launches = self._launches()
        found = await self._engine.adopt(list(launches.values()))
        live = self._store.select(Task, "live", ())
        self._ordered = {task.task_id for task in live if task.task_id in found and self._needs_secrets(task)}
        with self._store.transaction() as tx:
            for task in tx.select(Task, "live", ()):
                missing = task.task_id in launches and task.task_id not in found
                if missing and life.was_started(task) and not life.ended(task):
                    tx.put(life.lost(task, self._clock.now()))
        for task in self._store.select(Task, "live", ()):
            self._wake(task)

    def _launches(self) -> dict[str, TaskLaunch]:
        """Of all that may exist. What has not started whole and has lost its secrets can't: it ends here."""
        launches = {}
        for task in self._store.select(Task, "live", ()):
            if task.last_status == "PROVISIONING":
                continue
            if life.whole(task) or not task.wanted:
                launches[task.task_id] = launch_from(self._store, task, self._connect)
                continue
            try:
                launches[task.task_id] = self._launch(task)
            except SecretsUnavailable as refusal:
                self._give_up(task, refusal.reason)
        return launches

    def _launch(self, task: Task) -> TaskLaunch:
        """What the engine is told, with its secrets. Raises SecretsUnavailable."""
        return launch_from(self._store, task, self._connect, secrets=self._secrets(task))

    def _secrets(self, task: Task) -> dict[str, dict[str, Hidden]]:
        definition = definition_of(self._store, task)
        permit = permit_of(self._store, task, definition.document, self._clock.now())
        return task_secrets(self._store, self._vault, task.scope, definition.containers, self._clock.now(), permit)

    def _needs_secrets(self, task: Task) -> bool:
        return needs_secrets(definition_of(self._store, task).containers)

    def _give_up(self, task: Task, reason: str) -> None:
        with self._store.transaction() as tx:
            current = tx.get(Task, task.key)
            if current is not None:
                tx.put(life.request_stop(current, "TaskFailedToStart", reason))

    def _changed(self, change: Change) -> None:
        before, after = change.before, change.after
        if isinstance(after, Task):
            # One that is wanted is looked at once, when it is new: `_begin` goes on with it until it was started.
            if before is None or (not after.wanted and _stage(before) != _stage(after)):
                self._wake(after)
        elif isinstance(before, Target) and after is None and before.task_id:
            self.loop.enqueue((*before.scope, before.cluster, before.task_id))

    def _wake(self, task: Task) -> None:
        """Have a look at a task, if it is one that something is to be done about."""
        if not task.wanted:
            if task.live:
                self.loop.enqueue(task.key)
        elif task.last_status in STARTABLE:
            self.loop.gather(task.key)

    async def _reconcile(self, key: Key) -> None:
        task = self._store.get(Task, key)
        if task is None or not task.live:
            return
        if task.desired_status == "STOPPED":
            await self._stop(task)
        elif task.last_status in STARTABLE:
            for error in (await self._begin((key,))).values():
                raise error

    async def _begin(self, keys: Collection[Key]) -> dict[Key, Exception]:
        """Give the tasks their places, in one transaction, then have the engine start them.

        Returns what went wrong with a task, so that it takes no other with it.
        """
        failed: dict[Key, Exception] = {}
        with self._store.transaction() as tx:
            places = Places(tx, self._ids, self._clock.now())
            for key in keys:
                task = tx.get(Task, key)
                if task is None or not task.wanted:
                    self.loop.enqueue(key)  # its stop was wished for while it waited
                elif task.last_status == "PROVISIONING":
                    try:
                        tx.put(self._placed(tx, places, task))
                    except Exception as error:  # noqa: BLE001  the loop tells of it
                        failed[key] = error
            places.write()
        await self._store.durable()
        unguarded_yet = await self._guard()
        for key in keys:
            task = self._store.get(Task, key)
            if task is None or not task.wanted or task.last_status != "PENDING" or task.task_id in self._ordered:
                continue
            try:
                if unguarded_yet is not None and task.attachment is not None:
                    raise unguarded_yet
                await self._order(task)
            except Exception as error:  # noqa: BLE001  as above
                failed[key] = error
        return failed

    async def _guard(self) -> Retryable | None:
        """Wait until the interfaces that have just been made are guarded; why they can't be, for now."""
        try:
            await self._guarded()
        except Retryable as error:
            return error
        return None

    async def _order(self, task: Task) -> None:
        """Have the engine start a task."""
        try:
            await self._engine.start(self._launch(task))
        except (Permanent, SecretsUnavailable) as refusal:
            self._give_up(task, refusal.reason)
        else:
            if self._needs_secrets(task):
                self._ordered.add(task.task_id)

    def _placed(self, tx: Transaction, places: Places, task: Task) -> Task:
        """The task with its place, or on its way down where it can't have that or its roles."""
        definition = tx.get(TaskDefinition, task_definition_key_of(task.task_definition_arn))
        if self._roles_exist and definition is not None:
            reason = refused_role(
                lambda key: tx.get(Role, key), task.arn, task.account, task.overrides, definition.document
            )
            if reason:
                return life.request_stop(task, "TaskFailedToStart", reason)
        return places.give(task)

    async def _stop(self, task: Task) -> None:
        withdrawn = not self._store.count(Target, "task", (task.task_id,))
        if self._connect is not None:
            withdrawn = withdrawn and self._connect.withdrawn(task)
        moved = life.stopping(task, self._clock.now(), withdrawn=withdrawn)
        if moved != task:
            with self._store.transaction() as tx:
                tx.put(moved)
        await self._store.durable()
        if moved.last_status == "STOPPING":
            await self._engine.stop(task.task_id)
        elif moved.last_status == "DEPROVISIONING":
            # Reached from PROVISIONING too, where the engine knows of nothing: removing nothing is quick.
            await self._engine.remove(task.task_id)
            if self._store.count(Target, "task", (task.task_id,)):
                return  # its address is still somebody's target: the end of that wakes us
            self._ordered.discard(task.task_id)
            with self._store.transaction() as tx:
                current = tx.get(Task, task.key)
                if current is not None and current.last_status == "DEPROVISIONING":
                    release(tx, current, self._clock.now())


def definition_of(reader: Reader, task: Task) -> TaskDefinition:
    """The definition of a task: kept for as long as the task is."""
    definition = reader.get(TaskDefinition, task_definition_key_of(task.task_definition_arn))
    if definition is None:
        raise LookupError(f"task {task.task_id} is of {task.task_definition_arn}, which is not in the store")
    return definition


def launch_from(
    reader: Reader,
    task: Task,
    connect: ConnectController | None = None,
    *,
    secrets: Mapping[str, Mapping[str, Hidden]] | None = None,
) -> TaskLaunch:
    """What the engine is told of a task."""
    definition = definition_of(reader, task)
    subnet = reader.get(Subnet, (*task.scope, task.attachment.subnet_id)) if task.attachment else None
    vpc = reader.get(Vpc, (*task.scope, subnet.vpc_id)) if subnet else None
    return launch_of(
        task,
        definition,
        vpc_id=vpc.vpc_id if vpc else "",
        vpc_cidr=vpc.range if vpc else "",
        subnet_cidr=subnet.range if subnet else "",
        connect=connect.plan(task) if connect is not None else None,
        secrets=secrets,
    )


def _stage(task: Record) -> tuple[object, ...]:
    """What of a task that is to stop this loop acts on."""
    return (task.desired_status, task.last_status, life.ended(task)) if isinstance(task, Task) else ()
