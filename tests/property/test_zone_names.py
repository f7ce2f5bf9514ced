"""Names and values at random: what the API takes the name server can answer, and both write names in one form."""

from __future__ import annotations

import random

import dns.exception
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.api.route53.values import fault_in
from longshore.control.names.zones import HostedZoneNames
from longshore.decide.names.zones import of_set
from longshore.domain.kinds import KINDS
from longshore.domain.names.dns_name import absolute, shown
from longshore.drivers.dns.message import NOERROR, TCP_LIMIT, Answer, Query, name_text, name_wire, render
from longshore.drivers.dns.records import from_zone
from longshore.store.open import open_store
from tests.support.names import instance, record_set, registry, soa_set, zone
from tests.support.world import SeededIds

PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
NAMES = st.text(alphabet=st.one_of(st.sampled_from(r"ab.\052*@-"), PRINTABLE), max_size=80)
TYPES = (
    "A",
    "AAAA",
    "CAA",
    "CNAME",
    "DS",
    "HTTPS",
    "MX",
    "NAPTR",
    "NS",
    "PTR",
    "SOA",
    "SPF",
    "SRV",
    "SSHFP",
    "SVCB",
    *("TLSA", "TXT"),
)
PIECES = (
    "10",
    "0",
    "10.0.0.1",
    "::1",
    "web.example.internal",
    ".",
    '"a"',
    '"',
    "issue",
    r"\052",
    "(",
    ")",
    ";",
    "$",
    "@",
)


@settings(deadline=None, max_examples=400)
@given(NAMES)
def test_a_name_has_one_form_in_records_and_in_questions_and_comes_back_from_route_53s(given_name: str) -> None:
    name = absolute(given_name)
    if name is None:
        return
    assert name_text(name_wire(name)) == name
    assert absolute(shown(name)) == name
    assert absolute(f"{name}.") == name


def test_values_that_are_taken_can_be_answered() -> None:
    chance = random.Random(53)
    taken = 0
    for number in range(20_000):
        kind = chance.choice(TYPES)
        words = [chance.choice((*PIECES, str(number % 300))) for _ in range(chance.randint(1, 7))]
        value = chance.choice((" ", " ", "")).join(words)
        if fault_in(kind, value) is not None:
            continue
        taken += 1
        for record in of_set(record_set("a.example.internal", kind, value), "a.example.internal"):
            query = Query(1, 0, name_wire("a.example.internal"), 1, 1)
            assert render(query, Answer(NOERROR, (from_zone(record),)), TCP_LIMIT)
    assert taken > 300


@settings(deadline=None, max_examples=300)
@given(st.lists(st.binary(min_size=1, max_size=20), max_size=6), st.sampled_from((*TYPES, "TYPE65280")))
def test_any_question_to_a_zone_is_answered(labels: list[bytes], kind: str) -> None:
    wire = b"".join(bytes([len(each)]) + each for each in (*labels, b"example", b"internal")) + b"\0"
    try:
        name = name_text(wire.lower())
    except dns.exception.DNSException:
        return
    answer = ZONES.answer("vpc-1", name, kind)
    assert answer is not None
    for record in answer.records:
        from_zone(record)


def _zones() -> HostedZoneNames:
    store = open_store(None, KINDS)
    with store.transaction() as tx:
        for record in (
            zone(namespace_id="ns-1", namespace_region="us-east-1"),
            soa_set(),
            registry("A", "SRV", name="a.b"),
            instance("i:1/@x"),
        ):
            tx.put(record)
    return HostedZoneNames(store, SeededIds(1))


ZONES = _zones()
