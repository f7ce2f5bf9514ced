"""A DnsServer on loopback sockets, a resolver that it asks, and clients: real sockets, nothing replaced."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, NamedTuple, Self

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from longshore.domain.names.resolving import DnsRecord, ZoneAnswer, soa
from longshore.drivers.dns.cache import Cache
from longshore.drivers.dns.forward import Forwarder
from longshore.drivers.dns.resolver import Resolver
from longshore.drivers.dns.server import DnsServer
from longshore.system import SystemIds
from tests.support.clock import HandClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from longshore.drivers.ports import Zones

HOST = "127.0.0.1"


class FixedZones:
    """One zone with these records; with `vpc_id`, for questions from that VPC alone."""

    def __init__(self, zone: str, records: Sequence[DnsRecord], vpc_id: str | None = None) -> None:
        self.zone = zone
        self.records = list(records)
        self.vpc_id = vpc_id

    def answer(self, vpc_id: str | None, name: str, record_type: str) -> ZoneAnswer | None:
        if (self.vpc_id and vpc_id != self.vpc_id) or not f".{name}".endswith(f".{self.zone}"):
            return None
        own = [record for record in self.records if record.name == name]
        found = tuple(record for record in own if record.type in {record_type, "CNAME"})
        return ZoneAnswer(soa(self.zone, 5), found, exists=bool(own))


class Upstream:
    """A resolver at 127.0.0.1, UDP and TCP, that answers what `reply(query)` says; None says nothing."""

    def __init__(self, reply: Callable[[dns.message.Message], dns.message.Message | bytes | None]) -> None:
        self.reply = reply
        self.asked: list[dns.message.Message] = []
        self.over_tcp = 0
        self._udp, self._tcp = pair()
        self.port: int = self._udp.getsockname()[1]

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._udp, self._readable)
        self._listener = await asyncio.start_server(self._connected, sock=self._tcp)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        asyncio.get_running_loop().remove_reader(self._udp)
        self._udp.close()
        self._listener.close()

    def _answer(self, packet: bytes, *, limit: int | None) -> bytes | None:
        query = dns.message.from_wire(packet)
        self.asked.append(query)
        reply = self.reply(query)
        if reply is None or isinstance(reply, bytes):
            return reply
        whole = reply.to_wire(max_size=65535)
        if limit is None or len(whole) <= limit:
            return whole
        cut = dns.message.make_response(query)
        cut.flags |= dns.flags.TC
        return cut.to_wire()

    def _readable(self) -> None:
        packet, address = self._udp.recvfrom(65535)
        reply = self._answer(packet, limit=1232)
        if reply is not None:
            self._udp.sendto(reply, address)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.over_tcp += 1
        size = int.from_bytes(await reader.readexactly(2), "big")
        reply = self._answer(await reader.readexactly(size), limit=None)
        if reply is not None:
            writer.write(len(reply).to_bytes(2, "big") + reply)
        writer.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """UDP and TCP sockets at the same free port of 127.0.0.1."""
    for _ in range(50):
        tcp = socket.create_server((HOST, 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
            continue
        udp.setblocking(False)
        tcp.setblocking(False)
        return udp, tcp
    raise RuntimeError("no port is free for both UDP and TCP")


def answering(records: Mapping[tuple[str, str], Sequence[str]], ttl_s: int = 60) -> Callable[..., dns.message.Message]:
    """A `reply` for `Upstream`: these records by (name, type), NXDOMAIN with the SOA of `test` for other names."""

    def reply(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        rdtype = dns.rdatatype.to_text(query.question[0].rdtype)
        found = records.get((name, rdtype))
        if found:
            response.answer.append(dns.rrset.from_text(query.question[0].name, ttl_s, "IN", rdtype, *found))
            return response
        if not any(known == name for known, _ in records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        data = "ns.test. hostmaster.test. 1 3600 600 86400 30"
        response.authority.append(dns.rrset.from_text("test.", 60, "IN", "SOA", data))
        return response

    return reply


class Serving(NamedTuple):
    """A running server and where it answers."""

    server: DnsServer
    cache: Cache
    clock: HandClock
    port: int

    async def ask(self, name: str, rdtype: str = "A", **fields: object) -> dns.message.Message:
        """Over UDP. The whole message, with truncation as a flag."""
        query = dns.message.make_query(name, rdtype, **fields)  # type: ignore[arg-type]
        return await dns.asyncquery.udp(query, HOST, port=self.port, timeout=10, ignore_trailing=False)

    async def ask_tcp(self, name: str, rdtype: str = "A", **fields: object) -> dns.message.Message:
        query = dns.message.make_query(name, rdtype, **fields)  # type: ignore[arg-type]
        return await dns.asyncquery.tcp(query, HOST, port=self.port, timeout=10)


@contextlib.asynccontextmanager
async def serving(
    *zones: Zones,
    upstream: Sequence[str] | Callable[[], Sequence[str]] = (),
    port: int = 53,
    vpc_id: str | None = None,
) -> AsyncIterator[Serving]:
    """A server at a free port of 127.0.0.1 for questions from this VPC; it forwards to `upstream` at `port`."""
    clock = HandClock(1000.0)
    cache = Cache(clock)
    ids = SystemIds()
    servers = upstream if callable(upstream) else lambda: upstream
    forwarder = Forwarder(servers, ids, port)
    server = DnsServer(Resolver(zones, cache, forwarder, ids))
    udp, tcp = pair()
    await server.listen([udp, tcp], vpc_id)
    try:
        yield Serving(server, cache, clock, udp.getsockname()[1])
    finally:
        await server.close()


def texts(message: dns.message.Message, section: str = "answer") -> list[str]:
    """`TYPE data` of each record of a section."""
    return [
        f"{dns.rdatatype.to_text(rrset.rdtype)} {rdata.to_text()}"
        for rrset in getattr(message, section)
        for rdata in rrset
    ]
