"""Network ACLs: lists of numbered entries for subnets. Which subnet has which is said by the subnet."""

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags

LAST = 32767
"""The number of the entry that denies what no other one has decided: in every list, and not to be changed."""


class AclEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An entry: `allow` or `deny` for traffic of a protocol from or to a range."""

    number: int
    egress: bool
    action: str
    protocol: str
    """The number of a protocol, or -1 for all."""
    cidr_ipv4: str = ""
    cidr_ipv6: str = ""
    ports: tuple[int, int] | None = None
    icmp: tuple[int, int] | None = None
    """Type and code, -1 for all."""


class NetworkAcl(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A network ACL. Written by the API; each VPC's default one with its VPC."""

    kind: ClassVar[str] = "network_acl"

    acl_id: str
    vpc_id: str
    is_default: bool = False
    entries: tuple[AclEntry, ...] = ()
    """Without the last ones, which every list has."""
    client_token: str = ""
    request_digest: str = ""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.acl_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, VPC and token."""
        yield "scope", self.scope
        yield "vpc", (*self.scope, self.vpc_id)
        if self.client_token:
            yield "token", (*self.scope, self.client_token)


ALLOW_ALL = (
    AclEntry(number=100, egress=True, action="allow", protocol="-1", cidr_ipv4="0.0.0.0/0"),
    AclEntry(number=100, egress=False, action="allow", protocol="-1", cidr_ipv4="0.0.0.0/0"),
)
"""What a default network ACL begins with."""
