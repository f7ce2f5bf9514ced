"""VPC endpoints and managed prefix lists. Written by the API alone."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import msgspec

from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags

EndpointType = Literal["Gateway", "Interface"]
AVAILABLE, PENDING, REJECTED = "available", "pendingAcceptance", "rejected"
"""What an endpoint is to the service that it is for."""


class VpcEndpoint(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A VPC endpoint. A gateway's routes follow from its tables; an interface's addresses are network interfaces."""

    kind: ClassVar[str] = "vpc_endpoint"

    endpoint_id: str
    vpc_id: str
    service_name: str
    type: EndpointType
    policy: str
    created_at: float
    prefix_list_id: str = ""
    """What a gateway's routes are for."""
    route_table_ids: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    interface_ids: tuple[str, ...] = ()
    """In the order of `subnet_ids`."""
    private_dns: bool = False
    record_ip_type: str = ""
    """`DnsOptions.DnsRecordIpType`."""
    only_for_resolver: bool = False
    acceptance: str = AVAILABLE
    """What the account of the service has decided, where it wants to be asked."""
    client_token: str = ""
    request_digest: str = ""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.endpoint_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, service, VPC, route table, subnet, security group and token."""
        yield "scope", self.scope
        yield "service", (self.service_name,)
        yield "vpc", (*self.scope, self.vpc_id)
        for table_id in self.route_table_ids:
            yield "route_table", (*self.scope, table_id)
        for group_id in self.security_groups:
            yield "group", (*self.scope, group_id)
        if self.client_token:
            yield "token", (*self.scope, self.client_token)


class EndpointServiceConfiguration(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A user's own endpoint service: network load balancers, and who may make endpoints for it."""

    kind: ClassVar[str] = "vpc_endpoint_service"

    service_id: str
    load_balancers: tuple[str, ...]
    """ARNs."""
    acceptance_required: bool = True
    private_name: str = ""
    principals: tuple[str, ...] = ()
    """ARNs of accounts, users and roles, or `*`; the account's own need none."""
    client_token: str = ""
    request_digest: str = ""
    tags: Tags = {}

    @property
    def name(self) -> str:
        """What endpoints call it."""
        return f"com.amazonaws.vpce.{self.region}.{self.service_id}"

    @property
    def base_name(self) -> str:
        """What the names of its endpoints end in."""
        return f"{self.service_id}.{self.region}.vpce.amazonaws.com"

    def names(self) -> Key:
        """By id."""
        return (self.service_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by region over all accounts, load balancer and token."""
        yield "scope", self.scope
        yield "region", (self.region,)
        for arn in self.load_balancers:
            yield "load_balancer", (arn,)
        if self.client_token:
            yield "token", (*self.scope, self.client_token)


class PrefixEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A range in a prefix list."""

    cidr: str
    description: str = ""


class PrefixList(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A customer-managed prefix list, with its versions."""

    kind: ClassVar[str] = "prefix_list"

    list_id: str
    name: str
    address_family: str
    max_entries: int
    versions: tuple[tuple[PrefixEntry, ...], ...]
    """The entries of each version, the newest last."""
    dropped: int = 0
    """How many older versions are not kept any more."""
    client_token: str = ""
    request_digest: str = ""
    tags: Tags = {}

    @property
    def entries(self) -> tuple[PrefixEntry, ...]:
        """Those of the newest version."""
        return self.versions[-1]

    def names(self) -> Key:
        """By id."""
        return (self.list_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and token."""
        yield "scope", self.scope
        if self.client_token:
            yield "token", (*self.scope, self.client_token)
