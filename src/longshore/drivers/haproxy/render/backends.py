"""Backends: a target group's, with checks, balancing and stickiness, and with twins for when nothing is healthy."""

from collections.abc import Iterator, Sequence

from longshore.domain.elbv2.balancing import CheckPlan, GroupPlan
from longshore.drivers.haproxy.render.text import argument, block, group_backend, open_backend, quoted
from longshore.drivers.haproxy.slots import Shape, Slot, server_name, twin_name

ALGORITHMS = {
    "round_robin": "roundrobin",
    "least_outstanding_requests": "leastconn",
    "weighted_random": "random(1)",
}
LB_COOKIE = "AWSALB"
APP_COOKIE = "AWSALBAPP-0"
COOKIE_LIFE_S = 604800
"""What a browser is told of AWSALB; how long it binds is inside of it."""
CONNECT_S = 10
STICKY_SOURCES = 100_000
AGENT = "ELB-HealthChecker/2.0"
GRPC_EMPTY = "%[int(0),bytes(0,5)]"
"""An empty message in gRPC's framing: five zero bytes, which HAProxy can't hold in a text."""
GRPC_OK = 0


def shape(group: GroupPlan, slots: Sequence[Slot]) -> Shape:
    """How a group is rendered.

    Usually a twin is a backup beside the server that it stands in for, so that no request has to ask whether any
    target is healthy. What binds a client to a target would find the twin of one that is down: then they are apart.
    """
    return Shape(len(slots), apart=bool(group.stickiness))


def backends(group: GroupPlan, slots: Sequence[Slot], cookie_key: str) -> str:
    """The backend of a group, or both."""
    common = [*_traffic(group), *_stickiness(group, cookie_key)]
    apart = shape(group, slots).apart
    twins = [*_defaults(group, checked=False), *_twins(slots, apart=apart)]
    # Twins come first: what `default-server` says of checks is for those below.
    lines = [*common] if apart else [*common, "option allbackups", *twins]
    lines += [*_checks(group), *_defaults(group, checked=True)]
    lines += [_server(server_name(index), slot, on=slot.serving) for index, slot in enumerate(slots)]
    own = block(f"backend {group_backend(group.group_id)} from {group.layer}", lines)
    if not apart:
        return own
    return own + "\n" + block(f"backend {open_backend(group.group_id)} from {group.layer}", [*common, *twins])


def _twins(slots: Sequence[Slot], *, apart: bool) -> Iterator[str]:
    for index, slot in enumerate(slots):
        yield _server(twin_name(index, apart=apart), slot, on=slot.registered, more="" if apart else " backup")


def _server(name: str, slot: Slot, *, on: bool, more: str = "") -> str:
    return f"server {name} {slot.address}:{slot.port}{more}{'' if on else ' disabled'}"


def _defaults(group: GroupPlan, *, checked: bool) -> Iterator[str]:
    if options := " ".join(_server_options(group, checked=checked)):
        yield f"default-server {options}"


def _traffic(group: GroupPlan) -> Iterator[str]:
    yield f"balance {'source' if group.stickiness == 'source_ip' else ALGORITHMS[group.algorithm]}"
    if group.source:
        yield f"source {group.source}"
    yield f"timeout connect {CONNECT_S}s"
    yield f"timeout server {group.idle_timeout_s}s"
    yield f"timeout tunnel {group.idle_timeout_s}s"


def _stickiness(group: GroupPlan, cookie_key: str) -> Iterator[str]:
    if group.stickiness == "source_ip":
        # By address, not by slot: a target that comes into a slot does not inherit the clients of the one before.
        yield f"stick-table type ipv6 size {STICKY_SOURCES} expire {group.stickiness_s or 3600}s srvkey addr"
        yield "stick on src"
        return
    if not group.stickiness:
        return
    yield f"dynamic-cookie-key {quoted(cookie_key)}"
    if group.stickiness == "lb_cookie":
        yield (f'cookie {LB_COOKIE} insert dynamic maxidle {group.stickiness_s}s attr "Max-Age={COOKIE_LIFE_S}"')
        yield from _cors(LB_COOKIE, COOKIE_LIFE_S, f"{{ res.cook({LB_COOKIE}) -m found }}")
        return
    # HAProxy writes the target into a cookie that the answer has; it gets one when the application set its own.
    yield f"cookie {APP_COOKIE} rewrite dynamic"
    yield (
        f'http-request replace-header cookie "(.*)\\\\b{APP_COOKIE}=[^;]*(.*)" "\\\\1\\\\2" '
        f"unless {{ {_cookie('req', group.cookie_name)} -m found }}"
    )
    yield (
        f'http-response add-header set-cookie "{APP_COOKIE}=new; Max-Age={group.stickiness_s}; Path=/" '
        f"if {{ {_cookie('res', group.cookie_name)} -m found }}"
    )


def _cookie(side: str, name: str) -> str:
    """The fetch of an application's cookie."""
    return quoted(f"{side}.cook({argument(name)})")


def _cors(cookie: str, life_s: int, condition: str) -> Iterator[str]:
    value = f"{cookie}CORS=%[res.cook({cookie})]; Max-Age={life_s}; Path=/; SameSite=None; Secure"
    yield f'http-after-response add-header set-cookie "{value}" if {condition}'


def _server_options(group: GroupPlan, *, checked: bool) -> Iterator[str]:
    check = group.check
    secure_check = checked and check.enabled and check.protocol in ("HTTPS", "TLS")
    if group.tls:
        yield "ssl verify none"
        if group.layer == "http":
            yield f"alpn {'h2' if _speaks_h2(group) else 'http/1.1'}"
    elif secure_check:
        yield "verify none"
    if _speaks_h2(group) and not group.tls:
        yield "proto h2"
    if group.proxy_protocol:
        yield "send-proxy-v2"
    if group.slow_start_s and checked:
        yield f"weight 100 slowstart {group.slow_start_s}s"
    if checked and check.enabled:
        if secure_check:
            yield "check-ssl"
        yield f"check inter {check.interval_s}s rise {check.healthy_threshold} fall {check.unhealthy_threshold}"


def _speaks_h2(group: GroupPlan) -> bool:
    return group.protocol_version in ("HTTP2", "GRPC")


def _checks(group: GroupPlan) -> Iterator[str]:
    check = group.check
    if not check.enabled:
        return
    yield "log global"
    yield "option log-health-checks"
    yield f"timeout check {check.timeout_s}s"
    if check.protocol in ("TCP", "TLS"):
        yield "option tcp-check"
        yield f"tcp-check connect{_connect_options(group, h2=False)}"
        return
    yield "option httpchk"
    h2 = _speaks_h2(group)
    yield f"http-check connect{_connect_options(group, h2=h2)}"
    version = "HTTP/2" if h2 else "HTTP/1.1"
    method = "POST" if check.grpc else "GET"
    # Not every server takes a request without a Host; ELBv2 sends the target's address.
    headers = f'hdr host "%[bc_dst]:%[bc_dst_port]" hdr user-agent {AGENT}'
    if check.grpc:
        headers += f' hdr content-type application/grpc hdr te trailers body-lf "{GRPC_EMPTY}"'
    elif not h2:
        headers += " hdr connection close"
    yield f"http-check send meth {method} uri {quoted(check.path)} ver {version} {headers}"
    yield from _expectations(check)


def _connect_options(group: GroupPlan, *, h2: bool) -> str:
    check = group.check
    options = [f"port {check.port}"] if check.port is not None else []
    if check.protocol in ("HTTPS", "TLS"):
        options.append("ssl")
        if h2:
            options.append("alpn h2")
    if h2:
        options.append("proto h2")
    if group.proxy_protocol:
        options.append("send-proxy")
    return "".join(f" {option}" for option in options)


def _expectations(check: CheckPlan) -> Iterator[str]:
    if not check.grpc:
        codes = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in check.codes)
        yield f"http-check expect status {codes}"
        return
    yield "http-check expect status 200"
    # An answer of headers alone has its grpc-status there; after a message it is out of HAProxy's sight, and OK.
    wanted = "|".join(str(code) for first, last in check.codes for code in range(first, last + 1))
    if any(first <= GRPC_OK <= last for first, last in check.codes):
        refused = f"^(?!(?:{wanted})$)"
        yield f"http-check expect ! hdr name grpc-status value -m reg {quoted(refused)} error-status L7STS"
    else:
        yield f"http-check expect hdr name grpc-status value -m reg {quoted(f'^(?:{wanted})$')} error-status L7STS"
