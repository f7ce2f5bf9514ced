"""The controller of the firewall: what it tells, when it says that all is in force, and drivers that fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from longshore.control.ec2.firewall import FirewallController
from longshore.control.ec2.rules import Rules
from longshore.control.ecs.tasks import TaskController
from longshore.domain.ec2.endpoint import PrefixEntry, PrefixList
from longshore.domain.ec2.firewall import Exit, Place, Ruleset, RulesetChange
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc
from longshore.domain.ec2.network_acl import ALLOW_ALL, NetworkAcl
from longshore.domain.ec2.routing import InternetGateway, RouteTable
from longshore.domain.ecs.launch import TaskLaunch
from longshore.domain.ecs.task import Attachment, Task
from longshore.domain.elbv2.balancer import LoadBalancer, Zone
from longshore.drivers.ports import Permanent, Retryable
from longshore.drivers.sim.engine import SimEngine
from longshore.drivers.sim.firewall import SimFirewall
from tests.support.api import VAULT, Api
from tests.support.balancers import standing_at
from tests.support.security_groups import PLACE, group, interface, outbound, rule
from tests.support.services import ClockOf


class Slow(SimFirewall):
    """A firewall that does nothing until it may."""

    def __init__(self, absent: str = "") -> None:
        super().__init__(absent)
        self.may = asyncio.Event()
        self.may.set()
        self.removed = 0
        self.missing = False

    async def replace(self, wanted: Ruleset) -> None:
        await self.may.wait()
        await super().replace(wanted)

    async def change(self, change: RulesetChange) -> None:
        await self.may.wait()
        await super().change(change)

    async def intact(self) -> bool:
        return not self.missing and await super().intact()

    async def remove(self) -> None:
        self.removed += 1
        await super().remove()


class House(Api):
    """A store with a firewall."""

    def __init__(self) -> None:
        super().__init__()
        self.driver = Slow()
        self.controller = self.controller_of(self.driver)

    def controller_of(self, driver: SimFirewall | None) -> FirewallController:
        return FirewallController(self.store, driver, ClockOf(self), absent="" if driver else "there is none.")

    def wanted(self) -> Ruleset:
        return Rules(self.store, by_groups=True, by_routes=False).all()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    await house.controller.start("auto")
    yield house
    await house.controller.stop()


async def in_force(house: House) -> None:
    async with asyncio.timeout(20):
        await house.controller.in_force()
    assert house.driver.table.rules == house.wanted()


async def test_all_that_is_there_is_in_force_when_it_has_started() -> None:
    house = House()
    house.put(group("sg-a"), rule("sg-a", "tcp", (80, 80)), interface("172.31.0.9", "sg-a"))
    await house.controller.start("enforce")
    assert house.driver.table.rules == house.wanted()
    assert house.driver.table.rules.places["eni-172.31.0.9"].groups == ("sg-a",)
    await house.controller.stop()
    assert house.driver.table.rules == house.wanted()  # tasks run on


async def test_each_change_is_told_and_nothing_else(house: House) -> None:
    one, two = rule("sg-a", "tcp", (80, 80)), outbound("sg-a")
    member = interface("172.31.0.9", "sg-a")
    steps = [
        (group("sg-a"), group("sg-b")),
        (one, two, member),
        (member.but(security_groups=("sg-b",)),),
        (rule("sg-b", referenced_group_id="sg-a"),),
        (one.but(to_port=90),),
        (Vpc(account="123456789012", region="us-east-1", vpc_id="vpc-2", cidr="10.3.0.0/16"),),
    ]
    for records in steps:
        house.put(*records)
        await in_force(house)
    with house.transaction() as tx:
        tx.delete(SecurityGroupRule, one.key)
        tx.delete(NetworkInterface, member.key)
    await in_force(house)
    with house.transaction() as tx:
        tx.delete(SecurityGroup, ("123456789012", "us-east-1", "sg-a"))
    await in_force(house)
    assert house.driver.changes == len(steps) + 2


async def test_load_balancer_is_public_as_its_scheme_says(house: House) -> None:
    member = interface("172.31.0.9", owner="amazon-elb")
    zone = Zone(name="us-east-1a", subnet_id="subnet-1", interface_id=member.interface_id, address="172.31.0.9")
    balancer = standing_at(dns_name="a.test").but(**PLACE, vpc_id=member.vpc_id, zones=(zone,))
    for scheme, public in (("internet-facing", True), ("internal", False)):
        house.put(balancer.but(scheme=scheme), member.but(created_at=1.0))
        await in_force(house)
        assert places(house)[member.interface_id].public == public
        with house.transaction() as tx:
            tx.delete(LoadBalancer, balancer.but(scheme=scheme).key)
            tx.delete(NetworkInterface, member.key)
        await in_force(house)
        assert member.interface_id not in places(house)


async def test_group_that_comes_after_those_who_name_it_counts_from_then_on(house: House) -> None:
    house.put(group("sg-b"), rule("sg-b", referenced_group_id="sg-late"), interface("172.31.0.9", "sg-late"))
    await in_force(house)
    house.put(group("sg-late"))
    await in_force(house)
    assert house.driver.table.rules is not None
    assert house.driver.table.rules.groups["sg-b"].inbound[0].group_id == "sg-late"
    assert house.driver.table.rules.places["eni-172.31.0.9"].groups == ("sg-late",)


async def test_descriptions_and_tags_tell_the_driver_nothing(house: House) -> None:
    member = interface("172.31.0.9", "sg-default")
    house.put(member)
    await in_force(house)
    before = house.driver.changes
    house.put(member.but(tags={"a": "b"}), group("sg-default").but(vpc_id="vpc-1", name="default", tags={"a": "b"}))
    await in_force(house)
    assert house.driver.changes == before


async def test_changes_that_come_together_are_told_together(house: House) -> None:
    house.driver.may.clear()
    house.put(interface("172.31.0.9", "sg-default"))
    await asyncio.sleep(0)
    before = house.driver.changes
    for number in range(10, 60):
        house.put(interface(f"172.31.0.{number}", "sg-default"))
    house.driver.may.set()
    await in_force(house)
    assert house.driver.changes <= before + 2


async def test_in_force_waits_for_what_is_asked_and_no_longer(house: House) -> None:
    house.driver.may.clear()
    house.put(interface("172.31.0.9", "sg-default"))
    waiting = asyncio.create_task(house.controller.in_force())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    house.driver.may.set()
    async with asyncio.timeout(20):
        await waiting


async def test_driver_that_refuses_says_so_to_who_waits_and_is_told_everything_afterwards(house: House) -> None:
    house.driver.refuses = "no more memory"
    house.put(interface("172.31.0.9", "sg-default"))
    with pytest.raises(Retryable, match="no more memory"):
        await house.controller.in_force()
    house.driver.refuses = ""
    changes = house.driver.changes
    await until_in_force(house)
    assert house.driver.changes == changes  # a whole one


async def until_in_force(house: House) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await house.controller.in_force()
            except Retryable:
                await asyncio.sleep(0.01)
            else:
                break
    assert house.driver.table.rules == house.wanted()


async def test_rules_that_somebody_took_away_are_made_again(house: House) -> None:
    house.driver.missing, house.driver.table.rules = True, None
    await house.controller._look()
    house.driver.missing = False
    await in_force(house)


async def test_machine_that_can_not_is_a_warning_unless_it_must() -> None:
    house = House()
    controller = house.controller_of(SimFirewall(absent="nft is missing."))
    await controller.start("auto")
    assert controller.why_off == "nft is missing."
    house.put(interface("172.31.0.9", "sg-default"))
    await controller.in_force()
    await controller.stop()
    with pytest.raises(Permanent, match="nft is missing"):
        await house.controller_of(SimFirewall(absent="nft is missing.")).start("enforce")
    with pytest.raises(Permanent, match="there is none"):
        await house.controller_of(None).start("enforce")
    await house.controller_of(None).start("auto")


async def test_routes_count_when_they_are_to_and_follow_their_tables() -> None:
    house = House()
    await house.controller.start("auto", "routes")
    everywhere = (Exit(subnets=tuple(sorted(each.cidr for each in house.store.all(Subnet))), reach=("0.0.0.0/0",)),)
    assert exits(house) == everywhere
    main, gateway = next(house.store.all(RouteTable)), next(house.store.all(InternetGateway))
    for changed, left in (
        (main.but(routes=()), ()),
        (main, everywhere),
        (gateway.but(vpc_id=""), ()),
        (gateway, everywhere),
    ):
        house.put(changed)
        await house.controller.in_force()
        assert exits(house) == left
    changes = house.driver.changes
    house.put(next(house.store.all(Subnet)).but(next_offset=9))  # as with every task
    await house.controller.in_force()
    assert house.driver.changes == changes
    await house.controller.stop()


async def test_network_acls_follow_their_entries_and_the_subnets_that_have_them(house: House) -> None:
    one = next(house.store.all(Subnet))
    own = NetworkAcl(**PLACE, acl_id="acl-own", vpc_id=one.vpc_id)
    before = house.driver.changes
    house.put(own.but(tags={"a": "b"}))
    await in_force(house)
    assert acls(house) == {}
    house.put(one.but(network_acl_id="acl-own"))
    await in_force(house)
    assert acls(house) == {"acl-own": (one.cidr,)}
    house.put(own.but(entries=ALLOW_ALL))
    await in_force(house)
    assert acls(house) == {}
    assert house.driver.changes == before + 3
    await house.controller.stop()
    again = house.controller_of(house.driver)
    house.put(own)
    await again.start("off", "routes")
    assert acls(house) == {}
    await again.stop()


def acls(house: House) -> dict[str, tuple[str, ...]]:
    assert house.driver.table.rules is not None
    return {acl.acl_id: acl.subnets for acl in house.driver.table.rules.acls}


def places(house: House) -> Mapping[str, Place]:
    assert house.driver.table.rules is not None
    return house.driver.table.rules.places


def exits(house: House) -> tuple[Exit, ...] | None:
    assert house.driver.table.rules is not None
    return house.driver.table.rules.exits


async def test_routes_count_without_security_groups() -> None:
    house = House()
    house.put(interface("172.31.0.9", "sg-default"))
    await house.controller.start("off", "routes")
    assert house.driver.table.rules is not None
    assert house.driver.table.rules.places["eni-172.31.0.9"].groups == ()
    assert exits(house)
    await house.controller.stop()
    with pytest.raises(Permanent, match="Routes can't be enforced"):
        await house.controller_of(SimFirewall(absent="nft is missing.")).start("off", "routes")


async def test_prefix_list_that_changes_changes_the_rules_that_name_it(house: House) -> None:
    entries = (PrefixEntry(cidr="10.1.0.0/16"),)
    ranges = PrefixList(**PLACE, list_id="pl-1", name="some", address_family="IPv4", max_entries=5, versions=(entries,))
    house.put(ranges, group("sg-a"), rule("sg-a", prefix_list_id="pl-1"))
    await in_force(house)
    house.put(ranges.but(versions=(entries, (*entries, PrefixEntry(cidr="10.2.0.0/16")))))
    await in_force(house)
    assert house.driver.table.rules is not None
    assert house.driver.table.rules.groups["sg-a"].inbound[0].cidrs == ("10.1.0.0/16", "10.2.0.0/16")


async def test_range_of_a_moved_vpc_means_it_where_it_is(house: House) -> None:
    vpc = Vpc(**PLACE, vpc_id="vpc-2", cidr="10.0.0.0/16", machine_cidr="10.64.0.0/16")
    house.put(vpc, group("sg-a").but(vpc_id="vpc-2"), rule("sg-a", cidr_ipv4="10.0.7.0/24"))
    await in_force(house)
    assert house.driver.table.rules is not None
    assert house.driver.table.rules.groups["sg-a"].inbound[0].cidrs == ("10.64.7.0/24",)


async def test_turned_off_leaves_nothing_of_an_earlier_life() -> None:
    house = House()
    await house.controller.start("off")
    assert house.driver.removed == 1
    assert "turned off" in house.controller.why_off
    await house.controller.in_force()
    await house.controller.stop()


async def test_no_task_begins_before_its_interface_is_guarded(house: House) -> None:
    engine = Watchful(ClockOf(house), house.driver)
    tasks = TaskController(house.store, engine, ClockOf(house), house.ids, VAULT, guarded=house.controller.in_force)
    task = put_task(house)
    house.driver.may.clear()
    tasks.loop.start()
    tasks.loop.enqueue(task.key)
    await asyncio.sleep(0.05)
    assert not engine.started.is_set()
    house.driver.may.set()
    async with asyncio.timeout(20):
        await engine.started.wait()
    await tasks.loop.stop()
    assert engine.guarded_by == ("sg-default",)


class Watchful(SimEngine):
    """Looks at the firewall when a task begins."""

    def __init__(self, clock: ClockOf, firewall: SimFirewall) -> None:
        super().__init__(clock)
        self._firewall = firewall
        self.started = asyncio.Event()
        self.guarded_by: tuple[str, ...] = ()

    async def start(self, launch: TaskLaunch) -> None:
        assert self._firewall.table.rules is not None
        assert launch.network is not None
        self.guarded_by = self._firewall.table.rules.places[launch.network.interface_id].groups
        self.started.set()


def put_task(house: House) -> Task:
    definition_arn = house.define().arn
    task = Task(
        account="123456789012",
        region="us-east-1",
        task_id="1" * 32,
        cluster="default",
        task_definition_arn=definition_arn,
        group="family:web",
        launch_type="FARGATE",
        created_at=house.now,
        cpu_units=256,
        memory_mib=512,
        attachment=Attachment(attachment_id="a", subnet_id="subnet-a"),
    )
    house.put(task)
    return task
