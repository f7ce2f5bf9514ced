"""Docker networks: one per VPC, one for bridge mode, both of this instance alone; and which addresses are free.

Called by the engine and by runners. A network is made when the first task needs it.
"""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from longshore.domain.ecs.launch import TaskLaunch, TaskNetwork
from longshore.drivers.docker.client import DockerClient, DockerError
from longshore.drivers.docker.names import INSTANCE, VPC, Names
from longshore.drivers.ports import Permanent

BridgeReady = Callable[[str, str | None], Awaitable[None]]
"""`(device, id of its VPC)`; None for the bridge of the tasks in bridge mode."""
ROUTES = Path("/proc/net/route")


class Networks:
    """The Docker networks of one instance. `bridge_ready` is awaited for each before its first use."""

    def __init__(self, client: DockerClient, names: Names, bridge_ready: BridgeReady | None) -> None:
        self._client = client
        self._names = names
        self._bridge_ready = bridge_ready
        self._known: set[str] = set()
        self._lock = asyncio.Lock()

    async def ensure(self, launch: TaskLaunch) -> None:
        """See to it that the network the task needs exists. Raises DockerError."""
        if launch.network is not None:
            await self.ensure_vpc(launch.network)
        elif launch.network_mode == "bridge":
            await self._ensure(self._names.bridge_network(), {}, None)

    async def ensure_vpc(self, network: TaskNetwork) -> None:
        """See to it that the network of a VPC exists. Raises DockerError."""
        cidr = ipaddress.IPv4Network(network.vpc_cidr)
        ipam = {"Config": [{"Subnet": str(cidr), "Gateway": str(cidr[1])}]}
        await self._ensure(self._names.vpc_network(network.vpc_id), {VPC: network.vpc_id}, ipam)

    async def _ensure(self, name: str, labels: dict[str, str], ipam: dict[str, Any] | None) -> None:
        if name in self._known:
            return
        async with self._lock:
            if name in self._known:
                return
            device = self._names.device(name)
            body: dict[str, Any] = {
                "Name": name,
                "Driver": "bridge",
                "CheckDuplicate": True,
                "Options": {"com.docker.network.bridge.name": device},
                "Labels": {INSTANCE: self._names.instance_id, **labels},
            }
            try:
                await self._client.post("/networks/create", body | ({"IPAM": ipam} if ipam else {}))
            except DockerError as error:
                if error.status != 409:
                    raise
            if self._bridge_ready is not None:
                await self._bridge_ready(device, labels.get(VPC))
            self._known.add(name)

    def forget(self) -> None:
        """After an outage: look again before the next use."""
        self._known.clear()

    async def remove_unused(self, used: Collection[TaskLaunch]) -> None:
        """Remove our networks that none of these tasks need. One that still has a container stays."""
        keep = {self._names.vpc_network(launch.network.vpc_id) for launch in used if launch.network is not None}
        if any(launch.network_mode == "bridge" for launch in used):
            keep.add(self._names.bridge_network())
        for network in await self._client.get("/networks", filters=self._names.instance_filter()):
            if network["Name"] in keep:
                continue
            try:
                await self._client.delete(f"/networks/{network['Id']}")
            except DockerError as error:
                if error.status != 403:  # "has active endpoints"
                    raise
            self._known.discard(network["Name"])

    async def remove_vpc(self, vpc_id: str) -> bool:
        """Remove the network of a VPC; whether it is gone. It stays while a container is in it. Raises DockerError."""
        name = self._names.vpc_network(vpc_id)
        async with self._lock:
            try:
                await self._client.delete(f"/networks/{name}")
            except DockerError as error:
                if error.status == 403:  # "has active endpoints"
                    return False
                if error.status != 404:
                    raise
            self._known.discard(name)
        return True

    async def taken(self) -> list[ipaddress.IPv4Network]:
        """The ranges of all Docker networks but ours, and of this machine's routes."""
        taken: list[ipaddress.IPv4Network] = []
        ours: set[str] = set()
        for network in await self._client.get("/networks"):
            if (network.get("Labels") or {}).get(INSTANCE) == self._names.instance_id:
                ours.add(self._names.device(network["Name"]))
                continue
            subnets = [c.get("Subnet", ":") for c in (network.get("IPAM") or {}).get("Config") or ()]
            taken += [ipaddress.IPv4Network(subnet, strict=False) for subnet in subnets if ":" not in subnet]
        if self._client.local:
            taken += routes(_route_table(), without=ours)
        return taken

    async def free_cidr(self, candidates: Sequence[str]) -> str:
        """The first candidate that overlaps no Docker network but ours and no route of this machine."""
        taken = await self.taken()
        for candidate in candidates:
            if not any(ipaddress.IPv4Network(candidate).overlaps(other) for other in taken):
                return candidate
        raise Permanent(
            f"None of the address ranges {', '.join(candidates)} is free on this machine: Docker networks and routes "
            f"use {', '.join(sorted({str(network) for network in taken}))}. Remove one of those, or set another range."
        )


def routes(table: str, *, without: Collection[str]) -> list[ipaddress.IPv4Network]:
    """The destinations in `/proc/net/route`, but the default route and those of the devices in `without`."""
    found: list[ipaddress.IPv4Network] = []
    for line in table.splitlines()[1:]:
        device, destination, _, _, _, _, _, mask, *_ = line.split()
        if device not in without and int(mask, 16):
            found.append(ipaddress.IPv4Network((_address(destination), _address(mask)), strict=False))
    return found


def _route_table() -> str:
    return ROUTES.read_text() if ROUTES.exists() else ""


def _address(hexadecimal: str) -> str:
    return socket.inet_ntoa(struct.pack("<I", int(hexadecimal, 16)))
