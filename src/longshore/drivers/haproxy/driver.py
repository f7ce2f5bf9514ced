"""The HAProxy driver: the data plane of all load balancers of one Longshore. See ports.BalancerDriver.

Owns the plan and, through process.py, the one HAProxy. A new plan means a reload, unless only targets differ: those
are in slots that targets.py fills through the runtime socket.
"""

import asyncio
import contextlib
import errno
import logging
import os
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path

from longshore.domain.elbv2.balancing import (
    BalancerCounts,
    BalancerPlan,
    GroupCounts,
    Problem,
    TargetObservation,
    TargetPlan,
)
from longshore.drivers.ending import cancelled
from longshore.drivers.haproxy import last_good
from longshore.drivers.haproxy.access_log import AccessLogs, LogFolder
from longshore.drivers.haproxy.carried import Rounds, state_file
from longshore.drivers.haproxy.commands import Commands
from longshore.drivers.haproxy.counts import Counters, sums
from longshore.drivers.haproxy.datagrams import Datagrams
from longshore.drivers.haproxy.process import ConfigurationRefused, HaproxyProcess, digest, most_files
from longshore.drivers.haproxy.render import Rendered, Settings, Share, Unwritable, groups_of, render, shape
from longshore.drivers.haproxy.runtime import RuntimeFailure
from longshore.drivers.haproxy.slots import Layout, emptied
from longshore.drivers.haproxy.targets import Targets
from longshore.drivers.ports import Permanent, Retryable

log = logging.getLogger(__name__)

Claim = Callable[[Sequence[str], str, str], Awaitable[None]]
"""`claim(addresses, vpc_id, vpc_cidr)`: see to it that the addresses are this host's. Raises Retryable, Permanent."""
BIND = re.compile(r"^    bind ([0-9a-f.:]+):(\d+)", re.MULTILINE)
UNCLAIMED_S = 60.0
"""How long after the first plan targets of an earlier life may wait for a word about them."""
RESTART_S = 1.0
RELEASE_S = 10.0
"""How long workers may take to notice that their master is gone; a busy machine does not run them at once."""
HOST_PORTS = {80: 80, 443: 443}
KEEP_BUFFERS = "-dMglobal"
"""A thread keeps half a MiB of free memory at hand: 7 of our buffers, which are large since headers may be. The others
are shared among threads: without this they would go back to the C library, and be asked of it again, at every request.
"""


async def _here_already(addresses: Sequence[str], vpc_id: str, vpc_cidr: str) -> None:
    """For addresses that the host has anyway."""


IN_USE = os.strerror(errno.EADDRINUSE)


class HaproxyBalancer:
    """One HAProxy, in a folder of its own.

    folder: for its configuration, sockets and certificates; best in memory, and a short path (sockets are in it).
    cookie_key: a secret that stays the same; targets in cookies are told by it.
    access_logs: where they go; None: nobody reads access logs.
    host_ports: listener port -> port of the host that listeners at that port share by Host header or SNI.
    """

    name = "haproxy"

    def __init__(
        self,
        folder: Path,
        *,
        cookie_key: str,
        claim: Claim = _here_already,
        host_addresses: Sequence[str] = ("127.0.0.1",),
        host_ports: Mapping[int, int] = HOST_PORTS,
        access_logs: LogFolder | None = None,
        binary: str = "haproxy",
    ) -> None:
        self.process = HaproxyProcess(folder, binary, options=[KEEP_BUFFERS])
        self._settings = Settings(
            folder=str(folder),
            cookie_key=cookie_key,
            access_logs=access_logs is not None,
            max_files=most_files(),
        )
        self._wanted_shares = [
            Share(address, host_port, port) for port, host_port in host_ports.items() for address in host_addresses
        ]
        self.unshared: dict[Share, str] = {}
        """Ports of the host that load balancers can't share, and why: somebody else listens there."""
        self._claim = claim
        self.commands = Commands(self.process)
        self._reports: asyncio.Queue[TargetObservation | None] = asyncio.Queue()
        self.targets = Targets(self.process, self.commands, self._reports.put_nowait, self._reconcile)
        self._log = Datagrams(folder / "log.sock", self.targets.on_log)
        self._access = AccessLogs(folder / "access.sock", access_logs) if access_logs is not None else None
        self._wanted = BalancerPlan()
        self._plan = BalancerPlan()
        """What of it is in place."""
        self._kept = folder / "last-good.json"
        self._last_good = BalancerPlan()
        self._applying = asyncio.Lock()
        self._counters = Counters()
        self._rounds = Rounds()
        self._bound: set[tuple[str, int]] = set()
        self._guard: asyncio.Task[None] | None = None
        self._forgetting: asyncio.Task[None] | None = None
        self._adopted = False

    # ------------------------------------------------------------------------------------------------- the port

    async def open(self) -> None:
        """See the port. Raises Permanent where there is no HAProxy."""
        self._adopted = self.process.open()
        self._last_good = last_good.read(self._kept)
        self._log.open()
        if self._access is not None:
            self._access.open()
        if self._adopted:
            try:
                worker = (await self.process.runtime.processes()).current
                if worker is None:
                    raise RuntimeFailure("It has no worker.")
                await self.targets.adopt(worker)
                self._bound = _bound_in(self.process.configuration())
            except RuntimeFailure as error:
                log.warning("ending a HAProxy that can't be taken over: %s", error)
                await self.process.stop()
                self._adopted = False
        self.targets.start()
        self._guard = asyncio.create_task(self._keep_alive())

    async def close(self) -> None:
        """See the port."""
        await cancelled((self._guard, self._forgetting))
        await self.targets.close()
        self._log.close()
        if self._access is not None:
            await self._access.close()
        self.process.close()
        self._reports.put_nowait(None)

    async def stop(self) -> None:
        """End the data plane itself, with all connections."""
        await self.process.stop()
        self._bound = set()

    async def apply(self, plan: BalancerPlan) -> Mapping[str, Problem]:
        """See the port."""
        async with self._applying:
            self._wanted = plan
            left_out: dict[str, str] = {}
            later = await self._claim_addresses(plan, left_out)
            self._choose_shares()
            problems = await self._put_in_place_without_refused(plan, left_out)
            self.targets.drop_groups()
        if self._adopted:
            self._adopted = False
            self._forgetting = asyncio.create_task(self._forget_unclaimed())
        if later is not None:
            raise later
        return problems

    async def serve(self, target: TargetPlan, *, known_healthy: bool = False) -> None:
        """See the port."""
        await self.targets.serve(target, known_healthy=known_healthy)

    async def drain(self, target: TargetPlan) -> None:
        """See the port."""
        await self.targets.drain(target)

    async def remove(self, target: TargetPlan) -> None:
        """See the port."""
        await self.targets.remove(target)

    async def observations(self) -> AsyncIterator[TargetObservation]:
        """See the port."""
        while (observation := await self._reports.get()) is not None:
            yield observation

    async def counts(self) -> tuple[Sequence[BalancerCounts], Sequence[GroupCounts]]:
        """See the port. Raises Retryable."""
        try:
            await self._count()
        except RuntimeFailure as error:
            raise Retryable(str(error)) from error
        return self._counters.counts(self._plan)

    # ------------------------------------------------------------------------------------------------- the plan

    async def _put_in_place_without_refused(
        self, plan: BalancerPlan, left_out: Mapping[str, str]
    ) -> dict[str, Problem]:
        """What is refused goes on as it was when it last worked, if it ever did and that is not refused as well.

        left_out: what can't work at all, and why. Raises Retryable.
        """
        out, refused = dict(left_out), dict[str, str]()
        while True:
            wanted = last_good.only(plan, {each.lb_id for each in plan.load_balancers} - out.keys())
            usable = last_good.instead(wanted, self._last_good, refused)
            groups = {group.group_id: group for group in (*plan.groups, *usable.groups)}
            self.targets.set_groups(groups.values())
            complaints = await self._attempt(usable)
            if not complaints:
                break
            for lb_id, reason in complaints.items():
                if lb_id in refused:
                    out[lb_id] = refused.pop(lb_id)
                else:
                    refused[lb_id] = reason
        known = last_good.merged(usable, last_good.only(self._last_good, out.keys()))
        if known != self._last_good:
            last_good.keep(self._kept, known)
        self._last_good = known
        serving = {each.lb_id: tuple(groups_of(each)) for each in usable.load_balancers if each.lb_id in refused}
        return {
            lb_id: Problem(reason=why, serving=lb_id in serving, groups=serving.get(lb_id, ()))
            for lb_id, why in {**out, **refused}.items()
        }

    async def _attempt(self, plan: BalancerPlan) -> dict[str, str]:
        """Put a plan in place; if that can't be, why, by load balancer. Raises Retryable."""
        if taken := self._taken_ports(plan):
            return taken
        try:
            await self._put_in_place(plan)
        except (Unwritable, ConfigurationRefused) as refused:
            owners = {refused.owner} if isinstance(refused, Unwritable) else await self._owners(plan, refused)
            if not owners:
                raise Retryable(refused.reason, 5.0) from refused
            return dict.fromkeys(owners, refused.reason)
        return {}

    async def _put_in_place(self, plan: BalancerPlan) -> None:
        """Make the process what the plan says. Raises ConfigurationRefused and Retryable."""
        if _listens(plan):
            await self._load(plan)
        elif self.process.running:
            async with self.commands.reloading:
                await self.process.stop()
            self._bound = set()
            self.targets.rendered = {}
        self._plan = plan

    async def _reconcile(self) -> None:
        """For a group that has outgrown its slots. Raises Retryable."""
        async with self._applying:
            try:
                if _listens(self._plan):
                    await self._load(self._plan)
            except (ConfigurationRefused, Unwritable) as refused:
                raise Retryable(refused.reason) from refused

    async def _load(self, plan: BalancerPlan) -> None:
        """Start or reload, if the process has not this structure already."""
        if self._access is not None:
            self._access.know(plan)
        empty = emptied(self.targets.slots.layout())
        structure = await self._render(plan, empty)
        wanted = digest(structure.text)
        if self.process.running and self.process.applied == wanted:
            return
        await self.process.check(structure.text, structure.files)
        if self.process.running:
            with contextlib.suppress(RuntimeFailure):
                await self._count()
        async with self.commands.reloading:
            # Looked at as late as can be: a new worker must not begin with a target that has drained meanwhile.
            layout = self.targets.slots.layout()
            intervals = {group.check.interval_s for group in plan.groups if group.check.enabled}
            spread_s = self._rounds.begin(intervals, asyncio.get_running_loop().time())
            rendered = await self._render(plan, layout, spread_s)
            if emptied(layout) != empty:  # a group has outgrown its slots meanwhile
                wanted = digest((await self._render(plan, emptied(layout))).text)
            self.targets.rendered = {group.group_id: shape(group, layout[group.group_id]) for group in plan.groups}
            try:
                await self.targets.look_at_changed()
                begun = self.targets.carry(await self._checked_so_far())
                state = state_file((each.server, each.state) for each in begun)
                self.process.write(rendered.text, rendered.files, state)
                if self.process.running:
                    await self.process.runtime.reload()
                else:
                    await self.process.start()
                await self.targets.after_reload(layout, begun)
            except RuntimeFailure as error:
                raise Retryable(str(error)) from error
            self.process.note_applied(wanted, rendered.files)
        self._bound = _bound_in(rendered.text)

    async def _checked_so_far(self) -> str:
        """What the worker knows of its servers; nothing if there is none. Raises RuntimeFailure."""
        if not self.process.running:
            return ""
        worker = (await self.process.runtime.processes()).current
        return await self.process.runtime.on_worker(worker, "show servers state") if worker is not None else ""

    async def _render(self, plan: BalancerPlan, layout: Layout, spread_s: float | None = None) -> Rendered:
        """In a thread: a large plan takes a quarter of a second. Without `spread_s` it is the structure alone."""
        settings = self._settings._replace(spread_s=spread_s)
        return await asyncio.to_thread(render, plan, layout, settings)

    async def _owners(self, plan: BalancerPlan, refused: ConfigurationRefused) -> set[str]:
        rendered = await self._render(plan, emptied(self.targets.slots.layout()))
        return {rendered.owner_at(line) for line in refused.lines} - {""}

    async def _claim_addresses(self, plan: BalancerPlan, problems: dict[str, str]) -> Retryable | None:
        """Why some load balancer has to wait; those that can't have their addresses are among the problems."""
        later = None
        working = {balancer.lb_id for balancer in self._plan.load_balancers}
        for balancer in plan.load_balancers:
            try:
                await self._claim(balancer.addresses, balancer.vpc_id, balancer.vpc_cidr)
            except Permanent as error:
                problems[balancer.lb_id] = error.reason
            except Retryable as error:
                later = error
                if balancer.lb_id not in working:  # what works goes on
                    problems[balancer.lb_id] = error.reason
        return later

    def _taken_ports(self, plan: BalancerPlan) -> dict[str, str]:
        """Load balancers with a listener where somebody else listens: HAProxy would not start at all."""
        problems = {}
        for balancer in plan.load_balancers:
            for listener in balancer.listeners:
                for address in balancer.addresses:
                    if (address, listener.port) not in self._bound and (why := _why_taken(address, listener.port)):
                        problems[balancer.lb_id] = f"Can't listen at {address}:{listener.port}: {why}"
        return problems

    def _choose_shares(self) -> None:
        """A port of the host that is taken is left out: load balancers have addresses of their own besides."""
        taken = {
            share: why
            for share in self._wanted_shares
            if (share.address, share.host_port) not in self._bound
            and (why := _why_taken(share.address, share.host_port))
        }
        for share, why in taken.items():
            if share not in self.unshared:
                log.warning("load balancers can't share %s:%s of the host: %s", share.address, share.host_port, why)
        self.unshared = taken
        shares = tuple(share for share in self._wanted_shares if share not in taken)
        self._settings = self._settings._replace(shares=shares)

    async def _count(self) -> None:
        if not self.process.running:
            return
        workers = (await self.process.runtime.processes()).workers
        self._counters.update({w.pid: sums(await self.process.runtime.stat(w, "")) for w in workers})

    async def _keep_alive(self) -> None:
        """A HAProxy that ends by itself is started again, with everything it had."""
        while True:
            await self.process.ended.wait()
            self.process.ended.clear()
            log.error("HAProxy has ended; starting it again")
            served = {balancer.lb_id for balancer in self._plan.load_balancers}
            await self._released()
            while not await self._restored(served):  # noqa: ASYNC110  another process is waited for
                await asyncio.sleep(RESTART_S)

    async def _restored(self, served: Collection[str]) -> bool:
        """Whether all load balancers that worked before work again."""
        try:
            # All of it: what took HAProxy may have taken its addresses as well.
            problems = await self.apply(self._wanted)
        except Retryable as error:
            log.error("HAProxy can't be started: %s", error.reason)  # noqa: TRY400
            return False
        for lb_id, problem in problems.items():
            log.warning("load balancer %s: %s", lb_id, problem.reason)
        return all(problem.serving for lb_id, problem in problems.items() if lb_id in served)

    async def _released(self) -> None:
        """Wait for the workers of a master that was killed: until they end they hold its addresses."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RELEASE_S):
                while IN_USE in {_why_taken(*at) for at in self._bound}:  # noqa: ASYNC110  as above
                    await asyncio.sleep(0.01)
        self._bound = set()

    async def _forget_unclaimed(self) -> None:
        await asyncio.sleep(UNCLAIMED_S)
        with contextlib.suppress(Retryable):
            await self.targets.forget_unclaimed()


def _listens(plan: BalancerPlan) -> bool:
    """Whether there is anything to listen at: HAProxy doesn't run with nothing."""
    return any(balancer.listeners for balancer in plan.load_balancers)


def _bound_in(text: str) -> set[tuple[str, int]]:
    return {(found[1], int(found[2])) for found in BIND.finditer(text)}


def _why_taken(address: str, port: int) -> str:
    """Why nobody can listen there; empty if one can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((address, port))
            attempt.listen(1)
        except OSError as error:
            return error.strerror or str(error)
    return ""
