"""What is only history goes after its time, and nothing else does."""

from types import SimpleNamespace

from longshore.control.ecs.history import DEPLOYMENTS_KEPT, History
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Deployment, Service
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, TaskDefinitionFamily
from longshore.domain.kinds import KINDS
from longshore.domain.names.naming import NamingOperation
from longshore.domain.names.zone import ZoneChange
from longshore.domain.record import Record
from longshore.store.open import open_store
from longshore.store.store import Store
from tests.support.world import ACCOUNT, REGION, definition_arn, service

DAY = 86400.0
NOW = 100 * DAY


def a_task(name: str, stopped_at: float | None) -> Task:
    return Task(
        account=ACCOUNT,
        region=REGION,
        task_id=name,
        cluster="default",
        task_definition_arn=definition_arn(1),
        group="family:web",
        launch_type="FARGATE",
        created_at=1.0,
        cpu_units=1,
        memory_mib=1,
        last_status="RUNNING" if stopped_at is None else "STOPPED",
        stopped_at=stopped_at,
    )


def a_deployment(number: int, updated_at: float, **changes: object) -> Deployment:
    made = Deployment(
        account=ACCOUNT,
        region=REGION,
        number=str(number),
        service_uid="svc",
        cluster="default",
        service_name="web",
        created_at=float(number),
        updated_at=updated_at,
        task_definition_arn=definition_arn(1),
        launch_type="FARGATE",
        service_deployment_id=f"d{number}",
        status="INACTIVE",
    )
    return made.but(**changes)


def a_definition(revision: int) -> TaskDefinition:
    return TaskDefinition(
        account=ACCOUNT,
        region=REGION,
        family="web",
        revision=revision,
        document={"containerDefinitions": []},
        registered_at=1.0,
        registered_by="me",
        status="DELETE_IN_PROGRESS",
    )


async def swept(*records: Record) -> Store:
    store = open_store(None, KINDS)
    with store.transaction() as tx:
        tx.put(Cluster(account=ACCOUNT, region=REGION, name="default", created_at=1.0))
        for record in records:
            tx.put(record)
    clock = SimpleNamespace(now=lambda: NOW)
    await History(store, clock, history_s=7 * DAY).sweep()
    return store


async def test_old_stopped_tasks_go_and_young_and_live_ones_stay() -> None:
    store = await swept(a_task("old", NOW - 8 * DAY), a_task("young", NOW - 6 * DAY), a_task("live", None))
    assert {task.task_id for task in store.all(Task)} == {"young", "live"}


async def test_last_completed_deployment_stays_however_old_since_a_rollback_may_need_it() -> None:
    old = [a_deployment(n, 1.0, completed_once=n == 1) for n in range(3)]
    store = await swept(service(1), *old, a_deployment(9, NOW, status="PRIMARY"))
    assert {d.number for d in store.all(Deployment)} == {"1", "9"}


async def test_past_deployments_are_bounded_in_number() -> None:
    store = await swept(service(1), *(a_deployment(n, NOW) for n in range(DEPLOYMENTS_KEPT + 5)))
    assert min(int(d.number) for d in store.all(Deployment)) == 5


async def test_deleted_service_goes_with_its_history() -> None:
    store = await swept(service(0, status="INACTIVE"), a_deployment(1, NOW - 8 * DAY, completed_once=True))
    assert not list(store.all(Service))
    assert not list(store.all(Deployment))


async def test_deleted_service_stays_describable_for_its_time() -> None:
    store = await swept(service(0, status="INACTIVE"), a_deployment(1, NOW - DAY))
    assert [s.name for s in store.all(Service)] == ["web"]


async def test_deleted_task_definition_goes_once_nothing_needs_it() -> None:
    family = TaskDefinitionFamily(account=ACCOUNT, region=REGION, family="web", last_revision=2)
    store = await swept(family, a_definition(1), a_definition(2), a_task("live", None))
    assert [d.revision for d in store.all(TaskDefinition)] == [1]


async def test_what_was_done_in_cloud_map_and_route_53_goes_after_its_time() -> None:
    place = {"account": ACCOUNT, "region": REGION}
    store = await swept(
        *(
            NamingOperation(**place, operation_id=name, type="CREATE_NAMESPACE", targets={}, created_at=at)
            for name, at in (("old", NOW - 8 * DAY), ("new", NOW - DAY))
        ),
        *(
            ZoneChange(account=ACCOUNT, region="", change_id=name, submitted_at=at)
            for name, at in (("old", NOW - 8 * DAY), ("new", NOW - DAY))
        ),
    )
    assert [operation.operation_id for operation in store.all(NamingOperation)] == ["new"]
    assert [change.change_id for change in store.all(ZoneChange)] == ["new"]
