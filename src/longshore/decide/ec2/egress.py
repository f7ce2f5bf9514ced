"""PURE: records of routes -> what subnets reach outside of their VPC. Called by `control/ec2/firewall.py`.

As on AWS, the most specific route of a subnet's table decides, and it leads out where it ends at an internet gateway
of the VPC, or at a public NAT gateway whose own subnet has such a route. A route to what is gone is a black hole. What
a route within the VPC's range says is not looked at: it leads nowhere else.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from longshore.domain.ec2.firewall import Exit
from longshore.domain.ec2.network import Subnet, Vpc
from longshore.domain.ec2.routing import InternetGateway, NatGateway, Route, RouteTable

Network = ipaddress.IPv4Network
Entries = Callable[[str], Iterable[str]]
"""The ranges of a prefix list, by its id."""


class Routing(NamedTuple):
    """All that says how a packet leaves, by id."""

    vpcs: Mapping[str, Vpc]
    subnets: Mapping[str, Subnet]
    tables: Mapping[str, RouteTable]
    internet_gateways: Mapping[str, InternetGateway]
    nat_gateways: Mapping[str, NatGateway]
    entries: Entries

    def table_of(self, subnet: Subnet) -> RouteTable | None:
        """A subnet's route table: its own, or the VPC's main one."""
        vpc = self.vpcs.get(subnet.vpc_id)
        main = vpc.main_route_table if vpc is not None else ""
        return self.tables.get(subnet.route_table_id or main)

    def by_gateway(self, table: RouteTable) -> tuple[Network, ...]:
        """What a table's routes lead to through an internet gateway alone."""
        return self._reach(table, lambda target: self._is_gateway(table, target))

    def reach(self, table: RouteTable) -> tuple[Network, ...]:
        """What a table's routes lead to."""
        direct = self._reach(table, lambda target: self._is_gateway(table, target))
        by_nat: list[Network] = []
        for gateway_id in {route.target for route in table.routes if route.target in self.nat_gateways}:
            through = self._reach(table, lambda target, wanted=gateway_id: target == wanted)  # type: ignore[misc]
            by_nat += _common(through, self._beyond(self.nat_gateways[gateway_id]))
        return tuple(ipaddress.collapse_addresses([*direct, *by_nat]))

    def _beyond(self, gateway: NatGateway) -> tuple[Network, ...]:
        """What a NAT gateway itself reaches."""
        subnet = self.subnets.get(gateway.subnet_id)
        table = self.table_of(subnet) if subnet is not None else None
        if table is None or not gateway.live or not gateway.allocation_id:
            return ()
        return self.by_gateway(table)

    def _is_gateway(self, table: RouteTable, target: str) -> bool:
        gateway = self.internet_gateways.get(target)
        return gateway is not None and gateway.vpc_id == table.vpc_id

    def _reach(self, table: RouteTable, leads_out: Callable[[str], bool]) -> tuple[Network, ...]:
        """The most specific route decides: each takes away what wider ones led to, or adds to it."""
        found: list[Network] = []
        for network, route in sorted(self._routes(table), key=lambda each: each[0].prefixlen):
            found = [part for other in found for part in _without(other, network)]
            if leads_out(route.target):
                found.append(network)
        return tuple(ipaddress.collapse_addresses(found))

    def _routes(self, table: RouteTable) -> Iterator[tuple[Network, Route]]:
        """Those that may lead out. Where the VPC was moved, its own range may be another VPC's, so that is left out."""
        vpc = self.vpcs.get(table.vpc_id)
        inside = Network(vpc.cidr) if vpc is not None else None
        for route in table.routes:
            cidrs = self.entries(route.destination) if route.destination.startswith("pl-") else [route.destination]
            networks = [Network(cidr) for cidr in cidrs if ":" not in cidr]
            yield from ((each, route) for each in networks if inside is None or not each.subnet_of(inside))


def exits_of(routing: Routing) -> tuple[Exit, ...]:
    """What each subnet reaches; those that reach the same together, and those that reach nothing not at all."""
    subnets: dict[tuple[str, ...], list[str]] = {}
    known: dict[str, tuple[str, ...]] = {}
    for subnet in routing.subnets.values():
        table = routing.table_of(subnet)
        if table is None:
            continue
        if table.table_id not in known:
            known[table.table_id] = tuple(map(str, routing.reach(table)))
        if known[table.table_id]:
            subnets.setdefault(known[table.table_id], []).append(subnet.range)
    return tuple(Exit(subnets=tuple(sorted(ranges)), reach=reach) for reach, ranges in sorted(subnets.items()))


def _without(network: Network, taken: Network) -> Iterable[Network]:
    if not network.overlaps(taken):
        return [network]
    return [] if network.subnet_of(taken) else network.address_exclude(taken)


def _common(some: Iterable[Network], others: Iterable[Network]) -> Iterator[Network]:
    """What is in both."""
    others = tuple(others)
    for one in some:
        for other in others:
            if one.overlaps(other):
                yield one if one.subnet_of(other) else other
