"""PURE: records of VPCs, security groups and network interfaces -> what a firewall is to let through.

As on AWS: rules only allow, those of all groups of an interface count together, and a reply needs no rule. A rule
that names a group means the addresses of that group's members. Called by `control/ec2/rules.py`.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping

from longshore.domain.ec2.firewall import Allowance, GroupRules, Place
from longshore.domain.ec2.network import NetworkInterface, SecurityGroupRule, Vpc, real_ranges

PROTOCOLS: Mapping[str, int] = {"icmp": 1, "tcp": 6, "udp": 17}
WITH_PORTS = frozenset({6, 17})
ICMP = 1
ICMPV6 = "icmpv6", "58"
ALL_PORTS = (0, 65535)
ON_HOST = "amazon-elb"
"""The owner of load balancers' interfaces: this host itself has their addresses."""

Exists = Callable[[str], bool]
"""Whether there is a security group of that id."""
Ranges = Callable[[SecurityGroupRule], Iterable[str]]
"""The IPv4 ranges that a rule means; none where it names a group."""


def ranges_of(rule: SecurityGroupRule) -> Iterable[str]:
    """Those that it names itself."""
    return [rule.cidr_ipv4] if rule.cidr_ipv4 else []


def meant_by(rule: SecurityGroupRule, vpc: Vpc | None, entries: Iterable[str]) -> Iterable[str]:
    """Those that it means: its own or its prefix list's (`entries`), where the VPC's addresses really are."""
    for cidr in entries if rule.prefix_list_id else ranges_of(rule):
        if ":" not in cidr:
            yield from where(vpc, cidr)


def where(vpc: Vpc | None, cidr: str) -> Iterable[str]:
    """Where a range of a VPC really is."""
    return real_ranges(vpc, cidr) if vpc is not None else (cidr,)


def joined(cidrs: Iterable[str]) -> tuple[str, ...]:
    """The same addresses in ranges that don't overlap, in order."""
    return tuple(map(str, ipaddress.collapse_addresses(map(ipaddress.IPv4Network, cidrs))))


def group_rules(rules: Iterable[SecurityGroupRule], exists: Exists, ranges: Ranges = ranges_of) -> GroupRules:
    """What a group's rules allow. A rule that names a group which is gone allows nobody."""
    sides: dict[bool, set[Allowance]] = {False: set(), True: set()}
    for rule in rules:
        allowance = _allowance(rule, exists, ranges)
        if allowance is not None:
            sides[rule.is_egress].add(allowance)
    return GroupRules(inbound=_in_order(sides[False]), outbound=_in_order(sides[True]))


def place_of(interface: NetworkInterface, exists: Exists, *, public: bool = False) -> Place:
    """Where an interface stands. `public`: whether it is an internet-facing load balancer's."""
    return Place(
        vpc_id=interface.vpc_id,
        address=interface.private_ip,
        groups=tuple(sorted({group for group in interface.security_groups if exists(group)})),
        on_host=interface.instance_owner_id == ON_HOST,
        public=public,
    )


def _allowance(rule: SecurityGroupRule, exists: Exists, ranges: Ranges) -> Allowance | None:
    """None for what can't be met: networks here have IPv4 addresses alone, and groups may be gone."""
    if rule.protocol in ICMPV6:
        return None
    protocol = None if rule.protocol == "-1" else PROTOCOLS.get(rule.protocol) or int(rule.protocol)
    ports = icmp = None
    if protocol in WITH_PORTS and rule.from_port >= 0 and (rule.from_port, rule.to_port) != ALL_PORTS:
        ports = (rule.from_port, rule.to_port)
    if protocol == ICMP and rule.from_port >= 0:
        icmp = (rule.from_port, rule.to_port)
    if rule.referenced_group_id:
        if not exists(rule.referenced_group_id):
            return None
        return Allowance(protocol=protocol, ports=ports, icmp=icmp, group_id=rule.referenced_group_id)
    cidrs = joined(ranges(rule))
    return Allowance(protocol=protocol, ports=ports, icmp=icmp, cidrs=cidrs) if cidrs else None


def _in_order(allowances: Iterable[Allowance]) -> tuple[Allowance, ...]:
    """The same for the same rules, whenever they came: an order alone must change nothing."""
    return tuple(sorted(allowances, key=repr))
