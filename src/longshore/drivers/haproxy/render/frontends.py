"""Frontends: a listener's, with its rules and the headers it adds, and the ones that share the host's ports."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence

from longshore.domain.elbv2.balancing import FixedResponse, Forward, ListenerPlan, LoadBalancerPlan, Redirect, RulePlan
from longshore.drivers.haproxy.render import access, actions, errors, tls
from longshore.drivers.haproxy.render.conditions import acls
from longshore.drivers.haproxy.render.text import (
    block,
    escaped,
    group_backend,
    header_name,
    listener_frontend,
    open_backend,
    quoted,
    verbatim,
)

TRACE_ID = f"1-%[date,set-var(txn.came),bytes(4,4),hex,lower]-{'%[rand,bytes(4,4),hex,lower]' * 3}"
"""The time, kept for `errors.LATE`, and 24 digits of chance, eight at a time: cheaper than to print a UUID."""
DEFAULT_PORTS = {"HTTP": 80, "HTTPS": 443}
INSPECT_S = 5
"""How long a client at a shared port may take to say which load balancer it means."""


PATIENCE_S = 86400
"""Of what only passes on: the load balancer's own listener has the idle timeout that counts."""


def frontend(
    balancer: LoadBalancerPlan, listener: ListenerPlan, binds: Sequence[str], *, apart: Collection[str], log_to: str
) -> str:
    """The frontend of a listener.

    binds: what follows the word, one for each address. apart: ids of the groups whose twins have a backend of their
    own. log_to: a socket or empty.
    """
    lines = [f"bind {bind}" for bind in binds]
    layer = "http" if listener.protocol in ("HTTP", "HTTPS") else "tcp"
    lines.extend(_http(balancer, listener, apart, log_to) if layer == "http" else _tcp(listener, apart))
    return block(f"frontend {listener_frontend(listener.listener_id)} from {layer}", lines)


def _tcp(listener: ListenerPlan, apart: Collection[str]) -> Iterator[str]:
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
        chosen = [f"{{ var(sess.dice) -m int lt {below} }}"] if below < total else []
        yield from _use(share.group_id, chosen, apart)


def _http(balancer: LoadBalancerPlan, listener: ListenerPlan, apart: Collection[str], log_to: str) -> Iterator[str]:
    logs = bool(log_to and balancer.access_log_bucket)
    yield f"timeout client {balancer.idle_timeout_s}s"
    yield f"timeout http-request {balancer.idle_timeout_s}s"
    yield f"timeout http-keep-alive {balancer.idle_timeout_s}s"
    if not balancer.http2:
        yield "option disable-h2-upgrade"
    yield "tcp-request session set-var(sess.began) date"
    if _needs_host(listener.rules):
        yield "http-request set-var(txn.host) req.hdr(host),host_only,lower"
    groups = () if logs else _only_groups(listener.rules)
    if groups:
        yield from _headers(balancer, listener)
        yield from _trace()
        yield from _went_through_others(balancer)
        yield from _choose_backend(listener.rules, groups, apart)
    else:
        yield from _by_number(balancer, listener, apart, logs=logs)
    if logs:
        yield from access.logging(listener.listener_id, log_to)
    yield from _closing(balancer, listener)


def groups_of(rules: Sequence[RulePlan]) -> Iterator[str]:
    """The groups that rules forward to."""
    for rule in rules:
        if isinstance(rule.action, Forward):
            yield from (share.group_id for share in rule.action.groups)


def _needs_host(rules: Sequence[RulePlan]) -> bool:
    return any(
        isinstance(rule.action, Redirect) or any(condition.field == "host-header" for condition in rule.conditions)
        for rule in rules
    )


def _only_groups(rules: Sequence[RulePlan]) -> tuple[str, ...]:
    """Each rule's target group, if all that rules do is to forward to one; else nothing.

    And if they can be chosen after the headers are: what a condition on a header reads may be one that we write.
    """
    groups = []
    for rule in rules:
        shares = [share for share in rule.action.groups if share.weight] if isinstance(rule.action, Forward) else []
        reads_headers = any(condition.field == "http-header" for condition in rule.conditions)
        if len(shares) != 1 or rule.rewrites or reads_headers:
            return ()
        groups.append(shares[0].group_id)
    return tuple(groups)


def _choose_backend(rules: Sequence[RulePlan], groups: Sequence[str], apart: Collection[str]) -> Iterator[str]:
    """The first rule whose conditions hold ends the search, and no variable is written, read or made a name of."""
    for number, (rule, group_id) in enumerate(zip(rules, groups, strict=True), 1):
        names = yield from _conditions(number, rule)
        yield from _use(group_id, names, apart)


def _use(group_id: str, terms: Sequence[str], apart: Collection[str]) -> Iterator[str]:
    """Forward to a group under conditions."""
    name = group_backend(group_id)
    if group_id in apart:
        # What costs least is asked first.
        yield f"use_backend {open_backend(group_id)} if {' '.join((f'!{{ nbsrv({name}) -m bool }}', *terms))}"
    yield f"use_backend {name}" + (f" if {' '.join(terms)}" if terms else "")


def _by_number(
    balancer: LoadBalancerPlan, listener: ListenerPlan, apart: Collection[str], *, logs: bool
) -> Iterator[str]:
    """Which rule was chosen is remembered: for its own answer, its rewrites, its shares, and the access log."""
    if logs:
        yield from access.remember()
    yield from _choose(listener.rules)
    yield from _trace()
    yield _longer_trace()
    if logs:
        yield from access.remember_trace()
    yield from _answers(listener)
    yield from _headers(balancer, listener)
    yield from _forwards(listener.rules)
    yield from _forwarded_for(balancer)
    for group_id in sorted(set(groups_of(listener.rules)).intersection(apart)):
        name = group_backend(group_id)
        yield f"use_backend {open_backend(group_id)} if {{ var(txn.group) -m str {name} }} !{{ nbsrv({name}) -m bool }}"
    yield "use_backend %[var(txn.group)]"


def _conditions(number: int, rule: RulePlan) -> Generator[str, None, list[str]]:
    """The `acl` lines of a rule's conditions; returns their names."""
    names = []
    for index, condition in enumerate(rule.conditions):
        names.append(f"r{number}c{index}")
        yield from acls(names[-1], condition)
    return names


def _choose(rules: Sequence[RulePlan]) -> Iterator[str]:
    """`txn.rule` becomes the number of the first rule whose conditions hold."""
    for number, rule in enumerate(rules, 1):
        names = yield from _conditions(number, rule)
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
    yield f'http-request add-header x-amzn-trace-id "Root={TRACE_ID}"'


def _longer_trace() -> str:
    """A trace that somebody else began goes on: this hop, whose line is the last, is its `Self`."""
    own = "%[req.fhdr(x-amzn-trace-id,-1),regsub('^Root','Self')]"
    others = "%[req.fhdr(x-amzn-trace-id,-2),regsub('Self=[^;]*;?','')]"
    return f'http-request set-header x-amzn-trace-id "{own};{others}" if {{ req.fhdr_cnt(x-amzn-trace-id) gt 1 }}'


def _headers(balancer: LoadBalancerPlan, listener: ListenerPlan) -> Iterator[str]:
    if balancer.drop_invalid_headers:
        yield f"http-request del-header {quoted('[^-A-Za-z0-9]')} -m reg"
    if balancer.forwarded_for == "remove":
        yield "http-request del-header x-forwarded-for"
    yield f"http-request set-header x-forwarded-proto {'https' if listener.protocol == 'HTTPS' else 'http'}"
    yield f"http-request set-header x-forwarded-port {listener.port}"
    if balancer.tls_headers and listener.protocol == "HTTPS":
        yield from tls.tls_headers(listener)
    yield from tls.client_headers(listener)
    if not balancer.preserve_host and listener.port not in DEFAULT_PORTS.values():
        port = "req.fhdr(host),port_only"
        host = f"%[req.hdr(host),host_only]:{listener.port}"
        yield f'http-request set-header host "{host}" unless {{ {port} -m bool }}'


def _went_through_others(balancer: LoadBalancerPlan) -> Iterator[str]:
    """What only requests need that bring a trace or an X-Forwarded-For: for all others the rules end here."""
    if balancer.forwarded_for == "append" and not balancer.forwarded_for_port:
        yield "http-request allow if { req.fhdr_cnt(x-amzn-trace-id) eq 1 } !{ req.fhdr(x-forwarded-for) -m found }"
    yield _longer_trace()
    yield from _forwarded_for(balancer)


def _forwarded_for(balancer: LoadBalancerPlan) -> Iterator[str]:
    """One X-Forwarded-For that came gets the client's address appended; none, or several, get a line of their own."""
    if balancer.forwarded_for != "append":
        return
    client = "%[src]:%[src_port]" if balancer.forwarded_for_port else "%[src]"
    came = "req.fhdr_cnt(x-forwarded-for)"
    yield f'http-request set-header x-forwarded-for "%[req.fhdr(x-forwarded-for)], {client}" if {{ {came} eq 1 }}'
    if balancer.forwarded_for_port:
        yield f'http-request add-header x-forwarded-for "{client}" unless {{ {came} eq 1 }}'
        return
    yield f'http-request add-header x-forwarded-for "{client}" if {{ {came} gt 1 }}'
    # What most requests need is HAProxy's own and costs the least; it comes after all rules.
    yield "option forwardfor if-none"


def _closing(balancer: LoadBalancerPlan, listener: ListenerPlan) -> Iterator[str]:
    yield f"http-after-response set-header connection close if {{ date,sub(sess.began) ge {balancer.keepalive_s} }}"
    if any(isinstance(rule.action, Forward) and rule.action.stickiness_s for rule in listener.rules):
        yield from actions.group_cookies()
    for name, value in listener.response_headers:
        yield f'http-after-response set-header {header_name(name)} "{verbatim(value)}"'
    if not listener.server_header:
        yield f"http-after-response del-header server if {{ res.hdr(server) -m str {errors.OWN_NAME} }}"
    yield from errors.true_status()


def maps(listeners: Mapping[str, str]) -> tuple[str, str]:
    """Of listeners' ids by host: the map of exact hosts, and that of hosts whose first label is `*`, without that."""
    exact: list[str] = []
    wild: list[str] = []
    for host, listener_id in sorted(listeners.items()):
        star, _, parent = host.partition(".")
        line = f"{parent if star == '*' else host} {_behind_shared(listener_id)}\n"
        (wild if star == "*" else exact).append(line)
    return "".join(exact), "".join(wild)


def sole_frontend(port: int, address: str, listener_id: str) -> str:
    """The frontend of a host port that leads to one listener alone: whatever comes is for that."""
    lines = [
        f"bind {address}:{port}",
        f"timeout client {PATIENCE_S}s",
        f"default_backend {_behind_shared(listener_id)}",
    ]
    return block(f"frontend host-{address}-{port} from tcp", lines)


def shared_frontend(port: int, address: str, exact: str, wild: str) -> str:
    """The frontend of a host port that load balancers share: `exact` and `wild` are files with `maps`, wild or empty.

    It looks at the first bytes of a connection only, and passes everything on as it is.
    """
    lines = [
        f"bind {address}:{port}",
        f"timeout client {PATIENCE_S}s",
        f"tcp-request inspect-delay {INSPECT_S}s",
        "tcp-request content set-var(sess.name) req.ssl_sni,lower if { req.ssl_hello_type 1 }",
        "tcp-request content set-var(sess.name) req.hdr(host),host_only,lower if HTTP",
        f"tcp-request content set-var(sess.to) var(sess.name),map_str({exact})",
    ]
    if wild:
        parent = f"var(sess.name),field(2,.,0),map_str({wild})"
        lines.append(f"tcp-request content set-var(sess.to) {parent} unless {{ var(sess.to) -m found }}")
    lines += [
        "tcp-request content accept if { var(sess.name) -m found }",
        "tcp-request content reject if { req.ssl_hello_type 1 }",
        "use_backend %[var(sess.to)] if { var(sess.to) -m found }",
        "default_backend nobody",
    ]
    return block(f"frontend host-{address}-{port} from tcp", lines)


def _behind_shared(listener_id: str) -> str:
    return f"host-{listener_frontend(listener_id)}"


def shared_backend(listener_id: str, socket: str) -> str:
    """Where a shared frontend passes on to: a listener, at a socket of its own, told who the client is."""
    lines = [f"timeout server {PATIENCE_S}s", f"server listener unix@{socket} send-proxy-v2"]
    return block(f"backend {_behind_shared(listener_id)} from tcp", lines)


def nobody() -> str:
    """What a shared frontend answers for a name that no load balancer has."""
    text = escaped("No load balancer has this name and a listener at this port.\n")
    line = f'http-request return status 404 content-type text/plain string "{text}"'
    return block("backend nobody from http", [line])
