"""Keeps the tasks of services registered in Cloud Map: records follow a task in the very commit that changes it.

The only writer of instances with a task, but that a user may take one away. It is no loop: whoever changes a task, be
it a user's StopTask, a plan or a report of the engine, has its instances changed with it, so that no question to the
name server can ever see the one without the other.
"""

from longshore.decide.names import names
from longshore.domain.arn import Arn
from longshore.domain.clock import Clock
from longshore.domain.ecs.service import Deployment, ServiceRegistry
from longshore.domain.ecs.task import Task
from longshore.domain.names.naming import DiscoveryService, ServiceInstance
from longshore.domain.record import Record
from longshore.store.store import Store, Transaction


class Discovery:
    """All services with `serviceRegistries`, or that offer something by Service Connect."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        store.follow(Task, self._follow)

    def resume(self) -> None:
        """At a start: what an earlier life left is made what its tasks say."""
        with self._store.transaction() as tx:
            for instance in tx.select(ServiceInstance, "of_tasks", ()):
                if not any(names.discoverable(task) for task in tx.select(Task, "id", (instance.task_id,))):
                    _withdraw(tx, instance)
            for task in tx.select(Task, "live", ()):
                self._register(tx, task)

    def _follow(self, tx: Transaction, before: Record | None, after: Record | None) -> None:
        was = before if isinstance(before, Task) else None
        task = after if isinstance(after, Task) else None
        either = task or was
        if either is None or not either.service_uid or names.bears_on(was) == names.bears_on(task):
            return
        if task is not None and names.discoverable(task):
            self._register(tx, task)
        elif was is not None:
            for instance in tx.select(ServiceInstance, "task", (was.task_id,)):
                _withdraw(tx, instance)

    def _register(self, tx: Transaction, task: Task) -> None:
        """Its instances as they are to be, in each registry of the deployment that it belongs to."""
        if not task.service_uid or not names.discoverable(task):
            return
        deployment = tx.get(Deployment, (*task.scope, task.deployment_id))
        for registry in deployment.registries if deployment else ():
            service = _service(tx, registry)
            if service is None:  # deleted since; ids are never given twice
                continue
            registered = tx.get(ServiceInstance, (*service.scope, service.service_id, task.task_id))
            wanted = names.instance_of(task, registry, service, registered, self._clock.now())
            if wanted is None and registered is not None:
                _withdraw(tx, registered)
            elif wanted is not None and wanted != registered:
                tx.put(wanted)
                _count_change(tx, service)


def _service(tx: Transaction, registry: ServiceRegistry) -> DiscoveryService | None:
    arn = Arn.parse(registry.registry_arn)
    return tx.get(DiscoveryService, (*arn.scope, registry.service_id)) if arn else None


def _withdraw(tx: Transaction, instance: ServiceInstance) -> None:
    tx.delete(ServiceInstance, instance.key)
    service = tx.get(DiscoveryService, (*instance.scope, instance.service_id))
    if service is not None:
        _count_change(tx, service)


def _count_change(tx: Transaction, service: DiscoveryService) -> None:
    tx.put(service.but(revision=service.revision + 1))
