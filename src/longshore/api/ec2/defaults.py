"""What a new account has in a region: a default VPC, a subnet per availability zone, a security group.

Called by `main` before the first request of each account and region. AWS gives every default VPC the same addresses,
172.31.0.0/16; here all VPCs share one machine's networks, so each has a range of its own, the first account and region
the one that `main` names.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from typing import Any

from longshore.api.ec2.regions import zones_of
from longshore.domain.clock import Ids
from longshore.domain.network import SecurityGroup, SecurityGroupRule, Subnet, Vpc, default_subnets
from longshore.domain.record import Scope
from longshore.store.store import Reader, Transaction

CANDIDATE_CIDRS: tuple[str, ...] = (
    *(f"172.{number}.0.0/16" for number in range(31, 19, -1)),
    *(f"10.{number}.0.0/16" for number in range(255, 191, -1)),
)
"""172.31 as on AWS, down to 172.20, then 10.255 down to 10.192. Docker's own first networks are 172.17 to 172.19."""


def next_vpc_cidr(tx: Reader, preferred: str, candidates: Sequence[str] = CANDIDATE_CIDRS) -> str | None:
    """The preferred range, or else the first candidate, that overlaps no VPC of any scope; None if all do."""
    taken = [ipaddress.IPv4Network(vpc.cidr) for vpc in tx.all(Vpc)]
    for cidr in (preferred, *candidates):
        network = ipaddress.IPv4Network(cidr)
        if not any(network.overlaps(other) for other in taken):
            return cidr
    return None


def default_vpc(tx: Reader, scope: Scope) -> Vpc | None:
    """The default VPC of an account and region."""
    return next((vpc for vpc in tx.select(Vpc, "scope", scope) if vpc.is_default), None)


def seed(tx: Transaction, scope: Scope, vpc_cidr: str, ids: Ids, now: float) -> Vpc:  # noqa: ARG001 - no record has a time yet
    """Make what is missing of the defaults; what is there keeps its ids and its range."""
    place: dict[str, Any] = {"account": scope.account, "region": scope.region}
    vpc = default_vpc(tx, scope)
    if vpc is None:
        vpc = Vpc(**place, vpc_id=f"vpc-{ids.hex(17)}", cidr=vpc_cidr, is_default=True)
        tx.put(vpc)
    of_vpc = (*scope, vpc.vpc_id)
    zones = {subnet.availability_zone for subnet in tx.select(Subnet, "vpc", of_vpc) if subnet.is_default}
    for zone, cidr in default_subnets(vpc.cidr, zones_of(scope.region)):
        if zone not in zones:
            tx.put(
                Subnet(
                    **place,
                    subnet_id=f"subnet-{ids.hex(17)}",
                    vpc_id=vpc.vpc_id,
                    cidr=cidr,
                    availability_zone=zone,
                    is_default=True,
                    map_public_ip=True,
                )
            )
    if not any(group.name == "default" for group in tx.select(SecurityGroup, "vpc", of_vpc)):
        group = SecurityGroup(
            **place,
            group_id=f"sg-{ids.hex(17)}",
            vpc_id=vpc.vpc_id,
            name="default",
            description="default VPC security group",
        )
        tx.put(group)
        for rule in default_rules(group):
            tx.put(rule)
    return vpc


def default_rules(group: SecurityGroup) -> list[SecurityGroupRule]:
    """What a VPC's default group is made with: its members in, everything out."""
    common: dict[str, Any] = {
        "account": group.account,
        "region": group.region,
        "group_id": group.group_id,
        "protocol": "-1",
    }
    return [
        SecurityGroupRule(**common, rule_id=_rule_id(group, "in"), is_egress=False, referenced_group_id=group.group_id),
        SecurityGroupRule(**common, rule_id=_rule_id(group, "out"), is_egress=True, cidr_ipv4="0.0.0.0/0"),
    ]


def _rule_id(group: SecurityGroup, side: str) -> str:
    return "sgr-" + hashlib.sha256(f"{group.group_id} {side}".encode()).hexdigest()[:17]
