"""Proxies are told who answers, and a task that is to stop goes when all of them have let go of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from longshore.control.names.connect import ConnectController
from longshore.control.names.names import ConnectNames
from longshore.domain.ec2.network import Subnet
from longshore.domain.ecs.task import Task
from longshore.domain.kinds import KINDS
from longshore.domain.names.connect import ConnectPlan, Endpoint
from longshore.domain.names.resolving import ZoneAnswer
from longshore.domain.record import Key
from longshore.drivers.ports import Retryable
from longshore.drivers.sim.connect import SimConnect
from longshore.store.open import open_store
from longshore.system import SystemClock
from tests.unit.names.test_connect import DEFINITION, deployment, task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PATIENCE_S = 10.0
SUBNET = Subnet(account="1", region="r", subnet_id="s", vpc_id="vpc-1", cidr="10.0.0.0/24", availability_zone="r1a")


class Deaf(SimConnect):
    """Proxies some of which can't be told anything at the moment."""

    def __init__(self) -> None:
        super().__init__()
        self.deaf: set[str] = set()

    async def apply(self, task_id: str, plan: ConnectPlan) -> None:
        if task_id in self.deaf:
            raise Retryable("It does not answer.", 0.01)
        await super().apply(task_id, plan)


class Rig:
    """A store with a namespace, its proxies, and what keeps them true."""

    def __init__(self) -> None:
        self.store = open_store(None, KINDS)
        self.driver = Deaf()
        self.control = ConnectController(self.store, self.driver, SystemClock())
        self.gone: list[Key] = []
        self.control.on_withdrawn = self.gone.append
        self.put(SUBNET, DEFINITION, deployment("1").but(task_definition_arn=DEFINITION.arn))

    def put(self, *records: Any) -> None:
        with self.store.transaction() as tx:
            for record in records:
                tx.put(record)

    def told(self, number: int) -> set[str]:
        """The addresses that a task's proxy sends to."""
        plan = self.driver.plans.get(f"t{number}", ConnectPlan())
        return {endpoint.address for route in plan.routes for endpoint in route.endpoints}


def member(number: int, **changes: Any) -> Task:
    return task(number, service_uid="u", deployment_id="1", task_definition_arn=DEFINITION.arn, **changes)


def stopping(number: int) -> Task:
    return member(number, desired_status="STOPPED", last_status="DEACTIVATING", stopping_at=SystemClock().now())


@asynccontextmanager
async def rigged(*tasks: Task) -> AsyncIterator[Rig]:
    rig = Rig()
    rig.put(*tasks)
    rig.control.resume()
    rig.control.start()
    yield rig
    await rig.control.stop()
    await rig.store.close()


async def until(there: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not there():  # noqa: ASYNC110  loops do it
            await asyncio.sleep(0.005)


async def test_all_proxies_are_told_of_a_task_that_answers() -> None:
    async with rigged(member(1)) as rig:
        await until(lambda: rig.told(1) == {"10.0.0.1"})
        rig.driver.silent.add(Endpoint("10.0.0.2", 8080))
        rig.put(member(2))
        await until(lambda: "t2" in rig.driver.plans)
        assert rig.told(2) == rig.told(1) == {"10.0.0.1"}
        rig.driver.silent.clear()
        await until(lambda: rig.told(1) == rig.told(2) == {"10.0.0.1", "10.0.0.2"})


async def test_a_task_that_is_to_stop_waits_for_every_proxy_and_its_connections() -> None:
    async with rigged(member(1), member(2)) as rig:
        await until(lambda: rig.told(1) == rig.told(2) == {"10.0.0.1", "10.0.0.2"})
        rig.driver.deaf.add("t1")
        rig.driver.connected.add(Endpoint("10.0.0.2", 8080))
        rig.put(stopping(2))
        await until(lambda: rig.told(2) == {"10.0.0.1"})
        assert not rig.control.withdrawn(stopping(2))
        rig.driver.deaf.clear()
        await until(lambda: rig.told(1) == {"10.0.0.1"})
        assert not rig.control.withdrawn(stopping(2))
        rig.driver.connected.clear()
        await until(lambda: rig.gone == [stopping(2).key])
        assert rig.control.withdrawn(stopping(2))


async def test_after_a_restart_every_proxy_is_told_before_a_task_goes() -> None:
    async with rigged(member(1), stopping(2)) as rig:
        await until(lambda: rig.gone == [stopping(2).key])
        assert rig.told(1) == {"10.0.0.1"}


async def test_a_name_means_the_loopback_to_tasks_of_its_namespace_alone() -> None:
    async with rigged(member(1, last_status="PENDING")) as rig:
        names = ConnectNames(rig.control)
        found = names.answer_to("vpc-1", "10.0.0.1", "web", "A")
        assert isinstance(found, ZoneAnswer)
        assert [(record.name, record.data) for record in found.records] == [("web", "127.255.0.1")]
        sixth = names.answer_to("vpc-1", "10.0.0.1", "web", "AAAA")
        assert sixth is not None
        assert (sixth.records, sixth.exists) == ((), True)
        for vpc, client, name in (
            ("vpc-2", "10.0.0.1", "web"),
            ("vpc-1", "10.0.0.9", "web"),
            ("vpc-1", "10.0.0.1", "x"),
        ):
            assert names.answer_to(vpc, client, name, "A") is None
