"""Several network namespaces on one bridge, and a firewall in the one that has the bridge.

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
    from collections.abc import Iterator
    from pathlib import Path

    from longshore.drivers.firewall.nft import NftFirewall

BRIDGE, VPC = "ls-test", "vpc-1"
GATEWAY, PREFIX = "10.9.0.1", "10.9.0"
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
    """Namespaces of the host, of members at 10.9.0.NUMBER, each on the host's bridge, and of somebody far away."""

    def __init__(self, *numbers: int) -> None:
        self._name = f"fw{secrets.token_hex(3)}"
        self._members = {f"{PREFIX}.{number}": f"{self._name}-{number}" for number in numbers}
        self.namespaces = {HOST: self._name, OUTSIDE: f"{self._name}-far", **self._members}
        for namespace in self.namespaces.values():
            _do("ip", "netns", "add", namespace)
            _do("ip", "-n", namespace, "link", "set", "lo", "up")
        _do("ip", "-n", self._name, "link", "add", BRIDGE, "type", "bridge")
        for address in (f"{GATEWAY}/24", f"{BALANCER}/32"):
            _do("ip", "-n", self._name, "addr", "add", address, "dev", BRIDGE)
        for address in RESOLVERS:
            _do("ip", "-n", self._name, "addr", "add", f"{address}/32", "dev", BRIDGE, "scope", "link")
        _do("ip", "-n", self._name, "addr", "add", f"{ENDPOINT}/32", "dev", "lo")
        _do("ip", "-n", self._name, "link", "set", BRIDGE, "up")
        for number, (address, namespace) in enumerate(self._members.items()):
            veth = ("link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", namespace)
            _do("ip", "-n", self._name, *veth)
            _do("ip", "-n", self._name, "link", "set", f"v{number}", "master", BRIDGE, "up")
            _do("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
            _do("ip", "-n", namespace, "link", "set", "eth0", "up")
            _do("ip", "-n", namespace, "route", "add", "default", "via", GATEWAY)
        self._connect_outside(self.namespaces[OUTSIDE])

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
    """Get it ready, and the rig's bridge with it."""
    with namespace_of(rig, HOST):
        await firewall.open()
        await firewall.guard(BRIDGE)


def _do(*words: str, given: str = "") -> str:
    done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout
