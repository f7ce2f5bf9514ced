"""PURE: a plan and the slots' contents -> the text of HAProxy's configuration, in sections with their owners.

A section's owner is the load balancer that it is about: when HAProxy refuses a line, that one is left out and the
others work. Files that the text names (certificates, maps) come with it; nothing here touches a disk.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from longshore.domain.elbv2.balancing import BalancerPlan, ListenerPlan, LoadBalancerPlan
from longshore.drivers.haproxy.render import frontends, tls
from longshore.drivers.haproxy.render.backends import backends, shape
from longshore.drivers.haproxy.render.errors import error_pages
from longshore.drivers.haproxy.render.text import STATE_FILE, block, listener_frontend
from longshore.drivers.haproxy.slots import Layout

BUFFER_BYTES = 68 << 10
"""A request's headers have to fit into one: 64 KiB of them, as on AWS, and room for those that we add."""
MOST_CONNECTIONS, FEWEST_CONNECTIONS = 20_000, 100
SPARE_FILES = 500


class Share(NamedTuple):
    """An address and port of the host where all listeners of one port are reached, by Host header or SNI."""

    address: str
    host_port: int
    listener_port: int


class Settings(NamedTuple):
    """What of the surroundings is in the text."""

    folder: str
    """Where the process's sockets and certificates are."""
    cookie_key: str
    """Makes cookie values of a target's address; the same over restarts."""
    shares: tuple["Share", ...] = ()
    """The host's ports that load balancers share."""
    access_logs: bool = False
    """Whether somebody reads the socket for access logs."""
    max_files: int = 65536
    """How many files HAProxy may have open."""
    spread_s: float | None = None
    """Within how long a new worker has checked all servers once; None: within their intervals."""


class Section(NamedTuple):
    """A part of the text."""

    owner: str
    """The load balancer's id; empty: everyone's."""
    text: str


class Rendered(NamedTuple):
    """The configuration."""

    sections: tuple[Section, ...]
    files: Mapping[str, str]
    """Contents of PEM files and maps by name, in the folder `certs`."""

    @property
    def text(self) -> str:
        """The whole text."""
        return "\n".join(section.text for section in self.sections)

    def owner_at(self, line: int) -> str:
        """Whose a line is (the first is 1); empty for nobody's."""
        passed = 0
        for section in self.sections:
            passed += section.text.count("\n") + 1
            if line <= passed:
                return section.owner
        return ""


class Unwritable(Exception):  # noqa: N818
    """What a load balancer wants can't be written as HAProxy's configuration."""

    def __init__(self, owner: str, reason: str) -> None:
        super().__init__(reason)
        self.owner = owner
        self.reason = reason


def render(plan: BalancerPlan, layout: Layout, settings: Settings) -> Rendered:
    """The configuration for a plan. Raises Unwritable."""
    sections = [Section("", _head(settings, _max_connections(plan, layout, settings)))]
    pems = {certificate.certificate_id: certificate.pem for certificate in plan.certificates}
    shared = _shared(plan, settings)
    log_to = f"{settings.folder}/access.sock" if settings.access_logs else ""
    apart = {group.group_id for group in plan.groups if shape(group, layout[group.group_id]).apart}
    for balancer in plan.load_balancers:
        with _owned_by(balancer.lb_id):
            for listener in balancer.listeners:
                binds = list(_binds(balancer, listener, settings, pems, shared=listener.listener_id in shared.sockets))
                text = frontends.frontend(balancer, listener, binds, apart=apart, log_to=log_to)
                sections.append(Section(balancer.lb_id, text))
    owners = group_owners(plan)
    for group in plan.groups:
        owner = owners.get(group.group_id, "")
        with _owned_by(owner):
            sections.append(Section(owner, backends(group, layout[group.group_id], settings.cookie_key)))
    sections.extend(Section("", text) for text in shared.texts)
    return Rendered(tuple(sections), {**dict(_files(plan, pems)), **shared.files})


@contextlib.contextmanager
def _owned_by(owner: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise Unwritable(owner, str(error)) from error


def group_owners(plan: BalancerPlan) -> dict[str, str]:
    """Which load balancer each target group is behind: a group has one at most."""
    return {group_id: balancer.lb_id for balancer in plan.load_balancers for group_id in groups_of(balancer)}


def groups_of(balancer: LoadBalancerPlan) -> Iterator[str]:
    """The groups a load balancer forwards to."""
    for listener in balancer.listeners:
        yield from frontends.groups_of(listener.rules)


class _Shared(NamedTuple):
    sockets: Mapping[str, str]
    """Of listeners that are reached through the host's ports too."""
    texts: Sequence[str]
    files: Mapping[str, str]
    """Maps from names to backends."""


def _shared(plan: BalancerPlan, settings: Settings) -> _Shared:
    sockets: dict[str, str] = {}
    texts: list[str] = []
    files: dict[str, str] = {}
    host_ports = {each.port: each for each in plan.host_ports}
    for share in settings.shares:
        own: dict[str, str] = {}
        for balancer in plan.load_balancers:
            for listener in balancer.listeners:
                if listener.port == share.listener_port:
                    own[balancer.dns_name.lower()] = listener.listener_id
                    sockets[listener.listener_id] = _socket(listener, settings)
        if not own:
            continue
        host_port = host_ports.get(share.listener_port)
        if host_port is not None and host_port.every in own.values():
            texts.append(frontends.sole_frontend(share.host_port, share.address, host_port.every))
            continue
        here = set(own.values())
        others = {name: to for name, to in host_port.names if to in here} if host_port is not None else {}
        exact, wild = frontends.maps({**others, **own})
        paths = []
        for content in (exact, wild):
            files[_map_name(content)] = content
            paths.append(f"{settings.folder}/certs/{_map_name(content)}" if content else "")
        texts.append(frontends.shared_frontend(share.host_port, share.address, *paths))
    files.pop(_map_name(""), None)
    texts.extend(frontends.shared_backend(listener_id, path) for listener_id, path in sockets.items())
    return _Shared(sockets, [*texts, frontends.nobody()] if texts else [], files)


def _map_name(content: str) -> str:
    """By its content, as certificates have theirs."""
    return tls.file_name(content).replace(".pem", ".map")


def _socket(listener: ListenerPlan, settings: Settings) -> str:
    return f"{settings.folder}/{listener_frontend(listener.listener_id)}.sock"


def _binds(
    balancer: LoadBalancerPlan,
    listener: ListenerPlan,
    settings: Settings,
    pems: Mapping[str, str],
    *,
    shared: bool,
) -> Iterator[str]:
    options = tls.bind_options(listener, pems, f"{settings.folder}/certs")
    for address in balancer.addresses:
        yield f"{address}:{listener.port}{options}"
    if shared:
        yield f"unix@{_socket(listener, settings)} mode 600 accept-proxy{options}"


def _files(plan: BalancerPlan, pems: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for pem in pems.values():
        yield tls.file_name(pem), pem
    for balancer in plan.load_balancers:
        for listener in balancer.listeners:
            if listener.mutual_tls is not None and listener.mutual_tls.bundle_pem:
                for pem in (listener.mutual_tls.bundle_pem, "".join(listener.mutual_tls.revocations_pem)):
                    yield tls.file_name(pem), pem


def _max_connections(plan: BalancerPlan, layout: Layout, settings: Settings) -> int:
    """What the limit on open files allows: a connection has two ends, a listener one, and a check is a connection."""
    listeners = sum(len(lb.listeners) * (len(lb.addresses) + 1) for lb in plan.load_balancers)
    taken = SPARE_FILES + listeners + sum(len(slots) for slots in layout.values())
    return max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, (settings.max_files - taken) // 2))


def _head(settings: Settings, max_connections: int) -> str:
    own = [
        f"maxconn {max_connections}",
        f"log {settings.folder}/log.sock format raw local0",
        f"tune.bufsize {BUFFER_BYTES}",
        "tune.ssl.default-dh-param 2048",
        "spread-checks 0",
        f"server-state-file {settings.folder}/{STATE_FILE}",
    ]
    if settings.spread_s is not None:
        own.append(f"max-spread-checks {round(settings.spread_s * 1000)}")
    common = [
        "load-server-state-from-file global",
        "retries 1",
        "option redispatch 1",
        "timeout connect 10s",
        "timeout client 60s",
        "timeout server 60s",
        "timeout client-fin 30s",
        "timeout server-fin 30s",
    ]
    http = ["mode http", *common, "option idle-close-on-response", *error_pages()]
    return "\n".join((block("global", own), block("defaults http", http), block("defaults tcp", ["mode tcp", *common])))


__all__ = ["Rendered", "Section", "Settings", "Share", "Unwritable", "group_owners", "groups_of", "render", "shape"]
