"""DNS messages (RFC 1035, 6891) as values: a question from bytes, and bytes from an answer. Pure.

Called by the server. What nearly every client sends (one question, perhaps an empty OPT record) is read here, in a
few microseconds; anything else goes to dnspython, which also has the last word on what is malformed.
"""

import functools
import struct
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
_OPCODE = 0x7800
_DO = 0x8000
IN, CNAME, SOA, OPT = 1, 5, 6, 41
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
UDP_LIMIT = 512
"""Bytes of an answer to a client without EDNS."""
EDNS_LIMIT = 1232
"""The most we send and take over UDP: it fits into one packet everywhere (DNS flag day 2020)."""
TCP_LIMIT = 65535
_POINTERS_END = 0x4000


class Query(NamedTuple):
    """One question, as it was asked."""

    id: int
    flags: int
    name: bytes
    """In wire form, letters as the client wrote them."""
    type: int
    rdclass: int
    edns_size: int | None = None
    """How many bytes the client takes over UDP; None without EDNS."""
    edns_version: int = 0
    dnssec_ok: bool = False

    @property
    def key(self) -> bytes:
        """The name in small letters. Lengths of labels stay: none is as high as a letter."""
        return self.name.lower()

    @property
    def udp_limit(self) -> int:
        """Bytes of an answer over UDP."""
        return UDP_LIMIT if self.edns_size is None else max(UDP_LIMIT, min(self.edns_size, EDNS_LIMIT))


class Rr(NamedTuple):
    """A resource record of class IN in wire form, nothing in it compressed; the owner in small letters."""

    owner: bytes
    type: int
    ttl_s: int
    rdata: bytes


class Answer(NamedTuple):
    """What is said to a question."""

    rcode: int
    records: tuple[Rr, ...] = ()
    authority: tuple[Rr, ...] = ()
    authoritative: bool = False
    authentic: bool = False
    """A resolver that validates says so (the AD bit)."""


class Malformed(NamedTuple):
    """A packet that holds no question that could be answered; `reply` is what to say to it, if anything."""

    reply: bytes | None


def parse(packet: bytes) -> Query | Malformed:
    """The question in a packet. Never raises."""
    return _plain(packet) or _unusual(packet)


def _plain(packet: bytes) -> Query | None:
    size = len(packet)
    if size < HEADER.size:
        return None
    ident, flags, questions, answers, authorities, additional = HEADER.unpack_from(packet)
    if flags & (QR | _OPCODE | TC) or questions != 1 or answers or authorities or additional > 1:
        return None
    end = HEADER.size
    while end < size and 0 < packet[end] < 64:
        end += packet[end] + 1
    end += 1
    if end + 4 > size or packet[end - 1] or end - HEADER.size > 255:
        return None
    name = packet[HEADER.size : end]
    rdtype, rdclass = _QUESTION.unpack_from(packet, end)
    end += 4
    if not additional:
        return Query(ident, flags, name, rdtype, rdclass) if end == size else None
    if size != end + 11 or packet[end : end + 3] != b"\0\0\x29" or packet[end + 9 :] != b"\0\0":
        return None
    edns_size, _, version, extended = struct.unpack_from("!HBBH", packet, end + 3)
    return Query(ident, flags, name, rdtype, rdclass, edns_size, version, bool(extended & _DO))


def _unusual(packet: bytes) -> Query | Malformed:
    if len(packet) < HEADER.size or packet[2] & (QR >> 8):
        return Malformed(None)  # nothing to answer to, or an answer itself: two servers must not talk for ever
    ident, flags, *_ = HEADER.unpack_from(packet)
    if flags & _OPCODE:
        return Malformed(_bare(ident, flags, NOTIMP))
    try:
        message = dns.message.from_wire(packet)
    except (dns.exception.DNSException, ValueError):
        return Malformed(_bare(ident, flags, FORMERR))
    if len(message.question) != 1 or len(packet) > TCP_LIMIT:
        return Malformed(_bare(ident, flags, FORMERR))
    asked = message.question[0]
    edns = message.edns >= 0
    return Query(
        ident,
        flags,
        asked.name.to_wire() or b"\0",
        int(asked.rdtype),
        int(asked.rdclass),
        message.payload if edns else None,
        max(message.edns, 0),
        bool(message.ednsflags & _DO),
    )


def _bare(ident: int, flags: int, rcode: int) -> bytes:
    return HEADER.pack(ident, QR | flags & (_OPCODE | RD) | RA | rcode, 0, 0, 0, 0)


def render(query: Query, answer: Answer, limit: int) -> bytes:
    """The answer in at most `limit` bytes; TC is set where records had to be left out.

    The question stands in it as it was asked.
    """
    edns = query.edns_size is not None
    flags = QR | RA | query.flags & (RD | CD) | answer.rcode & 0xF
    flags |= AA if answer.authoritative else 0
    flags |= AD if answer.authentic and (query.dnssec_ok or query.flags & AD) else 0
    out = bytearray(HEADER.size) + query.name + _QUESTION.pack(query.type, query.rdclass)
    names = {query.key: HEADER.size}
    room = limit - (11 if edns else 0)
    counts = [0, 0]
    for section, records in enumerate((answer.records, answer.authority)):
        for record in records:
            if not _append(out, record, names, room):
                flags |= TC
                break
            counts[section] += 1
        if flags & TC:
            break
    if edns:
        extended = _DO if query.dnssec_ok else 0
        out += b"\0" + struct.pack("!HHBBHH", OPT, EDNS_LIMIT, answer.rcode >> 4, 0, extended, 0)
    HEADER.pack_into(out, 0, query.id, flags, 1, *counts, int(edns))
    return bytes(out)


def _append(out: bytearray, record: Rr, names: dict[bytes, int], room: int) -> bool:
    """Put a record at the end, its owner as a pointer where it stands there already; False if there is no room."""
    begin = len(out)
    known = names.get(record.owner)
    owner = record.owner if known is None else struct.pack("!H", 0xC000 | known)
    if begin + len(owner) + _RECORD.size + len(record.rdata) > room:
        return False
    if known is None and begin < _POINTERS_END:
        names[record.owner] = begin
    out += owner
    out += _RECORD.pack(record.type, IN, record.ttl_s, len(record.rdata))
    if record.type == CNAME and len(out) < _POINTERS_END:
        names.setdefault(record.rdata.lower(), len(out))
    out += record.rdata
    return True


@functools.lru_cache(maxsize=8192)
def name_text(key: bytes) -> str:
    """A name in wire form as text without the final dot, odd characters escaped; empty for the root."""
    name = dns.name.from_wire(key, 0)[0]
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True)


@functools.lru_cache(maxsize=8192)
def name_wire(text: str) -> bytes:
    """The other way round, in small letters. Raises dns.exception.DNSException for what is no name."""
    return (dns.name.from_text(text).canonicalize().to_wire() or b"\0").lower()


@functools.lru_cache(maxsize=256)
def type_text(rdtype: int) -> str:
    """The mnemonic of a type: `A`, or `TYPE65280`."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rdtype))
