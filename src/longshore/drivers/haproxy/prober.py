"""The first checks of a new target: at once, and quickly until its first success, so that it serves as soon as it can.

After that HAProxy's checks go on in the group's own rhythm. A new target is unhealthy when checks in that rhythm
would have found it so: quick failures while it starts don't count.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import NamedTuple

from longshore.domain.elbv2.balancing import CheckPlan, GroupPlan, TargetPlan
from longshore.drivers.haproxy import http2
from longshore.drivers.haproxy.health import FAILED, HEALTHY, TIMED_OUT, Verdict, mismatch
from longshore.drivers.haproxy.render.backends import AGENT

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 1.0
GROWTH = 1.3


async def until_success(group: GroupPlan, target: TargetPlan, failed: Callable[[Verdict], None]) -> None:
    """Returns at the first success; `failed` is told why it is unhealthy once it counts as that."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    wait_s = FIRST_WAIT_S
    patience_s = (group.check.unhealthy_threshold - 1) * group.check.interval_s
    while (found := await probe(group, target)) is not HEALTHY:
        if loop.time() - began >= patience_s:
            failed(found)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * GROWTH, LONGEST_WAIT_S)


async def probe(group: GroupPlan, target: TargetPlan) -> Verdict:
    """One check."""
    check = group.check
    try:
        async with asyncio.timeout(check.timeout_s):
            return await _probe(group, target)
    except TimeoutError:
        return TIMED_OUT
    except (OSError, EOFError, ValueError, http2.ProtocolError):
        return FAILED


async def _probe(group: GroupPlan, target: TargetPlan) -> Verdict:
    check = group.check
    h2 = check.protocol in ("HTTP", "HTTPS") and group.protocol_version in ("HTTP2", "GRPC")
    context = _unverified(h2=h2) if check.protocol in ("HTTPS", "TLS") else None
    port = check.port or target.port
    source = (group.source, 0) if group.source else None
    reader, writer = await asyncio.open_connection(target.address, port, ssl=context, local_addr=source)
    try:
        if group.proxy_protocol:
            writer.write(LOCAL_PROXY)
        if check.protocol in ("TCP", "TLS"):
            return HEALTHY
        host = f"{target.address}:{port}"
        if h2:
            return _judge(check, await _http2(check, host, reader, writer))
        return _judge(check, Answer(await _http1(check, host, reader, writer)))
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            writer.transport.abort()


class Answer(NamedTuple):
    """What a target answered."""

    status: int
    grpc_status: int | None = None


LOCAL_PROXY = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
"""PROXY protocol version 2, LOCAL: a connection of the proxy itself."""


def _judge(check: CheckPlan, answer: Answer) -> Verdict:
    code = answer.status
    if check.grpc:
        if answer.status != 200 or answer.grpc_status is None:
            return FAILED
        code = answer.grpc_status
    if any(first <= code <= last for first, last in check.codes):
        return HEALTHY
    return mismatch(str(code))


async def _http1(check: CheckPlan, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """The answer's status."""
    writer.write(
        f"GET {check.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {AGENT}\r\nConnection: close\r\n\r\n".encode()
    )
    while True:
        version, _, rest = (await reader.readuntil(b"\r\n")).partition(b" ")
        if not version.startswith(b"HTTP/1."):
            raise ValueError("not HTTP")
        status = int(rest[:3])
        if status >= 200 or status == 101:
            return status
        await reader.readuntil(b"\r\n\r\n")  # 100 and its like are followed by the answer


async def _http2(check: CheckPlan, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
    scheme = "https" if check.protocol == "HTTPS" else "http"
    headers = [
        (":method", "POST" if check.grpc else "GET"),
        (":scheme", scheme),
        (":path", check.path),
        (":authority", host),
        ("user-agent", AGENT),
    ]
    body = b""
    if check.grpc:
        headers += [("content-type", "application/grpc"), ("te", "trailers")]
        body = bytes(5)
    found = await http2.exchange(reader, writer, headers, body, wanted=(b":status", b"grpc-status"))
    grpc_status = found.get(b"grpc-status")
    return Answer(int(found[b":status"]), None if grpc_status is None else int(grpc_status))


def _unverified(*, h2: bool) -> ssl.SSLContext:
    """As on AWS, the certificate of a target is not checked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if h2:
        context.set_alpn_protocols(["h2"])
    return context
