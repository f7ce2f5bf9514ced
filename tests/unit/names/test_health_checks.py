"""Cloud Map's health checks: who is asked, and after how many answers an instance's health changes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from longshore.control.names.health import HealthChecks
from longshore.decide.names.health import INTERVAL_S, Run, check_of, judged
from longshore.domain.kinds import KINDS
from longshore.domain.names.naming import DiscoveryService, EndpointCheck, HealthCheckConfig, ServiceInstance
from longshore.drivers.haproxy.endpoints import answers
from longshore.store.open import open_store
from tests.support.clock import HandClock
from tests.support.names import instance, registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longshore.domain.record import Record
    from longshore.store.store import Store

TCP = HealthCheckConfig(type="TCP", failure_threshold=2)


def checked(**more: Any) -> DiscoveryService:
    return registry("A", name="web", **{"health_check": TCP, **more})


def put(store: Store, *records: Record) -> None:
    with store.transaction() as tx:
        for record in records:
            tx.put(record)


def test_health_changes_when_enough_checks_in_a_row_say_otherwise() -> None:
    health, run = "HEALTHY", Run()
    seen = []
    for passed in (False, True, False, False, False, True, True):
        health, run = judged(checked(), health, run, passed=passed)  # type: ignore[arg-type]
        seen.append(health)
    assert seen == ["HEALTHY", "HEALTHY", "HEALTHY", "UNHEALTHY", "UNHEALTHY", "UNHEALTHY", "HEALTHY"]


def test_an_instance_is_checked_at_its_port_or_the_usual_one() -> None:
    http = HealthCheckConfig(type="HTTPS", path="/health")
    one = instance("one", "10.0.0.1")
    assert check_of(checked(), one) == EndpointCheck("TCP", "10.0.0.1", 80, "")
    bare = one.but(attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
    assert check_of(checked(health_check=http), bare) == EndpointCheck("HTTPS", "10.0.0.1", 443, "/health")
    assert check_of(checked(health_check=None), one) is None
    assert check_of(checked(), one.but(attributes={})) is None


class Watched:
    """Health checks of a store, whose answers a test gives and whose time it moves."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = HandClock(1000.0)
        self.failing: set[str] = set()
        self.asked: list[str] = []
        self.checks = HealthChecks(store, self._probe, self.clock)

    async def _probe(self, check: EndpointCheck) -> bool:
        self.asked.append(check.address)
        return check.address not in self.failing

    async def look(self, one: ServiceInstance) -> float | None:
        return await self.checks._reconcile(one.key)

    def health(self, one: ServiceInstance) -> str:
        found = self.store.get(ServiceInstance, one.key)
        assert found is not None
        return found.health


@pytest.fixture
def watched() -> Watched:
    store = open_store(None, KINDS)
    put(store, checked())
    return Watched(store)


async def test_an_instance_that_fails_is_unhealthy_until_it_passes_again(watched: Watched) -> None:
    one = instance("one", "10.0.0.1")
    put(watched.store, one)
    assert watched.checks.loop.depth == 1
    watched.failing.add("10.0.0.1")
    assert await watched.look(one) == watched.clock.now() + INTERVAL_S
    assert watched.health(one) == "HEALTHY"
    await watched.look(one)
    assert watched.health(one) == "UNHEALTHY"
    service = watched.store.get(DiscoveryService, checked().key)
    assert service is not None
    assert service.revision == 1
    watched.failing.clear()
    await watched.look(one)
    await watched.look(one)
    assert watched.health(one) == "HEALTHY"


async def test_who_has_no_check_is_not_asked_and_a_check_taken_away_leaves_nobody_unhealthy(watched: Watched) -> None:
    one = instance("one", "10.0.0.1", health="UNHEALTHY")
    put(watched.store, one, checked(health_check=None))
    assert await watched.look(one) is None
    assert (watched.health(one), watched.asked) == ("HEALTHY", [])
    with watched.store.transaction() as tx:
        tx.delete(ServiceInstance, one.key)
    assert await watched.look(one) is None


async def test_a_check_that_came_later_and_a_start_look_at_every_instance() -> None:
    store = open_store(None, KINDS)
    put(store, checked(health_check=None), instance("one"), instance("two"))
    watched = Watched(store)
    watched.checks.resume()
    assert watched.checks.loop.depth == 0
    put(store, checked())
    assert watched.checks.loop.depth == 2
    again = Watched(store)
    again.checks.resume()
    assert again.checks.loop.depth == 2


@contextlib.asynccontextmanager
async def served(status: int) -> AsyncIterator[int]:
    """The port of an HTTP server that answers everything with a status."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("status", "passes"), [(200, True), (302, True), (404, False), (500, False)])
async def test_an_endpoint_passes_by_its_status(status: int, passes: bool) -> None:
    async with served(status) as port:
        assert await answers(EndpointCheck("HTTP", "127.0.0.1", port, "/")) is passes
        assert await answers(EndpointCheck("TCP", "127.0.0.1", port, "")) is True
    assert await answers(EndpointCheck("TCP", "127.0.0.1", port, "")) is False
