"""What subnets reach outside of their VPC, by their route tables."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from longshore.decide.ec2.egress import Routing, exits_of
from longshore.domain.ec2.firewall import Exit
from longshore.domain.ec2.network import Subnet, Vpc
from longshore.domain.ec2.routing import InternetGateway, NatGateway, Route, RouteTable
from tests.support.security_groups import PLACE, VPC

EVERYWHERE = "0.0.0.0/0"
IGW = InternetGateway(**PLACE, gateway_id="igw-1", vpc_id=VPC)
PUBLIC, PRIVATE = "10.9.0.0/25", "10.9.0.128/25"
LISTS = {"pl-1": ["192.0.2.0/25", "198.51.100.0/24", "fd00::/8"]}


def nat(**fields: Any) -> NatGateway:
    usual = {"gateway_id": "nat-1", "vpc_id": VPC, "subnet_id": "subnet-public", "allocation_id": "eipalloc-1"}
    return NatGateway(**PLACE, interface_id="eni-1", private_ip="10.9.0.4", created_at=0.0, **{**usual, **fields})


def exits(
    public: Sequence[tuple[str, str]],
    private: Sequence[tuple[str, str]] = (),
    *,
    gateways: Sequence[InternetGateway] = (IGW,),
    nats: Sequence[NatGateway] = (),
) -> dict[str, tuple[str, ...]]:
    """What each of the two subnets reaches: the public one by the main table, the private one by a table of its own."""
    vpc = Vpc(**PLACE, vpc_id=VPC, cidr="10.9.0.0/24", main_route_table_id="rtb-public")
    subnets = [subnet("subnet-public", PUBLIC), subnet("subnet-private", PRIVATE, route_table_id="rtb-private")]
    routing = Routing(
        vpcs={VPC: vpc},
        subnets={each.subnet_id: each for each in subnets},
        tables={"rtb-public": table("rtb-public", public), "rtb-private": table("rtb-private", private)},
        internet_gateways={each.gateway_id: each for each in gateways},
        nat_gateways={each.gateway_id: each for each in nats},
        entries=lambda list_id: LISTS.get(list_id, []),
    )
    return {cidr: each.reach for each in exits_of(routing) for cidr in each.subnets}


def subnet(subnet_id: str, cidr: str, **fields: Any) -> Subnet:
    return Subnet(**PLACE, subnet_id=subnet_id, vpc_id=VPC, cidr=cidr, availability_zone="us-east-1a", **fields)


def table(table_id: str, routes: Sequence[tuple[str, str]]) -> RouteTable:
    made = tuple(Route(destination=destination, target=target) for destination, target in routes)
    return RouteTable(**PLACE, table_id=table_id, vpc_id=VPC, routes=made)


def test_route_to_an_internet_gateway_leads_out() -> None:
    assert exits([(EVERYWHERE, "igw-1")]) == {PUBLIC: (EVERYWHERE,)}


def test_subnets_that_reach_the_same_are_together() -> None:
    made = exits([(EVERYWHERE, "igw-1")], [(EVERYWHERE, "igw-1")])
    assert made == {PUBLIC: (EVERYWHERE,), PRIVATE: (EVERYWHERE,)}


def test_without_a_route_nothing_is_reached() -> None:
    assert exits([], []) == {}


def test_routes_within_the_vpc_are_not_looked_at() -> None:
    """Its range may be another VPC's on this machine, where it was moved."""
    within = [(PRIVATE, "eni-1"), (PUBLIC, "nat-1")]
    assert exits([(EVERYWHERE, "igw-1"), *within], nats=[nat()]) == {PUBLIC: (EVERYWHERE,)}
    assert exits([("192.0.2.0/24", "igw-1")], within, nats=[nat()]) == {PUBLIC: ("192.0.2.0/24",)}


def test_black_holes_lead_nowhere() -> None:
    detached = InternetGateway(**PLACE, gateway_id="igw-1")
    assert exits([(EVERYWHERE, "igw-1")], gateways=[detached]) == {}
    assert exits([(EVERYWHERE, "igw-gone"), ("192.0.2.0/24", "nat-gone"), ("198.51.100.0/24", "eni-1")]) == {}


def test_nat_gateway_leads_where_its_own_subnet_does() -> None:
    to_nat = [(EVERYWHERE, "nat-1")]
    assert exits([(EVERYWHERE, "igw-1")], to_nat, nats=[nat()])[PRIVATE] == (EVERYWHERE,)
    assert exits([("192.0.2.0/24", "igw-1")], to_nat, nats=[nat()])[PRIVATE] == ("192.0.2.0/24",)
    assert PRIVATE not in exits([], to_nat, nats=[nat()])
    assert PRIVATE not in exits([], to_nat, nats=[nat(subnet_id="subnet-private")])


def test_nat_gateway_that_is_deleted_or_private_leads_nowhere() -> None:
    to_nat = [(EVERYWHERE, "nat-1")]
    for gateway in (nat(deleted_at=1.0), nat(allocation_id="")):
        assert PRIVATE not in exits([(EVERYWHERE, "igw-1")], to_nat, nats=[gateway])


def test_most_specific_route_decides() -> None:
    routes = [(EVERYWHERE, "igw-1"), ("0.0.0.0/1", "igw-gone"), ("64.0.0.0/2", "igw-1")]
    assert exits(routes)[PUBLIC] == ("64.0.0.0/2", "128.0.0.0/1")


def test_prefix_list_stands_for_its_ranges() -> None:
    assert exits([("pl-1", "igw-1"), ("pl-gone", "igw-1")])[PUBLIC] == ("192.0.2.0/25", "198.51.100.0/24")


def test_routes_of_ipv6_lead_nowhere() -> None:
    assert exits([("::/0", "igw-1")]) == {}


def test_subnet_stands_where_its_addresses_really_are() -> None:
    vpc = Vpc(**PLACE, vpc_id=VPC, cidr="10.0.0.0/24", machine_cidr="10.9.0.0/24", main_route_table_id="rtb-1")
    moved = subnet("subnet-1", "10.0.0.0/25", machine_cidr=PUBLIC)
    main = {"rtb-1": table("rtb-1", [(EVERYWHERE, "igw-1")])}
    routing = Routing({VPC: vpc}, {"subnet-1": moved}, main, {"igw-1": IGW}, {}, lambda _list: [])
    assert exits_of(routing) == (Exit(subnets=(PUBLIC,), reach=(EVERYWHERE,)),)


CIDRS = ("0.0.0.0/0", "0.0.0.0/1", "64.0.0.0/2", "64.0.0.0/4", "64.0.0.1/32", "192.0.0.0/3", "192.0.2.0/24")
PROBES = ("1.2.3.4", "64.0.0.1", "64.0.0.2", "100.0.0.1", "130.0.0.1", "192.0.2.77", "223.1.1.1")
ROUTES = st.dictionaries(st.sampled_from(CIDRS), st.sampled_from(["igw-1", "igw-gone", "nat-1"]))


def leads(routes: dict[str, str], address: str) -> str:
    """Where a packet goes: the target of the most specific route."""
    fits = [cidr for cidr in routes if ipaddress.ip_address(address) in ipaddress.ip_network(cidr)]
    return routes[max(fits, key=lambda cidr: ipaddress.ip_network(cidr).prefixlen)] if fits else ""


@given(ROUTES, ROUTES)
def test_each_address_is_reached_exactly_where_its_route_leads_out(
    public: dict[str, str], private: dict[str, str]
) -> None:
    found = exits(list(public.items()), list(private.items()), nats=[nat()])
    for cidr, routes in ((PUBLIC, public), (PRIVATE, private)):
        for address in PROBES:
            target = leads(routes, address)
            wanted = target == "igw-1" or (target == "nat-1" and leads(public, address) == "igw-1")
            reached = any(ipaddress.ip_address(address) in ipaddress.ip_network(each) for each in found.get(cidr, ()))
            assert reached == wanted, (cidr, address)
