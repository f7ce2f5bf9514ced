"""No request is lost while targets and rules change under load."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import aiohttp
import httpx
import pytest

from tests.support.haproxy_rig import NET, Rig, planned, rig
from tests.support.plans import balancer, check, forward, group, listener, path, plan, rule, text
from tests.support.targets import Target, serving

if TYPE_CHECKING:
    from longshore.domain.elbv2.balancing import BalancerPlan

pytestmark = pytest.mark.haproxy
ADDRESS = f"{NET}.5.1"
CLIENTS = 8
TARGET_CHANGES = 50
RULE_CHANGES = 20


class Load:
    """Clients with connections that stay open, which ask one thing after another; counts what is not a 200."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self._ends = asyncio.Event()

    async def run(self) -> None:
        """Until `end`."""
        await asyncio.gather(*(self._client(number) for number in range(CLIENTS)))

    def end(self) -> None:
        """Let the clients finish what they are at."""
        self._ends.set()

    async def _client(self, number: int) -> None:
        # Half of them as browsers do, over connections that stay open; half with a new one each time.
        connector = aiohttp.TCPConnector(force_close=number % 2 == 0)
        async with aiohttp.ClientSession(connector=connector) as session:
            while not self._ends.is_set():
                try:
                    async with session.post(f"http://{ADDRESS}:8080/{number}", data=b"x" * 100) as answer:
                        await answer.read()
                        self.answers[str(answer.status)] += 1
                except aiohttp.ClientError as error:
                    self.answers[repr(error)] += 1


def version(number: int) -> BalancerPlan:
    rules = [rule(text("never"), path(f"/never{n}")) for n in range(1 + number % 3)]
    front = listener(8080, *rules, rule(forward("0a")))
    extra = listener(8081 + number % 2)
    return plan([balancer(ADDRESS, front, extra)], [group(check=check(interval_s=1))])


async def change_targets(it: Rig) -> None:
    """Two serve always; each change brings one in and takes the oldest out, which ends once it has drained."""
    serving_now: list[Target] = []
    for number in range(TARGET_CHANGES):
        fresh = Target(f"t{number}", f"{NET}.6.{1 + number}", 8000)
        await fresh.start()
        serving_now.append(fresh)
        await it.healthy(planned(fresh))
        if len(serving_now) > 2:
            await retire(it, serving_now.pop(0))
    for target in serving_now:
        await retire(it, target)


async def retire(it: Rig, target: Target) -> None:
    await it.driver.drain(planned(target))
    await it.until(planned(target), "drained")
    await target.stop()


async def test_no_request_is_lost_through_50_target_changes_and_20_rule_changes() -> None:
    async with rig() as it, serving(first := Target("first", f"{NET}.6.200", 8000)):
        await it.driver.apply(version(0))
        await it.healthy(planned(first))
        load = Load()
        clients = asyncio.create_task(load.run())
        targets = asyncio.create_task(change_targets(it))
        for number in range(1, RULE_CHANGES + 1):
            assert await it.driver.apply(version(number)) == {}
            await asyncio.sleep(0.05)
        await targets
        load.end()
        await clients
        assert load.answers.keys() == {"200"}, load.answers
        assert load.answers["200"] > 1000


async def test_keep_alive_client_goes_on_over_a_reload() -> None:
    async with rig() as it, serving(one := Target("one", f"{NET}.6.201", 8000)), httpx.AsyncClient() as client:
        await it.driver.apply(version(0))
        await it.healthy(planned(one))
        for number in range(1, 6):
            assert (await client.get(f"http://{ADDRESS}:8080/")).status_code == 200
            await it.driver.apply(version(number))
        assert (await client.get(f"http://{ADDRESS}:8080/")).status_code == 200


async def test_target_change_needs_no_configuration() -> None:
    async with rig() as it, serving(one := Target("one", f"{NET}.6.201", 8000)):
        await it.driver.apply(version(0))
        file = it.driver.process.folder / "haproxy.cfg"
        before = file.stat().st_mtime_ns, (await it.driver.process.runtime.processes()).reloads
        await it.healthy(planned(one))
        await it.driver.drain(planned(one))
        await it.until(planned(one), "drained")
        assert (file.stat().st_mtime_ns, (await it.driver.process.runtime.processes()).reloads) == before


async def test_targets_that_change_during_a_reload_are_as_they_should_be_after_it() -> None:
    targets = [Target(f"t{number}", f"{NET}.6.{210 + number}", 8000) for number in range(6)]
    async with rig() as it, serving(*targets), httpx.AsyncClient() as client:
        await it.driver.apply(version(0))
        await it.healthy(*(planned(target) for target in targets[:3]))
        for number in range(1, 6):
            leaves, comes = targets[number - 1], targets[(number + 2) % 6]
            reload = asyncio.create_task(it.driver.apply(version(number)))
            await asyncio.gather(it.driver.drain(planned(leaves)), it.healthy(planned(comes)))
            await reload
            names = {(await client.get(f"http://{ADDRESS}:8080/")).json()["target"] for _ in range(9)}
            assert names == {targets[(number + step) % 6].name for step in range(3)}
