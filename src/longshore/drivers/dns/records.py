"""Records into wire form: those of our own zones from their text, those of another resolver from its reply.

Called by the resolver and the forwarder. Every kind of record data is read and written by dnspython.
"""

import functools

import dns.exception
import dns.flags
import dns.ipv4
import dns.ipv6
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from longshore.domain.names.resolving import DnsRecord
from longshore.drivers.dns.message import CNAME, NOERROR, NXDOMAIN, SOA, Answer, Rr, name_wire

_PROOFS = frozenset({dns.rdatatype.SOA, dns.rdatatype.NSEC, dns.rdatatype.NSEC3, dns.rdatatype.RRSIG})
"""What of an authority section says anything to a stub: that something is not there, and the signatures of that."""
_ADDRESSES = {dns.rdatatype.A: dns.ipv4.inet_aton, dns.rdatatype.AAAA: dns.ipv6.inet_aton}
MAX_TTL_S = 3600
MAX_NEGATIVE_TTL_S = 300


@functools.lru_cache(maxsize=16384)
def from_zone(record: DnsRecord) -> Rr:
    """A record of ours. Raises dns.exception.DNSException where its data is not what its type has."""
    rdtype = dns.rdatatype.from_text(record.type)
    if rdtype in _ADDRESSES:  # most records by far: without the parser of zone files
        return Rr(name_wire(record.name), int(rdtype), record.ttl_s, _ADDRESSES[rdtype](record.data))
    rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, record.data, origin=dns.name.root, relativize=False)
    return Rr(name_wire(record.name), int(rdtype), record.ttl_s, rdata.to_wire() or b"")


def from_reply(reply: dns.message.Message) -> Answer:
    """What another resolver answered, without what a stub has no use for."""
    authority = [rrset for rrset in reply.authority if rrset.rdtype in _PROOFS]
    return Answer(
        rcode=int(reply.rcode()),
        records=_wire(reply.answer),
        authority=_wire(authority),
        authentic=bool(reply.flags & dns.flags.AD),
    )


def _wire(section: list[dns.rrset.RRset]) -> tuple[Rr, ...]:
    return tuple(
        Rr((rrset.name.to_wire() or b"\0").lower(), int(rrset.rdtype), rrset.ttl, rdata.to_wire() or b"")
        for rrset in section
        for rdata in rrset
    )


def cacheable_s(answer: Answer, rdtype: int) -> int:
    """For how long an answer may be given again; 0 for not at all (RFC 2308)."""
    if answer.rcode not in {NOERROR, NXDOMAIN}:
        return 0
    times = [record.ttl_s for record in (*answer.records, *answer.authority)]
    if answer.rcode == NOERROR and any(record.type in {rdtype, CNAME} for record in answer.records):
        return min(*times, MAX_TTL_S)
    minimum = [int.from_bytes(record.rdata[-4:], "big") for record in answer.authority if record.type == SOA]
    return min(*times, *minimum, MAX_NEGATIVE_TTL_S) if minimum else 0


def size_of(answer: Answer) -> int:
    """About how many bytes it takes."""
    return sum(len(record.owner) + len(record.rdata) + 16 for record in (*answer.records, *answer.authority))
