"""Any groups, network ACLs, routes and VPCs: nftables lets through exactly what AWS does, however it came to them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longshore.domain.ec2.firewall import Ruleset, RulesetChange
from longshore.drivers.firewall.nft import NftFirewall
from tests.support.namespaces import ARRIVED_S
from tests.support.nft_rig import BALANCER, BRIDGES, ELSEWHERE, HOST, Rig, namespace_of, open_firewall
from tests.support.security_groups import PORTS, Packet, World, worlds

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.nft

TASKS = ("10.9.0.4", "10.9.0.5", "10.9.0.6")
SHORT_S = 0.002
"""How long to wait for what must not come: packets of the rig have come when they are sent."""


class Network:
    """The rig with somebody at each port of each address."""

    def __init__(self) -> None:
        self.rig = Rig(*(int(address.rpartition(".")[2]) for address in TASKS))
        places = [*((address, address) for address in (*TASKS, ELSEWHERE)), (HOST, BALANCER)]
        self._servers = {(at, port): self.rig.listener(where, port, at) for where, at in places for port in PORTS}
        self._receivers = {(at, port): self.rig.receiver(where, port, at) for where, at in places for port in PORTS}

    def close(self) -> None:
        for each in (*self._servers.values(), *self._receivers.values()):
            each.close()
        self.rig.close()

    def arrives(self, packet: Packet, *, expected: bool) -> bool:
        """Whether it comes through. `expected` only says how patiently to look."""
        where = HOST if packet.source == BALANCER else packet.source
        if packet.protocol == "icmp":
            return self.rig.echoes(where, packet.destination)
        source = packet.source if packet.source == BALANCER else ""
        if packet.protocol == "tcp":
            wait_s = ARRIVED_S if expected else SHORT_S
            connected = self.rig.connects(where, packet.destination, packet.port, source=source, wait_s=wait_s)
            if connected:
                self._servers[packet.destination, packet.port].accept()[0].close()
            return connected
        receiver = self._receivers[packet.destination, packet.port]
        sender = self.rig.client(where, source, socket.SOCK_DGRAM)
        with sender, contextlib.suppress(PermissionError):  # so a host is told that its own packets are refused
            sender.sendto(b"?", (packet.destination, packet.port))
        receiver.settimeout(ARRIVED_S if expected else SHORT_S)
        try:
            return receiver.recv(16) == b"?"
        except TimeoutError:
            return False


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    made = Network()
    yield made
    made.close()


def packets(world: World) -> Iterator[Packet]:
    """Between all who have an interface. From task to task of another VPC nothing is asked here: see Docker's."""
    addresses = [*world.members, *world.balancers, *world.abroad]
    for source in addresses:
        for destination in addresses:
            apart = ELSEWHERE in (source, destination) and BALANCER not in (source, destination)
            if source != destination and not apart:
                yield from (Packet(source, destination, kind, port) for kind in ("tcp", "udp") for port in PORTS)
                if BALANCER not in (source, destination):
                    yield Packet(source, destination, "icmp")


def difference(before: Ruleset, after: Ruleset) -> RulesetChange:
    """What takes one to the other."""
    groups = {name: after.groups.get(name) for name in before.groups.keys() | after.groups.keys()}
    places = {name: after.places.get(name) for name in before.places.keys() | after.places.keys()}
    return RulesetChange(groups=groups, places=places, exits=after.exits, acls=after.acls)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(worlds(TASKS, BALANCER, ELSEWHERE), min_size=1, max_size=3), st.booleans())
def test_nothing_else_passes_and_nothing_else_is_held_back(
    network: Network, steps: list[World], by_routes: bool
) -> None:
    if not by_routes:
        steps = [step._replace(exits=None) for step in steps]

    async def follow() -> None:
        firewall = NftFirewall("test", BRIDGES.__getitem__)
        await open_firewall(network.rig, firewall)
        with namespace_of(network.rig, HOST):
            before = steps[0].ruleset()
            await firewall.replace(before)
            for step in steps[1:]:
                after = step.ruleset()
                await firewall.change(difference(before, after))
                before = after

    asyncio.run(follow())
    world = steps[-1]
    for packet in packets(world):
        wanted = world.lets_through(packet)
        assert network.arrives(packet, expected=wanted) == wanted, packet
