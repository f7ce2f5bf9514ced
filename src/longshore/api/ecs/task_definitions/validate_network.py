"""Rules on network mode, port mappings, and the settings that some network modes exclude. Pure."""

import re
from collections.abc import Iterable

from longshore.api.ecs.task_definitions.rules import Document, containers_of, refused

MAX_PORT = 65535
MAX_RANGES = 100
RANGE = re.compile(r"(\d{1,5})-(\d{1,5})", re.ASCII)
PORT_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")

NOT_IN_AWSVPC = {
    "links": "Links are not supported when networkMode=awsvpc",
    "extraHosts": "Extra hosts are not supported on container when networkMode=awsvpc",
    "dnsServers": "DNS servers are not supported on container when networkMode=awsvpc",
    "dnsSearchDomains": "DNS search domains are not supported on container when networkMode=awsvpc",
    "hostname": "Hostname is not supported on container when networkMode=awsvpc",
    "disableNetworking": "Disabled networking is not supported on container when networkMode=awsvpc",
}


def check_network(document: Document) -> None:
    """All rules of this file."""
    mode = document.get("networkMode") or "bridge"
    names: set[str] = set()
    for container in containers_of(document):
        _check_excluded(container, mode)
        mappings = container.get("portMappings") or ()
        if mappings and mode == "none":
            raise refused("Port mappings are not supported when networkMode=none")
        for mapping in mappings:
            _check_mapping(mapping, mode)
            _check_port_name(mapping, names)
        _check_ranges(container["name"], mappings)
        _check_protocols(container["name"], mappings)


def _check_excluded(container: Document, mode: str) -> None:
    if mode == "awsvpc":
        for field, text in NOT_IN_AWSVPC.items():
            if container.get(field):
                raise refused(text)
    elif container.get("links") and mode != "bridge":
        raise refused(f"Links are not supported when networkMode={mode}")


def _check_mapping(mapping: Document, mode: str) -> None:
    port, host_port = mapping.get("containerPort"), mapping.get("hostPort")
    if mapping.get("containerPortRange"):
        if port is not None or host_port is not None:
            raise refused("cannot specify both single port and port range")
        if mode not in {"awsvpc", "bridge"}:
            raise refused(f"containerPortRange is not supported when networkMode={mode}")
        return
    if port is None or not 1 <= port <= MAX_PORT:
        raise refused(f"Invalid container port: it must be between 1 and {MAX_PORT}")
    if host_port is not None and not 0 <= host_port <= MAX_PORT:
        raise refused(f"Invalid host port: it must be between 0 and {MAX_PORT}")
    if mode in {"awsvpc", "host"} and host_port not in {None, 0, port}:
        raise refused(f"When networkMode={mode}, the host ports and container ports in port mappings must match.")


def _check_port_name(mapping: Document, names: set[str]) -> None:
    name = mapping.get("name")
    if not name:
        return
    if not PORT_NAME.fullmatch(name):
        raise refused(
            f"Invalid port mapping name '{name}': use up to 64 lowercase letters, digits, underscores and hyphens, and "
            "do not begin with a hyphen."
        )
    if name in names:
        raise refused("port mapping name is already used")
    names.add(name)


def _check_ranges(container: str, mappings: Iterable[Document]) -> None:
    texts = [(m["containerPortRange"], m.get("protocol", "tcp")) for m in mappings if m.get("containerPortRange")]
    if len(texts) > MAX_RANGES:
        raise refused(f"Container '{container}' can have at most {MAX_RANGES} port ranges")
    taken = [
        (m["containerPort"], m["containerPort"], m.get("protocol", "tcp")) for m in mappings if m.get("containerPort")
    ]
    for text, protocol in texts:
        found = RANGE.fullmatch(text)
        first, last = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= first < last <= MAX_PORT:
            raise refused(f"Invalid containerPortRange '{text}': use 'FIRST-LAST', ports from 1 to {MAX_PORT}, rising")
        if any(first <= other_last and other_first <= last and protocol == p for other_first, other_last, p in taken):
            raise refused(f"The containerPortRange '{text}' overlaps another port mapping of container '{container}'")
        taken.append((first, last, protocol))


def _check_protocols(container: str, mappings: Iterable[Document]) -> None:
    protocols: dict[int, str] = {}
    for mapping in mappings:
        port, protocol = mapping.get("containerPort"), mapping.get("protocol", "tcp")
        if port is not None and protocols.setdefault(port, protocol) != protocol:
            raise refused(f"Container '{container}' exposes port {port} by several protocols: map it once")
