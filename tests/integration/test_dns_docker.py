"""Names inside real containers: nothing is set in the task, and Docker's own resolver is between it and ours."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from longshore.control.names.names import LoadBalancerNames, PrivateNames
from longshore.domain.ecs.launch import WarmNetwork
from longshore.domain.elbv2.balancer import LoadBalancer
from longshore.domain.names.resolving import DnsRecord
from longshore.drivers.docker.linklocal import ADDRESS, open_sockets
from longshore.store.journal import MemoryJournal
from longshore.store.store import Store
from tests.support.balancers import standing_at
from tests.support.dns_rig import HOST, FixedZones, Upstream, answering, serving
from tests.support.docker_rig import RecordingSink, Rig, make_rig, network, sh, task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.docker

NAME = "web-1.eu-west-1.elb.localhost"
ADDRESSES = ("10.1.2.3", "10.1.2.4")
PRIVATE = "ip-10-5-6-7.eu-west-1.compute.internal"
OUTSIDE = "outside.test"
LONG = "long.test"
VPC_ID = network("10.0.0.0/24").vpc_id


def balancers() -> Store:
    store = Store([LoadBalancer], MemoryJournal())
    with store.transaction() as tx:
        tx.put(standing_at(*ADDRESSES, dns_name=NAME, vpc_id=VPC_ID))
    return store


def look_up(*names: str) -> str:
    """A script that prints a line for each name: what the C library makes of it, as ping says before anyone answers."""
    looks = [f"ping -c1 -W1 {name} 2>&1 | head -1 >look-{place} &" for place, name in enumerate(names)]
    return " ".join([*looks, "wait; cat", *(f"look-{place}" for place in range(len(names)))])


@contextlib.asynccontextmanager
async def named(instance: str, url: str) -> AsyncIterator[Rig]:
    """An engine whose containers ask a name server with a load balancer, a VPC's own zone, and a resolver behind it."""
    own = FixedZones("own.internal", [DnsRecord("db.own.internal", "A", 5, "10.9.9.9")], vpc_id=VPC_ID)
    zones = (LoadBalancerNames(balancers()), PrivateNames(), own)
    known = {(OUTSIDE, "A"): ["192.0.2.7"], (LONG, "A"): [f"192.0.2.{number}" for number in range(1, 101)]}
    async with (
        Upstream(answering(known)) as upstream,
        serving(*zones, upstream=[HOST], port=upstream.port) as names,
    ):

        async def ready(device: str, vpc_id: str | None) -> None:
            stream = await open_sockets([device], 53)
            datagram = await open_sockets([device], 53, kind=socket.SOCK_DGRAM) if stream else []
            await names.server.listen([*stream, *datagram], vpc_id)

        await ready("lo", None)
        rig = await make_rig(instance, url, RecordingSink(), bridge_ready=ready, name_server=ADDRESS)
        try:
            yield rig
        finally:
            await rig.engine.purge()
            await rig.close()


async def test_tasks_resolve_load_balancers_private_and_outside_names_and_those_of_their_vpc(
    docker_instance: str, docker_url: str, free_cidr: Callable[[int], str]
) -> None:
    script = look_up(NAME, NAME.upper(), PRIVATE, OUTSIDE, LONG, "missing.test", "x.localhost", "db.own.internal")
    async with named(docker_instance, docker_url) as rig:
        await rig.run_to_end(task(sh("vpc", script), network_mode="awsvpc", network=network(free_cidr(24))))
        await rig.run_to_end(task(sh("bridge", script), network_mode="bridge", task_id="2" * 32))
        for task_id in ("1" * 32, "2" * 32):
            await rig.engine.remove(task_id)
    for mode in ("vpc", "bridge"):
        balancer, loud, private, outside, long, missing, local, own = rig.sink.lines(mode)
        assert balancer.split()[2].strip("():") in ADDRESSES
        assert loud.split()[2].strip("():") in ADDRESSES
        assert "(10.5.6.7)" in private
        assert "(192.0.2.7)" in outside
        assert "(192.0.2." in long  # too long for UDP
        assert "bad address" in missing
        assert "(127.0.0.1)" in local
        assert ("(10.9.9.9)" in own) == (mode == "vpc"), own


async def test_tasks_ask_ours_before_dockers_own_resolver_in_namespaces_kept_warm_too(
    docker_instance: str, docker_url: str, free_cidr: Callable[[int], str]
) -> None:
    """Docker's has names of its own for the addresses of containers."""
    cidr = free_cidr(24)
    places = [network(cidr, number) for number in (10, 11)]
    asked = "grep nameserver /etc/resolv.conf"
    async with named(docker_instance, docker_url) as rig:
        await rig.engine.prepare([WarmNetwork(region="eu-west-1", network=places[0])])
        assert await rig.engine._warm._kept[places[0].vpc_id, places[0].address]
        for number, place in enumerate(places, 1):
            again = task(sh("app", asked), network_mode="awsvpc", network=place, task_id=str(number) * 32)
            await rig.run_to_end(again)
            await rig.engine.remove(str(number) * 32)
    assert rig.sink.lines("app") == [f"nameserver {ADDRESS}", "nameserver 127.0.0.11"] * 2


async def test_tasks_in_host_mode_resolve_names_too(docker_instance: str, docker_url: str) -> None:
    """Another Longshore of the machine may be the one that answers on `lo`: it knows these names as well."""
    script = look_up(PRIVATE, "x.localhost", "nobody.eu-west-1.elb.localhost")
    async with named(docker_instance, docker_url) as rig:
        await rig.run_to_end(task(sh("host", script), network_mode="host"))
        await rig.engine.remove("1" * 32)
    private, local, nobody = rig.sink.lines("host")
    assert "(10.5.6.7)" in private
    assert "(127.0.0.1)" in local or "(::1)" in local
    assert "bad address" in nobody


async def test_who_sets_name_servers_gets_those(docker_instance: str, docker_url: str) -> None:
    own = sh("own", look_up(NAME), dns_servers=("127.0.0.1",))
    async with named(docker_instance, docker_url) as rig:
        await rig.run_to_end(task(own, network_mode="bridge"))
        await rig.engine.remove("1" * 32)
    assert rig.sink.lines("own") == [f"ping: bad address '{NAME}'"]
