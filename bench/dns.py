"""The name server on one core: answers per second from a client that always has questions open, and how long they take.

The server is a process of its own with a thousand load balancers in its store; the client sends over UDP and keeps a
fixed number of questions open. The baseline is the same client against a server that does nothing but send the
question back: what sockets, Python and this machine take by themselves.
"""

import asyncio
import contextlib
import multiprocessing
import os
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

from bench.table import Row, above, below, progress
from longshore.control.names import LoadBalancerNames, PrivateNames
from longshore.domain.balancer import LoadBalancer, Zone
from longshore.drivers.dns.server import make_dns_server
from longshore.store.journal import MemoryJournal
from longshore.store.store import Store
from longshore.system import SystemClock, SystemIds

HOST = "127.0.0.1"
BALANCERS = 1000
OPEN = 16
"""Questions under way at a time."""
LOST_S = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking."""

    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_share: float
    """Of one core, by the server."""


def measure(quick: bool) -> list[Row]:
    """Ask for load balancers' names as fast as answers come."""
    duration_s = 2.0 if quick else 10.0
    with _process(_echo) as (port, pid):
        bare = _ask(port, pid, duration_s)
    with _process(_serve) as (port, pid):
        ours = _ask(port, pid, duration_s)
    progress(f"dns: {ours.per_s:.0f}/s at {100 * ours.cpu_share:.0f} % of a core; bare sockets {bare.per_s:.0f}/s")
    rate = above("answers to questions for load balancers", ours.per_s, "/s", 5000)
    per_core = above("the same by the CPU time that the server took", ours.per_s / ours.cpu_share, "/s per core", 5000)
    p50 = Row("time of an answer, p50", f"{ours.p50_ms:.2f} ms", f"{bare.p50_ms:.2f} ms", "bare sockets")
    p99 = below("time of an answer, p99", ours.p99_ms, "ms", 10)
    return [
        Row(
            rate.what,
            rate.ours,
            f"{bare.per_s:,.0f} /s",
            "bare sockets",
            ours.per_s / bare.per_s,
            rate.wanted,
            rate.met,
        ),
        per_core,
        p50,
        Row(p99.what, p99.ours, f"{bare.p99_ms:.2f} ms", "bare sockets", None, p99.wanted, p99.met),
    ]


def _name(number: int) -> str:
    return f"web-{number}.us-east-1.elb.localhost"


def _packet(ident: int) -> bytes:
    labels = b"".join(bytes([len(each)]) + each.encode() for each in _name(ident % BALANCERS).split("."))
    return ident.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"


def _ask(port: int, pid: int, duration_s: float) -> Asked:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((HOST, port))
        sock.setblocking(False)
        packets = [_packet(number) for number in range(4096)]
        sent: dict[int, float] = {}
        times: list[float] = []
        number = 0
        cpu_began, began = _cpu_s(pid), time.perf_counter()
        while (now := time.perf_counter()) < began + duration_s:
            while len(sent) < OPEN:
                number = (number + 1) % len(packets)
                sent[number] = time.perf_counter()
                sock.send(packets[number])
            if not select.select([sock], [], [], LOST_S)[0]:
                raise RuntimeError(f"{len(sent)} questions were not answered within {LOST_S:.0f} s.")
            with contextlib.suppress(BlockingIOError):
                while True:
                    reply = sock.recv(2048)
                    times.append(time.perf_counter() - sent.pop(int.from_bytes(reply[:2], "big")))
        cpu_s = _cpu_s(pid) - cpu_began
    times.sort()
    return Asked(
        per_s=len(times) / (now - began),
        p50_ms=1000 * times[len(times) // 2],
        p99_ms=1000 * times[len(times) * 99 // 100],
        cpu_share=cpu_s / (now - began),
    )


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _process(target: object) -> Iterator[tuple[int, int]]:
    """`(port, process id)` of a server in a process of its own."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=target, args=(there,))  # type: ignore[arg-type]
    process.start()
    try:
        yield here.recv(), process.pid or 0
    finally:
        process.terminate()
        process.join()


def _socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((HOST, 0))
    return sock


def _echo(ready: Connection) -> None:
    with _socket() as sock:
        ready.send(sock.getsockname()[1])
        while True:
            sock.sendto(*sock.recvfrom(2048))


def _serve(ready: Connection) -> None:
    store = Store([LoadBalancer], MemoryJournal())
    with store.transaction() as tx:
        for number in range(BALANCERS):
            tx.put(_balancer(number))
    zones = (LoadBalancerNames(store), PrivateNames())

    async def serve() -> None:
        server = make_dns_server(zones, SystemClock(), SystemIds(), own_address=HOST)
        sock = _socket()
        await server.listen([sock], None)
        ready.send(sock.getsockname()[1])
        await asyncio.Event().wait()

    uvloop.run(serve())


def _balancer(number: int) -> LoadBalancer:
    zones = tuple(
        Zone(
            name=f"us-east-1{letter}",
            subnet_id=f"subnet-{letter}",
            interface_id=f"eni-{number}{letter}",
            address=f"172.31.{16 * place + number // 200}.{number % 200 + 4}",
        )
        for place, letter in enumerate("abc")
    )
    return LoadBalancer(
        account="1",
        region="us-east-1",
        lb_id=f"{number:016x}",
        name=f"web-{number}",
        type="application",
        scheme="internet-facing",
        vpc_id="vpc-1",
        zones=zones,
        dns_name=_name(number),
        created_at=1.0,
    )
