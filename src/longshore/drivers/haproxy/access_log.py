"""Access logs of application load balancers, in ELBv2's format and under its names, in folders instead of buckets.

Owns the socket that HAProxy tells of each request, and the files: one for five minutes of a load balancer, a gzip
member at a time. A request ended when its line comes, since HAProxy's own times leave out what a connection waits idle.
HAProxy does not wait for us: where we are too slow, lines are lost, as they may be on AWS. What is gone from the
folder was delivered (`delivery.py`): its name is never used again, or the object in the bucket would be replaced.
"""

import asyncio
import base64
import datetime as dt
import fcntl
import gzip
import hashlib
import logging
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from longshore.domain.clock import Clock
from longshore.domain.elbv2.balancing import (
    BalancerPlan,
    CertificatePlan,
    FixedResponse,
    GroupPlan,
    ListenerPlan,
    LoadBalancerPlan,
    Redirect,
    RulePlan,
)
from longshore.drivers.ending import cancelled
from longshore.drivers.haproxy.datagrams import Datagrams
from longshore.drivers.haproxy.log_line import fields_of, printable, split
from longshore.drivers.haproxy.render.access import FIELDS
from longshore.drivers.haproxy.render.text import group_backend

log = logging.getLogger(__name__)

FLUSH_S = 1.0
WINDOW_S = 300
BUFFER_BYTES = 4 << 20
NOTHING = "-"
GIVEN_UP = "460"
NO_REQUEST = "<BADREQ>"
"""What HAProxy calls the method of what was no request."""
PEM = re.compile("-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\\s]+)-----END CERTIFICATE-----")


class LogFolder(NamedTuple):
    """Where access logs go, and what they are named by."""

    path: Path
    """Stands for all buckets."""
    clock: Clock
    unique: Callable[[], str]
    """Letters and digits of chance, for a file's name. Called in threads."""


class Window(NamedTuple):
    """Five minutes of a load balancer."""

    balancer: str
    stem: str
    """Below the folder of all buckets: a file's name without its unique part."""


class Entry(NamedTuple):
    """A line and where it goes."""

    window: Window
    line: str


class Known(NamedTuple):
    """What the plan says of a listener that logs."""

    balancer: LoadBalancerPlan
    listener: ListenerPlan


def known_listeners(plan: BalancerPlan) -> dict[str, Known]:
    """Listeners that log, by id."""
    return {
        listener.listener_id: Known(balancer, listener)
        for balancer in plan.load_balancers
        if balancer.access_log_bucket
        for listener in balancer.listeners
    }


def fingerprint(certificate: CertificatePlan) -> str:
    """The SHA-1 of the certificate itself, the first of its PEMs, as HAProxy tells it: in capital letters."""
    found = PEM.search(certificate.pem)
    raw = base64.b64decode(found[1]) if found else b""
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest().upper()


def entry(
    told: str,
    listeners: Mapping[str, Known],
    groups: Mapping[str, GroupPlan],
    certificates: Mapping[str, str],
    now: float,
) -> Entry | None:
    """HAProxy's line as ELBv2 writes it; None for what is of no known listener.

    groups: by backend. certificates: ARNs by fingerprint. now: when the line came, which is when its request ended.
    """
    listener_id, values = split(told)
    known = listeners.get(listener_id)
    if known is None or len(values) != len(FIELDS):
        return None
    fields = fields_of(FIELDS, values)
    ended = dt.datetime.fromtimestamp(now, dt.UTC)
    began = ended - dt.timedelta(milliseconds=max(0, int(fields["total_ms"])))
    line = _line(fields, known, groups, certificates, began, ended)
    return Entry(Window(known.balancer.lb_id, _stem(known.balancer, ended)), line)


def _line(
    fields: Mapping[str, str],
    known: Known,
    groups: Mapping[str, GroupPlan],
    certificates: Mapping[str, str],
    began: dt.datetime,
    ended: dt.datetime,
) -> str:
    rule = _rule(fields, known.listener)
    group = groups.get(fields["group"])
    answered = fields["answered"] == "1"
    reached = fields["target"] if not fields["target"].startswith(("-", "<")) else NOTHING
    status = _status(fields, answered=answered)
    target_status = status if answered else NOTHING
    secure = known.listener.protocol == "HTTPS"
    scheme = "https" if secure else "http"
    url = f"{scheme}://{fields['asked'] or known.balancer.dns_name}{fields['path']}"
    return " ".join(
        (
            _type(fields, group, secure=secure),
            _time(ended),
            known.balancer.path,
            fields["client"],
            reached,
            *_seconds(fields, answered=answered),
            status,
            target_status,
            fields["received"],
            fields["sent"],
            _quoted(f"{fields['method']} {url} {fields['version']}"),
            _quoted(fields["agent"]),
            fields["cipher"] if secure else NOTHING,
            fields["protocol"] if secure else NOTHING,
            (group.arn if group else "") or NOTHING,
            _quoted(fields["trace"]),
            _quoted(fields["sni"]),
            _quoted(certificates.get(fields["certificate"], "")),
            str(rule.priority) if rule else "-1",
            _time(began),
            _quoted(_action(rule)),
            _quoted(fields["location"] if rule and isinstance(rule.action, Redirect) else ""),
            _quoted(""),
            _quoted(reached if reached != NOTHING else ""),
            _quoted(target_status if target_status != NOTHING else ""),
            _quoted(""),
            _quoted(""),
            f"TID_{hashlib.sha256(fields['client'].encode()).hexdigest()[:32]}",
        )
    )


def _type(fields: Mapping[str, str], group: GroupPlan | None, *, secure: bool) -> str:
    if fields["upgrade"].lower() == "websocket":
        return "wss" if secure else "ws"
    if fields["version"].startswith("HTTP/2"):
        return "grpcs" if group is not None and group.protocol_version == "GRPC" else "h2"
    return "https" if secure else "http"


def _status(fields: Mapping[str, str], *, answered: bool) -> str:
    """What the client was answered; 460 if it went away before, as far as HAProxy has noticed."""
    if fields["ended"].startswith("C") and not answered and fields["method"] != NO_REQUEST:
        return GIVEN_UP
    return fields["status"] if fields["status"] != "-1" else NOTHING


def _seconds(fields: Mapping[str, str], *, answered: bool) -> tuple[str, str, str]:
    """Times of the request, of the target and of the answer; -1 where there was none."""
    waited = sum(max(0, int(fields[name])) for name in ("queue_ms", "connect_ms"))
    if not answered:
        return ("-1", "-1", "-1")
    target_ms = max(0, int(fields["response_ms"]))
    rest_ms = max(0, int(fields["total_ms"]) - max(0, int(fields["request_ms"])) - waited - target_ms)
    return (f"{waited / 1000:.3f}", f"{target_ms / 1000:.3f}", f"{rest_ms / 1000:.3f}")


def _rule(fields: Mapping[str, str], listener: ListenerPlan) -> RulePlan | None:
    number = int(fields["rule"]) if fields["rule"].isdigit() else 0
    return listener.rules[number - 1] if 0 < number <= len(listener.rules) else None


def _action(rule: RulePlan | None) -> str:
    if rule is None:
        return ""
    if isinstance(rule.action, Redirect):
        return "redirect"
    return "fixed-response" if isinstance(rule.action, FixedResponse) else "forward"


def _quoted(text: str) -> str:
    return f'"{printable(text) or NOTHING}"'


def _time(when: dt.datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _stem(balancer: LoadBalancerPlan, when: dt.datetime) -> str:
    """ELBv2's name of an object for the five minutes that a moment is in, which end at the time in it."""
    ends = dt.datetime.fromtimestamp((when.timestamp() // WINDOW_S + 1) * WINDOW_S, dt.UTC)
    stamp = ends.strftime("%Y%m%dT%H%MZ")
    name = f"{balancer.account}_elasticloadbalancing_{balancer.region}_{balancer.path.replace('/', '.')}"
    parts = (
        balancer.access_log_bucket,
        balancer.access_log_prefix,
        f"AWSLogs/{balancer.account}/elasticloadbalancing/{balancer.region}/{ends:%Y/%m/%d}",
        f"{name}_{stamp}_{balancer.addresses[0]}_",
    )
    return "/".join(part for part in parts if part)


class AccessLogs:
    """Reads what HAProxy tells and writes files below a folder."""

    def __init__(self, path: Path, folder: LogFolder) -> None:
        self._datagrams = Datagrams(path, self._received, buffer_bytes=BUFFER_BYTES)
        self._folder = folder
        self._listeners: dict[str, Known] = {}
        self._groups: dict[str, GroupPlan] = {}
        self._certificates: dict[str, str] = {}
        self._pending: dict[Window, list[str]] = {}
        self._begun: dict[str, tuple[Window, Path]] = {}
        """By load balancer, the file that was begun last. Those of an earlier life get no more lines."""
        self._flushing: asyncio.Task[None] | None = None
        """Waits for more lines to write together; there is one only while some wait."""

    def open(self) -> None:
        """Begin to listen."""
        self._datagrams.open()

    async def close(self) -> None:
        """Write what has come, and listen no more."""
        self._datagrams.close()
        await cancelled([self._flushing])
        await self.flush()

    def know(self, plan: BalancerPlan) -> None:
        """Lines are about this plan from now on; what is gone stays known for the lines that are on their way."""
        self._listeners |= known_listeners(plan)
        self._groups |= {group_backend(group.group_id): group for group in plan.groups}
        self._certificates |= {fingerprint(each): each.arn for each in plan.certificates}

    async def flush(self) -> None:
        """Write what has come so far."""
        pending, self._pending = self._pending, {}
        if pending:
            await asyncio.to_thread(self._write, pending)

    async def _flush_soon(self) -> None:
        while self._pending:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    def _received(self, told: bytes) -> None:
        line, now = told.decode(errors="replace"), self._folder.clock.now()
        found = entry(line, self._listeners, self._groups, self._certificates, now)
        if found is None:
            return
        self._pending.setdefault(found.window, []).append(found.line)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush_soon())

    def _write(self, pending: Mapping[Window, list[str]]) -> None:
        for window, lines in pending.items():
            member = gzip.compress("".join(f"{line}\n" for line in lines).encode())
            try:
                with self._locked(window) as out:
                    out.write(member)
            except OSError as error:
                log.warning("access log lines are lost: %s", error)

    def _locked(self, window: Window) -> BinaryIO:
        """A window's file at its end, which can't be delivered before it is closed."""
        while True:
            out = self._old(window) or self._new(window)
            fcntl.flock(out, fcntl.LOCK_EX)
            if os.fstat(out.fileno()).st_nlink:
                out.seek(0, os.SEEK_END)
                return out
            out.close()  # delivered while we waited for it

    def _old(self, window: Window) -> BinaryIO | None:
        begun, file = self._begun.get(window.balancer, (None, Path()))
        if begun != window:
            return None
        try:
            return file.open("r+b")  # unlike "ab", makes none
        except FileNotFoundError:
            return None

    def _new(self, window: Window) -> BinaryIO:
        file = self._folder.path / f"{window.stem}{self._folder.unique()}.log.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        out = file.open("xb")
        self._begun[window.balancer] = (window, file)
        return out
