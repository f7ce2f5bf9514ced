"""Whatever stands in the store, the plan is whole, in order, and the same from the same records."""

import random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longshore.decide.elbv2.balancing import plan_of
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule, TargetGroup, Zone
from longshore.domain.elbv2.balancing import BalancerPlan, CertificatePlan, Forward
from longshore.domain.elbv2.health_check import code_ranges, default_check
from tests.support.balancers import PLACE, forward, listener_of, rule_of

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CERTIFICATES = {f"arn:{n}": CertificatePlan(certificate_id=f"c{n}", pem="x") for n in range(3)}
"""Listeners name a fourth."""
ANSWER: dict[str, Any] = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}


def balancer_of(number: int, kind: str) -> LoadBalancer:
    zone = Zone(name="us-east-1a", subnet_id="subnet-a", interface_id="eni-1", address=f"172.31.0.{number + 4}")
    return LoadBalancer(
        **PLACE,
        lb_id=f"{number:016x}",
        name=f"lb{number}",
        type=kind,  # type: ignore[arg-type]  # one of the two
        scheme="internal",
        vpc_id="vpc-1",
        zones=(zone,),
        dns_name=f"lb{number}.localhost",
        created_at=0.0,
    )


def group_of(number: int, protocol: str) -> TargetGroup:
    return TargetGroup(
        **PLACE,
        group_id=f"{number:016x}",
        name=f"g{number}",
        protocol=protocol,
        port=80,
        vpc_id="vpc-1",
        target_type="ip",
        health_check=default_check(protocol, "", "HTTP"),
        created_at=0.0,
    )


Records = tuple[list[LoadBalancer], list[Listener], list[Rule], list[TargetGroup]]


@st.composite
def worlds(draw: st.DrawFn) -> Records:
    """Load balancers with listeners and rules; some stand alone, and not every certificate is there."""
    number = st.integers(0, 3)
    balancers = [balancer_of(n, draw(st.sampled_from(("application", "network")))) for n in range(draw(number))]
    groups = [group_of(n, draw(st.sampled_from(("HTTP", "TCP")))) for n in range(4)]
    action = st.one_of(
        st.just(ANSWER), st.lists(st.sampled_from(groups), min_size=1, unique_by=id).map(lambda g: forward(*g))
    )
    everywhere = [*balancers, balancer_of(9, "application")]
    listeners = [
        listener_of(balancer, draw(action), port=port, certificates=tuple(f"arn:{n}" for n in draw(st.sets(number))))
        for balancer in everywhere
        for port in draw(st.sets(st.integers(1, 9), max_size=3))
    ]
    rules = [
        rule_of(listener, priority, draw(action))
        for listener in listeners
        for priority in draw(st.sets(st.integers(1, 99), max_size=4))
    ]
    return balancers, listeners, rules, groups


def planned(records: Records) -> BalancerPlan:
    balancers, listeners, rules, groups = records
    return plan_of(balancers, listeners, rules, groups, CERTIFICATES, [], {"vpc-1": "172.31.0.0/16"}, {})


@RELAXED
@given(worlds(), st.integers())
def test_the_order_of_records_makes_no_difference(records: Records, seed: int) -> None:
    chance = random.Random(seed)
    shuffled = tuple(chance.sample(part, len(part)) for part in records)
    plan = planned(records)
    assert planned(shuffled) == plan  # type: ignore[arg-type]  # the same four lists
    assert hash(plan) == hash(planned(records))
    assert msgspec.json.decode(msgspec.json.encode(plan), type=BalancerPlan) == plan


@RELAXED
@given(worlds())
def test_the_plan_names_nothing_that_is_not_in_it(records: Records) -> None:
    balancers, listeners, rules, groups = records
    plan = planned(records)
    assert [each.lb_id for each in plan.load_balancers] == sorted(each.lb_id for each in balancers)
    forwarded: set[str] = set()
    served: set[str] = set()
    for balancer in plan.load_balancers:
        own = [each for each in listeners if each.lb_id == balancer.lb_id]
        assert [each.port for each in balancer.listeners] == sorted(each.port for each in own)
        for listener in balancer.listeners:
            served.update(listener.certificates)
            *ruled, default = listener.rules
            expected = [r.rule_id for r in rules if (r.lb_id, r.listener_id) == (balancer.lb_id, listener.listener_id)]
            assert [each.rule_id for each in ruled] == sorted(expected)  # as long as their priorities
            assert default.conditions == ()
            for rule in listener.rules:
                if isinstance(rule.action, Forward):
                    forwarded.update(each.group_id for each in rule.action.groups)
    assert [each.group_id for each in plan.groups] == sorted(forwarded)
    assert forwarded <= {each.group_id for each in groups}
    assert {each.certificate_id for each in plan.certificates} == served


@RELAXED
@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), min_size=1, max_size=20))
def test_ranges_of_codes_are_read_as_they_are_written(ranges: list[tuple[int, int]]) -> None:
    written = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
    expected = tuple(ranges) if all(low <= high for low, high in ranges) else None
    assert code_ranges(written) == expected


@RELAXED
@given(st.text(alphabet="0123456789,- ²", max_size=12))
def test_what_is_no_range_is_none(text: str) -> None:
    found = code_ranges(text)
    if found:
        assert all(0 <= low <= high <= 999 for low, high in found)
        assert len(found) == text.count(",") + 1
