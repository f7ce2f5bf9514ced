"""The address 169.254.170.2 on this host: where tasks ask for metadata, credentials and names, in any network mode.

And the addresses of the VPC's resolver on the bridges of VPCs, as AWS has them.

Called by `main`: once for what is there, and again from `DockerEngine`'s `bridge_ready` for every bridge that
appears. Each socket takes only what comes in through its own device, so that two Longshores on one machine can serve
the same address and port, each for the containers of its own bridges.
"""

import contextlib
import errno
import ipaddress
import socket
from collections.abc import Collection

from longshore.domain.ec2.network import VPC_RESOLVER
from longshore.drivers.ports import Permanent
from longshore.drivers.program import run

ADDRESS = "169.254.170.2"
LOOPBACK = "lo"
"""Tasks in host mode come in here; one Longshore of a machine can have it."""
BACKLOG = 1024
_SO_RCVBUFFORCE = 33
"""Of Linux; Python has no name for it."""
DATAGRAM_BYTES = 4 << 20
"""Of what waits to be read: with the kernel's notes on it, 10,000 questions. All tasks of a VPC share a socket, and
what does not fit is lost, whoever sent it: the name server must see a flood to tell it from the others."""


async def open_sockets(
    devices: Collection[str], port: int, address: str = ADDRESS, kind: socket.SocketKind = socket.SOCK_STREAM
) -> list[socket.socket]:
    """A listening socket at `address` for each device; `lo` is left out where another Longshore has it.

    With SOCK_DGRAM a socket for datagrams: whoever has the port for TCP already has it for those, too.

    Adds the address to `lo` if the host doesn't have it. Raises Permanent where the host does not allow it.
    """
    await ensure_address(address)
    sockets: list[socket.socket] = []
    try:
        for device in devices:
            try:
                sockets.append(_listen(device, address, port, kind))
            except OSError as error:
                if device == LOOPBACK and error.errno == errno.EADDRINUSE:
                    continue
                raise Permanent(_why(device, address, port, error)) from error
    except Permanent:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _listen(device: str, address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    listener = socket.socket(socket.AF_INET, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        listener.bind((address, port))
        if kind == socket.SOCK_STREAM:
            listener.listen(BACKLOG)
        else:
            _make_room(listener)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _make_room(listener: socket.socket) -> None:
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, DATAGRAM_BYTES)
    except PermissionError:  # without NET_ADMIN as much as net.core.rmem_max allows
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, DATAGRAM_BYTES)


def _why(device: str, address: str, port: int, error: OSError) -> str:
    sentence = f"Longshore can't listen at {address}:{port} on {device}: {error.strerror}."
    if error.errno == errno.EADDRINUSE:
        return f"{sentence} Another program serves tasks' metadata there (an Amazon ECS agent?): stop it."
    if error.errno in {errno.EPERM, errno.EACCES}:
        return f"{sentence} It needs root, or the capabilities NET_ADMIN, NET_RAW and NET_BIND_SERVICE."
    return sentence


async def addresses_on(device: str) -> list[ipaddress.IPv4Interface]:
    """All addresses of a bridge: its own in the range of its VPC, and single ones."""
    shown = await ip("-o", "-4", "addr", "show", "dev", device, want_output=True) or ""
    words = (line.split() for line in shown.splitlines())
    return [ipaddress.IPv4Interface(line[line.index("inet") + 1]) for line in words if "inet" in line]


def resolver_addresses(on_bridge: Collection[ipaddress.IPv4Interface]) -> list[str]:
    """Where AWS's resolver answers in the VPC of a bridge: at 169.254.169.253 and at the third address of its range.

    Nobody else has them: AWS reserves the third address of every subnet that has it.
    """
    ranges = (each.network for each in on_bridge)
    return [VPC_RESOLVER, *(str(found[2]) for found in ranges if found.num_addresses > 1)]


async def open_resolver(device: str, address: str, port: int) -> list[socket.socket]:
    """Sockets for datagrams and connections at an address of the VPC's resolver, which the bridge gets.

    It goes with the bridge. Raises Permanent where the host does not allow it.
    """
    await _ensure_on_bridge(device, address)
    with contextlib.ExitStack() as opened:
        try:
            stream = opened.enter_context(_listen(device, address, port, socket.SOCK_STREAM))
            datagram = _listen(device, address, port, socket.SOCK_DGRAM)
        except OSError as error:
            raise Permanent(_why(device, address, port, error)) from error
        opened.pop_all()
    return [stream, datagram]


async def _ensure_on_bridge(device: str, address: str) -> None:
    # Of global scope: others come before the bridge's own, and Docker, when it starts, takes the first for its own.
    refusal = await ip("addr", "add", f"{address}/32", "dev", device)
    if refusal is None or await ip("-o", "addr", "show", "dev", device, "to", f"{address}/32", want_output=True):
        return
    raise Permanent(f"Longshore can't add {address} to {device} ({refusal}): it needs root or NET_ADMIN.")


async def ensure_address(address: str = ADDRESS) -> None:
    """See to it that the host has the address, on `lo`. It stays there: others may use it too.

    Its scope is this host. Else it would stand for the host where Docker hides the addresses of a network, and clients
    on this host would come to load balancers from the address of metadata.
    """
    if await ip("addr", "add", f"{address}/32", "dev", LOOPBACK, "scope", "host") is None:
        return
    shown = await ip("-o", "addr", "show", "to", f"{address}/32", want_output=True)
    if shown:
        return
    raise Permanent(
        f"Longshore can't add {address} to this host, where tasks ask for credentials and metadata. "
        f"It needs root or NET_ADMIN; or add it yourself: `ip addr add {address}/32 dev lo scope host`."
    )


async def ip(*words: str, want_output: bool = False) -> str | None:
    """`ip WORDS`: None where it did it, else what it said. With `want_output` what it printed."""
    try:
        said = await run("ip", *words)
    except FileNotFoundError as error:
        raise Permanent("The program `ip` is not on this host: install the package iproute2.") from error
    if want_output:
        return said.output.strip()
    return said.errors if said.code else None
