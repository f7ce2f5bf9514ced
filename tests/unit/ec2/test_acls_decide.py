"""What network ACLs hold back, from their records."""

from __future__ import annotations

from typing import Any

from longshore.decide.ec2.acls import acls_of
from longshore.domain.ec2.firewall import Acl, Allowance, Entry
from longshore.domain.ec2.network import Subnet, Vpc
from longshore.domain.ec2.network_acl import ALLOW_ALL, AclEntry, NetworkAcl

SCOPE: dict[str, Any] = {"account": "123456789012", "region": "us-east-1"}
VPC = Vpc(**SCOPE, vpc_id="vpc-1", cidr="10.9.0.0/16", is_default=False)
EVERYWHERE = ("0.0.0.0/0",)


def subnet(number: int, acl: str = "") -> Subnet:
    return Subnet(
        **SCOPE,
        subnet_id=f"subnet-{number}",
        vpc_id="vpc-1",
        cidr=f"10.9.{number}.0/24",
        availability_zone="us-east-1a",
        network_acl_id=acl,
    )


def acl(name: str, *entries: AclEntry) -> NetworkAcl:
    return NetworkAcl(**SCOPE, acl_id=name, vpc_id="vpc-1", entries=entries)


def entry(number: int, action: str, *, egress: bool = False, protocol: str = "-1", **more: Any) -> AclEntry:
    given = {"cidr_ipv4": "0.0.0.0/0", **more}
    return AclEntry(number=number, egress=egress, action=action, protocol=protocol, **given)


def told(*acls: NetworkAcl, subnets: tuple[Subnet, ...] = (subnet(1, "acl-a"),), vpc: Vpc = VPC) -> tuple[Acl, ...]:
    return acls_of({"vpc-1": vpc}, subnets, {each.acl_id: each for each in acls})


def test_a_list_that_lets_everything_through_is_not_told() -> None:
    assert told(acl("acl-a", *ALLOW_ALL)) == ()
    assert told(acl("acl-a", *ALLOW_ALL, entry(200, "deny"))) == ()  # nothing comes to it


def test_entries_are_asked_by_their_numbers_whenever_they_came() -> None:
    late, early = entry(200, "allow"), entry(10, "deny", protocol="6", ports=(22, 22))
    [found] = told(acl("acl-a", late, early, ALLOW_ALL[0]))
    assert found.inbound == (
        Entry(allows=False, what=Allowance(protocol=6, ports=(22, 22), cidrs=EVERYWHERE)),
        Entry(allows=True, what=Allowance(cidrs=EVERYWHERE)),
    )
    assert found.outbound == (Entry(allows=True, what=Allowance(cidrs=EVERYWHERE)),)


def test_a_list_without_entries_lets_nothing_through() -> None:
    [found] = told(acl("acl-a"))
    assert (found.subnets, found.inbound, found.outbound) == (("10.9.1.0/24",), (), ())


def test_a_subnet_has_its_own_list_or_its_vpc_s_default_one() -> None:
    default = NetworkAcl(**SCOPE, acl_id=VPC.default_network_acl, vpc_id="vpc-1", is_default=True)
    subnets = (subnet(1), subnet(2, "acl-a"), subnet(3), subnet(4, "acl-gone"))
    found = {each.acl_id: each.subnets for each in told(default, acl("acl-a"), acl("acl-idle"), subnets=subnets)}
    assert found == {VPC.default_network_acl: ("10.9.1.0/24", "10.9.3.0/24"), "acl-a": ("10.9.2.0/24",)}


def test_protocols_ports_and_types() -> None:
    entries = [
        entry(1, "allow", protocol="17", ports=(0, 65535)),
        entry(2, "allow", protocol="1", icmp=(8, -1)),
        entry(3, "allow", protocol="1", icmp=(-1, -1)),
        entry(4, "allow", protocol="47"),
        entry(5, "allow", protocol="58", cidr_ipv4="", cidr_ipv6="::/0", icmp=(-1, -1)),
    ]
    [found] = told(acl("acl-a", *entries))
    assert [each.what for each in found.inbound] == [
        Allowance(protocol=17, cidrs=EVERYWHERE),
        Allowance(protocol=1, icmp=(8, -1), cidrs=EVERYWHERE),
        Allowance(protocol=1, cidrs=EVERYWHERE),
        Allowance(protocol=47, cidrs=EVERYWHERE),
    ]
