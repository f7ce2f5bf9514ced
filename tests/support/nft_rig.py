"""Several network namespaces on one bridge, one on another, and a firewall in the one that has the bridges.

What a packet meets here is what it meets between containers of a VPC.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from longshore.drivers.program import find
from tests.support import namespaces
from tests.support.namespaces import REFUSED_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from longshore.drivers.firewall.nft import NftFirewall

BRIDGE, VPC = "ls-test", "vpc-1"
GATEWAY, PREFIX = "10.9.0.1", "10.9.0"
BRIDGES = {VPC: BRIDGE, "vpc-2": "ls-test-2"}
ELSEWHERE = "10.8.0.4"
"""A member of the other VPC."""
BALANCER = "10.9.0.9"
"""An address that the host itself has on the bridge."""
ENDPOINT = "169.254.170.2"
RESOLVERS = ("10.9.0.2", "169.254.169.253")
"""Addresses of the bridge at which names are asked for."""
HOST, OUTSIDE = "host", "198.51.100.2"


def why_unavailable() -> str:
    """Why tests with nftables can't run here; empty: they can."""
    if find("nft") is None:
        return "nftables is not installed"
    return "" if os.geteuid() == 0 else "not root"


class Rig:
    """Namespaces of the host, of members at 10.9.0.NUMBER, each on the host's bridge, of one in another VPC, and of
    somebody far away."""

    def __init__(self, *numbers: int) -> None:
        self._name = f"fw{secrets.token_hex(3)}"
        members = {f"{PREFIX}.{number}": f"{self._name}-{number}" for number in numbers}
        others = {ELSEWHERE: f"{self._name}-else"}
        self.namespaces = {HOST: self._name, OUTSIDE: f"{self._name}-far", **members, **others}
        for namespace in self.namespaces.values():
            _do("ip", "netns", "add", namespace)
            _do("ip", "-n", namespace, "link", "set", "lo", "up")
        _do("ip", "-n", self._name, "addr", "add", f"{ENDPOINT}/32", "dev", "lo")
        # The other VPC comes first: its resolver has an address that ours has, too.
        self._bridge(BRIDGES["vpc-2"], "10.8.0.1", others)
        self._bridge(BRIDGE, GATEWAY, members)
        _do("ip", "-n", self._name, "addr", "add", f"{BALANCER}/32", "dev", BRIDGE)
        for address, bridge in ((RESOLVERS[1], BRIDGES["vpc-2"]), *((each, BRIDGE) for each in RESOLVERS)):
            _do("ip", "-n", self._name, "addr", "add", f"{address}/32", "dev", bridge)
        self._connect_outside(self.namespaces[OUTSIDE])

    def _bridge(self, bridge: str, gateway: str, members: Mapping[str, str]) -> None:
        """A bridge of the host, and who is on it: namespaces by address."""
        _do("ip", "-n", self._name, "link", "add", bridge, "type", "bridge")
        _do("ip", "-n", self._name, "addr", "add", f"{gateway}/24", "dev", bridge)
        _do("ip", "-n", self._name, "link", "set", bridge, "up")
        for address, namespace in members.items():
            device = f"v{address.removeprefix('10.')}"
            _do("ip", "-n", self._name, "link", "add", device, "type", "veth", "peer", "eth0", "netns", namespace)
            _do("ip", "-n", self._name, "link", "set", device, "master", bridge, "up")
            _do("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
            _do("ip", "-n", namespace, "link", "set", "eth0", "up")
            _do("ip", "-n", namespace, "route", "add", "default", "via", gateway)

    def _connect_outside(self, far: str) -> None:
        """A network beyond the host, which forwards."""
        _do("ip", "-n", self._name, "link", "add", "far", "type", "veth", "peer", "name", "eth0", "netns", far)
        for namespace, device, address in ((self._name, "far", "198.51.100.1/24"), (far, "eth0", f"{OUTSIDE}/24")):
            _do("ip", "-n", namespace, "addr", "add", address, "dev", device)
            _do("ip", "-n", namespace, "link", "set", device, "up")
        _do("ip", "-n", far, "route", "add", "default", "via", "198.51.100.1")
        _do("ip", "netns", "exec", self._name, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")

    def close(self) -> None:
        """Remove them all."""
        for namespace in self.namespaces.values():
            _do("ip", "netns", "del", namespace)

    def at(self, where: str) -> Path:
        """The namespace of an address."""
        return namespaces.of_name(self.namespaces[where])

    def nft(self, *words: str, given: str = "") -> str:
        """`nft` in the host's namespace."""
        return _do("ip", "netns", "exec", self._name, "nft", *words, given=given)

    # ------------------------------------------------------------------------------------------------- connections

    def listener(self, where: str, port: int, address: str = "0.0.0.0") -> socket.socket:  # noqa: S104
        """A server for TCP."""
        return namespaces.listener(self.at(where), port, address)

    def receiver(self, where: str, port: int, address: str = "0.0.0.0") -> socket.socket:  # noqa: S104
        """A server for UDP."""
        return namespaces.receiver(self.at(where), port, address)

    def client(self, where: str, source: str = "", kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket that has not connected yet, and does not wait."""
        return namespaces.client(self.at(where), source, kind)

    def connects(self, where: str, address: str, port: int, *, source: str = "", wait_s: float = REFUSED_S) -> bool:
        """Whether a TCP connection comes about."""
        return namespaces.connects(self.at(where), address, port, source=source, wait_s=wait_s)

    def echoes(self, where: str, address: str) -> bool:
        """Whether a ping is answered."""
        return namespaces.echoes(self.at(where), address)


@contextmanager
def namespace_of(rig: Rig, where: str) -> Iterator[None]:
    """This thread, and the programs that it starts, are in a namespace of the rig for a while."""
    with namespaces.entered(rig.at(where)):
        yield


async def open_firewall(rig: Rig, firewall: NftFirewall) -> None:
    """Get it ready, and the rig's bridges with it."""
    with namespace_of(rig, HOST):
        await firewall.open()
        for bridge in BRIDGES.values():
            await firewall.guard(bridge)


def _do(*words: str, given: str = "") -> str:
    done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout
