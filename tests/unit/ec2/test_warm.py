"""Which namespaces are kept ready: those of the addresses that the next tasks really get."""

from __future__ import annotations

from collections.abc import Sequence

from longshore.api.ecs import tasks
from longshore.control.ec2.warm import MOST_SUBNETS, REST_S, WarmController
from longshore.control.ecs.places import Places
from longshore.domain.ec2.network import NetworkInterface, Subnet
from longshore.domain.ecs.launch import WarmNetwork
from longshore.domain.ecs.task import Task
from longshore.drivers.docker.names import CONTAINER, PAUSE, TASK, Names
from longshore.drivers.sim.engine import SimEngine
from tests.support.api import SCOPE, Api, awsvpc
from tests.support.services import ClockOf


class ToldEngine(SimEngine):
    """Remembers what it was told to keep ready."""

    kept: Sequence[WarmNetwork] = ()

    async def prepare(self, networks: Sequence[WarmNetwork]) -> None:
        self.kept = networks


class House(Api):
    """Tasks that get their addresses, and the controller that foresees them."""

    def __init__(self, count: int = 2) -> None:
        super().__init__(tasks.OPERATIONS)
        self.define()
        clock = ClockOf(self)
        self.engine = ToldEngine(clock)
        self.warm = WarmController(self.store, self.engine, clock, count)

    def run(self, subnet: str) -> Task:
        """A task in that subnet, with its address."""
        [made] = self("RunTask", taskDefinition="web", networkConfiguration=awsvpc(subnet))["tasks"]
        task = self.store.get(Task, (*SCOPE, "default", made["taskArn"].rsplit("/", 1)[-1]))
        assert task is not None
        with self.store.transaction() as tx:
            places = Places(tx, self.ids, self.now)
            task = places.give(task)
            places.write()
            tx.put(task)
        return task

    async def foreseen(self) -> list[str]:
        """The addresses that are kept, once the controller has looked."""
        again = await self.warm._reconcile("namespaces")
        if again is not None:
            assert again == self.now + REST_S
            self.now = again
            assert await self.warm._reconcile("namespaces") is None
        return [each.network.address for each in self.engine.kept]


def address(task: Task) -> str:
    assert task.attachment is not None
    assert task.attachment.private_ip
    return task.attachment.private_ip


async def test_next_tasks_get_the_addresses_that_are_kept_ready() -> None:
    house = House(count=3)
    first = house.run("subnet-a")
    foreseen = await house.foreseen()
    assert len(foreseen) == 3
    assert address(first) not in foreseen
    assert [address(house.run("subnet-a")) for _ in range(3)] == foreseen
    assert {each.region for each in house.engine.kept} == {SCOPE.region}


async def test_each_subnet_that_is_used_has_its_own() -> None:
    house = House(count=1)
    house.run("subnet-a")
    house.run("subnet-b")
    assert await house.foreseen() == [address(house.run("subnet-a")), address(house.run("subnet-b"))]


async def test_none_are_kept_in_a_subnet_that_is_gone() -> None:
    house = House(count=1)
    house.run("subnet-a")
    kept = address(house.run("subnet-b"))
    assert len(await house.foreseen()) == 2
    with house.store.transaction() as tx:
        tx.delete(Subnet, (*SCOPE, "subnet-a"))
    assert [each.rpartition(".")[0] for each in await house.foreseen()] == [kept.rpartition(".")[0]]


async def test_addresses_that_are_taken_are_passed_over() -> None:
    house = House(count=2)
    early = [house.run("subnet-a") for _ in range(3)]
    with house.store.transaction() as tx:
        assert early[1].attachment
        tx.delete(NetworkInterface, (*SCOPE, early[1].attachment.interface_id))
        subnet = tx.get(Subnet, (*SCOPE, "subnet-a"))
        assert subnet is not None
        tx.put(subnet.but(next_offset=0))
    foreseen = await house.foreseen()
    assert foreseen[0] == address(early[1])
    assert foreseen[1] not in {address(task) for task in early}


async def test_after_a_restart_the_subnets_of_running_tasks_have_theirs() -> None:
    house = House()
    house.run("subnet-b")
    later = WarmController(house.store, house.engine, ClockOf(house), 1)
    later.resume()
    house.now += REST_S
    await later._reconcile("namespaces")
    assert [each.network.address for each in house.engine.kept] == [address(house.run("subnet-b"))]


async def test_none_are_kept_unless_asked_for() -> None:
    house = House(count=0)
    house.run("subnet-a")
    house.warm.resume()
    assert await house.foreseen() == []


async def test_subnets_used_long_ago_and_subnets_deleted_have_none() -> None:
    house = House(count=1)
    house.run("subnet-a")
    for number in range(MOST_SUBNETS):
        house.warm._use((*SCOPE, f"subnet-{number}"))
    assert await house.foreseen() == []


def test_the_name_tells_the_task_of_a_container_without_its_label() -> None:
    names = Names("0a1b")
    task_id = "f" * 32
    assert names.task_of({CONTAINER: PAUSE}, "/" + names.container(task_id, PAUSE)) == task_id
    assert names.task_of({CONTAINER: PAUSE}, names.warm("vpc-1", "10.0.0.4")) == ""
    assert names.task_of({TASK: task_id}, "/renamed-by-hand") == task_id
    assert names.task_of({}, Names("0a1c").container(task_id, PAUSE)) == ""
