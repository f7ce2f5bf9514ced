"""The driver with a real HAProxy: targets come, serve, fail, drain and go; HAProxy dies, or is taken over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from longshore.domain.elbv2.balancing import BalancerPlan, Condition, Problem, TargetPlan
from longshore.drivers.haproxy.slots import Shape
from longshore.drivers.ports import Permanent, Retryable
from tests.support.haproxy_rig import NET, Rig, planned, rig
from tests.support.plans import balancer, check, group, listener, plan, rule, text
from tests.support.targets import Answer, Request, Target, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

pytestmark = pytest.mark.haproxy
ADDRESS = f"{NET}.1.1"
URL = f"http://{ADDRESS}:8080"
BROKEN = rule(text("never"), Condition(field="path-pattern", regexes=("(",)))
SIMPLE = plan([balancer(ADDRESS, listener(8080))], [group()])


def target(name: str, last: int = 1) -> Target:
    return Target(name, f"{NET}.2.{last}", 8000)


async def who(client: httpx.AsyncClient, url: str = URL) -> str:
    answer = await client.get(url)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["target"])


async def stranger_to(client: httpx.AsyncClient) -> str:
    """Who answers a client that has no cookie."""
    client.cookies.clear()
    return await who(client)


async def answered(client: httpx.AsyncClient, name: str) -> None:
    """Wait until a target answers; nothing may answer until then."""
    answer = await until_answered(client)
    assert answer.status_code == 200, answer.text
    assert answer.json()["target"] == name


async def until_answered(client: httpx.AsyncClient) -> httpx.Response:
    """What is answered first, once somebody listens."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await client.get(URL)
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def test_nothing_runs_before_the_first_load_balancer_and_after_the_last() -> None:
    async with rig() as it:
        assert await it.driver.apply(BalancerPlan()) == {}
        assert not it.driver.process.running
        assert await it.driver.apply(SIMPLE) == {}
        assert it.driver.process.running
        assert await it.driver.apply(BalancerPlan()) == {}
        assert not it.driver.process.running


async def test_load_balancer_without_a_listener_is_in_place_and_nothing_runs() -> None:
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one")):
        bare = plan([balancer(ADDRESS)], [group()])
        assert await it.driver.apply(bare) == {}
        assert not it.driver.process.running
        assert await it.driver.apply(SIMPLE) == {}
        await it.healthy(planned(one))
        assert await who(client) == "one"
        assert await it.driver.apply(bare) == {}
        assert not it.driver.process.running


async def test_target_serves_after_its_first_check_and_reports_each_state() -> None:
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one")):
        await it.driver.apply(SIMPLE)
        assert (await client.get(URL)).status_code == 503
        await it.healthy(planned(one))
        assert [(report.state, report.reason) for report in it.reports] == [
            ("initial", "Elb.RegistrationInProgress"),
            ("initial", "Elb.InitialHealthChecking"),
            ("healthy", ""),
        ]
        assert await who(client) == "one"


async def test_target_that_starts_late_is_found_while_it_is_still_initial() -> None:
    async with rig() as it, httpx.AsyncClient() as client:
        await it.driver.apply(SIMPLE)
        one = target("one")
        await it.driver.serve(planned(one))
        await asyncio.sleep(0.5)
        assert it.state(planned(one)) == "initial"
        async with serving(one):
            await it.until(planned(one), "healthy")
            assert await who(client) == "one"
        assert "unhealthy" not in {report.state for report in it.reports}


@pytest.mark.parametrize(
    ("health", "reason", "description"),
    [
        (503, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"),
        (0, "Target.FailedHealthChecks", "Health checks failed"),
    ],
)
async def test_new_target_that_never_succeeds_is_unhealthy(health: int, reason: str, description: str) -> None:
    unhealthy_at_once = check(unhealthy_threshold=1)
    async with rig() as it, serving(one := target("one")):
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [group(check=unhealthy_at_once)]))
        one.health = health
        if not health:
            await one.stop()
        await it.driver.serve(planned(one))
        report = await it.until(planned(one), "unhealthy")
        assert (report.reason, report.description) == (reason, description)


async def test_failing_target_gets_nothing_until_it_succeeds_again_and_over_reloads() -> None:
    quick = check(interval_s=1, timeout_s=1)
    first = plan([balancer(ADDRESS, listener(8080))], [group(check=quick)])
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one", 1), two := target("two", 2)):
        await it.driver.apply(first)
        await it.healthy(planned(one), planned(two))
        two.health = 503
        report = await it.until(planned(two), "unhealthy")
        assert report.description == "Health checks failed with these codes: [503]"
        assert {await who(client) for _ in range(6)} == {"one"}
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080), listener(8081))], [group(check=quick)]))
        assert {await who(client) for _ in range(6)} == {"one"}
        two.health = 200
        await it.until(planned(two), "healthy")
        assert {await who(client) for _ in range(6)} == {"one", "two"}


async def test_all_targets_are_tried_when_none_is_healthy() -> None:
    quick = check(interval_s=1, timeout_s=1)
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one", 1), two := target("two", 2)):
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [group(check=quick)]))
        await it.healthy(planned(one), planned(two))
        one.health = two.health = 500
        await it.until(planned(one), "unhealthy")
        await it.until(planned(two), "unhealthy")
        assert {await who(client) for _ in range(6)} == {"one", "two"}


async def test_sticky_client_stays_with_its_target_while_none_is_healthy_and_leaves_it_when_another_is() -> None:
    sticky = group(check=check(interval_s=1, timeout_s=1), stickiness="lb_cookie", stickiness_s=600)
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one", 1), two := target("two", 2)):
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [sticky]))
        await it.healthy(planned(one), planned(two))
        mine, other = (one, two) if await who(client) == "one" else (two, one)
        one.health = two.health = 500
        await it.until(planned(one), "unhealthy")
        await it.until(planned(two), "unhealthy")
        assert {await who(client) for _ in range(6)} == {mine.name}
        async with httpx.AsyncClient() as stranger:
            assert {await stranger_to(stranger) for _ in range(6)} == {"one", "two"}
        other.health = 200
        await it.until(planned(other), "healthy")
        assert {await who(client) for _ in range(6)} == {other.name}


async def test_targets_stay_and_drain_through_changes_of_stickiness_and_lives() -> None:
    loose = plan([balancer(ADDRESS, listener(8080))], [group()])
    sticky = plan([balancer(ADDRESS, listener(8080))], [group(stickiness="lb_cookie", stickiness_s=600)])
    targets = [target(f"t{number}", number) for number in range(1, 4)]
    async with rig() as it, serving(*targets), httpx.AsyncClient() as client:
        await it.driver.apply(loose)
        await it.healthy(*map(planned, targets))
        for leaves, before, wanted in zip(targets, (loose, sticky, loose), (sticky, loose, sticky), strict=True):
            async with next_life(it) as life:
                assert life.driver.targets.rendered == {"0a": Shape(4, apart=before is sticky)}
                assert await life.driver.apply(before) == {}
                for known in targets:
                    await life.driver.serve(planned(known), known_healthy=True)
                reload = asyncio.create_task(life.driver.apply(wanted))
                await life.driver.drain(planned(leaves))
                assert await reload == {}
                await life.until(planned(leaves), "drained")
                left = {other.name for other in targets if other is not leaves}
                assert {await stranger_to(client) for _ in range(6)} == left
                await life.healthy(planned(leaves))
                assert {await stranger_to(client) for _ in range(6)} == {leaves.name, *left}


@contextlib.asynccontextmanager
async def next_life(of: Rig) -> AsyncIterator[Rig]:
    """Another driver that takes over the process; the first, which the test began with, can end it afterwards."""
    await of.driver.close()
    life = Rig(of.driver.process.folder)
    await life.open()
    try:
        yield life
    finally:
        await life.close()
        await of.driver.open()


async def test_slow_check_is_a_time_out() -> None:
    async with rig() as it:
        silent = await asyncio.start_server(lambda _r, _w: asyncio.sleep(30), f"{NET}.2.9", 8000)
        async with silent:
            quick = check(interval_s=1, timeout_s=1, unhealthy_threshold=1)
            await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [group(check=quick)]))
            mute = TargetPlan(group_id="0a", address=f"{NET}.2.9", port=8000)
            await it.driver.serve(mute)
            report = await it.until(mute, "unhealthy")
            assert (report.reason, report.description) == ("Target.Timeout", "Request timed out")
            silent.close()


async def test_draining_ends_with_the_last_request_and_takes_no_new_one() -> None:
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one", 1), two := target("two", 2)):
        await it.driver.apply(SIMPLE)
        await it.healthy(planned(one))
        one.hold.clear()
        open_request = asyncio.create_task(who(client))
        await one.asked.wait()
        await it.healthy(planned(two))
        await it.driver.drain(planned(one))
        # A reload leaves the open request to the old worker, which counts as well.
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080), listener(8081))], [group()]))
        assert {await who(client) for _ in range(5)} == {"two"}
        await asyncio.sleep(0.3)
        assert it.state(planned(one)) == "healthy"
        one.hold.set()
        assert await open_request == "one"
        await it.until(planned(one), "drained")


async def test_request_that_comes_before_a_drain_is_told_is_waited_for() -> None:
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one", 1), two := target("two", 2)):
        await it.driver.apply(SIMPLE)
        await it.healthy(planned(one), planned(two))
        two.hold.clear()
        while not two.asked.is_set():  # a drain that takes its time: all that drain are looked at meanwhile
            held = asyncio.create_task(client.get(URL))
            await asyncio.wait([held], timeout=0.2)
        await it.driver.drain(planned(two))
        async with it.driver.commands.reloading:  # nothing is told now
            drain = asyncio.create_task(it.driver.drain(planned(one)))
            await asyncio.sleep(0.5)
            one.hold.clear()
            one.asked.clear()
            late = asyncio.create_task(who(client))
            await one.asked.wait()
        await drain
        await asyncio.sleep(0.5)
        assert it.state(planned(one)) == "healthy"
        one.hold.set()
        assert await late == "one"
        await it.until(planned(one), "drained")
        two.hold.set()
        await held


async def test_drain_of_an_unknown_target_is_done_at_once() -> None:
    async with rig() as it:
        await it.driver.drain(TargetPlan(group_id="0a", address=f"{NET}.2.1", port=1))
        await it.until(TargetPlan(group_id="0a", address=f"{NET}.2.1", port=1), "drained")


async def test_removed_target_loses_its_connections() -> None:
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one")):
        await it.driver.apply(SIMPLE)
        await it.healthy(planned(one))
        one.hold.clear()
        open_request = asyncio.create_task(client.get(URL))
        await one.asked.wait()
        await it.driver.remove(planned(one))
        assert (await open_request).status_code in (502, 503, 504)
        assert (await client.get(URL)).status_code == 503


async def test_draining_target_can_be_taken_in_again() -> None:
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one")):
        await it.driver.apply(SIMPLE)
        await it.healthy(planned(one))
        one.hold.clear()
        open_request = asyncio.create_task(who(client))
        await one.asked.wait()
        await it.driver.drain(planned(one))
        await it.driver.serve(planned(one))
        one.hold.set()
        await open_request
        await it.until(planned(one), "healthy")
        assert await who(client) == "one"


async def test_group_outgrows_its_slots() -> None:
    targets = [target(f"t{number}", number) for number in range(1, 12)]
    async with rig() as it, httpx.AsyncClient() as client, serving(*targets):
        await it.driver.apply(SIMPLE)
        await it.healthy(*(planned(one) for one in targets))
        assert {await who(client) for _ in range(33)} == {one.name for one in targets}
        assert it.driver.targets.rendered == {"0a": Shape(16, apart=False)}


async def test_unknown_group_is_for_later() -> None:
    async with rig() as it:
        with pytest.raises(Retryable, match="not in place"):
            await it.driver.serve(TargetPlan(group_id="ff", address=f"{NET}.2.1", port=1))


async def test_next_life_takes_over_process_and_targets() -> None:
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one", 1), two := target("two", 2)):
        await it.driver.apply(SIMPLE)
        await it.healthy(planned(one), planned(two))
        one.hold.clear()
        open_requests = [asyncio.create_task(who(client)) for _ in range(2)]
        await one.asked.wait()
        await it.driver.drain(planned(one))
        before = (await it.driver.process.runtime.processes()).workers
        await it.close()
        assert await who(client) == "two"
        again = Rig(it.driver.process.folder)
        await again.open()
        try:
            assert await again.driver.apply(SIMPLE) == {}
            assert (await again.driver.process.runtime.processes()).workers == before
            await again.driver.serve(planned(two), known_healthy=True)
            await again.driver.drain(planned(one))
            await again.until(planned(two), "healthy")
            assert again.state(planned(one)) is None
            one.hold.set()
            assert sorted(await asyncio.gather(*open_requests)) == ["one", "two"]
            await again.until(planned(one), "drained")
        finally:
            await again.driver.stop()
            await again.close()


async def test_targets_that_the_next_life_does_not_know_are_forgotten() -> None:
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one")):
        await it.driver.apply(SIMPLE)
        await it.healthy(planned(one))
        await it.close()
        again = Rig(it.driver.process.folder)
        await again.open()
        try:
            await again.driver.apply(SIMPLE)
            assert await who(client) == "one"
            await again.driver.targets.forget_unclaimed()
            assert (await client.get(URL)).status_code == 503
        finally:
            await again.driver.stop()
            await again.close()


async def test_killed_haproxy_is_started_again_with_what_it_had() -> None:
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one")):
        await it.driver.apply(SIMPLE)
        await it.healthy(planned(one))
        pid = int((it.driver.process.folder / "haproxy.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        await answered(client, "one")
        assert int((it.driver.process.folder / "haproxy.pid").read_text()) != pid


async def test_killed_haproxy_is_started_again_although_its_worker_is_slow_to_notice() -> None:
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one")):
        await it.driver.apply(SIMPLE)
        await it.healthy(planned(one))
        worker = (await it.driver.process.runtime.processes()).current
        assert worker is not None
        os.kill(worker.pid, signal.SIGSTOP)
        os.kill(int((it.driver.process.folder / "haproxy.pid").read_text()), signal.SIGKILL)
        await asyncio.sleep(1.0)
        os.kill(worker.pid, signal.SIGCONT)
        await answered(client, "one")


async def test_address_that_is_missing_when_haproxy_is_started_again_is_tried_until_it_is_there() -> None:
    missing = 0

    async def claim(_addresses: Sequence[str], _vpc_id: str, _vpc_cidr: str) -> None:
        nonlocal missing
        if missing:
            missing -= 1
            raise Permanent("No such device")

    async with rig(claim=claim) as it, httpx.AsyncClient() as client, serving(one := target("one")):
        await it.driver.apply(SIMPLE)
        await it.healthy(planned(one))
        missing = 2
        os.kill(int((it.driver.process.folder / "haproxy.pid").read_text()), signal.SIGKILL)
        await answered(client, "one")
        assert missing == 0


async def test_taken_port_fails_its_own_load_balancer_alone() -> None:
    other = balancer(f"{NET}.1.2", listener(8080, rule(text("other")), listener_id="e2"), lb_id="b2")
    async with rig() as it, httpx.AsyncClient() as client:
        occupant = await asyncio.start_server(lambda _r, _w: None, ADDRESS, 8080)
        async with occupant:
            problems = await it.driver.apply(plan([balancer(ADDRESS, listener(8080)), other], [group()]))
            assert problems == {"b1": Problem(reason=f"Can't listen at {ADDRESS}:8080: Address already in use")}
            assert (await client.get(f"http://{NET}.1.2:8080")).text == "other"
        assert await it.driver.apply(plan([balancer(ADDRESS, listener(8080)), other], [group()])) == {}


async def test_rule_that_haproxy_refuses_fails_its_own_load_balancer_alone() -> None:
    broken = listener(8080, BROKEN, rule(text("y")))
    other = balancer(f"{NET}.1.2", listener(8080, rule(text("other")), listener_id="e2"), lb_id="b2")
    async with rig() as it, httpx.AsyncClient() as client:
        problems = await it.driver.apply(plan([balancer(ADDRESS, broken), other], []))
        assert set(problems) == {"b1"}
        assert "HAProxy refuses" in problems["b1"].reason
        assert not problems["b1"].serving
        assert (await client.get(f"http://{NET}.1.2:8080")).text == "other"


async def test_load_balancer_whose_change_haproxy_refuses_goes_on_as_it_was_and_takes_the_next_one() -> None:
    other = balancer(f"{NET}.1.2", listener(8080, rule(text("other")), listener_id="e2"), lb_id="b2")
    changed = balancer(f"{NET}.1.2", listener(8080, rule(text("changed")), listener_id="e2"), lb_id="b2")
    broken = balancer(ADDRESS, listener(8080, BROKEN))
    anew = {"connection": "close"}
    async with rig() as it, httpx.AsyncClient(headers=anew) as client, serving(one := target("one")):
        assert await it.driver.apply(plan([balancer(ADDRESS, listener(8080)), other], [group()])) == {}
        await it.healthy(planned(one))
        problems = await it.driver.apply(plan([broken, changed], []))
        assert set(problems) == {"b1"}
        assert problems["b1"].serving
        assert problems["b1"].groups == ("0a",)
        assert "HAProxy refuses" in problems["b1"].reason
        assert await who(client) == "one"
        assert (await client.get(f"http://{NET}.1.2:8080")).text == "changed"
        assert await it.driver.apply(plan([balancer(ADDRESS, listener(8080, rule(text("new")))), changed], [])) == {}
        assert (await client.get(URL)).text == "new"


async def test_load_balancer_that_goes_on_as_it_was_does_so_over_lives_and_kills() -> None:
    refused = plan([balancer(ADDRESS, listener(8080, BROKEN))], [])
    async with rig() as it, httpx.AsyncClient() as client:
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080, rule(text("before"))))], []))
        assert (await it.driver.apply(refused))["b1"].serving
        await it.close()
        again = Rig(it.driver.process.folder)
        await again.open()
        try:
            assert (await again.driver.apply(refused))["b1"].serving
            assert (await client.get(URL)).text == "before"
            os.kill(int((it.driver.process.folder / "haproxy.pid").read_text()), signal.SIGKILL)
            assert (await until_answered(client)).text == "before"
        finally:
            await again.driver.stop()
            await again.close()


async def test_counts_go_on_over_reloads() -> None:
    async with rig() as it, serving(one := target("one")):
        await it.driver.apply(SIMPLE)
        await it.healthy(planned(one))
        async with httpx.AsyncClient() as client:
            for _ in range(3):
                await who(client)
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080), listener(8081))], [group()]))
        async with httpx.AsyncClient() as client:
            await who(client)
            one.respond = lambda _request: (404, {}, b"")
            await client.get(URL)
        (whole,), (part,) = await it.driver.counts()
        assert (whole.lb_id, whole.requests, whole.codes) == ("b1", 5, (0, 4, 0, 1, 0))
        assert (part.lb_id, part.group_id, part.requests, part.codes) == ("b1", "0a", 5, (0, 4, 0, 1, 0))
        assert whole.bytes_out > whole.bytes_in > 0


async def test_counts_have_each_request_that_a_target_was_chosen_for_once() -> None:
    seldom = group(check=check(interval_s=60, unhealthy_threshold=9))

    def die(_request: Request) -> Answer:
        raise ConnectionResetError

    async with rig() as it, serving(one := target("one", 1), two := target("two", 2)):
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [seldom]))
        async with httpx.AsyncClient() as client:
            assert (await client.get(URL)).status_code == 503
        await it.healthy(planned(one), planned(two))
        one.respond = two.respond = die
        async with httpx.AsyncClient() as client:
            assert (await client.get(URL)).status_code == 502
        one.respond = two.respond = None
        await one.stop()
        for _ in range(2):  # one of them is tried at the target that refuses it, and sent on to the other
            async with httpx.AsyncClient() as client:
                assert await who(client) == "two"
        await two.stop()
        async with httpx.AsyncClient() as client:
            assert (await client.get(URL)).status_code == 502
        (_,), (part,) = await it.driver.counts()
        assert (part.requests, part.codes) == (4, (0, 2, 0, 0, 0))


async def test_taken_port_of_the_host_is_left_out_until_it_is_free() -> None:
    front = plan([balancer(ADDRESS, listener(8080, rule(text("hello"))))], [])
    name = {"host": "web-b1.us-east-1.elb.localhost"}
    async with (
        rig(host_addresses=(f"{NET}.1.9", "::1"), host_ports={8080: 8089}) as it,
        httpx.AsyncClient(headers=name) as client,
    ):
        occupant = await asyncio.start_server(lambda _r, _w: None, f"{NET}.1.9", 8089)
        async with occupant:
            assert await it.driver.apply(front) == {}
            assert f"{NET}.1.9" in {share.address for share in it.driver.unshared}
            assert (await client.get(URL)).text == "hello"
        assert await it.driver.apply(front) == {}
        assert f"{NET}.1.9" not in {share.address for share in it.driver.unshared}
        assert (await client.get(f"http://{NET}.1.9:8089")).text == "hello"


async def test_addresses_are_claimed_and_what_works_goes_on_without_them() -> None:
    claimed: list[tuple[tuple[str, ...], str, str]] = []
    trouble: list[Exception] = []

    async def claim(addresses: Sequence[str], vpc_id: str, cidr: str) -> None:
        claimed.append((tuple(addresses), vpc_id, cidr))
        if trouble:
            raise trouble[0]

    one = plan([balancer(ADDRESS, listener(8080, rule(text("hello"))))], [])
    async with rig(claim=claim) as it, httpx.AsyncClient() as client:
        trouble.append(Permanent("It belongs to somebody else."))
        assert await it.driver.apply(one) == {"b1": Problem(reason="It belongs to somebody else.")}
        assert not it.driver.process.running
        trouble.clear()
        assert await it.driver.apply(one) == {}
        assert claimed == [((ADDRESS,), "vpc-1", "127.0.0.0/8")] * 2
        trouble.append(Retryable("The network is being made."))
        with pytest.raises(Retryable, match="being made"):
            await it.driver.apply(one)
        assert (await client.get(URL)).text == "hello"


async def test_new_target_of_a_group_with_slow_start_begins_with_a_small_share() -> None:
    async with rig() as it, serving(one := target("one")):
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [group(slow_start_s=900)]))
        await it.healthy(planned(one))
        runtime = it.driver.process.runtime
        worker = (await runtime.processes()).current
        assert worker is not None
        rows = {row["svname"]: row for row in await runtime.stat(worker, "g-0a 4 -1")}
        assert 0 < int(rows["s1"]["throttle"].rstrip("%")) < 100


async def test_sticky_client_leaves_a_draining_target() -> None:
    sticky = group(stickiness="lb_cookie", stickiness_s=600)
    async with rig() as it, httpx.AsyncClient() as client, serving(one := target("one", 1), two := target("two", 2)):
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [sticky]))
        await it.healthy(planned(one))
        assert await who(client) == "one"
        await it.healthy(planned(two))
        assert {await who(client) for _ in range(5)} == {"one"}
        await it.driver.drain(planned(one))
        assert {await who(client) for _ in range(5)} == {"two"}
        await it.until(planned(one), "drained")
