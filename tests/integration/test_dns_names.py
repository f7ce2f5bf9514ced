"""Cloud Map's names over real sockets: what a client gets, and that a change is in the very next answer."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.rcode

from longshore.control.names.zones import HostedZoneNames
from longshore.domain.kinds import KINDS
from longshore.store.open import open_store
from tests.support.dns_rig import HOST, Serving, Upstream, answering, serving, texts
from tests.support.names import instance, record_set, registry, soa_set, zone
from tests.support.world import SeededIds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longshore.domain.record import Record
    from longshore.store.store import Store

NAME = "web.example.internal"
NAMESPACE: dict[str, Any] = {"namespace_id": "ns-1", "namespace_region": "us-east-1"}


def put(store: Store, *records: Record) -> None:
    with store.transaction() as tx:
        for record in records:
            tx.put(record)


@contextlib.asynccontextmanager
async def named(*records: Record, vpc_id: str | None = "vpc-1") -> AsyncIterator[tuple[Store, Serving]]:
    """A server of the namespace example.internal, with a resolver behind it that knows another one of that name."""
    store = open_store(None, KINDS)
    put(store, zone(**NAMESPACE), soa_set(ttl_s=15), *records)
    elsewhere = answering({(NAME, "A"): ["192.0.2.1"]})
    async with (
        Upstream(elsewhere) as upstream,
        serving(HostedZoneNames(store, SeededIds(1)), upstream=[HOST], port=upstream.port, vpc_id=vpc_id) as server,
    ):
        yield store, server


async def test_a_question_is_answered_with_authority_whatever_its_letters() -> None:
    async with named(registry("A", name="web", ttl_s=0), instance("one", "10.0.0.1")) as (_, server):
        reply = await server.ask("WEB.Example.Internal")
    assert reply.flags & dns.flags.AA
    assert texts(reply) == ["A 10.0.0.1"]
    assert reply.answer[0].ttl == 0


async def test_every_answer_shows_the_last_commit_though_its_ttl_has_not_passed() -> None:
    async with named(registry("A", name="web", ttl_s=3600)) as (store, server):
        for number in range(20):
            one = instance("one", f"10.0.0.{number}")
            put(store, one)
            assert texts(await server.ask(NAME)) == [f"A 10.0.0.{number}"]
            with store.transaction() as tx:
                tx.delete(type(one), one.key)
            assert (await server.ask(NAME)).rcode() == dns.rcode.NXDOMAIN


async def test_absence_is_said_with_the_soa_and_is_never_asked_elsewhere() -> None:
    async with named(registry("A", name="web"), instance("one")) as (_, server):
        nobody = await server.ask("nobody.example.internal")
        no_such = await server.ask(NAME, "AAAA")
    assert (nobody.rcode(), no_such.rcode()) == (dns.rcode.NXDOMAIN, dns.rcode.NOERROR)
    for reply in (nobody, no_such):
        assert reply.flags & dns.flags.AA
        assert texts(reply) == []
        assert reply.authority[0].ttl == 15
        assert texts(reply, "authority")[0].startswith("SOA ns-1536.awsdns-00.co.uk.")


async def test_from_another_vpc_the_name_is_asked_elsewhere() -> None:
    async with named(registry("A", name="web"), instance("one"), vpc_id="vpc-2") as (_, server):
        reply = await server.ask(NAME)
    assert texts(reply) == ["A 192.0.2.1"]
    assert not reply.flags & dns.flags.AA


async def test_srv_records_lead_to_hosts_that_have_addresses() -> None:
    async with named(registry("SRV", name="web"), instance("one", "10.0.0.1")) as (_, server):
        found = texts(await server.ask(NAME, "SRV"))
        assert found == ["SRV 1 1 80 one.web.example.internal."]
        assert texts(await server.ask("one.web.example.internal")) == ["A 10.0.0.1"]


async def test_order_is_random_and_eight_of_many_are_given() -> None:
    many = [instance(f"i{number}", f"10.0.0.{number}") for number in range(20)]
    async with named(registry("A", name="web"), *many) as (_, server):
        replies = [tuple(texts(await server.ask(NAME))) for _ in range(30)]
    assert {len(reply) for reply in replies} == {8}
    assert len(set(replies)) > 25
    assert len({address for reply in replies for address in reply}) == 20


async def test_a_cname_out_of_the_zone_is_followed() -> None:
    target = instance("one", attributes={"AWS_INSTANCE_CNAME": "web.test"})
    async with named(registry("CNAME", name="db", routing_policy="WEIGHTED", ttl_s=7), target) as (_, server):
        reply = await server.ask("db.example.internal")
    assert texts(reply) == ["CNAME web.test."]
    assert reply.answer[0].ttl == 7


async def test_users_records_of_all_kinds_go_over_the_wire() -> None:
    own = zone("users.internal", zone_id="Z2")
    sets = {
        "A": ("10.0.0.1",),
        "AAAA": ("2001:db8::1",),
        "MX": ("10 mail.users.internal",),
        "TXT": (r'"a\052b" "c"',),
        "SRV": ("1 2 80 a.users.internal.",),
        "CAA": ('0 issue "ca.example.com"',),
        "PTR": ("host.users.internal",),
    }
    records = [record_set("a.users.internal", kind, *values, zone_id="Z2") for kind, values in sets.items()]
    async with named(own, soa_set("users.internal", zone_id="Z2"), *records) as (_, server):
        found = {kind: texts(await server.ask("a.users.internal", kind)) for kind in sets}
    assert found["MX"] == ["MX 10 mail.users.internal."]
    assert found["TXT"] == ['TXT "a*b" "c"']
    assert found["SRV"] == ["SRV 1 2 80 a.users.internal."]
    assert all(len(each) == 1 for each in found.values()), found
