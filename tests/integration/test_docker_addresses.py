"""Addresses of load balancers on this host: put on the bridge of their VPC, kept there, and taken away again."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from longshore.drivers.docker.client import DockerClient
from longshore.drivers.docker.engine import DockerEngine
from longshore.drivers.ports import Permanent
from tests.support import engine as docker
from tests.support.docker_rig import RecordingSink, Rig, SystemClock, make_rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    MakeRig = Callable[[], Awaitable[Rig]]

pytestmark = pytest.mark.docker

VPC_ID = "vpc-0123456789abcdef0"


@pytest.fixture
async def make(docker_instance: str, docker_url: str) -> AsyncIterator[MakeRig]:
    rigs: list[Rig] = []

    async def one() -> Rig:
        rigs.append(await make_rig(docker_instance, docker_url, RecordingSink()))
        return rigs[-1]

    yield one
    await rigs[-1].engine.purge()  # of the instance that all of them are
    for rig in rigs:
        await rig.close()


@pytest.fixture
def vpc(free_cidr: Callable[[int], str]) -> tuple[str, list[str]]:
    """`(CIDR, addresses in it)`."""
    cidr = free_cidr(24)
    return cidr, [str(docker.host_of(cidr, number)) for number in (100, 101, 102)]


def device(rig: Rig) -> str:
    return rig.engine._names.device(rig.engine._names.vpc_network(VPC_ID))


def on_bridge(rig: Rig) -> set[str]:
    """The single addresses of the VPC's bridge."""
    shown = subprocess.run(["ip", "-o", "-4", "addr", "show", "dev", device(rig)], capture_output=True, check=True)
    words = [line.split()[3] for line in shown.stdout.decode().splitlines()]
    return {word.removesuffix("/32") for word in words if word.endswith("/32")}


def take_away(rig: Rig, address: str) -> None:
    """As somebody else would."""
    subprocess.run(["ip", "addr", "del", f"{address}/32", "dev", device(rig)], check=True)


async def test_addresses_are_claimed_kept_and_released(make: MakeRig, vpc: tuple[str, list[str]]) -> None:
    rig = await make()
    cidr, (one, two, three) = vpc
    await rig.engine.claim_addresses([one, two], VPC_ID, cidr)
    assert on_bridge(rig) == {one, two}
    await rig.engine.claim_addresses([one, two], VPC_ID, cidr)
    await rig.engine.claim_addresses([three], VPC_ID, cidr)
    assert on_bridge(rig) == {one, two, three}
    await rig.engine.release_addresses([one, three])
    assert on_bridge(rig) == {one, three}
    await rig.engine.release_addresses([one])
    await rig.engine.release_addresses([one])
    assert on_bridge(rig) == {one}
    await rig.engine.release_addresses([])
    assert on_bridge(rig) == set()


async def test_address_that_was_taken_away_is_claimed_again(make: MakeRig, vpc: tuple[str, list[str]]) -> None:
    rig = await make()
    cidr, (one, two, _) = vpc
    await rig.engine.claim_addresses([one, two], VPC_ID, cidr)
    take_away(rig, one)
    await rig.engine.claim_addresses([one, two], VPC_ID, cidr)
    assert on_bridge(rig) == {one, two}
    take_away(rig, two)
    await rig.engine._resync()
    assert on_bridge(rig) == {one, two}


async def test_addresses_of_an_earlier_life_are_released(make: MakeRig, vpc: tuple[str, list[str]]) -> None:
    first = await make()
    cidr, (one, two, _) = vpc
    await first.engine.claim_addresses([one, two], VPC_ID, cidr)
    first.abandon()
    second = await make()
    await second.engine.release_addresses([two])
    assert on_bridge(second) == {two}


async def test_engine_elsewhere_has_no_addresses_of_load_balancers(
    docker_instance: str, vpc: tuple[str, list[str]]
) -> None:
    elsewhere = DockerEngine(
        docker_instance,
        RecordingSink(),
        SystemClock(),
        docker_url="tcp://192.0.2.1:2375",
        task_environment=lambda _launch, _container: {},
    )
    assert not DockerClient("tcp://192.0.2.1:2375").local
    with pytest.raises(Permanent, match="need a Docker Engine on this host"):
        await elsewhere._addresses.claim(vpc[1], VPC_ID, vpc[0])
