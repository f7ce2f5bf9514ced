"""What HAProxy says of each request for the access log: fields between tabs, in the order of `FIELDS`.

`access_log.py` makes ELBv2's lines of them. What a client wrote is URL-encoded, so that it can't end a field.
"""

from collections.abc import Iterator

from longshore.drivers.haproxy.log_line import LONGEST_LINE, log_format

REMEMBERED = {
    "url": "pathq",
    "agent": "req.fhdr(user-agent)",
    "asked": "req.hdr(host)",
    "upgrade": "req.hdr(upgrade)",
}
"""Of the request as it came: gone when the log line is made, unless kept in variables."""
FIELDS = {
    "client": "%ci:%cp",
    "target": "%si:%sp",
    "request_ms": "%TR",
    "queue_ms": "%Tw",
    "connect_ms": "%Tc",
    "response_ms": "%Tr",
    "total_ms": "%Ta",
    "status": "%ST",
    "ended": "%ts",
    "answered": "%[var(txn.answered)]",
    "received": "%U",
    "sent": "%B",
    "method": "%HM",
    "path": "%[var(txn.url),url_enc]",
    "version": "%HV",
    "agent": "%[var(txn.agent),url_enc]",
    "asked": "%[var(txn.asked),url_enc]",
    "upgrade": "%[var(txn.upgrade),url_enc]",
    "cipher": "%sslc",
    "protocol": "%sslv",
    "sni": "%[ssl_fc_sni,url_enc]",
    "certificate": "%[ssl_f_sha1,hex]",
    "group": "%[var(txn.group)]",
    "trace": "%[var(txn.trace),url_enc]",
    "rule": "%[var(txn.rule)]",
    "location": "%[var(txn.location),url_enc]",
}


def remember() -> Iterator[str]:
    """First of all, before any rule answers or rewrites."""
    for name, fetch in REMEMBERED.items():
        yield f"http-request set-var(txn.{name}) {fetch}"


def remember_trace() -> Iterator[str]:
    """Once there is one."""
    yield "http-request set-var(txn.trace) req.hdr(x-amzn-trace-id)"


def logging(listener_id: str, socket: str) -> Iterator[str]:
    """The lines of a frontend that logs."""
    yield f"log {socket} len {LONGEST_LINE} format raw local0"
    yield "http-response set-var(txn.answered) bool(true)"
    yield "http-after-response set-var(txn.location) res.hdr(location)"
    yield log_format(listener_id, FIELDS.values())
