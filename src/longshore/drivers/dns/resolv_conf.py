"""The resolvers of this host, from its resolv.conf: whom the name server asks, and whom containers can ask themselves.

Called by the forwarder for every question it asks, and by the Docker engine once.
"""

import ipaddress
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

RESOLV_CONF = Path("/etc/resolv.conf")
SYSTEMD = Path("/run/systemd/resolve/resolv.conf")
"""The servers behind the stub of systemd-resolved, which answers at a loopback address."""
MAX_SERVERS = 3
"""As many as the usual libraries, and Docker's own resolver, ask."""


def nameservers(text: str) -> list[str]:
    """The addresses of a resolv.conf, each once, in their order; what is no address is left out."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and _address(words[1]) is not None:
            found[words[1]] = None
    return list(found)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def resolvers(path: Path = RESOLV_CONF, *, without: Collection[str] = ()) -> Callable[[], Sequence[str]]:
    """A function that tells the host's resolvers but our own addresses; it reads the file when that has changed."""
    seen: object = None
    servers: list[str] = []

    def ask() -> Sequence[str]:
        nonlocal seen, servers
        try:
            now = path.stat()
            mark = (now.st_mtime_ns, now.st_ino, now.st_size)
            if mark != seen:
                listed = nameservers(path.read_text(errors="replace"))
                servers, seen = [server for server in listed if server not in without][:MAX_SERVERS], mark
        except OSError:
            servers, seen = [], None
        return servers

    return ask


def for_containers(path: Path = RESOLV_CONF, behind: Path = SYSTEMD, *, without: Collection[str] = ()) -> list[str]:
    """The resolvers that a container with a network of its own can reach: not those at loopback addresses of the host.

    Where the host has only the stub of systemd-resolved, the servers that it asks.
    """
    for file in (path, behind):
        try:
            listed = nameservers(file.read_text(errors="replace"))
        except OSError:
            continue
        usable = [server for server in listed if server not in without and _reachable(server)]
        if usable:
            return usable[:MAX_SERVERS]
    return []


def _reachable(server: str) -> bool:
    address = _address(server)
    return address is not None and address.version == 4 and not address.is_loopback and not address.is_unspecified
