"""The controller of load balancers: states, targets in and out of service, and drivers that fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping

import pytest

from longshore.control.balancers import GIVE_UP_S, PLAN, BalancerController
from longshore.domain.elbv2.balancer import HealthCheckSettings, Listener, LoadBalancer, Target, TargetGroup
from longshore.domain.elbv2.balancing import BalancerPlan, Problem, TargetPlan
from longshore.domain.elbv2.certificate import Certificate
from longshore.domain.names.zone import RecordSet
from longshore.drivers.ports import Permanent, Retryable
from longshore.drivers.sim.balancer import BalancerTimings, SimBalancer, SimForwarder
from longshore.drivers.sim.machine import SimMachine
from longshore.vault import MasterVault
from tests.support.api import VAULT, Api
from tests.support.balancers import PLACE, group_in_use, import_certificate
from tests.support.house import NOT_FOUND
from tests.support.services import ClockOf


class Moody(SimBalancer):
    """A driver that fails when it is told to."""

    absent = ""
    """Why there is no data plane."""
    problems: Mapping[str, Problem] = {}
    stuck = False

    async def open(self) -> None:
        if self.absent:
            raise Permanent(self.absent)
        await super().open()

    async def apply(self, plan: BalancerPlan) -> Mapping[str, Problem]:
        await super().apply(plan)
        return self.problems

    async def remove(self, target: TargetPlan) -> None:
        if self.stuck:
            raise Retryable("it hangs", 0.01)
        await super().remove(target)

    async def drain(self, target: TargetPlan) -> None:
        if self.stuck:
            raise Retryable("it hangs", 0.01)
        await super().drain(target)


class House(Api):
    """A store with a controller, and a data plane in which things take a few milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        clock = ClockOf(self)
        self.forwarder = SimForwarder(SimMachine(clock), BalancerTimings(0.005, 0.02, 0.005))
        self.driver = Moody(self.forwarder)
        self.released: list[Collection[str]] = []
        self.controller = BalancerController(self.store, self.driver, clock, VAULT, release=self._release)

    async def _release(self, keep: Collection[str]) -> None:
        self.released.append(keep)

    def register(self, group: TargetGroup, address: str = "172.31.0.9") -> Target:
        target = Target(
            **PLACE, group_id=group.group_id, target_id=address, port=80, address=address, registered_at=self.now
        )
        self.put(target)
        return target

    def target(self, target: Target) -> Target | None:
        return self.store.get(Target, target.key)

    def state(self, target: Target) -> str:
        found = self.target(target)
        return found.state if found is not None else "gone"

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  what is waited for has no event
                await asyncio.sleep(0.005)

    def balancer(self, group: TargetGroup) -> LoadBalancer:
        (found,) = self.store.select(LoadBalancer, "name", (group.account, group.region, group.name))
        return found


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.controller.stop()


async def test_load_balancer_is_active_once_it_is_in_place(house: House) -> None:
    group = group_in_use(house)
    assert house.balancer(group).state == "provisioning"
    house.controller.start()
    await house.until(lambda: house.balancer(group).state == "active")
    assert [each.lb_id for each in house.forwarder.plan.load_balancers] == [house.balancer(group).lb_id]
    await house.until(lambda: bool(house.released))


async def test_what_the_data_plane_refuses_fails_alone_with_its_reason(house: House) -> None:
    good, bad = group_in_use(house, "good"), group_in_use(house, "bad")
    house.driver.problems = {house.balancer(bad).lb_id: Problem(reason="The port is taken.")}
    house.controller.start()
    await house.until(lambda: house.balancer(bad).state == "failed")
    assert house.balancer(bad).state_reason == "The port is taken."
    assert house.balancer(good).state == "active"
    house.driver.problems = {}
    house.controller.plans.enqueue(PLAN)
    await house.until(lambda: house.balancer(bad).state == "active")
    assert house.balancer(bad).state_reason == ""


async def test_load_balancer_that_goes_on_as_it_was_is_impaired_and_says_why(house: House) -> None:
    group = group_in_use(house)
    house.driver.problems = {house.balancer(group).lb_id: Problem(reason="No such regex.", serving=True)}
    house.controller.start()
    await house.until(lambda: house.balancer(group).state == "active_impaired")
    assert house.balancer(group).state_reason == (
        "The last change is not in effect; all goes on as it was before. No such regex."
    )


@pytest.mark.parametrize("goes_on", [True, False])
async def test_targets_stay_where_their_load_balancer_goes_on_as_it_was(house: House, goes_on: bool) -> None:
    group = group_in_use(house)
    target = house.register(group)
    house.controller.start()
    await house.until(lambda: house.state(target) == "healthy")
    kept = (group.group_id,) if goes_on else ()
    house.driver.problems = {house.balancer(group).lb_id: Problem(reason="No.", serving=goes_on, groups=kept)}
    (front,) = house.store.all(Listener)
    house.put(
        front.but(default_actions=(NOT_FOUND,))
    )  # the change that is refused: nothing forwards to the group any more
    other = group_in_use(house, "other")
    await house.until(lambda: house.balancer(other).state == "active")
    late = house.register(other, "172.31.0.10")
    await house.until(lambda: house.state(late) == "healthy")  # by then the first one had its turn
    assert house.state(target) == ("healthy" if goes_on else "unused")


async def test_alias_that_comes_or_goes_changes_what_names_lead_to(house: House) -> None:
    group_in_use(house, "one")
    two = group_in_use(house, "two")
    house.controller.start()
    await house.until(lambda: bool(house.forwarder.plan.host_ports))
    alias = {"HostedZoneId": "Z1", "DNSName": house.balancer(two).dns_name}
    record_set = RecordSet(account="1", region="", zone_id="Z2", name="shop.test", type="A", alias=alias)
    house.put(record_set)
    await house.until(lambda: [name for name, _ in house.forwarder.plan.host_ports[0].names] == ["shop.test"])
    house.put(record_set.but(name="www.shop.test", type="CNAME", alias={}, values=("Shop.test.",)))
    await house.until(lambda: len(house.forwarder.plan.host_ports[0].names) == 2)
    with house.store.transaction() as tx:
        tx.delete(RecordSet, record_set.key)
    await house.until(lambda: house.forwarder.plan.host_ports[0].names == ())


async def test_certificate_that_another_key_sealed_keeps_no_other_from_its_work(house: House) -> None:
    arns = [import_certificate(house, name) for name in ("good.example.com", "lost.example.com")]
    [lost] = house.store.select(Certificate, "arn", (arns[1],))
    house.put(lost.but(sealed_key=MasterVault(b"o" * 32).seal(b"another key")))
    groups = [group_in_use(house, name) for name in ("good", "lost")]
    for group, arn in zip(groups, arns, strict=True):
        listeners = house.store.select(Listener, "group", (group.arn,))
        house.put(listeners[0].but(protocol="HTTPS", certificates=(arn,)))
    house.controller.start()
    await house.until(lambda: house.balancer(groups[0]).state == "active")
    assert [each.certificate_id for each in house.forwarder.plan.certificates] == [arns[0].rpartition("/")[2]]


async def test_without_a_data_plane_load_balancers_fail_and_nothing_waits_for_them(house: House) -> None:
    house.driver.absent = "Install the package haproxy."
    group = group_in_use(house)
    serving, leaving = house.register(group), house.register(group, "172.31.0.10")
    house.put(leaving.but(deregistered_at=house.now))
    house.controller.start()
    await house.until(lambda: house.balancer(group).state == "failed")
    assert house.balancer(group).state_reason == "Install the package haproxy."
    await house.until(lambda: house.state(serving) == "unused")
    await house.until(lambda: house.target(leaving) is None)
    house.driver.absent = ""
    house.controller.plans.enqueue(PLAN)
    await house.until(lambda: house.state(serving) == "healthy")


async def test_target_comes_into_service_drains_and_is_gone(house: House) -> None:
    group = group_in_use(house)
    house.controller.start()
    target = house.register(group)
    await house.until(lambda: house.state(target) == "healthy")
    seen = house.target(target)
    assert seen is not None
    assert (seen.reason, seen.description, seen.changed_at) == ("", "", house.now)
    house.put(seen.but(deregistered_at=house.now))
    await house.until(lambda: house.target(target) is None)
    assert not house.forwarder.targets


async def test_target_registered_again_while_it_drains_is_probed_anew(house: House) -> None:
    group = group_in_use(house)
    house.forwarder.timings = BalancerTimings(0.005, 0.02, 60.0)
    house.controller.start()
    target = house.register(group)
    await house.until(lambda: house.state(target) == "healthy")
    house.put(target.but(deregistered_at=house.now))
    plan = TargetPlan(group_id=group.group_id, address=target.address, port=target.port)
    await house.until(lambda: house.forwarder.targets[plan].phase == "draining")
    house.now += 1.0
    again = house.register(group)
    assert house.state(again) == "initial"
    await house.until(lambda: house.state(again) == "healthy")


async def test_drain_ends_at_its_ceiling_though_connections_are_left(house: House) -> None:
    group = group_in_use(house, attributes={"deregistration_delay.timeout_seconds": "10"})
    house.forwarder.timings = BalancerTimings(0.005, 0.02, 3600.0)
    house.controller.start()
    target = house.register(group)
    await house.until(lambda: house.state(target) == "healthy")
    house.put(target.but(deregistered_at=house.now))
    plan = TargetPlan(group_id=group.group_id, address=target.address, port=target.port)
    await house.until(lambda: house.forwarder.targets[plan].phase == "draining")
    assert house.target(target) is not None
    house.now += 10.0
    house.controller.targets.enqueue(target.key)
    await house.until(lambda: house.target(target) is None)
    assert not house.forwarder.targets


async def test_data_plane_that_hangs_holds_up_no_target_for_ever(house: House) -> None:
    group = group_in_use(house, attributes={"deregistration_delay.timeout_seconds": "0"})
    house.controller.start()
    target = house.register(group)
    await house.until(lambda: house.state(target) == "healthy")
    house.driver.stuck = True
    house.put(target.but(deregistered_at=house.now))
    await asyncio.sleep(0.05)
    assert house.target(target) is not None
    house.now += GIVE_UP_S
    await house.until(lambda: house.target(target) is None)
    house.driver.stuck = False
    await house.until(lambda: not house.forwarder.targets)


async def test_targets_of_a_group_that_is_out_of_use_say_so_until_it_is_used_again(house: House) -> None:
    group = group_in_use(house)
    house.controller.start()
    target = house.register(group)
    await house.until(lambda: house.state(target) == "healthy")
    [listener] = house.store.all(Listener)
    with house.transaction() as tx:
        tx.delete(Listener, listener.key)
    await house.until(lambda: house.state(target) == "unused")
    assert not house.forwarder.targets
    house.put(listener)
    await house.until(lambda: house.state(target) == "healthy")


async def test_targets_without_checks_are_unavailable_and_get_requests(house: House) -> None:
    group = group_in_use(house, health_check=HealthCheckSettings(enabled=False, path="/", matcher="200"))
    house.controller.start()
    target = house.register(group)
    await house.until(lambda: house.state(target) == "unavailable")
    seen = house.target(target)
    assert seen is not None
    assert seen.reason == "Target.HealthCheckDisabled"


async def test_next_life_takes_over_what_is_in_service(house: House) -> None:
    group = group_in_use(house)
    house.controller.start()
    target = house.register(group)
    await house.until(lambda: house.state(target) == "healthy")
    await house.controller.stop()
    driver = SimBalancer(house.forwarder)
    house.controller = BalancerController(house.store, driver, ClockOf(house), VAULT, release=house._release)
    before = dict(house.forwarder.targets)
    house.controller.start()
    await house.until(lambda: bool(house.controller._told))
    assert house.forwarder.targets == before
    assert house.state(target) == "healthy"
