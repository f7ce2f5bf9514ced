"""Security groups and network ACLs for tests: records, any at random, and what AWS lets through by them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from longshore.decide.ec2.acls import acls_of
from longshore.decide.ec2.firewall import PROTOCOLS, group_rules, place_of
from longshore.domain.ec2.firewall import Acl, Exit, Place, Ruleset
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc, mac_of
from longshore.domain.ec2.network_acl import ALLOW_ALL, AclEntry, NetworkAcl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLACE: dict[str, Any] = {"account": "123456789012", "region": "us-east-1"}
VPC, OTHER_VPC = "vpc-1", "vpc-2"
EVERYWHERE = "0.0.0.0/0"


class Packet(NamedTuple):
    """The first of a connection."""

    source: str
    destination: str
    protocol: str
    port: int = -1


class World(NamedTuple):
    """All records."""

    groups: Mapping[str, Sequence[SecurityGroupRule]]
    members: Mapping[str, Sequence[str]]
    """Groups by address: those of tasks."""
    balancers: Mapping[str, Sequence[str]]
    """The same of load balancers."""
    entries: Sequence[AclEntry] | None = None
    """Of the network ACL of SUBNET; None: it has the default one."""
    abroad: Mapping[str, Sequence[str]] = {}
    """Groups by address: those of tasks of another VPC."""
    internet_facing: bool = False
    """Whether the load balancers are."""
    exits: Sequence[Exit] | None = None
    """None: routes don't count."""

    def interfaces(self) -> list[NetworkInterface]:
        return [
            *(interface(address, *groups) for address, groups in self.members.items()),
            *(interface(address, *groups, owner="amazon-elb") for address, groups in self.balancers.items()),
            *(interface(address, *groups).but(vpc_id=OTHER_VPC) for address, groups in self.abroad.items()),
        ]

    def ruleset(self) -> Ruleset:
        exists = self.groups.__contains__
        return Ruleset(
            vpcs=frozenset({VPC, OTHER_VPC}),
            groups={group_id: group_rules(rules, exists) for group_id, rules in self.groups.items()},
            places={each.interface_id: self._place(each) for each in self.interfaces()},
            exits=None if self.exits is None else tuple(self.exits),
            acls=self.acls(),
        )

    def _place(self, each: NetworkInterface) -> Place:
        public = self.internet_facing and each.private_ip in self.balancers
        return place_of(each, self.groups.__contains__, public=public)

    def acls(self) -> tuple[Acl, ...]:
        vpc = Vpc(**PLACE, vpc_id=VPC, cidr="10.9.0.0/24")
        subnet = Subnet(
            **PLACE,
            subnet_id="subnet-1",
            vpc_id=VPC,
            cidr=SUBNET,
            availability_zone="us-east-1a",
            network_acl_id="acl-1",
        )
        entries = ALLOW_ALL if self.entries is None else tuple(self.entries)
        acl = NetworkAcl(**PLACE, acl_id="acl-1", vpc_id=VPC, entries=entries)
        return acls_of({VPC: vpc}, [subnet], {"acl-1": acl})

    def lets_through(self, packet: Packet) -> bool:
        """Whether the sender may send it and the receiver may get it. Who has no interface is not asked.

        Of a connection and a ping it is asked whether the answer comes back.
        """
        judged = self._judged()
        return (
            self._meets(packet)
            and self._allowed(judged.get(packet.source), packet, egress=True)
            and self._allowed(judged.get(packet.destination), packet, egress=False)
            and self._crosses(packet, ECHO)
            and (packet.protocol == "udp" or self._crosses(_reply(packet), ECHO_REPLY))
        )

    def _judged(self) -> dict[str, Sequence[str]]:
        return {**self.members, **self.balancers, **self.abroad}

    def _meets(self, packet: Packet) -> bool:
        """Whether there is a way from VPC to VPC: by what subnets reach outside, to internet-facing load balancers."""
        if (packet.source in self.abroad) == (packet.destination in self.abroad):
            return True
        if packet.destination not in self.balancers or not self.internet_facing:
            return False
        return self.exits is None or any(
            _within(packet.source, each.subnets) and _within(packet.destination, each.reach) for each in self.exits
        )

    def _crosses(self, packet: Packet, kind: int) -> bool:
        """Whether the subnet's network ACL lets a packet out of it, or into it."""
        within = [ipaddress.ip_address(each) in ipaddress.ip_network(SUBNET) for each in packet[:2]]
        if within[0] == within[1] or self.entries is None:
            return True
        egress = within[0]
        peer = ipaddress.ip_address(packet.destination if egress else packet.source)
        for entry in sorted(self.entries, key=lambda each: each.number):
            speaks = entry.egress == egress and peer in ipaddress.ip_network(entry.cidr_ipv4)
            if speaks and _speaks_of(entry, packet, kind):
                return entry.action == "allow"
        return False

    def _allowed(self, groups: Sequence[str] | None, packet: Packet, *, egress: bool) -> bool:
        if not groups:  # the host; a network load balancer without groups
            return True
        peer = packet.destination if egress else packet.source
        rules = [rule for group_id in groups for rule in self.groups[group_id] if rule.is_egress == egress]
        return any(_of_protocol(rule, packet) and self._names(rule, peer) for rule in rules)

    def _names(self, rule: SecurityGroupRule, peer: str) -> bool:
        if rule.referenced_group_id:
            return rule.referenced_group_id in self._judged().get(peer, ())
        return ipaddress.ip_address(peer) in ipaddress.ip_network(rule.cidr_ipv4)


def _within(address: str, ranges: Sequence[str]) -> bool:
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(each) for each in ranges)


def _reply(packet: Packet) -> Packet:
    return Packet(packet.destination, packet.source, packet.protocol, CLIENTS_PORT)


def _speaks_of(entry: AclEntry, packet: Packet, kind: int) -> bool:
    """Whether an entry is about a packet's protocol and port, or kind of ICMP."""
    if entry.protocol == "-1":
        return True
    if entry.protocol != str(PROTOCOLS[packet.protocol]):
        return False
    if packet.protocol == "icmp":
        return entry.icmp is None or entry.icmp[0] in {-1, kind}
    return entry.ports is None or entry.ports[0] <= packet.port <= entry.ports[1]


def _of_protocol(rule: SecurityGroupRule, packet: Packet) -> bool:
    if rule.protocol == "-1":
        return True
    if rule.protocol != packet.protocol:
        return False
    if packet.protocol == "icmp":
        return rule.from_port in {-1, 8}  # an echo request
    return rule.from_port == -1 or rule.from_port <= packet.port <= rule.to_port


def group(group_id: str, name: str = "") -> SecurityGroup:
    return SecurityGroup(**PLACE, group_id=group_id, vpc_id=VPC, name=name or group_id, description="a group")


def interface(address: str, *groups: str, owner: str = "amazon-aws", interface_id: str = "") -> NetworkInterface:
    return NetworkInterface(
        **PLACE,
        interface_id=interface_id or f"eni-{address}",
        vpc_id=VPC,
        subnet_id="subnet-1",
        availability_zone="us-east-1a",
        private_ip=address,
        mac_address=mac_of(address),
        security_groups=groups,
        created_at=0.0,
        attachment_id=f"attachment-{address}",
        instance_owner_id=owner,
    )


_counter = iter(range(10**9))


def rule(group_id: str, protocol: str = "-1", ports: tuple[int, int] = (-1, -1), **peer: Any) -> SecurityGroupRule:
    """An inbound rule unless told otherwise; from everywhere unless a peer is named."""
    return SecurityGroupRule(
        **PLACE,
        rule_id=f"sgr-{next(_counter)}",
        group_id=group_id,
        is_egress=peer.pop("is_egress", False),
        protocol=protocol,
        from_port=ports[0],
        to_port=ports[1],
        **(peer or {"cidr_ipv4": EVERYWHERE}),
    )


def outbound(group_id: str, protocol: str = "-1", ports: tuple[int, int] = (-1, -1), **peer: Any) -> SecurityGroupRule:
    """An outbound rule."""
    return rule(group_id, protocol, ports, is_egress=True, **(peer or {"cidr_ipv4": EVERYWHERE}))


# --------------------------------------------------------------------------------------------------------- at random

SUBNET = "10.9.0.4/31"
ECHO, ECHO_REPLY = 8, 0
CLIENTS_PORT = 40_000
"""Any above 32767, as Linux gives them to who connects."""
GROUPS = ("sg-a", "sg-b", "sg-c")
OPEN = "sg-open"
"""Everybody may connect to its members, and they to everybody."""
PORTS = (80, 81, 84)
RANGES = (EVERYWHERE, "10.9.0.0/24", "10.9.0.4/31", "10.9.0.5/32", "10.9.0.8/29", "192.168.0.0/16")


@st.composite
def rules_of(draw: st.DrawFn, group_id: str) -> list[SecurityGroupRule]:
    """Up to five rules of a group."""
    made = []
    for _ in range(draw(st.integers(0, 5))):
        protocol = draw(st.sampled_from(["-1", "tcp", "udp", "icmp"]))
        ports = (-1, -1)
        if protocol in {"tcp", "udp"} and draw(st.booleans()):
            first, last = sorted((draw(st.sampled_from(PORTS)), draw(st.sampled_from(PORTS))))
            ports = (first, last)
        if protocol == "icmp":
            ports = draw(st.sampled_from([(-1, -1), (8, -1), (8, 0), (0, 0)]))
        named = draw(st.booleans())
        peer = (
            {"referenced_group_id": draw(st.sampled_from(GROUPS))}
            if named
            else {"cidr_ipv4": draw(st.sampled_from(RANGES))}
        )
        made.append(rule(group_id, protocol, ports, is_egress=draw(st.booleans()), **peer))
    return made


@st.composite
def acl_entries(draw: st.DrawFn) -> list[AclEntry]:
    """Up to six entries of a network ACL, in any order, that mostly allow."""
    made = []
    for number in draw(st.lists(st.integers(1, 99), max_size=6, unique=True)):
        protocol = draw(st.sampled_from(["-1", "-1", "6", "17", "1"]))
        made.append(
            AclEntry(
                number=number,
                egress=draw(st.booleans()),
                action=draw(st.sampled_from(["allow", "allow", "deny"])),
                protocol=protocol,
                cidr_ipv4=draw(st.sampled_from([EVERYWHERE, EVERYWHERE, *RANGES])),
                ports=draw(st.sampled_from([(0, 65535), (80, 81), (1024, 65535)])) if protocol in {"6", "17"} else None,
                icmp=draw(st.sampled_from([(-1, -1), (8, -1), (0, 0)])) if protocol == "1" else None,
            )
        )
    return made


@st.composite
def exits(draw: st.DrawFn) -> list[Exit]:
    """What some of all subnets reach."""
    subnets = draw(
        st.lists(st.sampled_from(["10.8.0.0/24", "10.8.0.4/31", "10.8.0.128/25", "10.9.0.0/24"]), max_size=2)
    )
    reaches = st.sampled_from([(EVERYWHERE,), (EVERYWHERE,), ("10.9.0.0/24",), ("192.0.2.0/24",)])
    return [Exit(subnets=(subnet,), reach=draw(reaches)) for subnet in subnets]


@st.composite
def worlds(draw: st.DrawFn, tasks: Sequence[str], balancer: str, abroad: str) -> World:
    """Any rules, and any membership of these addresses."""
    some = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True)
    often_open = st.one_of(some, st.just([OPEN]))
    return World(
        groups={OPEN: [rule(OPEN), outbound(OPEN)], **{group_id: draw(rules_of(group_id)) for group_id in GROUPS}},
        members={address: draw(some) for address in tasks if draw(st.integers(0, 9))},
        balancers={balancer: draw(st.one_of(often_open, st.just([])))} if draw(st.booleans()) else {},
        entries=draw(st.one_of(st.none(), acl_entries())),
        abroad={abroad: draw(often_open)},
        internet_facing=draw(st.booleans()),
        exits=draw(exits()),
    )
