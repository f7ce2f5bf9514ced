"""Requests through a task's proxy: what HAProxy tells of each, and the line that is logged of it. Pure.

Service Connect logs as Envoy does: as text, in Envoy's default format, or as JSON under the names of its fields
("Access logging", Envoy's documentation). A value that there is not is `-`.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from longshore.domain.names.connect import ConnectRoute, ProxyLog
from longshore.drivers.haproxy.log_line import fields_of, log_format, printable, split

FIRST = "request"
"""How a line that is about a request begins."""
NOTHING = "-"
REMEMBERED = {
    "agent": "req.fhdr(user-agent)",
    "forwarded": "req.fhdr(x-forwarded-for)",
    "request_id": "req.fhdr(x-request-id)",
    "authority": "req.hdr(host)",
}
"""Of the request: gone when the line is made, unless kept in variables."""
TCP = {
    "discovery_name": "",
    "response_flags": "%ts",
    "bytes_received": "%U",
    "bytes_sent": "%B",
    "duration": "%Tt",
    "upstream_host": "%si:%sp",
}
HTTP = {
    **TCP,
    "response_flags": "%tsc",
    "duration": "%Ta",
    "method": "%HM",
    "path": "%[var(txn.path),url_enc]",
    "protocol": "%HV",
    "response_code": "%ST",
    "upstream_service_time": "%Tr",
    "x_forwarded_for": "%[var(txn.forwarded),url_enc]",
    "user_agent": "%[var(txn.agent),url_enc]",
    "x_request_id": "%[var(txn.request_id),url_enc]",
    "authority": "%[var(txn.authority),url_enc]",
}
JSON_FIELDS = (
    *("start_time", "method", "path", "protocol", "response_code", "response_flags", "bytes_received", "bytes_sent"),
    *("duration", "upstream_service_time", "x_forwarded_for", "user_agent", "x_request_id", "authority"),
    *("upstream_host", "discovery_name"),
)
NUMBERS = frozenset({"response_code", "bytes_received", "bytes_sent", "duration", "upstream_service_time"})


def logging(route: ConnectRoute, log: ProxyLog) -> Iterator[str]:
    """The lines of a frontend that logs requests."""
    yield "log global"
    fields = TCP
    if route.protocol != "tcp":
        fields = HTTP
        yield f"http-request set-var(txn.path) {'pathq' if log.with_query else 'path'}"
        yield from (f"http-request set-var(txn.{name}) {fetch}" for name, fetch in REMEMBERED.items())
    yield log_format(FIRST, {**fields, "discovery_name": route.discovery_name}.values())


def line(told: str, form: str, now: float) -> str:
    """What is logged of HAProxy's line (`form` is TEXT or JSON): one that is about no request stays as it is.

    now: when the line came, which is when its request ended.
    """
    first, values = split(told)
    names = {len(fields): fields for fields in (TCP, HTTP)}.get(len(values))
    if first != FIRST or names is None:
        return told.rstrip("\n")
    fields = {name: value for name, value in fields_of(names, values).items() if value and _is_there(name, value)}
    began = datetime.fromtimestamp(now, UTC) - timedelta(milliseconds=int(fields.get("duration", 0)))
    fields["start_time"] = began.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return _json(fields) if form == "JSON" else _text(fields)


def _is_there(name: str, value: str) -> bool:
    if name in NUMBERS:
        return not value.startswith("-")
    return not (name == "upstream_host" and value.startswith(("-", "<"))) and set(value) != {NOTHING}


def _json(fields: Mapping[str, str]) -> str:
    shown = {name: fields.get(name) for name in JSON_FIELDS}
    return json.dumps({name: int(value) if value and name in NUMBERS else value for name, value in shown.items()})


def _text(fields: Mapping[str, str]) -> str:
    def of(name: str) -> str:
        return printable(fields.get(name, NOTHING))

    numbers = ("response_code", "response_flags", "bytes_received", "bytes_sent", "duration", "upstream_service_time")
    quoted = ("x_forwarded_for", "user_agent", "x_request_id", "authority", "upstream_host")
    return " ".join(
        (
            f"[{of('start_time')}]",
            f'"{of("method")} {of("path")} {of("protocol")}"',
            *(of(name) for name in numbers),
            *(f'"{of(name)}"' for name in quoted),
        )
    )
