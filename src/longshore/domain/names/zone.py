"""Route 53: hosted zones, their record sets, and the changes made to them. Written by the API alone.

Route 53 is one for all regions: the region of these records is empty. A zone that belongs to a namespace of Cloud Map
has only its SOA and NS as record sets; the others are what `decide/names/zones.py` makes of the namespace's instances.
"""

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from longshore.domain.names.dns_name import absolute, parents
from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags

GLOBAL = ""
"""The region of all that Route 53 has."""
NAME_SERVERS = (
    "ns-1536.awsdns-00.co.uk.",
    "ns-0.awsdns-00.com.",
    "ns-1024.awsdns-00.org.",
    "ns-512.awsdns-00.net.",
)
"""The same for every zone: who asks Longshore needs no delegation."""
SOA_DATA = f"{NAME_SERVERS[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"


class ZoneVpc(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A VPC in which a private zone is known."""

    region: str
    vpc_id: str


class HostedZone(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A hosted zone. Its name is in small letters and without the final dot."""

    kind: ClassVar[str] = "hosted_zone"

    zone_id: str
    """`Z` and 19 capital letters and digits."""
    name: str
    private: bool
    vpcs: tuple[ZoneVpc, ...] = ()
    comment: str = ""
    caller_reference: str
    created_at: float
    namespace_region: str = ""
    namespace_id: str = ""
    """The namespace of Cloud Map that it belongs to, if any: nobody else changes it then."""
    tags: Tags = {}

    def names(self) -> Key:
        """By id."""
        return (self.zone_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By account; by what was given to tell a repeated call; and by name where it is known."""
        yield "scope", self.scope
        yield "reference", (*self.scope, self.caller_reference)
        if not self.private:
            yield "public", (self.name,)
            return
        yield "private", (self.name,)
        for vpc in self.vpcs:
            yield "vpc", (vpc.vpc_id,)
            yield "vpc_name", (vpc.vpc_id, self.name)


class RecordSet(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A resource record set: a user's own, or the SOA or NS of a zone."""

    kind: ClassVar[str] = "record_set"

    zone_id: str
    name: str
    """Absolute, in small letters, without the final dot, odd characters escaped as in zone files."""
    type: str
    set_identifier: str = ""
    """Tells those of one name and type apart that are weighted or answered in part."""
    ttl_s: int = 0
    values: tuple[str, ...] = ()
    """As they were given, which is as in zone files."""
    alias: dict[str, str] = {}
    """`HostedZoneId` and `DNSName` of what it is an alias of; no values then."""
    evaluate_target_health: bool = False
    weight: int | None = None
    multivalue: bool = False

    def names(self) -> Key:
        """By zone, name, type and identifier."""
        return (self.zone_id, self.name, self.type, self.set_identifier)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By zone, by name, by the name that it stands for, and by the names above it, which exist because it does."""
        yield "zone", (self.zone_id,)
        yield "name", (self.zone_id, self.name)
        if self.stands_for:
            yield "stands_for", (self.stands_for,)
        for parent in parents(self.name):
            yield "below", (self.zone_id, parent)

    @property
    def stands_for(self) -> str:
        """The name that an alias or a CNAME leads to, over all zones; empty for all others."""
        if self.alias:
            return self.alias["DNSName"]
        return absolute(self.values[0]) or "" if self.type == "CNAME" and self.values else ""


class ZoneChange(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A change of a hosted zone, which was in the next answer of the name server."""

    kind: ClassVar[str] = "zone_change"

    change_id: str
    submitted_at: float
    comment: str = ""

    def names(self) -> Key:
        """By id."""
        return (self.change_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By account."""
        yield "scope", self.scope
