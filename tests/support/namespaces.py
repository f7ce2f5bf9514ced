"""Sockets in network namespaces other than this process's own: those of `ip netns`, or of containers. Needs root.

A socket belongs to the namespace of the thread that made it, so one process holds both ends of each connection.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import select
import socket
import struct
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
OWN = Path("/proc/thread-self/ns/net")
CLONE_NEWNET = 0x40000000
ARRIVED_S, REFUSED_S = 5.0, 0.05
"""How long to wait for what must come about, and for what must not: over veths a packet has come when it is sent."""
_libc = ctypes.CDLL(None, use_errno=True)


def of_process(pid: int) -> Path:
    """The namespace that a process is in."""
    return Path(f"/proc/{pid}/ns/net")


def of_name(name: str) -> Path:
    """One of `ip netns`."""
    return Path("/run/netns", name)


@contextmanager
def entered(namespace: Path) -> Iterator[None]:
    """This thread, and the programs that it starts, are in a namespace for a while."""
    with OWN.open() as home, namespace.open() as file:
        _enter(file.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def within(namespace: Path, act: Callable[[], T]) -> T:
    """Do something in a namespace, in a thread of its own; sockets that it makes stay there."""
    results: list[T] = []
    faults: list[BaseException] = []

    def work() -> None:
        try:
            with entered(namespace):
                results.append(act())
        except BaseException as fault:  # noqa: BLE001  raised below, where it is of use
            faults.append(fault)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if faults:
        raise faults[0]
    return results[0]


def listener(namespace: Path, port: int, address: str = "0.0.0.0") -> socket.socket:  # noqa: S104
    """A server for TCP."""

    def listen() -> socket.socket:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port))
        server.listen(64)
        return server

    return within(namespace, listen)


def receiver(namespace: Path, port: int, address: str = "0.0.0.0") -> socket.socket:  # noqa: S104
    """A server for UDP."""

    def listen() -> socket.socket:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((address, port))
        return server

    return within(namespace, listen)


def client(namespace: Path, source: str = "", kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A socket that has not connected yet, and does not wait."""

    def make() -> socket.socket:
        made = socket.socket(socket.AF_INET, kind)
        made.setblocking(False)
        if source:
            made.bind((source, 0))
        return made

    return within(namespace, make)


def connects(namespace: Path, address: str, port: int, *, source: str = "", wait_s: float = REFUSED_S) -> bool:
    """Whether a TCP connection comes about."""
    with client(namespace, source) as made:
        made.connect_ex((address, port))
        writable = select.select([], [made], [], wait_s)[1]
        return bool(writable) and made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def echoes(namespace: Path, address: str) -> bool:
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

    return within(namespace, ping)


def _echo_request(identifier: int) -> bytes:
    head = struct.pack("!BBHHH", 8, 0, 0, identifier, 1)
    total = sum(struct.unpack("!4H", head))
    return struct.pack("!BBHHH", 8, 0, ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF, identifier, 1)
