"""The name server on one core: answers per second from a client that always has questions open, and how long they take.

The server is a process of its own with a thousand load balancers in its store; the client sends over UDP and keeps a
fixed number of questions open. The baseline is the same client against a server that does nothing but send the
question back: what sockets, Python and this machine take by themselves. A second server has ten thousand instances of
Cloud Map: what it answers is eight of one service's, while an instance of it goes and another comes with every tenth
question; its baseline is the same with a hundredth of the instances. A third is told to take one instance for another,
and asked until it says so.
"""

import asyncio
import contextlib
import multiprocessing
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop

from bench.table import Row, above, below, progress
from longshore.control.names.names import LoadBalancerNames, PrivateNames
from longshore.control.names.zones import HostedZoneNames
from longshore.domain.elbv2.balancer import LoadBalancer, Zone
from longshore.domain.kinds import KINDS
from longshore.domain.names.naming import DiscoveryService, RecordSetting, ServiceInstance
from longshore.domain.names.resolving import ZoneAnswer
from longshore.domain.names.zone import SOA_DATA, HostedZone, RecordSet, ZoneVpc
from longshore.drivers.dns.server import make_dns_server
from longshore.drivers.ports import Zones
from longshore.store.journal import MemoryJournal
from longshore.store.open import open_store
from longshore.store.store import Store
from longshore.system import SystemClock, SystemIds

HOST = "127.0.0.1"
BALANCERS = 1000
OPEN = 16
"""Questions under way at a time."""
LOST_S = 1.0
INSTANCES = 10_000
CHANGES = 300
ZONE, VPC = "bench.internal", "vpc-1"
SERVICE = f"web.{ZONE}"
PLACE: dict[str, Any] = {"account": "1", "region": "us-east-1"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking."""

    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_share: float
    """Of one core, by the server."""

    @property
    def per_core_s(self) -> float:
        """Answers per second of CPU time."""
        return self.per_s / self.cpu_share


def measure(quick: bool) -> list[Row]:
    """Ask for load balancers' names as fast as answers come."""
    duration_s = 2.0 if quick else 10.0
    with _process(_echo) as (port, pid):
        bare = _ask(port, pid, duration_s)
    with _process(_serve) as (port, pid):
        ours = _ask(port, pid, duration_s)
    progress(f"dns: {ours.per_s:.0f}/s at {100 * ours.cpu_share:.0f} % of a core; bare sockets {bare.per_s:.0f}/s")
    rate = above("answers to questions for load balancers", ours.per_s, "/s", 5000)
    per_core = above("the same by the CPU time that the server took", ours.per_core_s, "/s per core", 5000)
    many, few = (_namespace(number, duration_s) for number in (INSTANCES, INSTANCES // 100))
    names = above("for a service of 10,000 instances, by CPU time", many.per_core_s, "/s per core", 5000)
    many_p99 = below("time of an answer for that service, p99", many.p99_ms, "ms", 10)
    stale = below("an instance takes another's place: until it is answered, worst", _stale_ms(), "ms", 50)
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
        Row(
            names.what,
            names.ours,
            f"{few.per_core_s:,.0f} /s per core",
            "of 100 instances",
            many.per_core_s / few.per_core_s,
            names.wanted,
            names.met,
        ),
        many_p99,
        stale,
        p50,
        Row(p99.what, p99.ours, f"{bare.p99_ms:.2f} ms", "bare sockets", None, p99.wanted, p99.met),
    ]


def _namespace(instances: int, duration_s: float) -> Asked:
    """A service of so many instances, asked for while they come and go."""
    with _process(partial(_serve_namespace, instances)) as (port, pid):
        asked = _ask(port, pid, duration_s, lambda _ident: SERVICE)
    progress(f"dns: {asked.per_s:.0f}/s for a service of {instances} instances, p99 {asked.p99_ms:.2f} ms")
    return asked


def _stale_ms() -> float:
    """How long at most an answer was stale, from the order to the answer."""
    here, there = multiprocessing.Pipe()
    worst = 0.0
    with (
        _process(partial(_serve_orders, there)) as (port, _pid),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        sock.connect((HOST, port))
        sock.settimeout(LOST_S)
        for number in range(1, CHANGES + 1):
            address = socket.inet_aton(_address(number))
            began = time.perf_counter()
            here.send(number)
            while address not in _answer_to(sock, number):
                pass
            worst = max(worst, time.perf_counter() - began)
    return 1000 * worst


def _answer_to(sock: socket.socket, ident: int) -> bytes:
    sock.send(_packet(ident, SERVICE))
    return sock.recv(2048)


def _name(number: int) -> str:
    return f"web-{number}.us-east-1.elb.localhost"


def _balancer_name(ident: int) -> str:
    return _name(ident % BALANCERS)


def _packet(ident: int, name: str) -> bytes:
    labels = b"".join(bytes([len(each)]) + each.encode() for each in name.split("."))
    return ident.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"


def _ask(port: int, pid: int, duration_s: float, name_of: Callable[[int], str] = _balancer_name) -> Asked:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((HOST, port))
        sock.setblocking(False)
        packets = [_packet(number, name_of(number)) for number in range(4096)]
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
    uvloop.run(_answer((LoadBalancerNames(store), PrivateNames()), ready))


async def _answer(zones: tuple[Zones, ...], ready: Connection) -> None:
    server = make_dns_server(zones, SystemClock(), SystemIds(), own_address=HOST)
    sock = _socket()
    await server.listen([sock], VPC)
    ready.send(sock.getsockname()[1])
    await asyncio.Event().wait()


class _Changing:
    """Hosted zones, one of whose instances goes, and another comes, with every tenth question."""

    def __init__(self, store: Store, instances: int) -> None:
        self._store = store
        self._zones = HostedZoneNames(store, SystemIds())
        self._first, self._next, self._asked = 0, instances, 0

    def answer(self, vpc_id: str | None, name: str, record_type: str) -> ZoneAnswer | None:
        """As the zones do."""
        self._asked += 1
        if self._asked % 10 == 0:
            with self._store.transaction() as tx:
                tx.delete(ServiceInstance, _instance(self._first).key)
                tx.put(_instance(self._next))
            self._first, self._next = self._first + 1, self._next + 1
        return self._zones.answer(vpc_id, name, record_type)


def _serve_namespace(instances: int, ready: Connection) -> None:
    store = _namespace_store(instances)
    uvloop.run(_answer((_Changing(store, instances),), ready))


def _serve_orders(orders: Connection, ready: Connection) -> None:
    """A service of one instance, which each order takes for the next one."""
    uvloop.run(_follow_orders(_namespace_store(1), orders, ready))


async def _follow_orders(store: Store, orders: Connection, ready: Connection) -> None:
    def change() -> None:
        number = orders.recv()
        with store.transaction() as tx:
            tx.delete(ServiceInstance, _instance(number - 1).key)
            tx.put(_instance(number))

    asyncio.get_running_loop().add_reader(orders.fileno(), change)
    await _answer((HostedZoneNames(store, SystemIds()),), ready)


def _namespace_store(instances: int) -> Store:
    """A private namespace with one service of so many instances."""
    store = open_store(None, KINDS)
    everywhere: dict[str, Any] = {"account": "1", "region": "", "zone_id": "Z1"}
    zone: dict[str, Any] = {
        "name": ZONE,
        "private": True,
        "caller_reference": "r",
        "created_at": 1.0,
        "namespace_id": "ns-1",
    }
    service: dict[str, Any] = {
        "service_id": "srv-1",
        "namespace_id": "ns-1",
        "name": "web",
        "type": "DNS_HTTP",
        "created_at": 1.0,
    }
    with store.transaction() as tx:
        tx.put(HostedZone(**everywhere, **zone, vpcs=(ZoneVpc(region="us-east-1", vpc_id=VPC),)))
        tx.put(RecordSet(**everywhere, name=ZONE, type="SOA", values=(SOA_DATA,)))
        records = (RecordSetting(type="A", ttl_s=0),)
        tx.put(DiscoveryService(**PLACE, **service, hosted_zone_id="Z1", records=records))
        for number in range(instances):
            tx.put(_instance(number))
    return store


def _address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _instance(number: int) -> ServiceInstance:
    attributes = {"AWS_INSTANCE_IPV4": _address(number)}
    named: dict[str, Any] = {"service_id": "srv-1", "instance_id": f"i{number}", "registered_at": 1.0}
    return ServiceInstance(**PLACE, **named, attributes=attributes)


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
