"""Addresses of load balancers on this host: each as a /32 on the bridge of its VPC, where tasks and the host reach it.

Called by the engine. What this instance has put there is read off its bridges, so that nothing is left after a crash.
"""

import socket
from collections.abc import Collection

from longshore.domain.ecs.launch import TaskNetwork
from longshore.drivers.docker.client import DockerClient
from longshore.drivers.docker.linklocal import addresses_on, ip, resolver_addresses
from longshore.drivers.docker.names import VPC, Names
from longshore.drivers.docker.network import Networks
from longshore.drivers.ports import Permanent


class HostAddresses:
    """Those of one instance."""

    def __init__(self, client: DockerClient, names: Names, networks: Networks) -> None:
        self._client = client
        self._names = names
        self._networks = networks
        self._claimed: dict[str, tuple[str, frozenset[str]]] = {}
        """`(CIDR, addresses)` by VPC."""
        self._swept = False
        """Whether what an earlier life left has been looked for."""

    async def claim(self, addresses: Collection[str], vpc_id: str, vpc_cidr: str) -> None:
        """See to it that this host has the addresses. Raises Permanent where it may not, DockerError.

        Called for every load balancer with every plan: what is in place costs no process and no call to the Engine.
        """
        known = self._claimed.get(vpc_id, (vpc_cidr, frozenset()))[1]
        if known.issuperset(addresses) and all(map(_is_here, addresses)):
            return
        if not self._client.local:
            raise Permanent("Load balancers need a Docker Engine on this host: their addresses are on its bridges.")
        await self._add(addresses, vpc_id, vpc_cidr)
        self._claimed[vpc_id] = (vpc_cidr, known.union(addresses))

    async def _add(self, addresses: Collection[str], vpc_id: str, vpc_cidr: str) -> None:
        place = TaskNetwork(
            vpc_id=vpc_id, vpc_cidr=vpc_cidr, subnet_cidr=vpc_cidr, interface_id="", address="", mac_address=""
        )
        await self._networks.ensure_vpc(place)
        device = self._names.device(self._names.vpc_network(vpc_id))
        here = await _on(device)
        for address in addresses:
            if address in here:
                continue
            refusal = await ip("addr", "add", f"{address}/32", "dev", device)
            if refusal is not None and address not in await _on(device):
                raise Permanent(
                    f"Longshore can't give this host the address {address} ({refusal}): it needs root or NET_ADMIN."
                )

    async def release(self, keep: Collection[str]) -> None:
        """Take all others away that load balancers of this instance had. Raises DockerError."""
        if not self._client.local:
            return
        wanted = frozenset(keep)
        if self._swept and all(addresses <= wanted for _, addresses in self._claimed.values()):
            return
        self._swept = False
        for vpc_id, (cidr, addresses) in list(self._claimed.items()):
            self._claimed[vpc_id] = (cidr, addresses & wanted)
        for network in await self._client.get("/networks", filters=self._names.instance_filter()):
            if VPC not in network["Labels"]:
                continue
            device = self._names.device(network["Name"])
            for address in await _on(device) - wanted:
                await ip("addr", "del", f"{address}/32", "dev", device)
        self._swept = True

    def forget(self, vpc_id: str) -> None:
        """The VPC is no more: what is claimed in it goes with its bridge."""
        self._claimed.pop(vpc_id, None)

    async def renew(self) -> None:
        """After an outage of the Engine, which may have made its bridges anew. Raises DockerError."""
        for vpc_id, (cidr, addresses) in list(self._claimed.items()):
            if addresses:
                await self._add(addresses, vpc_id, cidr)


def _is_here(address: str) -> bool:
    """Whether one can listen at the address: it may have been taken away behind our back, with its bridge."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attempt:
        try:
            attempt.bind((address, 0))
        except OSError:
            return False
    return True


async def _on(device: str) -> set[str]:
    """The single addresses on a bridge, but for those of the VPC's resolver: its own is that of a network."""
    found = await addresses_on(device)
    resolver = resolver_addresses(found)
    return {str(each.ip) for each in found if each.network.num_addresses == 1} - set(resolver)
