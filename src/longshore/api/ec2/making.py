"""What comes with a VPC: its main route table, default network ACL and default security group; and what goes with it.

Ids of what a VPC has only one of follow from its own id, as they did before these things were records.
"""

from typing import Any

from longshore.domain.clock import Ids
from longshore.domain.ec2.network import SecurityGroup, SecurityGroupRule, Subnet, Vpc, derived_id, moved_range
from longshore.domain.ec2.network_acl import ALLOW_ALL, NetworkAcl
from longshore.domain.ec2.network_settings import DhcpOptions
from longshore.domain.ec2.routing import InternetGateway, Route, RouteTable
from longshore.domain.record import Scope
from longshore.store.store import Transaction

ANYWHERE = "0.0.0.0/0"


def furnish(tx: Transaction, vpc: Vpc, ids: Ids) -> None:
    """Make what a VPC has from its beginning. What is there stays as it is."""
    place: dict[str, Any] = {"account": vpc.account, "region": vpc.region}
    routes: tuple[Route, ...] = ()
    if vpc.is_default:
        gateway_id = derived_id("igw-", vpc.vpc_id)
        tx.put(InternetGateway(**place, gateway_id=gateway_id, vpc_id=vpc.vpc_id))
        routes = (Route(destination=ANYWHERE, target=gateway_id),)
    tx.put(RouteTable(**place, table_id=derived_id("rtb-", vpc.vpc_id), vpc_id=vpc.vpc_id, routes=routes))
    acl = NetworkAcl(**place, acl_id=vpc.default_network_acl, vpc_id=vpc.vpc_id, is_default=True, entries=ALLOW_ALL)
    tx.put(acl)
    groups = tx.select(SecurityGroup, "vpc", (*vpc.scope, vpc.vpc_id))
    group = next((each for each in groups if each.name == "default"), None)
    if group is None:
        group = SecurityGroup(
            **place,
            group_id=f"sg-{ids.hex(17)}",
            vpc_id=vpc.vpc_id,
            name="default",
            description="default VPC security group",
        )
        tx.put(group)
    tx.put(rule_to_everywhere(group, ids))
    own: dict[str, Any] = {"group_id": group.group_id, "referenced_group_id": group.group_id}
    tx.put(SecurityGroupRule(**place, rule_id=f"sgr-{ids.hex(17)}", **own, is_egress=False, protocol="-1"))


def rule_to_everywhere(group: SecurityGroup, ids: Ids) -> SecurityGroupRule:
    """What every security group begins with: everything may go out."""
    return SecurityGroupRule(
        account=group.account,
        region=group.region,
        rule_id=f"sgr-{ids.hex(17)}",
        group_id=group.group_id,
        is_egress=True,
        protocol="-1",
        cidr_ipv4=ANYWHERE,
    )


def new_subnet(vpc: Vpc, cidr: str, zone: str, ids: Ids, **fields: Any) -> Subnet:
    """A subnet, where the addresses of its VPC really are."""
    return Subnet(
        account=vpc.account,
        region=vpc.region,
        subnet_id=f"subnet-{ids.hex(17)}",
        vpc_id=vpc.vpc_id,
        cidr=cidr,
        availability_zone=zone,
        machine_cidr=moved_range(cidr, vpc.cidr, vpc.machine_cidr) if vpc.machine_cidr else "",
        **fields,
    )


def default_options_id(scope: Scope) -> str:
    """The id of the DHCP options that an account begins with in a region."""
    return derived_id("dopt-", f"{scope.account}/{scope.region}")


def default_options(scope: Scope) -> DhcpOptions:
    """Those options."""
    domain = "ec2.internal" if scope.region == "us-east-1" else f"{scope.region}.compute.internal"
    return DhcpOptions(
        account=scope.account,
        region=scope.region,
        options_id=default_options_id(scope),
        values={"domain-name": (domain,), "domain-name-servers": ("AmazonProvidedDNS",)},
    )


def unmake(tx: Transaction, vpc: Vpc) -> None:
    """Remove a VPC that nothing is left in, with what came with it."""
    of_vpc = (*vpc.scope, vpc.vpc_id)
    for group in tx.select(SecurityGroup, "vpc", of_vpc):
        for rule in tx.select(SecurityGroupRule, "group", group.key):
            tx.delete(SecurityGroupRule, rule.key)
        tx.delete(SecurityGroup, group.key)
    for table in tx.select(RouteTable, "vpc", of_vpc):
        tx.delete(RouteTable, table.key)
    for acl in tx.select(NetworkAcl, "vpc", of_vpc):
        tx.delete(NetworkAcl, acl.key)
    tx.delete(Vpc, vpc.key)
