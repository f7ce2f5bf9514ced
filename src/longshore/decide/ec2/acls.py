"""PURE: records of network ACLs and subnets -> what a firewall is told of them. Called by `control/ec2/rules.py`.

As on AWS: entries are asked by their numbers, the first that speaks of a packet decides, and a reply needs an entry
too. A list that lets everything through, as the default one does, is not told.
"""

from collections.abc import Iterable, Iterator, Mapping

from longshore.decide.ec2.firewall import ALL_PORTS, ICMP, joined, where
from longshore.domain.ec2.firewall import Acl, Allowance, Entry
from longshore.domain.ec2.network import Subnet, Vpc
from longshore.domain.ec2.network_acl import AclEntry, NetworkAcl

ALL = "-1"
EVERYTHING = Entry(allows=True, what=Allowance(cidrs=("0.0.0.0/0",)))


def acls_of(vpcs: Mapping[str, Vpc], subnets: Iterable[Subnet], acls: Mapping[str, NetworkAcl]) -> tuple[Acl, ...]:
    """The network ACLs of subnets that hold something back, by their ids."""
    ranges: dict[str, list[str]] = {}
    for subnet in subnets:
        vpc = vpcs.get(subnet.vpc_id)
        acl_id = subnet.network_acl_id or (vpc.default_network_acl if vpc is not None else "")
        if acl_id in acls:
            ranges.setdefault(acl_id, []).append(subnet.range)
    found = (_acl(acls[acl_id], vpcs.get(acls[acl_id].vpc_id), ranges[acl_id]) for acl_id in sorted(ranges))
    return tuple(acl for acl in found if acl.inbound[:1] != (EVERYTHING,) or acl.outbound[:1] != (EVERYTHING,))


def _acl(acl: NetworkAcl, vpc: Vpc | None, ranges: Iterable[str]) -> Acl:
    sides: dict[bool, list[Entry]] = {False: [], True: []}
    for entry in sorted(acl.entries, key=lambda each: each.number):
        sides[entry.egress] += _meant(entry, vpc)
    return Acl(
        acl_id=acl.acl_id, subnets=tuple(sorted(ranges)), inbound=tuple(sides[False]), outbound=tuple(sides[True])
    )


def _meant(entry: AclEntry, vpc: Vpc | None) -> Iterator[Entry]:
    """Nothing for IPv6: networks here have IPv4 addresses alone."""
    if not entry.cidr_ipv4:
        return
    protocol = None if entry.protocol == ALL else int(entry.protocol)
    what = Allowance(
        protocol=protocol,
        ports=entry.ports if entry.ports != ALL_PORTS else None,
        icmp=entry.icmp if protocol == ICMP and entry.icmp is not None and entry.icmp[0] >= 0 else None,
        cidrs=joined(where(vpc, entry.cidr_ipv4)),
    )
    yield Entry(allows=entry.action == "allow", what=what)
