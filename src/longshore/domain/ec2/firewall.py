"""What a firewall is told: who stands where, in which security groups, and what those let through. Nothing to look up.

`decide/ec2/firewall.py` makes it from the records of `network.py`. Everything is compared and rendered, so it is
immutable.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of the plain values below."""


class Allowance(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What one rule lets through: a protocol, from or to the addresses of ranges, or of a group's members."""

    protocol: int | None = None
    """IANA's number; None: all."""
    ports: tuple[int, int] | None = None
    """The first and the last; None: all, or a protocol without ports."""
    icmp: tuple[int, int] | None = None
    """`(type, code)`; -1 for any code."""
    cidrs: tuple[str, ...] = ()
    """IPv4 ranges that don't overlap, in order."""
    group_id: str = ""


class GroupRules(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A security group's rules; what none of them allows is refused."""

    inbound: tuple[Allowance, ...] = ()
    outbound: tuple[Allowance, ...] = ()


class Place(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A network interface: an address in a VPC, and the groups that it is a member of."""

    vpc_id: str
    address: str
    groups: tuple[str, ...] = ()
    """Sorted. None at all (a network load balancer may have none): nothing is refused."""
    on_host: bool = False
    """Whether this host itself has the address (a load balancer's), and not a task."""
    public: bool = False
    """Whether other VPCs reach it: an internet-facing load balancer."""


class Exit(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What subnets with the same routes reach outside of their VPC."""

    subnets: tuple[str, ...]
    """IPv4 ranges: where their addresses really are."""
    reach: tuple[str, ...]
    """IPv4 ranges that don't overlap, in order."""


class Entry(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a network ACL: the first that speaks of a packet decides."""

    allows: bool
    what: Allowance


class Acl(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A network ACL: what comes into its subnets and what leaves them, each packet by itself, replies too.

    What stays in a subnet is not looked at; what no entry speaks of is refused.
    """

    acl_id: str
    subnets: tuple[str, ...]
    """IPv4 ranges: where their addresses really are."""
    inbound: tuple[Entry, ...] = ()
    outbound: tuple[Entry, ...] = ()
    """In the order in which they are asked."""


class Ruleset(NamedTuple):
    """All that is to be in force."""

    vpcs: frozenset[str] = frozenset()
    groups: Mapping[str, GroupRules] = {}
    """By id. Every group that a rule or a place names is among them."""
    places: Mapping[str, Place] = {}
    """By the id of the network interface."""
    exits: tuple[Exit, ...] | None = None
    """None: whatever routes say, the outside is reached. Else only as these say."""
    acls: tuple[Acl, ...] = ()
    """Those that hold something back."""


class RulesetChange(NamedTuple):
    """What is other than before. None: it is gone."""

    vpcs: frozenset[str] | None = None
    """All of them, where one came or went."""
    groups: Mapping[str, GroupRules | None] = {}
    places: Mapping[str, Place | None] = {}
    exits: tuple[Exit, ...] | None = None
    """All of them, where one is other; None: as before."""
    acls: tuple[Acl, ...] | None = None
    """As above."""
