"""A real server on a socket, and clients that speak HTTP badly or mean harm: it answers others meanwhile and
afterwards, never with a fault, changes nothing, and keeps nothing of them.

Clients here read until the server closes, or close themselves: no test waits for time to pass, but the ones that
shorten the server's own patience. LONGSHORE_FUZZ_ROUNDS draws more broken requests.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import resource
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from longshore.api import app
from longshore.api.http import connection
from longshore.api.services import SERVICES
from longshore.domain.ecs.cluster import Cluster
from longshore.wire.http import HttpResponse
from tests.support.house import protocols, read
from tests.support.serving import Serving
from tests.support.wire_samples import client_request, service_model

ROUNDS = int(os.environ.get("LONGSHORE_FUZZ_ROUNDS", "12"))
LIST = b"X-Amz-Target: AmazonEC2ContainerServiceV20141113.ListClusters\r\n"
CREATE = LIST.replace(b"ListClusters", b"CreateCluster")
JSON = b"Host: localhost\r\nContent-Type: application/x-amz-json-1.1\r\n"
HEALTH = b"GET /_longshore/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /_longshore/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
SPOKEN = [(service.name, protocol) for service in SERVICES for protocol in protocols(service.name)]
MIB = 1024 * 1024


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def running() -> Iterator[Serving]:
    with Serving() as serving:
        yield serving


@pytest.fixture
def serving(running: Serving, caplog: pytest.LogCaptureFixture) -> Iterator[Serving]:
    """A server that must be as it was, once the test is over: answering, unchanged, with no task or client too many.

    The cluster `before` is there; a test may make others.
    """
    with running.store.transaction() as tx:
        for cluster in list(tx.all(Cluster)):
            tx.delete(Cluster, cluster.key)
    assert statuses(exchange(running, post(b'{"clusterName": "before"}', target=CREATE) + LAST)) == [200, 200]
    until(lambda: running.server.connections == 0)
    tasks, revision = running.tasks(), running.store.revision
    yield running
    assert health(running) == 200
    until(lambda: running.server.connections == 0)
    until(lambda: running.tasks() <= tasks)
    made = [cluster.name for cluster in running.store.all(Cluster) if cluster.name != "before"]
    assert running.store.revision == revision + len(made)
    assert b'code="InternalFailure"' not in running.metrics.render()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def until(condition: Callable[[], bool]) -> None:
    """Return once it holds, which it does soon."""
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


def health(serving: Serving) -> int:
    [status] = statuses(exchange(serving, LAST))
    return status


def connect(serving: Serving) -> socket.socket:
    return socket.create_connection(("127.0.0.1", serving.port), timeout=60)


def exchange(serving: Serving, *parts: bytes, half_close: bool = False) -> bytes:
    """Everything that the server says until it closes."""
    with connect(serving) as client:
        with contextlib.suppress(OSError):  # the server may have closed already
            for part in parts:
                client.sendall(part)
            if half_close:
                client.shutdown(socket.SHUT_WR)
        return rest(client)


def rest(client: socket.socket) -> bytes:
    said = bytearray()
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65536):
            said += part
    return bytes(said)


def statuses(said: bytes) -> list[int]:
    return [int(piece[:3]) for piece in said.split(b"HTTP/1.1 ")[1:]]


def post(body: bytes, *headers: bytes, target: bytes = LIST) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST / HTTP/1.1\r\n" + JSON + target + length + b"".join(headers) + b"\r\n" + body


def chunked(body: bytes, *headers: bytes, target: bytes = LIST) -> bytes:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + JSON + target + b"".join(headers)
    return head + b"\r\n" + body


def head(*headers: bytes, line: bytes = b"POST / HTTP/1.1\r\n") -> bytes:
    return line + JSON + LIST + b"".join(headers) + b"\r\n"


NOT_HTTP: dict[str, bytes] = {
    "no request line": b"\r\n\r\nnonsense\r\n\r\n",
    "no version that is": head(line=b"GET / HTTP/9.9\r\n"),
    "no method that is": head(line=b"NONSENSE / HTTP/1.1\r\n"),
    "method in small letters": head(line=b"get / HTTP/1.1\r\n"),
    "HTTP/2 from the start": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "only line feeds": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "NUL in the path": head(line=b"GET /\x00 HTTP/1.1\r\n"),
    "bytes in the path": head(line=b"GET /\xff\xc3 HTTP/1.1\r\n"),
    "space in the path": head(line=b"GET / / HTTP/1.1\r\n"),
    "NUL in a header": head(b"X: a\x00b\r\n"),
    "NUL in a header's name": head(b"X\x00: a\r\n"),
    "space before the colon": head(b"Content-Length : 2\r\n"),
    "folded header": head(b"X: a\r\n b\r\n"),
    "bare carriage return": head(b"X: a\rContent-Length: 2\r\n"),
    "header without a colon": head(b"nonsense\r\n"),
    "header without a name": head(b": x\r\n"),
    "two hosts": head(b"Host: elsewhere\r\n"),
    "length below nought": head(b"Content-Length: -1\r\n"),
    "length with a sign": head(b"Content-Length: +2\r\n"),
    "length in hexadecimal": head(b"Content-Length: 0x2\r\n"),
    "length beyond 64 bits": head(b"Content-Length: 99999999999999999999999\r\n"),
    "length list": head(b"Content-Length: 2, 2\r\n"),
    "length twice": head(b"Content-Length: 2\r\nContent-Length: 2\r\n"),
    "lengths that differ": head(b"Content-Length: 2\r\nContent-Length: 3\r\n"),
    "length and chunks": chunked(b"2\r\n{}\r\n0\r\n\r\n", b"Content-Length: 2\r\n"),
    "chunks and length": head(b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n"),
    "unknown coding": head(b"Transfer-Encoding: gzip\r\n"),
    "coding that ends in chunked": head(b"Transfer-Encoding: xchunked\r\n"),
    "chunked, then another": head(b"Transfer-Encoding: chunked, gzip\r\n"),
    "chunked twice": head(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    "chunk below nought": chunked(b"-2\r\n{}\r\n0\r\n\r\n"),
    "chunk beyond 64 bits": chunked(b"f" * 17 + b"\r\n{}\r\n"),
    "chunk without a size": chunked(b"\r\n{}\r\n0\r\n\r\n"),
    "chunk in other digits": chunked(b"zz\r\n{}\r\n0\r\n\r\n"),
    "chunk longer than it says": chunked(b"2\r\n{}{}\r\n0\r\n\r\n"),
    "broken trailer": chunked(b"2\r\n{}\r\n0\r\nnonsense\r\n\r\n"),
    "tunnel": head(line=b"CONNECT / HTTP/1.1\r\n"),
    "tunnel elsewhere": b"CONNECT elsewhere:80 HTTP/1.1\r\nHost: localhost\r\n\r\n" + HEALTH,
    "endless path": b"GET /" + b"a" * 400_000,
    "endless header": b"GET / HTTP/1.1\r\nX: " + b"a" * 400_000,
    "endless headers": b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 80_000,
    "endless extension": chunked(b"2;" + b"x=y;" * 200_000),
    "endless trailers": chunked(b"2\r\n{}\r\n0\r\n" + b"X: aaaaaaaaa\r\n" * 200_000),
    "endless trailer": chunked(b"2\r\n{}\r\n0\r\nX: " + b"a" * 2_000_000),
}
ODD: dict[str, tuple[bytes, int]] = {
    "lines before it": (b"\r\n" * 100 + post(b"{}"), 200),
    "HTTP/1.0": (head(b"Content-Length: 2\r\n", line=b"POST / HTTP/1.0\r\n") + b"{}", 200),
    "no version": (b"GET /_longshore/health\r\n\r\n", 200),
    "absolute address": (HEALTH.replace(b"/_", b"http://elsewhere/_", 1), 200),
    "everything": (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    "other methods": (head(line=b"M-SEARCH / HTTP/1.1\r\n"), 200),
    "nothing at the end": (HEALTH.replace(b"GET", b"DELETE", 1), 200),
    "head of a page that is not there": (b"HEAD /none HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    "header twice": (post(b"{}", LIST), 200),
    "many headers": (post(b"{}", b"X: a\r\n" * 5000), 200),
    "bytes in a header": (post(b"{}", b"X: \xff\xc3\x28\r\n"), 200),
    "bytes in the target": (post(b"{}", target=b"X-Amz-Target: \xff.\xc3\r\n"), 400),
    "escaped path": (head(line=b"GET /%00%ff%2e%2e/%zz HTTP/1.1\r\n").replace(LIST, b""), 404),
    "path of dots": (head(line=b"GET /" + b"../" * 5000 + b" HTTP/1.1\r\n").replace(LIST, b""), 404),
    "long query": (head(line=b"GET /?" + b"a=b&" * 10_000 + b" HTTP/1.1\r\n").replace(LIST, b""), 404),
    "chunks of one byte": (chunked(b"1\r\n \r\n" * 20_000 + b"2\r\n{}\r\n0\r\n\r\n"), 200),
    "chunk extension": (chunked(b"2;a=b\r\n{}\r\n0\r\n\r\n"), 200),
    "body of a GET": (post(b"{}").replace(b"POST", b"GET", 1), 200),
    "WebSocket": (HEALTH[:-2] + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
    "HTTP/2 on offer": (
        post(b"{}", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"),
        200,
    ),
}


@pytest.mark.parametrize("raw", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_not_http_is_answered_400_and_cut_off(serving: Serving, raw: bytes) -> None:
    assert statuses(exchange(serving, raw)) == [400]


@pytest.mark.parametrize(("raw", "status"), ODD.values(), ids=ODD)
def test_what_is_odd_is_answered_and_so_is_what_follows(serving: Serving, raw: bytes, status: int) -> None:
    found = statuses(exchange(serving, raw, LAST))
    assert found[0] == status
    assert found[1:] in ([200], []) if raw.startswith((b"POST / HTTP/1.0", b"GET /_longshore/health\r")) else [200]


def drawn(chance: random.Random) -> bytes:
    """A request that lists clusters, with bytes changed, lost, doubled or put in, mostly in its head."""
    body = chance.choice((b"{}", b'{"maxResults": 5}', b""))
    raw = bytearray(
        post(body) if chance.random() < 0.7 else chunked(b"%x\r\n%s\r\n0\r\nT: x\r\n\r\n" % (len(body), body))
    )
    pieces = (
        *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b" ", b"\t", b":", b",", b";", b"\xff", b"%", b"HTTP/1.1", b"0"),
        *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"-", b"ffffffff"),
        *(b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"Connection: close\r\n", b"Host: a\r\n", b"X: y\r\n" * 50),
        *(b"Content-Encoding: gzip\r\n", b"Content-Type: application/cbor\r\n", b"Smithy-Protocol: rpc-v2-cbor\r\n"),
    )
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(raw) + 1)
        end = at + chance.randint(1, 12)
        match chance.randrange(5):
            case 0:
                raw[at:end] = b""
            case 1:
                raw[at:at] = chance.choice(pieces)
            case 2:
                raw[at:end] = chance.choice(pieces)
            case 3:
                raw[at:at] = raw[at:end] * chance.choice((1, 1, 300))
            case _:
                lines = bytes(raw).split(b"\r\n")
                lines.insert(chance.randrange(len(lines)), chance.choice(pieces[-12:]).rstrip(b"\r\n"))
                raw = bytearray(b"\r\n".join(lines))
    return bytes(raw)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def test_broken_requests_by_the_thousand_leave_nothing_behind(serving: Serving) -> None:
    answered = 0
    for number in range(ROUNDS * 300):
        if number == ROUNDS * 100:
            before = resident_mib()
        raw = drawn(random.Random(f"http {number}"))
        last = LAST if number % 2 else b""
        found = statuses(exchange(serving, raw, last, half_close=True))
        assert all(status < 500 for status in found), f"seed 'http {number}': {raw!r} -> {found}"
        answered += any(found)
    assert answered > ROUNDS * 100
    assert health(serving) == 200
    assert resident_mib() - before < 50


def test_body_of_a_request_that_offers_another_protocol_is_read(serving: Serving) -> None:
    """The parser would take the body for the other protocol, and the request be carried out without it."""
    wish = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
    first = post(b'{"clusterName": "sized"}', wish, target=CREATE)
    second = chunked(b'1a\r\n{"clusterName": "chunked"}\r\n0\r\n\r\n', wish, target=CREATE)
    assert statuses(exchange(serving, first + second + LAST)) == [200] * 3
    cut = [first[at : at + 7] for at in range(0, len(first), 7)]
    assert statuses(exchange(serving, *cut, LAST)) == [200] * 2
    assert {cluster.name for cluster in serving.store.all(Cluster)} == {"before", "sized", "chunked"}


def test_trailer_is_no_header(serving: Serving) -> None:
    """Else a proxy in front, which forbids some header, could be passed by."""
    raw = chunked(b"2\r\n{}\r\n0\r\n" + CREATE + b"\r\n", target=b"")
    assert statuses(exchange(serving, raw + LAST)) == [404, 200]


def test_what_is_pipelined_is_answered_in_order(serving: Serving) -> None:
    """More at once than the head of one request may have."""
    names = [f"c{number}" for number in range(800)]
    bodies = [json.dumps({"clusters": [name]}).encode() for name in names]
    described = LIST.replace(b"List", b"Describe")
    said = exchange(serving, b"".join(post(body, target=described) for body in bodies) + LAST)
    assert statuses(said) == [200] * 801
    assert [piece.partition(b'"')[0].decode() for piece in said.split(b":cluster/")[1:]] == names


def test_what_is_pipelined_without_end_is_not_kept(serving: Serving) -> None:
    before = resident_mib()
    with connect(serving) as client:
        client.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):  # it takes no more, for nobody reads the answers
            while sent < 500_000:
                client.sendall(HEALTH * 1000)
                sent += 1000
        assert sent < 500_000
        assert health(serving) == 200
        assert resident_mib() - before < 100


def test_half_sent_requests_keep_nobody_waiting(serving: Serving) -> None:
    whole = post(b'{"clusterName": "half"}', target=CREATE)
    with contextlib.ExitStack() as stack:
        for number in range(300):
            client = stack.enter_context(connect(serving))
            client.sendall(whole[: number * len(whole) // 300])
        until(lambda: serving.server.connections == 300)
        assert health(serving) == 200
    assert [cluster.name for cluster in serving.store.all(Cluster)] == ["before"]


def test_clients_beyond_the_limit_push_out_those_that_ask_for_nothing(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 20)
    with contextlib.ExitStack() as stack:
        busy = stack.enter_context(connect(serving))
        busy.sendall(post(b"{}")[:-1])
        for number in range(200):
            client = stack.enter_context(connect(serving))
            client.sendall(HEALTH[: number % len(HEALTH)])
        until(lambda: serving.server.connections <= 20)
        assert health(serving) == 200
        busy.sendall(b"}" + LAST)
        assert statuses(rest(busy)) == [200, 200]


def test_clients_that_never_finish_are_cut_off(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.2)
    monkeypatch.setattr(app, "BODY_TIMEOUT_S", 0.2)
    for part in (b"", b"GET / HT", HEALTH[:-2], b"\r\n"):
        assert exchange(serving, part) == b""
    for part in (HEALTH[:-2], b"\r\n"):
        with connect(serving) as client:
            client.sendall(HEALTH)
            assert b'"commits":' in client.recv(65536)
            client.sendall(part)
            assert rest(client) == b""
    assert statuses(exchange(serving, post(b"{}")[:-1])) == [408]


def test_client_that_never_reads_is_cut_off(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITE_TIMEOUT_S", 0.2)
    with connect(serving) as client:
        client.settimeout(60)
        with contextlib.suppress(ConnectionError):
            while True:
                client.sendall(HEALTH * 1000)
        until(lambda: serving.server.connections == 0)


def test_slow_body_keeps_nobody_waiting(serving: Serving) -> None:
    raw = post(b'{"maxResults": 5}')
    with connect(serving) as client:
        client.sendall(raw[:-17])
        for byte in raw[-17:]:
            assert health(serving) == 200
            client.sendall(bytes([byte]))
        client.sendall(LAST)
        assert statuses(rest(client)) == [200, 200]


@pytest.mark.parametrize(("service", "protocol"), SPOKEN, ids=["-".join(pair) for pair in SPOKEN])
def test_body_too_large_is_refused_in_the_protocols_own_words_before_it_is_sent(
    serving: Serving, service: str, protocol: str
) -> None:
    operation = min(next(each for each in SERVICES if each.name == service).operations)
    model = service_model(service).operation_model(operation)
    members = model.input_shape.members if model.input_shape is not None else {}
    in_path = {name: "x" for name, member in members.items() if member.serialization.get("location") == "uri"}
    request = client_request(service, model, in_path, protocol, check=False)
    kept = {k: v for k, v in request.headers.items() if k not in {"content-length", "host", "expect"}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in kept.items()).encode("latin-1")
    length = b"Content-Length: %d\r\n" % (app.MAX_BODY_BYTES + 1)
    line = f"{request.method} {request.path} HTTP/1.1\r\n".encode()
    said = exchange(serving, line + b"Host: localhost\r\nExpect: 100-continue\r\n" + lines + length + b"\r\n")
    top, _, body = said.partition(b"\r\n\r\n")
    assert statuses(said) == [413]
    names = dict(line.split(": ", 1) for line in top.decode().split("\r\n")[1:])
    answer = HttpResponse(413, list(names.items()), body)
    assert read(protocol, answer, model)["Error"]["Code"] == "RequestEntityTooLargeException"
