"""The data plane: what a request through a load balancer costs, and how soon a change of targets is live.

The baseline of the first is a configuration of HAProxy as one would write it by hand, with the same ten rules, four
targets and headers, measured in turn with ours. The second has 100 load balancers, 1,000 rules and 2,000 targets.
Targets are HAProxy too: the fastest thing there is to answer a request.
"""

import asyncio
import contextlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from bench import instructions
from bench.load import Load, run
from bench.table import Row, at_least, at_most, below, progress
from longshore.domain.elbv2.balancing import (
    BalancerPlan,
    CheckPlan,
    Condition,
    Forward,
    GroupPlan,
    ListenerPlan,
    LoadBalancerPlan,
    RulePlan,
    TargetPlan,
    WeightedGroup,
)
from longshore.drivers.haproxy.driver import KEEP_BUFFERS, HaproxyBalancer
from longshore.drivers.haproxy.render import Settings, render
from longshore.drivers.haproxy.slots import Slot
from longshore.drivers.program import find

TARGET_PORT = 19001
PORT = 18080
OURS, BY_HAND = "127.30.0.1", "127.30.0.2"
RULES = 10
TARGETS = tuple(f"127.31.0.{number}" for number in range(1, 5))
LOAD_BALANCERS, RULES_EACH, TARGETS_EACH = 100, 10, 2
CHANGES = 40
PAIRS = 100
"""Rounds of a second on each side."""
CONNECTIONS = 32
LIVE_S = 0.2
"""What is asked of a change of targets."""

TIMEOUTS = """
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
"""
ANSWERING = f"""{TIMEOUTS}
frontend targets
    bind 0.0.0.0:{TARGET_PORT}
    http-request return status 200 content-type text/plain string "hello from a target of the benchmark"
"""


def measure(quick: bool) -> list[Row]:
    """Throughput and its cost, then changes at scale."""
    folder = Path(tempfile.mkdtemp(prefix="lsb-"))
    try:
        with _haproxy(folder / "targets.cfg", ANSWERING):
            cost = [_instructions(folder)] if instructions.available() else []
            with _haproxy(folder / "hand.cfg", by_hand()):
                rounds = asyncio.run(_throughput(folder / "one", 1, 3 if quick else PAIRS))
            live_ms, gone_ms, config_s = asyncio.run(_changes(folder / "many", 10 if quick else CHANGES))
    finally:
        shutil.rmtree(folder)
    per_s = [(ours.requests_per_s, baseline.requests_per_s) for ours, baseline in rounds]
    p99_ms = [(ours.p99_ms, baseline.p99_ms) for ours, baseline in rounds]
    name = "configuration written by hand"
    many = f"{LOAD_BALANCERS} load balancers, {LOAD_BALANCERS * RULES_EACH:,} rules, 2,000 targets"
    return [
        at_least("requests, 10 rules, 4 targets", *_middle(per_s), "/s", name, 0.95),
        Row("the same, quartiles of the pairs", _quartiles(per_s)),
        at_most("p99 of a request", *_middle(p99_ms), "ms", name, 1.05),
        Row("the same, quartiles of the pairs", _quartiles(p99_ms)),
        *(at_most("HAProxy's instructions for a request", *pair, "", name, 1.05) for pair in cost),
        below(f"target is live, worst: {many}", max(live_ms), "ms", LIVE_S * 1000),
        Row("target is live, median", f"{statistics.median(live_ms):.1f} ms"),
        below("target gets nothing more, worst", max(gone_ms), "ms", LIVE_S * 1000),
        Row("change of rules by reload, same size", f"{config_s * 1000:,.0f} ms"),
    ]


def by_hand() -> str:
    """The baseline's configuration."""
    rules = "\n".join(f"    use_backend targets if {{ path_beg /r{number}/ }}" for number in range(RULES))
    servers = "\n".join(f"    server s{n} {address}:{TARGET_PORT} check inter 30s" for n, address in enumerate(TARGETS))
    return f"""{TIMEOUTS}
frontend front
    bind {BY_HAND}:{PORT}
    option forwardfor
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Port {PORT}
    http-request set-header X-Amzn-Trace-Id "Root=1-%[date,hex]-%[uuid]" unless {{ req.hdr(x-amzn-trace-id) -m found }}
{rules}
    default_backend targets

backend targets
    balance roundrobin
    option httpchk GET /
{servers}
"""


@contextlib.contextmanager
def _haproxy(file: Path, text: str) -> Iterator[None]:
    file.write_text(text)
    # In a session of its own, as ours is: Linux shares the processor out by session, and wrk takes much of this one's.
    command = [find("haproxy") or "haproxy", "-f", str(file)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        time.sleep(0.5)
        if process.poll() is not None:
            raise RuntimeError(f"HAProxy can't be started with {file.name}.")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextlib.asynccontextmanager
async def _driver(folder: Path) -> AsyncIterator[HaproxyBalancer]:
    driver = HaproxyBalancer(folder, cookie_key="bench", host_ports={})
    await driver.open()
    try:
        yield driver
    finally:
        await driver.stop()
        await driver.close()


async def _throughput(folder: Path, duration_s: int, rounds: int) -> list[tuple[Load, Load]]:
    """Ours and the baseline in many short rounds, in turn, so that other work of the machine counts for both."""
    async with _driver(folder) as driver:
        await driver.apply(_small_plan())
        for address in TARGETS:
            target = TargetPlan(group_id="0a", address=address, port=TARGET_PORT)
            await driver.serve(target, known_healthy=True)
        found: dict[str, list[Load]] = {OURS: [], BY_HAND: []}
        for number in range(rounds):
            for address, loads in list(found.items())[:: -1 if number % 2 else 1]:
                url = f"http://{address}:{PORT}/r7"
                loads.append(await asyncio.to_thread(run, url, {}, "", duration_s=duration_s, connections=CONNECTIONS))
                progress(f"{address}: {loads[-1]}")
        if any(load.errors for loads in found.values() for load in loads):
            raise RuntimeError("Requests failed.")
        return list(zip(found[OURS], found[BY_HAND], strict=True))


def _middle(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The geometric means, ours and the baseline's, of that half of the pairs whose ratios are in the middle.

    What else the machine does disturbs single rounds. The middle pair alone spreads more, and so does what is pooled
    of all rounds of a side: its p99 is that of the worst rounds.
    """
    by_ratio = sorted(pairs, key=lambda pair: pair[0] / pair[1])
    cut = len(by_ratio) // 4
    ours, baseline = zip(*by_ratio[cut : len(by_ratio) - cut], strict=True)
    return statistics.geometric_mean(ours), statistics.geometric_mean(baseline)


def _quartiles(pairs: Sequence[tuple[float, float]]) -> str:
    first, _, third = statistics.quantiles(ours / baseline for ours, baseline in pairs)
    return f"{first:.2f}x and {third:.2f}x"


async def _changes(folder: Path, changes: int) -> tuple[list[float], list[float], float]:
    """Milliseconds until each new target was live, and until each leaving one got nothing; seconds of a reload."""
    plan = _large_plan()
    async with _driver(folder) as driver:
        began = time.perf_counter()
        problems = await driver.apply(plan)
        if problems:
            raise RuntimeError(str(problems))
        progress(f"HAProxy has the large plan after {time.perf_counter() - began:.2f} s")
        began = time.perf_counter()
        await asyncio.gather(*(driver.serve(target, known_healthy=True) for target in _large_targets(plan)))
        progress(f"2,000 targets are in after {time.perf_counter() - began:.2f} s")
        live, gone = [], []
        for number in range(changes):
            # The last rule's group has no other target: it answers when, and only when, this one is in.
            group_id = plan.groups[(number * 7 % LOAD_BALANCERS) * RULES_EACH + RULES_EACH - 1].group_id
            address = plan.load_balancers[number * 7 % LOAD_BALANCERS].addresses[0]
            target = TargetPlan(group_id=group_id, address=f"127.32.0.{1 + number}", port=TARGET_PORT)
            live.append(await _until(address, b"200", asyncio.create_task(driver.serve(target))))
            gone.append(await _until(address, b"503", asyncio.create_task(driver.drain(target))))
        began = time.perf_counter()
        await driver.apply(_large_plan(changed=True))
        return live, gone, time.perf_counter() - began


async def _until(address: str, status: bytes, change: "asyncio.Task[None]") -> float:
    """Milliseconds until requests are answered with a status, from now on."""
    began = time.perf_counter()
    while True:
        reader, writer = await asyncio.open_connection(address, PORT)
        writer.write(b"GET /last/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        head = await reader.readline()
        writer.close()
        if head.split()[1] == status:
            took_ms = (time.perf_counter() - began) * 1000
            await change
            return took_ms


def _instructions(folder: Path) -> tuple[float, float]:
    """Of a request through ours and through the baseline, with as many connections as the load has."""
    slots = tuple(Slot(address, TARGET_PORT, serving=True, registered=True) for address in TARGETS)
    known = Settings(folder=str(folder), cookie_key="bench", max_files=4096)
    texts = {OURS: render(_small_plan(), {"0a": slots}, known).text, BY_HAND: f"global\n{by_hand()}"}
    options = {OURS: [KEEP_BUFFERS], BY_HAND: []}
    counted = {}
    for address, text in texts.items():
        file = folder / f"{address}.cfg"
        file.write_text(text.replace("global\n", "global\n    nbthread 1\n", 1))
        command = [find("haproxy") or "haproxy", *options[address], "-f", str(file)]
        request = f"POST /r7/ HTTP/1.1\r\nHost: {address}:{PORT}\r\nContent-Length: 0\r\n\r\n".encode()
        counted[address] = instructions.per_request(command, folder, (address, PORT), request, CONNECTIONS)
        progress(f"{address}: {counted[address]:,.0f} instructions for a request")
    return counted[OURS], counted[BY_HAND]


def _small_plan() -> BalancerPlan:
    rules = [_rule(f"/r{number}/*", "0a") for number in range(RULES)]
    balancer = _balancer(0, OURS, [*rules, _rule("", "0a")])
    return BalancerPlan(load_balancers=(balancer,), groups=(_group("0a"),))


def _large_plan(*, changed: bool = False) -> BalancerPlan:
    balancers, groups = [], []
    for number in range(LOAD_BALANCERS):
        own = [_group(f"{number:02x}{rule:02x}") for rule in range(RULES_EACH)]
        rules = [_rule(f"/r{n}/*", group.group_id) for n, group in enumerate(own[:-1])]
        rules.append(_rule("/last/*" if not changed else "/last*", own[-1].group_id))
        balancers.append(_balancer(number, f"127.30.1.{number + 1}", [*rules, _rule("", own[0].group_id)]))
        groups.extend(own)
    return BalancerPlan(load_balancers=tuple(balancers), groups=tuple(groups))


def _large_targets(plan: BalancerPlan) -> Iterator[TargetPlan]:
    """2,000, on the groups of all rules but each load balancer's last."""
    number = 0
    while number < LOAD_BALANCERS * RULES_EACH * TARGETS_EACH:
        for index, group in enumerate(plan.groups):
            if index % RULES_EACH != RULES_EACH - 1 and number < LOAD_BALANCERS * RULES_EACH * TARGETS_EACH:
                address = f"127.33.{number // 250}.{1 + number % 250}"
                yield TargetPlan(group_id=group.group_id, address=address, port=TARGET_PORT)
                number += 1


def _group(group_id: str) -> GroupPlan:
    check = CheckPlan(
        enabled=True,
        protocol="HTTP",
        port=None,
        path="/",
        codes=((200, 200),),
        grpc=False,
        interval_s=30,
        timeout_s=5,
        healthy_threshold=5,
        unhealthy_threshold=2,
    )
    return GroupPlan(group_id=group_id, layer="http", protocol_version="HTTP1", check=check)


def _rule(pattern: str, group_id: str) -> RulePlan:
    conditions = (Condition(field="path-pattern", values=(pattern,)),) if pattern else ()
    return RulePlan(rule_id="r", conditions=conditions, action=Forward(groups=(WeightedGroup(group_id=group_id),)))


def _balancer(number: int, address: str, rules: Sequence[RulePlan]) -> LoadBalancerPlan:
    listener = ListenerPlan(listener_id=f"e{number}", port=PORT, protocol="HTTP", rules=tuple(rules))
    return LoadBalancerPlan(
        lb_id=f"b{number}",
        account="123456789012",
        region="us-east-1",
        path=f"app/web/b{number}",
        type="application",
        dns_name=f"web-{number}.us-east-1.elb.localhost",
        vpc_id="vpc-1",
        vpc_cidr="127.0.0.0/8",
        addresses=(address,),
        listeners=(listener,),
    )
