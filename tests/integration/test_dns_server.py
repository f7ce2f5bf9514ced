"""The name server on loopback sockets, asked by dnspython; what it forwards to is a resolver in the test."""

from __future__ import annotations

import asyncio
import random
import socket
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import pytest

from longshore.cli.names import answers
from longshore.control.names.names import PrivateNames
from longshore.domain.names.resolving import DnsRecord, ZoneAnswer
from longshore.drivers.dns.resolv_conf import resolvers
from tests.support.dns_rig import HOST, FixedZones, Upstream, answering, serving, texts
from tests.support.hostile_dns import PACKETS, bent

ZONE = "web.internal"
ONE = DnsRecord(f"one.{ZONE}", "A", 10, "10.0.0.1")
MANY = [DnsRecord(f"many.{ZONE}", "A", 10, f"10.0.1.{number}") for number in range(1, 41)]
TEXT = [DnsRecord(f"long.{ZONE}", "TXT", 10, '"' + str(number) * 250 + '"') for number in range(8)]
ALIAS = DnsRecord(f"alias.{ZONE}", "CNAME", 10, f"one.{ZONE}")
OUT = DnsRecord(f"out.{ZONE}", "CNAME", 10, "outside.test")
LOOP = [DnsRecord(f"a.{ZONE}", "CNAME", 10, f"b.{ZONE}"), DnsRecord(f"b.{ZONE}", "CNAME", 10, f"a.{ZONE}")]
ZONES = FixedZones(ZONE, [ONE, *MANY, *TEXT, ALIAS, OUT, *LOOP])


# ------------------------------------------------------------------------------------------------------ our own names


async def test_a_name_of_ours_is_answered_with_authority_and_as_it_was_written() -> None:
    async with serving(ZONES) as rig:
        for ask in (rig.ask, rig.ask_tcp):
            reply = await ask("oNe.WEB.internal")
            assert texts(reply) == ["A 10.0.0.1"]
            assert reply.flags & dns.flags.AA
            assert reply.flags & dns.flags.RA
            assert reply.flags & dns.flags.RD
            assert reply.question[0].name.to_text() == "oNe.WEB.internal."
            assert reply.answer[0].ttl == 10


async def test_absence_comes_with_the_zones_soa() -> None:
    async with serving(ZONES) as rig:
        missing = await rig.ask(f"nobody.{ZONE}")
        other_type = await rig.ask(f"one.{ZONE}", "AAAA")
    assert (missing.rcode(), other_type.rcode()) == (dns.rcode.NXDOMAIN, dns.rcode.NOERROR)
    for reply in (missing, other_type):
        assert not reply.answer
        assert texts(reply, "authority") == [f"SOA ns.{ZONE}. hostmaster.{ZONE}. 1 3600 600 86400 5"]


async def test_every_address_of_many_is_given_each_time_in_another_order() -> None:
    async with serving(ZONES) as rig:
        seen = [texts(await rig.ask(f"many.{ZONE}", payload=1232)) for _ in range(60)]
    assert {frozenset(each) for each in seen} == {frozenset(f"A {record.data}" for record in MANY)}
    assert len({tuple(each) for each in seen}) > 50
    assert len({each[0] for each in seen}) > 20


async def test_cnames_are_followed_within_zones_and_out_of_them() -> None:
    async with (
        Upstream(answering({("outside.test", "A"): ["192.0.2.7"]})) as upstream,
        serving(ZONES, upstream=[HOST], port=upstream.port) as rig,
    ):
        assert texts(await rig.ask(f"alias.{ZONE}")) == [f"CNAME one.{ZONE}.", "A 10.0.0.1"]
        assert texts(await rig.ask(f"alias.{ZONE}", "CNAME")) == [f"CNAME one.{ZONE}."]
        for _ in range(2):  # asked for, then remembered
            assert texts(await rig.ask(f"out.{ZONE}")) == ["CNAME outside.test.", "A 192.0.2.7"]
        assert len(upstream.asked) == 1
        assert (await rig.ask(f"a.{ZONE}")).rcode() == dns.rcode.SERVFAIL


async def test_names_of_a_vpc_are_for_that_vpc() -> None:
    zones = FixedZones(ZONE, [ONE], vpc_id="vpc-1")
    async with serving(zones, vpc_id="vpc-1") as inside, serving(zones, vpc_id="vpc-2") as outside:
        assert texts(await inside.ask(ONE.name)) == ["A 10.0.0.1"]
        assert (await outside.ask(ONE.name)).rcode() == dns.rcode.SERVFAIL  # to be forwarded, and nobody to ask


async def test_a_change_is_in_the_next_answer() -> None:
    zones = FixedZones(ZONE, [ONE])
    async with serving(zones) as rig:
        assert texts(await rig.ask(ONE.name)) == ["A 10.0.0.1"]
        zones.records[:] = [ONE._replace(data="10.0.0.2")]
        assert texts(await rig.ask(ONE.name)) == ["A 10.0.0.2"]
        zones.records.clear()
        assert (await rig.ask(ONE.name)).rcode() == dns.rcode.NXDOMAIN


async def test_answers_too_long_for_udp_are_cut_and_come_whole_over_tcp() -> None:
    async with serving(ZONES) as rig:
        for size, most in ((None, 512), (100, 512), (1000, 1000), (65000, 1232)):
            fields = {} if size is None else {"use_edns": 0, "payload": size}
            reply = await rig.ask(f"long.{ZONE}", "TXT", **fields)
            assert reply.flags & dns.flags.TC
            assert len(reply.to_wire(max_size=65535)) <= most
            assert (reply.edns == 0) == (size is not None)
        whole = await rig.ask_tcp(f"long.{ZONE}", "TXT")
    assert not whole.flags & dns.flags.TC
    assert sorted(texts(whole)) == sorted(f"TXT {record.data}" for record in TEXT)


async def test_what_is_not_served_is_refused() -> None:
    async with serving(ZONES) as rig:
        for rdtype in ("ANY", "AXFR", "IXFR", "TSIG"):
            assert (await rig.ask(ONE.name, rdtype)).rcode() == dns.rcode.REFUSED, rdtype
        assert (await rig.ask("version.bind", "TXT", rdclass="CH")).rcode() == dns.rcode.REFUSED
        later = await rig.ask(ONE.name, use_edns=1)
        assert later.rcode() == dns.rcode.BADVERS
        assert (await rig.ask("elsewhere.test", flags=0)).rcode() == dns.rcode.REFUSED  # recursion not desired


# --------------------------------------------------------------------------------------------------------- forwarding


async def test_everything_else_is_asked_of_the_hosts_resolvers() -> None:
    async with (
        Upstream(answering({("outside.test", "A"): ["192.0.2.7"], ("outside.test", "MX"): ["5 mx.test."]})) as upstream,
        serving(ZONES, upstream=[HOST], port=upstream.port) as rig,
    ):
        reply = await rig.ask("OUTSIDE.test")
        assert texts(reply) == ["A 192.0.2.7"]
        assert not reply.flags & dns.flags.AA
        assert reply.question[0].name.to_text() == "OUTSIDE.test."
        assert texts(await rig.ask("outside.test", "MX")) == ["MX 5 mx.test."]
        missing = await rig.ask("missing.test")
        assert missing.rcode() == dns.rcode.NXDOMAIN
        assert len(missing.authority) == 1


async def test_answers_are_remembered_as_long_as_they_live_and_grow_old() -> None:
    async with (
        Upstream(answering({("outside.test", "A"): ["192.0.2.7"]}, ttl_s=60)) as upstream,
        serving(upstream=[HOST], port=upstream.port) as rig,
    ):
        assert (await rig.ask("outside.test")).answer[0].ttl == 60
        rig.clock.time += 45
        assert (await rig.ask("outside.test")).answer[0].ttl == 15
        await rig.ask("missing.test")
        rig.clock.time += 14
        await rig.ask("missing.test")
        assert len(upstream.asked) == 2
        rig.clock.time += 17  # 60 s have passed for the one, the SOA's 30 s for the other
        await rig.ask("outside.test")
        await rig.ask("missing.test")
        assert len(upstream.asked) == 4


async def test_the_same_question_from_many_is_asked_once() -> None:
    async with (
        Upstream(answering({("outside.test", "A"): ["192.0.2.7"]}, ttl_s=0)) as upstream,
        serving(upstream=[HOST], port=upstream.port) as rig,
    ):
        replies = await asyncio.gather(*(rig.ask("outside.test") for _ in range(20)))
        assert all(texts(reply) == ["A 192.0.2.7"] for reply in replies)
        assert len(upstream.asked) < 20
        assert not len(rig.cache)


async def test_an_answer_that_was_cut_is_asked_for_again_over_tcp() -> None:
    texts_of_it = [f'"{number}{"x" * 240}"' for number in range(9)]
    async with (
        Upstream(answering({("long.test", "TXT"): texts_of_it})) as upstream,
        serving(upstream=[HOST], port=upstream.port) as rig,
    ):
        assert (await rig.ask("long.test", "TXT")).flags & dns.flags.TC
        assert sorted(texts(await rig.ask_tcp("long.test", "TXT"))) == sorted(f"TXT {text}" for text in texts_of_it)
        assert upstream.over_tcp == 1


async def test_without_a_resolver_there_is_an_answer_at_once_and_it_is_no() -> None:
    async with serving(ZONES) as rig:
        assert (await rig.ask("outside.test")).rcode() == dns.rcode.SERVFAIL
        assert texts(await rig.ask(ONE.name)) == ["A 10.0.0.1"]


async def test_a_resolver_that_fails_is_passed_over_and_asked_last_from_then_on() -> None:
    good = answering({(f"n{number}.test", "A"): ["192.0.2.7"] for number in range(3)})

    def failing(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.SERVFAIL)
        return response

    # One server at two addresses: what comes in at 127.0.0.1 alone is answered, so 127.0.0.2 refuses the datagram.
    async with Upstream(good) as upstream, serving(upstream=["127.0.0.2", HOST], port=upstream.port) as rig:
        for number in range(3):
            assert texts(await rig.ask(f"n{number}.test")) == ["A 192.0.2.7"]
    async with Upstream(failing) as upstream, serving(upstream=[HOST], port=upstream.port) as rig:
        assert (await rig.ask("n0.test")).rcode() == dns.rcode.SERVFAIL
        assert not len(rig.cache)


async def test_replies_that_were_not_asked_for_are_not_believed() -> None:
    def forged(query: dns.message.Message) -> bytes:
        wrong = answering({("other.test", "A"): ["203.0.113.66"]})(dns.message.make_query("other.test", "A"))
        wrong.id = query.id
        return wrong.to_wire()

    async with Upstream(forged) as upstream, serving(upstream=[HOST], port=upstream.port) as rig:
        reply = await rig.ask("outside.test")
        assert (reply.rcode(), texts(reply)) == (dns.rcode.SERVFAIL, [])


async def test_a_resolver_without_edns_is_asked_without() -> None:
    good = answering({("outside.test", "A"): ["192.0.2.7"]})

    def old(query: dns.message.Message) -> dns.message.Message:
        if query.edns < 0:
            return good(query)
        response = dns.message.make_response(query)
        response.use_edns(False)
        response.set_rcode(dns.rcode.FORMERR)
        return response

    async with Upstream(old) as upstream, serving(upstream=[HOST], port=upstream.port) as rig:
        assert texts(await rig.ask("outside.test")) == ["A 192.0.2.7"]


async def test_a_changed_resolv_conf_is_read_again_and_never_leads_to_ourselves(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("nameserver 169.254.170.2\n")
    async with (
        Upstream(answering({("outside.test", "A"): ["192.0.2.7"]})) as upstream,
        serving(upstream=resolvers(file, tmp_path / "none", without={"169.254.170.2"}), port=upstream.port) as rig,
    ):
        assert (await rig.ask("outside.test")).rcode() == dns.rcode.SERVFAIL
        file.write_text(f"# new\nnameserver 169.254.170.2\nnameserver {HOST}\n")
        assert texts(await rig.ask("outside.test")) == ["A 192.0.2.7"]


# --------------------------------------------------------------------------------------------------------- hostility


async def test_ten_thousand_malformed_packets_leave_it_answering() -> None:
    chance = random.Random(7)
    async with serving(ZONES) as rig:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect((HOST, rig.port))
            for number in range(10_000):
                sock.send(bent(chance))
                if number % 50 == 0:
                    await asyncio.sleep(0)  # the server reads here
        for _ in range(20):
            assert texts(await rig.ask(ONE.name)) == ["A 10.0.0.1"]


async def test_datagrams_as_large_as_can_be_are_refused() -> None:
    async with serving(ZONES) as rig:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((HOST, rig.port))
            sock.send(PACKETS[0] + bytes(60_000))
            reply = await asyncio.get_running_loop().sock_recv(sock, 4096)
        assert dns.message.from_wire(reply).rcode() == dns.rcode.FORMERR


async def test_connections_carry_one_question_after_another_and_end_at_nonsense() -> None:
    async with serving(ZONES) as rig:
        reader, writer = await asyncio.open_connection(HOST, rig.port)
        query = dns.message.make_query(ONE.name, "A").to_wire()
        writer.write((len(query).to_bytes(2, "big") + query) * 3)
        for _ in range(3):
            size = int.from_bytes(await reader.readexactly(2), "big")
            assert texts(dns.message.from_wire(await reader.readexactly(size))) == ["A 10.0.0.1"]
        writer.write(b"\xff\xff")
        assert await reader.read() == b""
        writer.close()


async def test_a_client_that_says_at_once_that_it_has_no_more_questions_gets_its_answers() -> None:
    async with serving(ZONES) as rig:
        reader, writer = await asyncio.open_connection(HOST, rig.port)
        query = dns.message.make_query(f"long.{ZONE}", "TXT").to_wire()
        writer.write((len(query).to_bytes(2, "big") + query) * 5)
        writer.write_eof()
        replies = await reader.read()
        size = int.from_bytes(replies[:2], "big")
        assert len(dns.message.from_wire(replies[2 : size + 2]).answer[0]) == len(TEXT)
        assert len(replies) == 5 * (size + 2)
        writer.close()


async def test_one_client_has_so_many_connections_and_no_more() -> None:
    async with serving(ZONES) as rig:
        opened = [await asyncio.open_connection(HOST, rig.port) for _ in range(40)]
        ended = 0
        for reader, writer in opened:
            query = dns.message.make_query(ONE.name, "A").to_wire()
            try:
                writer.write(len(query).to_bytes(2, "big") + query)
                await reader.readexactly(2)
            except (OSError, EOFError):
                ended += 1
        assert ended == 8
        for _, writer in opened:
            writer.transport.abort()
        elsewhere = await asyncio.open_connection(HOST, rig.port, local_addr=("127.0.0.9", 0))
        elsewhere[1].write(len(query).to_bytes(2, "big") + query)
        assert await elsewhere[0].readexactly(2)
        elsewhere[1].close()


async def test_one_client_that_floods_does_not_keep_others_from_their_answers() -> None:
    """While its questions to a resolver that never answers fill all that one client may have, others are answered."""
    async with (
        Upstream(lambda query: good(query) if "good" in query.question[0].to_text() else None) as upstream,
        serving(ZONES, upstream=[HOST], port=upstream.port) as rig,
    ):
        good = answering({("good.test", "A"): ["192.0.2.7"]})
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            flood.setblocking(False)
            flood.bind(("127.0.0.66", 0))
            flood.connect((HOST, rig.port))
            for number in range(200):
                flood.send(dns.message.make_query(f"n{number}.test", "A").to_wire())
            refused = dns.message.from_wire(await loop.sock_recv(flood, 4096))
            assert refused.rcode() == dns.rcode.REFUSED
            ours = dns.message.make_query(ONE.name, "A").to_wire()
            for _ in range(20):
                for _ in range(200):
                    flood.send(ours)
                assert texts(await rig.ask(ONE.name)) == ["A 10.0.0.1"]
            assert texts(await rig.ask("good.test")) == ["A 192.0.2.7"]


async def test_a_fault_in_a_zone_is_one_answer_that_failed(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def answer(self, _vpc_id: str | None, name: str, _record_type: str) -> ZoneAnswer | None:
            if name == "broken.test":
                raise RuntimeError("a fault")
            return None

    async with serving(Broken(), ZONES) as rig:
        assert (await rig.ask("broken.test")).rcode() == dns.rcode.SERVFAIL
        assert (await rig.ask_tcp("broken.test")).rcode() == dns.rcode.SERVFAIL
        assert texts(await rig.ask(ONE.name)) == ["A 10.0.0.1"]
    assert "a fault" in caplog.text


async def test_the_command_line_sees_whether_a_name_server_answers() -> None:
    async with serving(PrivateNames()) as ours, serving(ZONES) as other:
        assert await asyncio.to_thread(answers, HOST, ours.port)
        assert not await asyncio.to_thread(answers, HOST, other.port)
    assert not await asyncio.to_thread(answers, HOST, ours.port)
