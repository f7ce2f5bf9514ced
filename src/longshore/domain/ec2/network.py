"""VPCs, subnets, security groups and network interfaces, and the pure arithmetic of their addresses."""

import functools
import hashlib
import ipaddress
from collections.abc import Collection, Iterator
from typing import ClassVar

from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags

VPC_RESOLVER = "169.254.169.253"
"""Where images that were made for AWS ask for names, beside the third address of their VPC's range."""


class RegionNetwork(Record, frozen=True, kw_only=True, omit_defaults=True):
    """That an account has had its defaults in a region: what a user removes of them stays away. Written by `seed`."""

    kind: ClassVar[str] = "region_network"

    seeded_at: float

    def names(self) -> Key:
        """There is one of each account and region."""
        return ("network",)


class Vpc(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A VPC. Written by the API; the default one by `main` at the first start.

    Its main route table, the default network ACL and the default security group come and go with it.
    """

    kind: ClassVar[str] = "vpc"

    vpc_id: str
    cidr: str
    machine_cidr: str = ""
    """The range of its Docker network where that is another one than `cidr`: `cidr` was not free on this machine."""
    is_default: bool = False
    instance_tenancy: str = "default"
    dhcp_options_id: str = ""
    """Empty: those that the account has in the region; `default`: none."""
    dns_support: bool = True
    dns_hostnames: bool | None = None
    """None: never set, and so as AWS makes it: true for a default VPC."""
    address_usage_metrics: bool = False
    main_route_table_id: str = ""
    """Empty: the one that was made with it."""
    main_association_id: str = ""
    tags: Tags = {}

    @property
    def range(self) -> str:
        """Where its addresses really are: a CIDR."""
        return self.machine_cidr or self.cidr

    @property
    def main_route_table(self) -> str:
        """The id of its main route table."""
        return self.main_route_table_id or derived_id("rtb-", self.vpc_id)

    @property
    def main_association(self) -> str:
        """The id of its association with that table."""
        return self.main_association_id or derived_id("rtbassoc-", self.vpc_id)

    @property
    def default_network_acl(self) -> str:
        """The id of the network ACL of subnets that have no other."""
        return derived_id("acl-", self.vpc_id)

    def names(self) -> Key:
        """By id."""
        return (self.vpc_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """All VPCs of a scope; and by id, for who knows no scope."""
        yield "scope", self.scope
        yield "id", (self.vpc_id,)


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
    machine_cidr: str = ""
    """Where its addresses really are, in a VPC with a `machine_cidr`."""
    route_table_id: str = ""
    """Empty: the VPC's main one."""
    route_table_association_id: str = ""
    network_acl_id: str = ""
    """Empty: the VPC's default one."""
    network_acl_association_id: str = ""
    """Empty: the one that it was made with."""
    hostname_type: str = "ip-name"
    resource_name_dns_a: bool = False
    tags: Tags = {}

    @property
    def range(self) -> str:
        """Where its addresses really are: a CIDR."""
        return self.machine_cidr or self.cidr

    @property
    def network_acl_association(self) -> str:
        """The id of its association with its network ACL."""
        return self.network_acl_association_id or derived_id("aclassoc-", self.subnet_id)

    def names(self) -> Key:
        """By id."""
        return (self.subnet_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and by VPC."""
        yield "scope", self.scope
        yield "vpc", (*self.scope, self.vpc_id)
        if self.route_table_id:
            yield "route_table", (*self.scope, self.route_table_id)
        if self.network_acl_id:
            yield "network_acl", (*self.scope, self.network_acl_id)


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

    A task's is written by `control/ecs/tasks.py`: made when the task is provisioned, removed when its containers are
    gone. A load balancer's is written by the API, with the load balancer; so are those of NAT gateways and endpoints,
    and those that a user makes, which have no `attachment_id`.
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
    source_dest_check: bool = True
    client_token: str = ""
    request_digest: str = ""
    """Of the request behind the token: tells a repeated call from a different one."""
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
        if self.client_token:
            yield "token", (*self.scope, self.client_token)

    def tallies(self) -> Iterator[tuple[str, Key, int]]:
        """How many addresses of a subnet are taken."""
        yield "addresses", (*self.scope, self.subnet_id), 1


RESERVED_HEAD = 4
"""The first four addresses of a subnet (network, router, DNS, future) are AWS's; so is the last."""


@functools.lru_cache(maxsize=4096)
def _network(cidr: str) -> ipaddress.IPv4Network:
    """A range, taken apart once: it is asked for with every task."""
    return ipaddress.IPv4Network(cidr)


def parsed_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a text is; None where it is none."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def usable_addresses(cidr: str) -> int:
    """How many addresses of a subnet can be handed out."""
    return max(0, _network(cidr).num_addresses - RESERVED_HEAD - 1)


def address_at(cidr: str, offset: int) -> str:
    """The address at an offset among the usable ones, wrapping around."""
    first = int(_network(cidr).network_address) + RESERVED_HEAD
    return ".".join(map(str, (first + offset % usable_addresses(cidr)).to_bytes(4)))


def holds(cidr: str, address: str) -> bool:
    """Whether an IPv4 address is in a range."""
    return ipaddress.IPv4Address(address) in _network(cidr)


def gateway_of(cidr: str) -> str:
    """The router's address of a VPC or subnet: its first after the network address."""
    return str(_network(cidr).network_address + 1)


def mac_of(address: str) -> str:
    """A locally administered MAC address that is unique where the IPv4 address is."""
    return "02:42:" + bytes(map(int, address.split("."))).hex(":")


def default_subnets(vpc_cidr: str, zones: Collection[str]) -> list[tuple[str, str]]:
    """`(availability zone, CIDR)` for a default VPC: a /20 each, as AWS lays it out."""
    blocks = ipaddress.IPv4Network(vpc_cidr).subnets(new_prefix=20)
    return [(zone, str(block)) for zone, block in zip(sorted(zones), blocks, strict=False)]


def derived_id(prefix: str, name: str) -> str:
    """An id that follows from another: always the same for the same thing."""
    return prefix + hashlib.sha256(name.encode()).hexdigest()[:17]


def moved_range(cidr: str, old: str, new: str) -> str:
    """Where a part of the range `old` is when that has been moved to `new`, a range of the same size."""
    part = _network(cidr)
    offset = int(part.network_address) - int(_network(old).network_address)
    return f"{_network(new).network_address + offset}/{part.prefixlen}"


def real_ranges(vpc: Vpc, cidr: str) -> tuple[str, ...]:
    """Where the addresses really are that a user means by a CIDR, in a VPC that may have been moved.

    The CIDR itself where the VPC has its own range; its image where it is a part of the VPC's range; both where it
    holds all of that and more.
    """
    if not vpc.machine_cidr:
        return (cidr,)
    asked, own = _network(cidr), _network(vpc.cidr)
    if asked.subnet_of(own):
        return (moved_range(cidr, vpc.cidr, vpc.machine_cidr),)
    return (cidr, vpc.machine_cidr) if own.subnet_of(asked) and asked.prefixlen else (cidr,)


def private_dns_name(address: str, region: str) -> str:
    """`ip-172-31-0-4.ec2.internal` in us-east-1, `ip-….REGION.compute.internal` elsewhere."""
    suffix = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{suffix}"
