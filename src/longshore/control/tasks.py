"""Keeps each task where it should be: gives it a place, has the engine start or stop it, and lets go of what it held.

The only writer of a task's attachment and of network interfaces. What the engine sees comes back through
`observe.py`. Before the engine is told anything, the record that says so is on disk: a crash at any moment finds, at
the next start, a record of whatever may exist. Secrets are read when the engine is told to start a task, and are in no
record: a task that has not started when Longshore ends gets them at the next start.
"""

from collections.abc import Mapping

from longshore.control.connect import ConnectController
from longshore.control.loop import Loop
from longshore.decide import task as life
from longshore.decide.execution_role import execution_role
from longshore.decide.launch import launch_of
from longshore.decide.launching import free_address
from longshore.decide.roles import refused_role
from longshore.decide.task_secrets import Reading, SecretsUnavailable, needs_secrets, task_secrets
from longshore.domain.balancer import Target
from longshore.domain.clock import Clock, Ids
from longshore.domain.iam import Role
from longshore.domain.launch import Hidden, TaskLaunch
from longshore.domain.network import NetworkInterface, SecurityGroup, Subnet, Vpc, mac_of
from longshore.domain.record import Key
from longshore.domain.task import Attachment, Task
from longshore.domain.task_definition import TaskDefinition, task_definition_key_of
from longshore.domain.vault import Vault
from longshore.drivers.ports import Permanent, TaskEngine
from longshore.store.store import Change, Reader, Store, Transaction

NO_ADDRESS = "ResourceInitializationError: no free address is left in subnet {subnet}."
NO_SUBNET = "ResourceInitializationError: subnet {subnet} does not exist any more."


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
    ) -> None:
        """`connect`: None where no task can have Service Connect. `roles_exist`: whether the roles of tasks must."""
        self._roles_exist = roles_exist
        self._vault = vault
        self._ordered: set[str] = set()
        """The ids of tasks with secrets that the engine has been told of: those are read once, as on ECS."""
        self._connect = connect
        self._store = store
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self.loop: Loop[Key] = Loop("tasks", self._reconcile, clock, workers=64)
        store.watch(self._changed)
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
            self.loop.enqueue(task.key)

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
        role = execution_role(self._store, task, definition.document)
        reading = Reading(self._store, self._vault, task.scope, self._clock.now(), role)
        return task_secrets(reading, definition.containers)

    def _needs_secrets(self, task: Task) -> bool:
        return needs_secrets(definition_of(self._store, task).containers)

    def _give_up(self, task: Task, reason: str) -> None:
        with self._store.transaction() as tx:
            current = tx.get(Task, task.key)
            if current is not None:
                tx.put(life.request_stop(current, "TaskFailedToStart", reason))

    def _changed(self, change: Change) -> None:
        if isinstance(change.before, Target) and change.after is None and change.before.task_id:
            target = change.before
            self.loop.enqueue((*target.scope, target.cluster, target.task_id))
        if change.kind != Task.kind or not isinstance(change.after, Task) or not change.after.live:
            return
        if not isinstance(change.before, Task) or _stage(change.before) != _stage(change.after):
            self.loop.enqueue(change.key)

    async def _reconcile(self, key: Key) -> None:
        task = self._store.get(Task, key)
        if task is None or not task.live:
            return
        if task.desired_status == "STOPPED":
            await self._stop(task)
        elif task.last_status in {"PROVISIONING", "PENDING"}:
            await self._start(task)

    async def _start(self, task: Task) -> None:
        if task.last_status == "PROVISIONING":
            with self._store.transaction() as tx:
                task = self._with_roles(tx, task)
                if task.wanted:
                    task = provision(tx, task, self._ids, self._clock.now())
                tx.put(task)
            if not task.wanted:
                return
        if task.task_id in self._ordered:
            return
        await self._store.durable()
        try:
            await self._engine.start(self._launch(task))
        except (Permanent, SecretsUnavailable) as refusal:
            self._give_up(task, refusal.reason)
        else:
            if self._needs_secrets(task):
                self._ordered.add(task.task_id)

    def _with_roles(self, tx: Transaction, task: Task) -> Task:
        """The task, or on its way down where it can't have its roles."""
        definition = tx.get(TaskDefinition, task_definition_key_of(task.task_definition_arn))
        if not self._roles_exist or definition is None:
            return task
        reason = refused_role(lambda key: tx.get(Role, key), task.account, task.overrides, definition.document)
        return life.request_stop(task, "TaskFailedToStart", reason) if reason else task

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


def provision(tx: Transaction, task: Task, ids: Ids, now: float) -> Task:
    """The task with an address of its own, or on its way down because there is none."""
    if task.attachment is None:
        return life.attached(task, None)
    subnet = tx.get(Subnet, (*task.scope, task.attachment.subnet_id))
    if subnet is None:
        return _unplaceable(task, NO_SUBNET)
    scope, vpc_id = task.scope, subnet.vpc_id
    found = free_address(subnet, lambda address: tx.count(NetworkInterface, "address", (*scope, vpc_id, address)) > 0)
    if found is None:
        return _unplaceable(task, NO_ADDRESS)
    address, next_offset = found
    interface = NetworkInterface(
        account=task.account,
        region=task.region,
        interface_id=f"eni-{ids.hex(17)}",
        vpc_id=vpc_id,
        subnet_id=subnet.subnet_id,
        availability_zone=subnet.availability_zone,
        private_ip=address,
        mac_address=mac_of(address),
        security_groups=_security_groups(tx, task, vpc_id),
        created_at=now,
        attachment_id=task.attachment.attachment_id,
        description=f"arn:aws:ecs:{task.region}:{task.account}:attachment/{task.attachment.attachment_id}",
        task_arn=task.arn,
    )
    tx.put(interface)
    tx.put(subnet.but(next_offset=next_offset))
    attachment = Attachment(
        attachment_id=interface.attachment_id,
        subnet_id=interface.subnet_id,
        status="ATTACHED",
        interface_id=interface.interface_id,
        private_ip=address,
        mac_address=interface.mac_address,
    )
    return life.attached(task, attachment)


def release(tx: Transaction, task: Task, now: float) -> None:
    """The task stopped, and its address free again."""
    if task.attachment is not None and task.attachment.interface_id:
        tx.delete(NetworkInterface, (*task.scope, task.attachment.interface_id))
    tx.put(life.released(task, now))


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


def _security_groups(tx: Transaction, task: Task, vpc_id: str) -> tuple[str, ...]:
    """Those asked for, else the VPC's default group."""
    given = task.network_configuration.get("awsvpcConfiguration", {}).get("securityGroups")
    groups = tx.select(SecurityGroup, "vpc", (*task.scope, vpc_id))
    return tuple(given or (group.group_id for group in groups if group.name == "default"))


def _unplaceable(task: Task, reason: str) -> Task:
    subnet = task.attachment.subnet_id if task.attachment else ""
    return life.request_stop(task, "TaskFailedToStart", reason.format(subnet=subnet))


def _stage(task: Task) -> tuple[object, ...]:
    """What of a task this loop acts on."""
    return (task.desired_status, task.last_status, life.ended(task))
