"""Several network namespaces on one bridge, a firewall in the one that has the bridge, and sockets in all of them.

What a packet meets here is what it meets between containers of a VPC. A socket belongs to the namespace of the thread
that made it, so one process holds both ends of each connection: a packet that is let through has arrived when its
`send` returns, and nothing waits for those that are not.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import select
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from longshore.drivers.firewall.nft import find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from longshore.drivers.firewall.nft import NftFirewall

T = TypeVar("T")
BRIDGE, VPC = "ls-test", "vpc-1"
GATEWAY, PREFIX = "10.9.0.1", "10.9.0"
BALANCER = "10.9.0.9"
"""An address that the host itself has on the bridge."""
ENDPOINT = "169.254.170.2"
HOST = "host"
CLONE_NEWNET = 0x40000000
ARRIVED_S, REFUSED_S = 5.0, 0.05
_libc = ctypes.CDLL(None, use_errno=True)


def why_unavailable() -> str:
    """Why tests with nftables can't run here; empty: they can."""
    if find() is None:
        return "nftables is not installed"
    return "" if os.geteuid() == 0 else "not root"


class Rig:
    """The namespace of the host, and those of members at 10.9.0.NUMBER, each on the bridge."""

    def __init__(self, *numbers: int) -> None:
        self._name = f"fw{secrets.token_hex(3)}"
        self._members = {f"{PREFIX}.{number}": f"{self._name}-{number}" for number in numbers}
        self.namespaces = {HOST: self._name, **self._members}
        for namespace in self.namespaces.values():
            _do("ip", "netns", "add", namespace)
            _do("ip", "-n", namespace, "link", "set", "lo", "up")
        _do("ip", "-n", self._name, "link", "add", BRIDGE, "type", "bridge")
        for address in (f"{GATEWAY}/24", f"{BALANCER}/32"):
            _do("ip", "-n", self._name, "addr", "add", address, "dev", BRIDGE)
        _do("ip", "-n", self._name, "addr", "add", f"{ENDPOINT}/32", "dev", "lo")
        _do("ip", "-n", self._name, "link", "set", BRIDGE, "up")
        for number, (address, namespace) in enumerate(self._members.items()):
            veth = ("link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", namespace)
            _do("ip", "-n", self._name, *veth)
            _do("ip", "-n", self._name, "link", "set", f"v{number}", "master", BRIDGE, "up")
            _do("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
            _do("ip", "-n", namespace, "link", "set", "eth0", "up")
            _do("ip", "-n", namespace, "route", "add", "default", "via", GATEWAY)

    def close(self) -> None:
        """Remove them all."""
        for namespace in self.namespaces.values():
            _do("ip", "netns", "del", namespace)

    def within(self, where: str, act: Callable[[], T]) -> T:
        """Do something in a namespace; where it makes sockets, they stay there."""
        results: list[T] = []
        faults: list[BaseException] = []

        def work() -> None:
            try:
                with Path("/run/netns", self.namespaces[where]).open() as file:
                    if _libc.setns(file.fileno(), CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                results.append(act())
            except BaseException as fault:  # noqa: BLE001  raised below, where it is of use
                faults.append(fault)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if faults:
            raise faults[0]
        return results[0]

    def nft(self, *words: str, given: str = "") -> str:
        """`nft` in the host's namespace."""
        return _do("ip", "netns", "exec", self._name, "nft", *words, given=given)

    # ------------------------------------------------------------------------------------------------- connections

    def listener(self, where: str, port: int, address: str = "0.0.0.0") -> socket.socket:  # noqa: S104
        """A server for TCP."""

        def listen() -> socket.socket:
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((address, port))
            server.listen(64)
            return server

        return self.within(where, listen)

    def receiver(self, where: str, port: int, address: str = "0.0.0.0") -> socket.socket:  # noqa: S104
        """A server for UDP."""

        def listen() -> socket.socket:
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.bind((address, port))
            server.setblocking(False)
            return server

        return self.within(where, listen)

    def client(self, where: str, source: str = "", kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket that has not connected yet."""

        def make() -> socket.socket:
            made = socket.socket(socket.AF_INET, kind)
            made.setblocking(False)
            if source:
                made.bind((source, 0))
            return made

        return self.within(where, make)

    def connects(self, where: str, address: str, port: int, *, source: str = "", wait_s: float = REFUSED_S) -> bool:
        """Whether a TCP connection comes about."""
        with self.client(where, source) as client:
            client.connect_ex((address, port))
            writable = select.select([], [client], [], wait_s)[1]
            return bool(writable) and client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0

    def echoes(self, where: str, address: str) -> bool:
        """Whether a ping is answered."""

        def ping() -> bool:
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as own:
                identifier = secrets.randbelow(65536)
                own.sendto(_echo_request(identifier), (address, 0))
                while select.select([own], [], [], REFUSED_S)[0]:
                    packet = own.recv(2048)[20:]
                    if packet[0] == 0 and struct.unpack("!H", packet[4:6])[0] == identifier:
                        return True
                return False

        return self.within(where, ping)


@contextmanager
def namespace_of(rig: Rig, where: str) -> Iterator[None]:
    """This thread, and the programs that it starts, are in a namespace of the rig for a while."""
    with Path("/proc/thread-self/ns/net").open() as home, Path("/run/netns", rig.namespaces[where]).open() as file:
        assert _libc.setns(file.fileno(), CLONE_NEWNET) == 0
        try:
            yield
        finally:
            assert _libc.setns(home.fileno(), CLONE_NEWNET) == 0


async def open_firewall(rig: Rig, firewall: NftFirewall) -> None:
    """Get it ready, and the rig's bridge with it."""
    with namespace_of(rig, HOST):
        await firewall.open()
        await firewall.guard(BRIDGE)


def _echo_request(identifier: int) -> bytes:
    head = struct.pack("!BBHHH", 8, 0, 0, identifier, 1)
    total = sum(struct.unpack("!4H", head))
    return struct.pack("!BBHHH", 8, 0, ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF, identifier, 1)


def _do(*words: str, given: str = "") -> str:
    done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout
