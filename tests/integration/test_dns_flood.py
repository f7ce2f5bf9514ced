"""The name server behind its socket, as tasks on a bridge reach it: what one of them floods, the others don't lose."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import dns.message
import pytest

from longshore.domain.names.resolving import DnsRecord
from longshore.drivers.dns.cache import Cache
from longshore.drivers.dns.forward import Forwarder
from longshore.drivers.dns.resolver import Resolver
from longshore.drivers.dns.server import DnsServer
from longshore.drivers.docker.linklocal import open_sockets
from longshore.system import SystemIds
from tests.support.clock import HandClock
from tests.support.dns_rig import FixedZones, texts
from tests.support.nft_rig import BRIDGE, ENDPOINT, HOST, VPC, Rig, namespace_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.nft

FLOODS, ASKS = "10.9.0.4", "10.9.0.5"
ONE = DnsRecord("one.web.internal", "A", 10, "10.0.0.1")
FLOOD = 6000
"""Datagrams that come while the server looks at none: a tenth of a second at 60,000 a second."""
QUESTIONS = 20


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig(4, 5)
    yield made
    made.close()


async def test_who_asks_behind_a_flood_is_answered_every_time(rig: Rig) -> None:
    with namespace_of(rig, HOST):
        sockets = await open_sockets([BRIDGE], 53, kind=socket.SOCK_DGRAM)
    ids = SystemIds()
    zones = (FixedZones("web.internal", [ONE]),)
    server = DnsServer(Resolver(zones, Cache(HandClock(0.0)), Forwarder(tuple, ids), ids))
    await server.listen(sockets, VPC)
    queries = [dns.message.make_query(ONE.name, "A", id=number).to_wire() for number in range(QUESTIONS)]
    with rig.client(FLOODS, kind=socket.SOCK_DGRAM) as flood, rig.client(ASKS, kind=socket.SOCK_DGRAM) as client:
        flood.setblocking(True)
        for _ in range(FLOOD):  # nothing is read meanwhile: the server is on this very event loop
            flood.sendto(queries[0], (ENDPOINT, 53))
        for query in queries:
            client.sendto(query, (ENDPOINT, 53))
        async with asyncio.timeout(30):
            replies = [await asyncio.get_running_loop().sock_recv(client, 4096) for _ in queries]
    await server.close()
    read = [dns.message.from_wire(reply) for reply in replies]
    assert {reply.id for reply in read} == set(range(QUESTIONS))
    assert {tuple(texts(reply)) for reply in read} == {("A 10.0.0.1",)}
