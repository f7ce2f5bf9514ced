"""Bytes at random, questions bent out of shape, names that point at themselves: each is read or refused.

What is read by hand is checked against dnspython, which reads the same bytes.
"""

from __future__ import annotations

import random
import struct

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.domain.names.resolving import DnsRecord
from longshore.drivers.dns.message import (
    HEADER,
    NOERROR,
    QR,
    RD,
    TCP_LIMIT,
    Answer,
    Malformed,
    Query,
    name_text,
    name_wire,
    parse,
    render,
)
from longshore.drivers.dns.records import from_reply, from_zone
from tests.support.hostile_dns import PACKETS, bent

LABEL = st.binary(min_size=1, max_size=63)
NAMES = st.lists(LABEL, max_size=5).map(lambda labels: b"".join(bytes([len(each)]) + each for each in labels) + b"\0")
HOSTS = st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True), min_size=1, max_size=4).map(".".join)
TTLS = st.integers(0, 2**31 - 1)
RECORDS = st.one_of(
    st.builds(DnsRecord, HOSTS, st.just("A"), TTLS, st.ip_addresses(v=4).map(str)),
    st.builds(DnsRecord, HOSTS, st.just("AAAA"), TTLS, st.ip_addresses(v=6).map(str)),
    st.builds(DnsRecord, HOSTS, st.just("CNAME"), TTLS, HOSTS),
    st.builds(DnsRecord, HOSTS, st.just("SRV"), TTLS, st.builds("1 2 {} {}".format, st.integers(0, 65535), HOSTS)),
)


def test_ten_thousand_bent_packets_are_read_as_dnspython_reads_them_or_refused() -> None:
    chance = random.Random(20261125)
    read = 0
    for _ in range(10_000):
        packet = bent(chance)
        found = parse(packet)
        if isinstance(found, Malformed):
            if found.reply is not None:
                assert found.reply[:2] == packet[:2]
                assert dns.message.from_wire(found.reply).rcode() in {dns.rcode.FORMERR, dns.rcode.NOTIMP}
            continue
        read += 1
        check_reads_alike(found, packet)
        assert len(render(found, Answer(NOERROR), found.udp_limit)) <= found.udp_limit
    assert read > 500  # else it was noise alone, and said nothing of what is read


def check_reads_alike(found: Query, packet: bytes) -> None:
    theirs = dns.message.from_wire(packet)
    (question,) = theirs.question
    assert (found.id, found.flags) == (theirs.id, int.from_bytes(packet[2:4], "big"))
    assert question.name == dns.name.from_wire(found.name, 0)[0]
    assert (question.rdtype, question.rdclass) == (found.type, found.rdclass)
    assert found.edns_size == (theirs.payload if theirs.edns >= 0 else None)
    assert found.dnssec_ok == bool(theirs.edns >= 0 and theirs.ednsflags & dns.flags.DO)


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_at_all_are_read_or_refused(packet: bytes) -> None:
    found = parse(packet)
    if isinstance(found, Malformed):
        assert found.reply is None or len(found.reply) == HEADER.size


def test_names_that_point_at_themselves_forwards_or_in_circles_are_refused() -> None:
    head = HEADER.pack(7, RD, 1, 0, 0, 0)
    loops = (
        b"\xc0\x0c",  # at itself
        b"\x01a\xc0\x0c",  # at its own beginning
        b"\xc0\x0e\xc0\x0c",  # at each other
        b"\xc0\xff",  # beyond the end
        b"\xc0",  # half a pointer
        b"\x40" + b"a" * 64,  # a reserved kind of label
        b"\x3f" + b"a" * 63 + b"\xc0\x0c",
        (b"\x3f" + b"a" * 63) * 4 + b"\0",  # 257 bytes
    )
    for name in loops:
        found = parse(head + name + b"\0\1\0\1")
        assert isinstance(found, Malformed), name
        assert found.reply is not None
        assert found.reply[3] & 0xF == dns.rcode.FORMERR


def test_answers_are_met_with_silence_so_that_two_servers_never_talk_for_ever() -> None:
    for packet in PACKETS:
        answer = bytearray(packet)
        answer[2] |= QR >> 8
        assert parse(bytes(answer)) == Malformed(None)


def test_a_question_without_a_whole_header_is_met_with_silence() -> None:
    assert all(parse(PACKETS[0][:size]) == Malformed(None) for size in range(HEADER.size))


@given(NAMES)
def test_names_as_text_say_the_same_as_in_wire_form(wire: bytes) -> None:
    if len(wire) <= 255:
        assert name_wire(name_text(wire.lower())) == wire.lower()


@settings(deadline=None)
@given(HOSTS, st.lists(RECORDS, max_size=40), st.integers(512, 4096), st.booleans(), st.integers(0, 3))
def test_answers_are_what_dnspython_reads_and_never_above_the_limit(
    name: str, records: list[DnsRecord], limit: int, edns: bool, own: int
) -> None:
    asked = dns.name.from_text(name.upper()).to_wire() or b""
    query = Query(9, RD, asked, 1, 1, 4096 if edns else None)
    wanted = [record._replace(name=name) if place < own else record for place, record in enumerate(records)]
    packet = render(query, Answer(NOERROR, tuple(map(from_zone, wanted)), authoritative=True), limit)
    assert len(packet) <= limit
    message = dns.message.from_wire(packet, one_rr_per_rrset=True)
    assert message.question[0].name.to_text(omit_final_dot=True) == name.upper()
    read = [(rrset.name, rrset.rdtype, rrset.ttl, rrset[0]) for rrset in message.answer]
    expected = [
        (
            dns.name.from_text(each.name),
            dns.rdatatype.from_text(each.type),
            each.ttl_s,
            dns.rdata.from_text("IN", each.type, each.data, origin=dns.name.root, relativize=False),
        )
        for each in wanted
    ]
    assert read == expected[: len(read)]
    assert bool(message.flags & dns.flags.TC) == (len(read) < len(expected))


@settings(deadline=None)
@given(HOSTS, st.lists(RECORDS, max_size=20))
def test_what_was_written_is_what_the_forwarder_reads(name: str, records: list[DnsRecord]) -> None:
    query = Query(9, RD, name_wire(name), 1, 1)
    answer = Answer(NOERROR, tuple(dict.fromkeys(map(from_zone, records))))
    reply = dns.message.from_wire(render(query, answer, TCP_LIMIT), one_rr_per_rrset=True)
    assert from_reply(reply).records == answer.records


def test_a_pointer_is_only_written_where_it_can_reach() -> None:
    name = "a.test"
    long = tuple(from_zone(DnsRecord(f"n{number}.test", "TXT", 1, '"' + "x" * 250 + '"')) for number in range(100))
    packet = render(Query(1, RD, name_wire(name), 16, 1), Answer(NOERROR, long + long), TCP_LIMIT)
    message = dns.message.from_wire(packet, one_rr_per_rrset=True)
    assert [rrset.name for rrset in message.answer[:100]] == [rrset.name for rrset in message.answer[100:]]
    assert struct.unpack("!H", packet[6:8]) == (200,)
