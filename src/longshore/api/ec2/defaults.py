"""What a new account has in a region: a default VPC, with a subnet per availability zone, and DHCP options.

Called by `main` before the first request of each account and region. AWS gives every default VPC the same addresses,
172.31.0.0/16; here all VPCs share one machine's networks, so each has a range of its own, the first account and region
the one that `main` names.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

from longshore.api.ec2.making import default_options, furnish, new_subnet
from longshore.api.ec2.regions import zones_of
from longshore.domain.clock import Ids
from longshore.domain.ec2.network import RegionNetwork, Subnet, Vpc, default_subnets, derived_id
from longshore.domain.ec2.routing import RouteTable
from longshore.domain.record import Scope
from longshore.store.store import Reader, Transaction

CANDIDATE_CIDRS: tuple[str, ...] = (
    *(f"172.{number}.0.0/16" for number in range(31, 19, -1)),
    *(f"10.{number}.0.0/16" for number in range(255, 191, -1)),
)
"""172.31 as on AWS, down to 172.20, then 10.255 down to 10.192. Docker's own first networks are 172.17 to 172.19."""


def next_vpc_cidr(tx: Reader, preferred: str, candidates: Sequence[str] = CANDIDATE_CIDRS) -> str | None:
    """The preferred range, or else the first candidate, that overlaps no VPC of any scope; None if all do."""
    taken = [ipaddress.IPv4Network(vpc.range) for vpc in tx.all(Vpc)]
    for cidr in (preferred, *candidates):
        network = ipaddress.IPv4Network(cidr)
        if not any(network.overlaps(other) for other in taken):
            return cidr
    return None


def default_vpc(tx: Reader, scope: Scope) -> Vpc | None:
    """The default VPC of an account and region; None where the user has deleted it."""
    return next((vpc for vpc in tx.select(Vpc, "scope", scope) if vpc.is_default), None)


def seeded(tx: Reader, scope: Scope) -> bool:
    """Whether an account has had its defaults in a region: what it has removed of them since stays away."""
    return tx.get(RegionNetwork, (*scope, "network")) is not None


def seed(tx: Transaction, scope: Scope, vpc_cidr: str, ids: Ids, now: float) -> Vpc | None:
    """Make the defaults, once; the default VPC.

    A state of an earlier version, whose VPC had no route table of its own, gets what is missing, and keeps its ids.
    """
    vpc = default_vpc(tx, scope)
    if seeded(tx, scope):
        return vpc
    place: dict[str, Any] = {"account": scope.account, "region": scope.region}
    if vpc is None:
        vpc = Vpc(**place, vpc_id=f"vpc-{ids.hex(17)}", cidr=vpc_cidr, is_default=True)
        tx.put(vpc)
    for each in tx.select(Vpc, "scope", scope):
        if tx.get(RouteTable, (*scope, derived_id("rtb-", each.vpc_id))) is None:
            furnish(tx, each, ids)
    put_default_subnets(tx, vpc, ids)
    tx.put(default_options(scope))
    tx.put(RegionNetwork(**place, seeded_at=now))
    return vpc


def put_default_subnets(tx: Transaction, vpc: Vpc, ids: Ids) -> None:
    """See to it that a default VPC has its subnet in every zone."""
    subnets = tx.select(Subnet, "vpc", (*vpc.scope, vpc.vpc_id))
    zones = {subnet.availability_zone for subnet in subnets if subnet.is_default}
    for zone, cidr in default_subnets(vpc.cidr, zones_of(vpc.region)):
        if zone not in zones:
            tx.put(new_subnet(vpc, cidr, zone, ids, is_default=True, map_public_ip=True))
