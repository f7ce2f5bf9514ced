"""The resolvers of this host, from its resolv.conf: whom the name server asks, and whom containers can ask themselves.

Called by the forwarder for every question it asks, and by the Docker engine once.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from longshore.domain.ec2.network import parsed_address

RESOLV_CONF = Path("/etc/resolv.conf")
SYSTEMD = Path("/run/systemd/resolve/resolv.conf")
"""The servers behind the stub of systemd-resolved."""
STUBS = frozenset({"127.0.0.53", "127.0.0.54"})
MAX_SERVERS = 3
"""As many as the usual libraries, and Docker's own resolver, ask."""


def nameservers(text: str) -> list[str]:
    """The addresses of a resolv.conf, each once, in their order; what is no address is left out."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and parsed_address(words[1]) is not None:
            found[words[1]] = None
    return list(found)


def resolvers(
    path: Path = RESOLV_CONF, behind: Path = SYSTEMD, *, without: Collection[str] = ()
) -> Callable[[], Sequence[str]]:
    """A function that tells the host's resolvers but our own addresses; it reads the files when they have changed."""
    seen: object = None
    servers: list[str] = []

    def ask() -> Sequence[str]:
        nonlocal seen, servers
        now = (_mark(path), _mark(behind))
        if now != seen:
            servers, seen = _listed(path, behind, without)[:MAX_SERVERS], now
        return servers

    return ask


def for_containers(path: Path = RESOLV_CONF, behind: Path = SYSTEMD, *, without: Collection[str] = ()) -> list[str]:
    """Those that a container with a network of its own can reach: none at loopback addresses of the host."""
    return [server for server in _listed(path, behind, without) if _reachable(server)][:MAX_SERVERS]


def _listed(path: Path, behind: Path, without: Collection[str]) -> list[str]:
    """Where the host has only the stub of systemd-resolved, the servers that it asks, as Docker does.

    If that stub is told to ask us, and we asked it, each would wait for the other.
    """
    servers = [server for server in nameservers(_text(path)) if server not in without]
    if servers and all(server in STUBS for server in servers) and behind.exists():
        return [server for server in nameservers(_text(behind)) if server not in without]
    return servers


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _mark(path: Path) -> tuple[int, int, int] | None:
    """What is different after a change."""
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_mtime_ns, now.st_ino, now.st_size


def _reachable(server: str) -> bool:
    address = parsed_address(server)
    return address is not None and address.version == 4 and not address.is_loopback and not address.is_unspecified
