"""How a VPC reaches the world: route tables, internet and NAT gateways, elastic IP addresses.

All are written by the API alone. Which subnet has which table is said by the subnet; which table is the main one by the
VPC.
"""

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A route that a user has made; that to the VPC itself is not kept."""

    destination: str
    """A CIDR (IPv4 or IPv6), or the id of a prefix list."""
    target: str
    """The id of a gateway, a NAT gateway, an endpoint or a network interface; what it is, its prefix says."""


class RouteTable(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A route table of a VPC."""

    kind: ClassVar[str] = "route_table"

    table_id: str
    vpc_id: str
    routes: tuple[Route, ...] = ()
    client_token: str = ""
    request_digest: str = ""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.table_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by VPC, by what its routes lead to, by token."""
        yield "scope", self.scope
        yield "vpc", (*self.scope, self.vpc_id)
        for route in self.routes:
            yield "target", (*self.scope, route.target)
        if self.client_token:
            yield "token", (*self.scope, self.client_token)


class InternetGateway(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An internet gateway, attached to one VPC or to none."""

    kind: ClassVar[str] = "internet_gateway"

    gateway_id: str
    vpc_id: str = ""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.gateway_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and by VPC."""
        yield "scope", self.scope
        if self.vpc_id:
            yield "vpc", (*self.scope, self.vpc_id)


class NatGateway(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A NAT gateway. A deleted one is still described for an hour."""

    kind: ClassVar[str] = "nat_gateway"

    gateway_id: str
    vpc_id: str
    subnet_id: str
    interface_id: str
    private_ip: str
    allocation_id: str = ""
    """Empty for a private one."""
    association_id: str = ""
    public_ip: str = ""
    created_at: float
    deleted_at: float | None = None
    client_token: str = ""
    request_digest: str = ""
    tags: Tags = {}

    @property
    def live(self) -> bool:
        """Whether it has not been deleted."""
        return self.deleted_at is None

    def names(self) -> Key:
        """By id."""
        return (self.gateway_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and token; by VPC while it lives, and apart from those once it is deleted."""
        yield "scope", self.scope
        if self.client_token:
            yield "token", (*self.scope, self.client_token)
        if self.live:
            yield "vpc", (*self.scope, self.vpc_id)
        else:
            yield "deleted", ()


class Address(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An elastic IP address, of a network interface or of none. No other account or region has the same."""

    kind: ClassVar[str] = "address"

    allocation_id: str
    public_ip: str
    association_id: str = ""
    interface_id: str = ""
    tags: Tags = {}

    def names(self) -> Key:
        """By allocation id."""
        return (self.allocation_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by the address itself in all of this Longshore, by network interface and association."""
        yield "scope", self.scope
        yield "public_ip", (self.public_ip,)
        if self.interface_id:
            yield "interface", (*self.scope, self.interface_id)
            yield "association", (*self.scope, self.association_id)


def public_dns_name(address: Address) -> str:
    """Its public DNS name, which resolves nowhere."""
    suffix = "compute-1" if address.region == "us-east-1" else f"{address.region}.compute"
    return f"ec2-{address.public_ip.replace('.', '-')}.{suffix}.amazonaws.com"
