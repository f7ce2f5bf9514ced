"""Health checks go on through reloads: what was counted counts, and no target is left out."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from longshore.drivers.haproxy.runtime import RuntimeFailure
from longshore.drivers.ports import Retryable
from tests.support.haproxy_rig import NET, Rig, planned, rig
from tests.support.plans import balancer, check, forward, group, listener, path, plan, rule, text
from tests.support.targets import Target, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longshore.domain.elbv2.balancing import BalancerPlan

pytestmark = pytest.mark.haproxy
ADDRESS = f"{NET}.7.1"
OFTEN_S = 0.7
"""More often than any check."""


def version(number: int, *, slow_start_s: int = 0, **fields: Any) -> BalancerPlan:
    """Each number is another configuration with the same group."""
    rules = [rule(text("never"), path(f"/never{number}")), rule(forward("0a"))]
    groups = [group(slow_start_s=slow_start_s, check=check(**fields))]
    return plan([balancer(ADDRESS, listener(8080, *rules))], groups)


def a_target(number: int) -> Target:
    return Target(f"t{number}", f"{NET}.8.{number}", 8000)


async def begin(it: Rig, *targets: Target, **fields: Any) -> None:
    await it.driver.apply(version(0, **fields))
    await it.healthy(*map(planned, targets))


async def next_check(target: Target) -> None:
    target.checked.clear()
    await target.checked.wait()


@contextlib.asynccontextmanager
async def changing(it: Rig, **fields: Any) -> AsyncIterator[None]:
    """Somebody changes rules all the time."""

    async def change() -> None:
        number = 0
        while True:
            number += 1
            await it.driver.apply(version(number, **fields))
            await asyncio.sleep(OFTEN_S)

    changes = asyncio.create_task(change())
    try:
        yield
    finally:
        changes.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await changes


async def test_new_target_takes_a_whole_threshold_of_failures() -> None:
    async with rig() as it, serving(one := a_target(1)):
        await begin(it, one, interval_s=1, unhealthy_threshold=3)
        one.health, checked = 500, len(one.checks)
        await it.until(planned(one), "unhealthy")
        assert len(one.checks) - checked >= 3


async def test_failures_before_a_reload_and_after_it_count_together() -> None:
    async with rig() as it, serving(one := a_target(1)):
        await begin(it, one, interval_s=1, unhealthy_threshold=6)
        one.health, checked = 500, len(one.checks)
        for _ in range(5):
            await next_check(one)
        await it.driver.apply(version(1, interval_s=1, unhealthy_threshold=6))
        report = await it.until(planned(one), "unhealthy")
        assert 6 <= len(one.checks) - checked < 5 + 6
        assert report.reason == "Target.ResponseCodeMismatch"


async def test_reason_is_known_after_a_reload() -> None:
    async with rig() as it, serving(one := a_target(1)):
        await begin(it, one, interval_s=2)
        one.health = 500
        await it.until(planned(one), "unhealthy")
        told = len(it.reports)
        await it.driver.apply(version(1, interval_s=2))
        it.driver.targets.look(["0a"])
        await next_check(one)
        one.health = 200
        await it.until(planned(one), "healthy")
        assert [report.state for report in it.reports[told:]] == ["healthy"]


async def test_reload_that_fails_counts_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    fields: dict[str, Any] = {"interval_s": 1, "unhealthy_threshold": 9}
    async with rig() as it, serving(one := a_target(1)):
        await begin(it, one, **fields)
        one.health, checked = 500, len(one.checks)
        for _ in range(3):
            await next_check(one)
        with monkeypatch.context() as patch:
            patch.setattr(it.driver.process.runtime, "reload", refuse)
            for number in range(1, 5):
                with pytest.raises(Retryable, match="no time"):
                    await it.driver.apply(version(number, **fields))
        await it.driver.apply(version(9, **fields))
        await it.until(planned(one), "unhealthy")
        assert len(one.checks) - checked >= 9


async def refuse() -> None:
    raise RuntimeFailure("HAProxy has no time.")


async def test_all_targets_are_checked_while_reloads_come_more_often_than_checks() -> None:
    targets = [a_target(number) for number in range(1, 5)]
    fields: dict[str, Any] = {"interval_s": 3}
    async with rig() as it, serving(*targets):
        await begin(it, *targets, **fields)
        async with changing(it, **fields):
            for target in targets:
                target.health = 500
            for target in targets:
                await it.until(planned(target), "unhealthy")
            for target in targets:
                target.health = 200
            for target in targets:
                await it.until(planned(target), "healthy")


async def test_target_that_is_down_gets_nothing_after_haproxy_was_killed() -> None:
    async with rig() as it, serving(one := a_target(1), two := a_target(2)):
        await begin(it, one, two, interval_s=2)
        one.health = 500
        await it.until(planned(one), "unhealthy")
        await it.driver.process.stop()
        await it.driver.apply(version(1, interval_s=2))
        for _ in range(8):
            reader, writer = await asyncio.open_connection(ADDRESS, 8080)
            writer.write(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            assert b'"target": "t2"' in await reader.read(-1)
            writer.close()


async def test_slow_start_goes_on_after_a_reload_and_ends() -> None:
    fields: dict[str, Any] = {"interval_s": 1, "slow_start_s": 30}
    async with rig() as it, serving(one := a_target(1)):
        await begin(it, one, **fields)
        await it.driver.apply(version(1, **fields))
        assert await weight(it) < 100
        (placement,) = it.driver.targets.slots
        placement.healthy_since -= 30
        await it.driver.apply(version(2, **fields))
        assert await weight(it) == 100


async def weight(it: Rig) -> int:
    worker = (await it.driver.process.runtime.processes()).current
    assert worker is not None
    rows = await it.driver.process.runtime.stat(worker, "g-0a 4 -1")
    return next(int(row["weight"]) for row in rows if row["svname"] == "s1")
