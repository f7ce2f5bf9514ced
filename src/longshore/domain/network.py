"""VPCs, subnets, security groups and network interfaces, and the pure arithmetic of their addresses."""

import functools
import ipaddress
import socket
from collections.abc import Collection, Iterator
from typing import ClassVar

from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags


class Vpc(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A VPC. Written by the API; the default one by `main` at the first start."""

    kind: ClassVar[str] = "vpc"

    vpc_id: str
    cidr: str
    is_default: bool = False
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.vpc_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """All VPCs of a scope."""
        yield "scope", self.scope


class Subnet(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A subnet of a VPC, in one availability zone. `next_offset` is written when an address is handed out."""

    kind: ClassVar[str] = "subnet"

    subnet_id: str
    vpc_id: str
    cidr: str
    availability_zone: str
    """Such as `us-east-1a`."""
    is_default: bool = False
    map_public_ip: bool = False
    next_offset: int = 0
    """Where the search for a free address goes on, so that one just released is not handed out next."""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.subnet_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and by VPC."""
        yield "scope", self.scope
        yield "vpc", (*self.scope, self.vpc_id)


class SecurityGroup(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A security group. Written by the API; each VPC's default one with its VPC."""

    kind: ClassVar[str] = "security_group"

    group_id: str
    vpc_id: str
    name: str
    description: str
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.group_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and by VPC."""
        yield "scope", self.scope
        yield "vpc", (*self.scope, self.vpc_id)


class SecurityGroupRule(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One rule of a security group: what may come in or go out, and from or to where. Written by the API.

    Exactly one of `cidr_ipv4`, `cidr_ipv6`, `prefix_list_id` and `referenced_group_id` is set.
    """

    kind: ClassVar[str] = "security_group_rule"

    rule_id: str
    group_id: str
    is_egress: bool
    protocol: str
    """`tcp`, `udp`, `icmp`, `icmpv6`, `-1` for all, or the number of another."""
    from_port: int = -1
    """The first port; of ICMP the type. -1 stands for all, and for protocols without ports."""
    to_port: int = -1
    """The last port; of ICMP the code. -1 stands for all."""
    cidr_ipv4: str = ""
    cidr_ipv6: str = ""
    prefix_list_id: str = ""
    referenced_group_id: str = ""
    description: str = ""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.rule_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by the group whose rule it is, and by the group that it names."""
        yield "scope", self.scope
        yield "group", (*self.scope, self.group_id)
        if self.referenced_group_id:
            yield "referenced", (*self.scope, self.referenced_group_id)


class NetworkInterface(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An elastic network interface and its address; exists exactly as long as the address is taken.

    A task's is written by `control/tasks.py`: made when the task is provisioned, removed when its containers are gone.
    A load balancer's is written by the API, with the load balancer.
    """

    kind: ClassVar[str] = "network_interface"

    interface_id: str
    vpc_id: str
    subnet_id: str
    availability_zone: str
    private_ip: str
    mac_address: str
    security_groups: tuple[str, ...]
    created_at: float
    attachment_id: str
    description: str = ""
    task_arn: str = ""
    instance_owner_id: str = "amazon-aws"
    interface_type: str = "interface"
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.interface_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, VPC, subnet and security group; and by address within the VPC."""
        yield "scope", self.scope
        yield "vpc", (*self.scope, self.vpc_id)
        yield "subnet", (*self.scope, self.subnet_id)
        yield "address", (*self.scope, self.vpc_id, self.private_ip)
        for group_id in self.security_groups:
            yield "group", (*self.scope, group_id)

    def tallies(self) -> Iterator[tuple[str, Key, int]]:
        """How many addresses of a subnet are taken."""
        yield "addresses", (*self.scope, self.subnet_id), 1


RESERVED_HEAD = 4
"""The first four addresses of a subnet (network, router, DNS, future) are AWS's; so is the last."""


@functools.lru_cache(maxsize=4096)
def _network(cidr: str) -> ipaddress.IPv4Network:
    """A range, taken apart once: it is asked for with every task."""
    return ipaddress.IPv4Network(cidr)


def usable_addresses(cidr: str) -> int:
    """How many addresses of a subnet can be handed out."""
    return max(0, _network(cidr).num_addresses - RESERVED_HEAD - 1)


def address_at(cidr: str, offset: int) -> str:
    """The address at an offset among the usable ones, wrapping around."""
    first = int(_network(cidr).network_address) + RESERVED_HEAD
    return socket.inet_ntoa((first + offset % usable_addresses(cidr)).to_bytes(4))


def holds(cidr: str, address: str) -> bool:
    """Whether an IPv4 address is in a range."""
    return ipaddress.IPv4Address(address) in _network(cidr)


def gateway_of(cidr: str) -> str:
    """The router's address of a VPC or subnet: its first after the network address."""
    return str(_network(cidr).network_address + 1)


def mac_of(address: str) -> str:
    """A locally administered MAC address that is unique where the IPv4 address is."""
    return "02:42:" + socket.inet_aton(address).hex(":")


def default_subnets(vpc_cidr: str, zones: Collection[str]) -> list[tuple[str, str]]:
    """`(availability zone, CIDR)` for a default VPC: a /20 each, as AWS lays it out."""
    blocks = ipaddress.IPv4Network(vpc_cidr).subnets(new_prefix=20)
    return [(zone, str(block)) for zone, block in zip(sorted(zones), blocks, strict=False)]


def private_dns_name(address: str, region: str) -> str:
    """`ip-172-31-0-4.ec2.internal` in us-east-1, `ip-….REGION.compute.internal` elsewhere."""
    suffix = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{suffix}"
