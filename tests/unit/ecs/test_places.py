"""Addresses for the tasks of one transaction: each its own, in turn, and none from a subnet that has no more."""

from __future__ import annotations

from longshore.api.ecs import tasks
from longshore.control.ecs.places import Places, release
from longshore.domain.ec2.network import NetworkInterface, Subnet
from longshore.domain.ecs.task import Task
from tests.support.api import SCOPE, Api, awsvpc


class House(Api):
    """Tasks in a subnet of eleven addresses."""

    def __init__(self) -> None:
        super().__init__(tasks.OPERATIONS)
        self.define()
        subnet = self.subnet()
        self.put(subnet.but(cidr=subnet.cidr.rpartition("/")[0] + "/28"))

    def subnet(self) -> Subnet:
        found = self.store.get(Subnet, (*SCOPE, "subnet-a"))
        assert found is not None
        return found

    def place(self, count: int) -> list[Task]:
        """So many new tasks, given their places in one transaction."""
        made: list[Task] = []
        while len(made) < count:
            some = min(10, count - len(made))
            answer = self("RunTask", taskDefinition="web", count=some, networkConfiguration=awsvpc("subnet-a"))
            keys = [(*SCOPE, "default", task["taskArn"].rsplit("/", 1)[-1]) for task in answer["tasks"]]
            made += filter(None, (self.store.get(Task, key) for key in keys))
        with self.store.transaction() as tx:
            places = Places(tx, self.ids, self.now)
            placed = [places.give(task) for task in made]
            places.write()
            for task in placed:
                tx.put(task)
        return placed


def address(task: Task) -> str:
    assert task.attachment is not None
    return task.attachment.private_ip


def test_each_task_of_a_transaction_has_an_address_of_its_own() -> None:
    house = House()
    placed = house.place(7)
    addresses = [address(task) for task in placed]
    assert len(set(addresses)) == 7
    assert sorted(each.private_ip for each in house.store.all(NetworkInterface)) == sorted(addresses)
    assert {task.last_status for task in placed} == {"PENDING"}
    assert house.subnet().next_offset == 7
    assert {each.task_arn for each in house.store.all(NetworkInterface)} == {task.arn for task in placed}


def test_tasks_beyond_the_last_address_are_told_so_and_the_others_run() -> None:
    house = House()
    placed = house.place(13)
    assert len({address(task) for task in placed if task.wanted}) == 11
    refused = [task for task in placed if not task.wanted]
    assert len(refused) == 2
    assert all("no free address is left in subnet subnet-a" in task.stopped_reason for task in refused)


def test_addresses_that_are_free_again_are_found_beyond_those_taken() -> None:
    house = House()
    placed = house.place(11)
    with house.store.transaction() as tx:
        for task in placed[3:5]:
            release(tx, task.but(last_status="DEPROVISIONING"), house.now)
    assert {address(task) for task in house.place(2)} == {address(task) for task in placed[3:5]}
    assert not house.place(1)[0].wanted


def test_a_subnet_that_is_gone_is_told_of() -> None:
    house = House()
    [task] = house.place(1)
    gone = task.but(last_status="PROVISIONING")
    with house.store.transaction() as tx:
        tx.delete(Subnet, house.subnet().key)
        stopped = Places(tx, house.ids, house.now).give(gone)
    assert "subnet subnet-a does not exist any more" in stopped.stopped_reason


def test_a_security_group_that_is_gone_is_told_of() -> None:
    house = House()
    [task] = house.place(1)
    network = awsvpc("subnet-a", groups=("sg-gone",))
    gone = task.but(last_status="PROVISIONING", network_configuration=network)
    with house.store.transaction() as tx:
        stopped = Places(tx, house.ids, house.now).give(gone)
    assert "security group sg-gone does not exist any more" in stopped.stopped_reason
