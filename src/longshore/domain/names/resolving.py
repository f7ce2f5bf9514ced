"""What a name server is told of a name: records, or that there are none. Values between `control` and a driver."""

from typing import NamedTuple


class DnsRecord(NamedTuple):
    """One resource record of class IN. Names are in small letters, absolute, and without a final dot."""

    name: str
    type: str
    """`A`, `AAAA`, `CNAME`, `SRV`, `SOA`, …"""
    ttl_s: int
    data: str
    """As in a zone file: `10.0.0.5`, or `1 1 8080 one.web.internal` for SRV."""


class ZoneAnswer(NamedTuple):
    """What a zone that Longshore serves says to one question.

    With records: they are the answer, all of them for a question's name and type, or a CNAME in their place. Without:
    the name has none of that type, or does not exist at all.
    """

    soa: DnsRecord
    """Of the zone: tells how long the absence of records may be remembered."""
    records: tuple[DnsRecord, ...] = ()
    exists: bool = True


def soa(zone: str, negative_ttl_s: int) -> DnsRecord:
    """A zone's SOA: who did not find a name asks again after `negative_ttl_s` seconds (RFC 2308)."""
    data = f"ns.{zone} hostmaster.{zone} 1 3600 600 86400 {negative_ttl_s}"
    return DnsRecord(zone, "SOA", negative_ttl_s, data)
