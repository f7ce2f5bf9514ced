"""Lets go of what is only history, after its time: stopped tasks, past deployments, deleted services and definitions,
NAT gateways, and what was done in Cloud Map and Route 53.

A sweep now and then over the stopped tasks, oldest first; nothing here is urgent.
"""

from longshore.control.loop import Timer
from longshore.domain.clock import Clock
from longshore.domain.ec2.routing import NatGateway
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Deployment, Service, ServiceEvent
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, TaskDefinitionFamily
from longshore.domain.names.naming import NamingOperation
from longshore.domain.names.zone import ZoneChange
from longshore.store.store import Store, Transaction

SWEEP_S = 600.0
KEPT_PER_SCOPE = 10_000
"""However young, no more stopped tasks than this are kept per account and region."""
DEPLOYMENTS_KEPT = 100
"""Past deployments per service."""
DELETED_GATEWAY_S = 3600.0
"""How long a deleted NAT gateway is described: as on AWS."""


class History:
    """Sweeps every ten minutes."""

    def __init__(self, store: Store, clock: Clock, *, history_s: float) -> None:
        self._store = store
        self._clock = clock
        self._history_s = history_s
        self.timer = Timer("history", self.sweep, SWEEP_S)

    async def sweep(self) -> None:
        """One sweep, in one transaction."""
        before = self._clock.now() - self._history_s
        with self._store.transaction() as tx:
            for cluster_scope in {cluster.scope for cluster in tx.all(Cluster)}:
                _sweep_tasks(tx, cluster_scope, before)
            for operation in list(tx.all(NamingOperation)):
                if operation.created_at < before:
                    tx.delete(NamingOperation, operation.key)
            for gateway in tx.select(NatGateway, "deleted", ()):
                if (gateway.deleted_at or 0.0) < self._clock.now() - DELETED_GATEWAY_S:
                    tx.delete(NatGateway, gateway.key)
            for change in list(tx.all(ZoneChange)):
                if change.submitted_at < before:
                    tx.delete(ZoneChange, change.key)
            for service in list(tx.all(Service)):
                _sweep_deployments(tx, service, before)
            for scope in {family.scope for family in tx.all(TaskDefinitionFamily)}:
                for definition in tx.select(TaskDefinition, "status", (*scope, "DELETE_IN_PROGRESS")):
                    if not referenced(tx, definition):
                        tx.delete(TaskDefinition, definition.key)


def referenced(tx: Transaction, definition: TaskDefinition) -> bool:
    """Whether a task, a service or a deployment still needs a task definition."""
    value = (definition.arn,)
    return any(tx.count(kind, "definition", value) for kind in (Task, Service, Deployment))


def _sweep_tasks(tx: Transaction, scope: tuple[str, str], before: float) -> None:
    if not tx.count(Task, "stopped", scope):
        return
    stopped = sorted(tx.select(Task, "stopped", scope), key=lambda task: task.stopped_at or 0.0)
    surplus = max(0, len(stopped) - KEPT_PER_SCOPE)
    for number, task in enumerate(stopped):
        if number >= surplus and (task.stopped_at or 0.0) >= before:
            break
        tx.delete(Task, task.key)


def _sweep_deployments(tx: Transaction, service: Service, before: float) -> None:
    past = [d for d in tx.select(Deployment, "service", (service.uid,)) if d.status == "INACTIVE"]
    past.sort(key=lambda d: d.created_at)
    newest_completed = next((d for d in reversed(past) if d.completed_once), None)
    surplus = max(0, len(past) - DEPLOYMENTS_KEPT)
    gone = service.status == "INACTIVE" and max((d.updated_at for d in past), default=before) < before
    for number, deployment in enumerate(past):
        needed = deployment is newest_completed and not gone
        if (gone or number < surplus or deployment.updated_at < before) and not needed:
            tx.delete(Deployment, deployment.key)
    if gone:
        for event in tx.select(ServiceEvent, "service", (service.uid,)):
            tx.delete(ServiceEvent, event.key)
        tx.delete(Service, service.key)
