"""The configuration of a task's proxy, and the NAT rules that lead to it. Pure; see tests/golden/connect.

A route is a frontend and two backends: the one with outlier ejection, and its twin of all endpoints, which takes over
when fewer than half are left: Envoy, which AWS has there, never ejects more than half, and panics below it. What is
observed of an endpoint's answers counts: after five failures in a row (connections, or statuses 5xx) it is ejected, and
after 30 seconds HAProxy tries a connection to it and takes it in again.
"""

from collections.abc import Iterator, Mapping, Sequence

from longshore.domain.names.connect import ConnectIngress, ConnectPlan, ConnectRoute, Endpoint, ProxyLog
from longshore.drivers.connect.access import logging
from longshore.drivers.haproxy.log_line import LONGEST_LINE
from longshore.drivers.haproxy.render.text import block
from longshore.drivers.haproxy.slots import server_name

CHAIN = "LONGSHORE-CONNECT"
LOOPBACK = "127.255.0.0/16"
"""Where the addresses of names are."""
MARK = "# longshore: Service Connect"
"""At the end of our lines in a hosts file."""
IDLE_PORT = 61000
"""Below those of routes."""
MAX_CONNECTIONS = 4096
FOREVER_S = 2_000_000
"""HAProxy can't count to more than 24 days."""
EJECT_AFTER = 5
EJECT_S = 30
CONNECT_S = 5
RETRIES = 2
NOWHERE = "0.0.0.0:0"
BUFFER_BYTES = 65_536
"""Holds what Envoy takes of one request or answer, 60 KiB of headers with the URL, beside HAProxy's own notes on them.
Connections have a buffer only while something is on its way through them."""
REWRITE_BYTES = 1024
"""Of a buffer, kept free for headers that are added."""
HTTP2 = ("http2", "grpc")
Layout = Mapping[int, Sequence[Endpoint | None]]
"""The slots of each route, by its `listen_port`."""


def backend(route: ConnectRoute) -> str:
    """The backend that ejects."""
    return f"c-{route.listen_port}"


def twin(route: ConnectRoute) -> str:
    """The one that doesn't."""
    return f"{backend(route)}-all"


def render(plan: ConnectPlan, layout: Layout, socket: str) -> str:
    """The whole file. `socket` takes what is logged, if anything is."""
    parts = [_head(plan.log, socket)]
    for route in plan.routes:
        parts += [_frontend(route, plan.log), *_backends(route, layout[route.listen_port], plan.log)]
    parts += [_ingress(ingress) for ingress in plan.ingresses]
    return "\n".join(parts)


def emptied(layout: Layout) -> Layout:
    """The same slots with nothing in them: what tells whether a reload is needed."""
    return {route: (None,) * len(slots) for route, slots in layout.items()}


def rules(plan: ConnectPlan, *, first: bool) -> str:
    """Input for `iptables-restore --noflush`: what containers send to a name's address goes to the proxy.

    `first`: the namespace is new, and nothing leads to our chain yet.
    """
    lines = ["*nat", f":{CHAIN} - [0:0]"]
    if first:
        lines.append(f"-A OUTPUT -d {LOOPBACK} -p tcp -j {CHAIN}")
    lines += [
        f"-A {CHAIN} -d {route.address}/32 -p tcp -m tcp --dport {route.port} "
        f"-j REDIRECT --to-ports {route.listen_port}"
        for route in plan.routes
    ]
    return "\n".join([*lines, "COMMIT", ""])


def hosts(present: str, plan: ConnectPlan) -> str:
    """A hosts file with the names of a plan instead of those that it had from us."""
    kept = [line for line in present.splitlines() if not line.endswith(MARK)]
    named = dict.fromkeys(f"{route.address}\t{route.dns_name}\t{MARK}" for route in plan.routes)
    return "\n".join([*kept, *named, ""])


def _head(log: ProxyLog | None, socket: str) -> str:
    own = [
        f"maxconn {MAX_CONNECTIONS}",
        "nbthread 1",
        "spread-checks 0",
        f"tune.bufsize {BUFFER_BYTES}",
        f"tune.maxrewrite {REWRITE_BYTES}",
    ]
    if log is not None:
        own.append(f"log {socket} len {LONGEST_LINE} format raw local0")
    common = [
        f"retries {RETRIES}",
        "option redispatch 1",
        f"timeout connect {CONNECT_S}s",
        "timeout client-fin 30s",
        "timeout server-fin 30s",
    ]
    http = ["mode http", *common, "option idle-close-on-response", "retry-on conn-failure empty-response 503"]
    tcp = ["mode tcp", *common]
    # HAProxy runs with a listener or not at all, and a namespace may be empty yet.
    idle = [f"bind 127.0.0.1:{IDLE_PORT}", "timeout client 1s", "tcp-request connection reject"]
    sections = (block("global", own), block("defaults http", http), block("defaults tcp", tcp))
    return "\n".join((*sections, block("frontend idle from tcp", idle)))


def _frontend(route: ConnectRoute, log: ProxyLog | None) -> str:
    set_var = "http-request" if _layer(route) == "http" else "tcp-request content"
    few = f"{{ nbsrv({backend(route)}),mul(2),sub(txn.all) -m int lt 0 }}"
    lines = [
        f"bind 127.0.0.1:{route.listen_port}",
        *_idle(route.idle_timeout_s, "client"),
        *(logging(route, log) if log is not None and log.requests else ()),
        f"{set_var} set-var(txn.all) nbsrv({twin(route)})",
        f"use_backend {twin(route)} if {few}",
        f"default_backend {backend(route)}",
    ]
    return block(f"frontend f-{route.listen_port} from {_layer(route)}", lines)


def _backends(route: ConnectRoute, slots: Sequence[Endpoint | None], log: ProxyLog | None) -> Iterator[str]:
    layer = _layer(route)
    observed = "layer7" if layer == "http" else "layer4"
    # Checks are for coming back: who is not ejected is left alone, since each check is a connection without a word.
    watch = (
        f"check inter 1h fastinter {EJECT_S}s downinter {EJECT_S}s rise 1 fall 1 "
        f"observe {observed} error-limit {EJECT_AFTER} on-error mark-down"
    ).split()
    for name, options in ((backend(route), watch), (twin(route), [])):
        lines = ["balance roundrobin", *_answer(route)]
        if log is not None and options:
            lines.append("log global")  # tells who is ejected, and who is back
        if layer == "http":
            # Who does not say that a request may be repeated gets it repeated only if it never got there.
            lines.append("http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE }")
        proto = ["proto", "h2"] if route.protocol in HTTP2 else []
        lines.append(" ".join(["default-server", *proto, *options]) if proto or options else "")
        for index, slot in enumerate(slots):
            where = f"{slot.address}:{slot.port}" if slot else f"{NOWHERE} disabled"
            lines.append(f"server {server_name(index)} {where}")
        yield block(f"backend {name} from {layer}", [line for line in lines if line])


def _answer(route: ConnectRoute) -> Iterator[str]:
    if _layer(route) == "tcp":
        yield from _idle(route.idle_timeout_s, "server")
        return
    yield f"timeout server {_seconds(route.request_timeout_s)}s"
    yield f"timeout tunnel {_seconds(route.idle_timeout_s)}s"


def _ingress(ingress: ConnectIngress) -> str:
    # Bytes go through as they are: who called balances, and knows the protocol.
    lines = [
        f"bind :{ingress.port}",
        *_idle(ingress.idle_timeout_s, "client"),
        *_idle(ingress.idle_timeout_s, "server"),
        f"server container 127.0.0.1:{ingress.container_port}",
    ]
    return block(f"listen i-{ingress.port} from tcp", lines)


def _idle(seconds: int, side: str) -> Iterator[str]:
    yield f"timeout {side} {_seconds(seconds)}s"


def _seconds(given: int) -> int:
    return min(given, FOREVER_S) or FOREVER_S


def _layer(route: ConnectRoute) -> str:
    return "tcp" if route.protocol == "tcp" else "http"
