"""Frontends: a listener's, with its rules and the headers it adds, and the ones that share the host's ports."""

from collections.abc import Iterator, Mapping, Sequence

from longshore.domain.balancing import FixedResponse, Forward, ListenerPlan, LoadBalancerPlan, Redirect, RulePlan
from longshore.drivers.haproxy.render import access, actions, tls
from longshore.drivers.haproxy.render.backends import CONNECT_S
from longshore.drivers.haproxy.render.conditions import acls
from longshore.drivers.haproxy.render.text import (
    block,
    escaped,
    group_backend,
    listener_frontend,
    open_backend,
    quoted,
)

TRACE_ID = "1-%[date,bytes(4,4),hex,lower]-%[uuid,bytes(24,12)]%[uuid,bytes(24,12)]"
"""The time and 24 digits of chance: the last group of a random UUID has twelve."""
DEFAULT_PORTS = {"HTTP": 80, "HTTPS": 443}
INSPECT_S = 5
"""How long a client at a shared port may take to say which load balancer it means."""


PATIENCE_S = 86400
"""Of what only passes on: the load balancer's own listener has the idle timeout that counts."""


def frontend(balancer: LoadBalancerPlan, listener: ListenerPlan, binds: Sequence[str], *, log_to: str) -> str:
    """The frontend of a listener. `binds`: what follows the word, one for each address; `log_to`: a socket or empty."""
    lines = [f"bind {bind}" for bind in binds]
    layer = "http" if listener.protocol in ("HTTP", "HTTPS") else "tcp"
    lines.extend(_http(balancer, listener, log_to) if layer == "http" else _tcp(listener))
    return block(f"frontend {listener_frontend(listener.listener_id)} from {layer}", lines)


def _tcp(listener: ListenerPlan) -> Iterator[str]:
    yield f"timeout client {listener.tcp_idle_timeout_s}s"
    action = listener.rules[-1].action
    if not isinstance(action, Forward):
        raise ValueError("A TCP or TLS listener can only forward.")  # noqa: TRY004  of the plan, not of the program
    shares = [share for share in action.groups if share.weight]
    total = sum(share.weight for share in shares)
    if len(shares) > 1:
        yield f"tcp-request content set-var(sess.dice) rand({total})"
    below = 0
    for share in shares:
        below += share.weight
        chosen = f"{{ var(sess.dice) -m int lt {below} }}" if below < total else ""
        name = group_backend(share.group_id)
        yield f"use_backend {open_backend(share.group_id)} if {{ nbsrv({name}) eq 0 }} {chosen}".rstrip()
        yield f"use_backend {name} if {chosen or 'TRUE'}"


def _http(balancer: LoadBalancerPlan, listener: ListenerPlan, log_to: str) -> Iterator[str]:
    logs = bool(log_to and balancer.access_log_bucket)
    yield f"timeout client {balancer.idle_timeout_s}s"
    yield f"timeout http-request {balancer.idle_timeout_s}s"
    yield f"timeout http-keep-alive {balancer.idle_timeout_s}s"
    if not balancer.http2:
        yield "option disable-h2-upgrade"
    yield "tcp-request session set-var(sess.began) date"
    yield "http-request set-var(txn.came) date"
    if _needs_host(listener.rules):
        yield "http-request set-var(txn.host) req.hdr(host),host_only,lower"
    if logs:
        yield from access.remember()
    yield from _choose(listener.rules)
    yield from _trace()
    if logs:
        yield from access.remember_trace()
    yield from _answers(listener)
    yield from _headers(balancer, listener)
    yield from _forwards(listener.rules)
    yield "use_backend %[var(txn.group)]-open if { var(txn.group),nbsrv eq 0 }"
    yield "use_backend %[var(txn.group)]"
    yield from _closing(balancer, listener.rules)
    if logs:
        yield from access.logging(listener.listener_id, log_to)


def _needs_host(rules: Sequence[RulePlan]) -> bool:
    return any(
        isinstance(rule.action, Redirect) or any(condition.field == "host-header" for condition in rule.conditions)
        for rule in rules
    )


def _choose(rules: Sequence[RulePlan]) -> Iterator[str]:
    """`txn.rule` becomes the number of the first rule whose conditions hold."""
    for number, rule in enumerate(rules, 1):
        names = []
        for index, condition in enumerate(rule.conditions):
            names.append(f"r{number}c{index}")
            yield from acls(names[-1], condition)
        open_still = ["!{ var(txn.rule) -m found }"] if number > 1 else []
        terms = [*open_still, *names]
        yield f"http-request set-var(txn.rule) int({number})" + (f" if {' '.join(terms)}" if terms else "")


def _by_action(rules: Sequence[RulePlan]) -> Iterator[tuple[Forward | Redirect | FixedResponse, str]]:
    """Each different action with the condition that a rule with it was chosen."""
    numbers: dict[Forward | Redirect | FixedResponse, list[int]] = {}
    for number, rule in enumerate(rules, 1):
        numbers.setdefault(rule.action, []).append(number)
    for action, which in numbers.items():
        yield action, f"{{ var(txn.rule) -m int {' '.join(map(str, which))} }}"


def _answers(listener: ListenerPlan) -> Iterator[str]:
    """What is answered without a target."""
    scheme = "https" if listener.protocol == "HTTPS" else "http"
    for action, chosen in _by_action(listener.rules):
        match action:
            case FixedResponse():
                yield from actions.fixed(action, chosen)
            case Redirect():
                yield from actions.redirect(action, scheme, chosen)
            case Forward():
                pass


def _forwards(rules: Sequence[RulePlan]) -> Iterator[str]:
    for action, chosen in _by_action(rules):
        if isinstance(action, Forward):
            yield from actions.forward(action, chosen)
    for number, rule in enumerate(rules, 1):
        yield from actions.rewrite(rule.rewrites, f"{{ var(txn.rule) -m int {number} }}")


def _trace() -> Iterator[str]:
    traced = "{ req.hdr(x-amzn-trace-id) -m found }"
    # A trace that somebody else began goes on: this hop is its `Self`.
    own = "%[req.fhdr(x-amzn-trace-id),regsub('Self=[^;]*;?','')]"
    yield f'http-request set-header x-amzn-trace-id "Self={TRACE_ID};{own}" if {traced}'
    yield f'http-request set-header x-amzn-trace-id "Root={TRACE_ID}" unless {traced}'


def _headers(balancer: LoadBalancerPlan, listener: ListenerPlan) -> Iterator[str]:
    if balancer.drop_invalid_headers:
        yield f"http-request del-header {quoted('[^-A-Za-z0-9]')} -m reg"
    if balancer.forwarded_for == "remove":
        yield "http-request del-header x-forwarded-for"
    elif balancer.forwarded_for == "append":
        client = "%[src]:%[src_port]" if balancer.forwarded_for_port else "%[src]"
        one = "{ req.fhdr_cnt(x-forwarded-for) eq 1 }"
        yield f'http-request set-header x-forwarded-for "%[req.fhdr(x-forwarded-for)], {client}" if {one}'
        yield f'http-request add-header x-forwarded-for "{client}" unless {one}'
    yield f"http-request set-header x-forwarded-proto {'https' if listener.protocol == 'HTTPS' else 'http'}"
    yield f"http-request set-header x-forwarded-port {listener.port}"
    if balancer.tls_headers and listener.protocol == "HTTPS":
        yield "http-request set-header x-amzn-tls-version %[ssl_fc_protocol]"
        yield "http-request set-header x-amzn-tls-cipher-suite %[ssl_fc_cipher]"
    yield from tls.client_headers(listener)
    if not balancer.preserve_host and listener.port not in DEFAULT_PORTS.values():
        yield (f'http-request set-header host "%[req.hdr(host)]:{listener.port}" unless {{ req.hdr(host) -m sub : }}')


def _closing(balancer: LoadBalancerPlan, rules: Sequence[RulePlan]) -> Iterator[str]:
    # Without an answer of a target HAProxy says 503; ELBv2 says so only when there is no target to ask.
    yield "http-response set-var(txn.answered) bool(true)"
    failed = "{ status 503 } !{ var(txn.answered) -m found } { be_name,nbsrv gt 0 }"
    yield f"http-after-response set-status 504 if {failed} {{ date,sub(txn.came) ge {CONNECT_S} }}"
    yield f"http-after-response set-status 502 if {failed}"
    yield f"http-after-response set-header connection close if {{ date,sub(sess.began) ge {balancer.keepalive_s} }}"
    if any(isinstance(rule.action, Forward) and rule.action.stickiness_s for rule in rules):
        yield from actions.group_cookies()


def shared_frontend(port: int, address: str, listeners: Mapping[str, str]) -> str:
    """The frontend of a host port that load balancers share: `listeners` are ids of listeners by DNS name.

    It looks at the first bytes of a connection only, and passes everything on as it is.
    """
    lines = [
        f"bind {address}:{port}",
        f"timeout client {PATIENCE_S}s",
        f"tcp-request inspect-delay {INSPECT_S}s",
        "tcp-request content set-var(sess.name) req.ssl_sni,lower if { req.ssl_hello_type 1 }",
        "tcp-request content set-var(sess.name) req.hdr(host),host_only,lower if HTTP",
        "tcp-request content accept if { var(sess.name) -m found }",
        "tcp-request content reject if { req.ssl_hello_type 1 }",
    ]
    for name, listener_id in listeners.items():
        lines.append(f"use_backend host-{listener_frontend(listener_id)} if {{ var(sess.name) -m str {quoted(name)} }}")
    lines.append("default_backend nobody")
    return block(f"frontend host-{address}-{port} from tcp", lines)


def shared_backend(listener_id: str, socket: str) -> str:
    """Where a shared frontend passes on to: a listener, at a socket of its own, told who the client is."""
    lines = [f"timeout server {PATIENCE_S}s", f"server listener unix@{socket} send-proxy-v2"]
    return block(f"backend host-{listener_frontend(listener_id)} from tcp", lines)


def nobody() -> str:
    """What a shared frontend answers for a name that no load balancer has."""
    text = escaped("No load balancer has this name and a listener at this port.\n")
    line = f'http-request return status 404 content-type text/plain string "{text}"'
    return block("backend nobody from http", [line])
