"""VPCs come and go at random: where their addresses are, no other VPC and no network of the machine is."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.api import ec2
from longshore.domain.ec2.network import Subnet, Vpc, moved_range, real_ranges
from longshore.domain.ecs.cluster import Host
from tests.support.api import SCOPE, Api

Network = ipaddress.IPv4Network
BLOCKS = st.builds(
    lambda second, third, prefix: str(Network((f"10.{second}.{third}.0", prefix), strict=False)),
    st.sampled_from((0, 1, 64, 65, 190)),
    st.sampled_from((0, 64, 128)),
    st.integers(16, 28),
)
STEPS = st.lists(st.one_of(BLOCKS, st.integers(0, 20)), max_size=25)
"""A range: create a VPC of it. A number: delete one."""


@settings(max_examples=60, deadline=None)
@given(STEPS, st.lists(BLOCKS, max_size=3))
def test_no_two_vpcs_are_in_one_place(steps: list[Any], networks: list[str]) -> None:
    api = Api(ec2.SERVICE.operations, service="ec2")
    api.put(Host(account="", region="", cpu_units=1, memory_mib=1, networks=tuple(networks)))
    made: list[str] = []
    for step in steps:
        if isinstance(step, str):
            vpc = api("CreateVpc", CidrBlock=step)["Vpc"]
            assert vpc["CidrBlock"] == step
            made.append(vpc["VpcId"])
            api("CreateSubnet", VpcId=made[-1], CidrBlock=str(next(Network(step).subnets(new_prefix=28))))
        elif made:
            gone = made.pop(step % len(made))
            for subnet in api.store.select(Subnet, "vpc", (*SCOPE, gone)):
                api("DeleteSubnet", SubnetId=subnet.subnet_id)
            api("DeleteVpc", VpcId=gone)
        check(api, networks)


def check(api: Api, networks: list[str]) -> None:
    """What holds after each step."""
    vpcs = {vpc.vpc_id: vpc for vpc in api.store.all(Vpc)}
    ranges = sorted((Network(vpc.range) for vpc in vpcs.values()), key=lambda each: each.network_address)
    assert not any(one.overlaps(other) for one, other in itertools.pairwise(ranges))
    own = [Network(vpc.range) for vpc in vpcs.values() if not vpc.is_default]
    assert not any(one.overlaps(Network(other)) for one in own for other in networks)
    for subnet in api.store.all(Subnet):
        vpc = vpcs[subnet.vpc_id]
        assert Network(subnet.range).subnet_of(Network(vpc.range))
        assert real_ranges(vpc, subnet.cidr) == (subnet.range,)


@given(BLOCKS, st.integers(0, 2**12 - 1))
def test_a_part_of_a_moved_range_is_as_large_and_at_its_place(old: str, number: int) -> None:
    size = Network(old).prefixlen
    new = str(Network(f"100.64.0.0/{size}"))
    parts = list(Network(old).subnets(new_prefix=28))
    part = parts[number % len(parts)]
    moved = Network(moved_range(str(part), old, new))
    assert moved.prefixlen == part.prefixlen
    assert int(moved.network_address) - int(Network(new).network_address) == (
        int(part.network_address) - int(Network(old).network_address)
    )
