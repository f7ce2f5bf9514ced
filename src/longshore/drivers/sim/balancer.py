"""A `BalancerDriver` whose load balancers only seem to balance: for unit tests of users, and the simulator.

A target passes its checks while the machine runs a task at its address whose containers are not UNHEALTHY; an address
that no task has is somebody else's, and passes. Time is the event loop's: under a simulated clock, simulated.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from longshore.domain.elbv2.balancing import (
    BalancerCounts,
    BalancerPlan,
    GroupCounts,
    Problem,
    TargetObservation,
    TargetPlan,
)
from longshore.drivers.sim.machine import SimMachine

UNCLAIMED_S = 60.0


class BalancerTimings(NamedTuple):
    """How long things take, in seconds."""

    probe_s: float = 0.05
    check_s: float = 1.0
    drain_s: float = 0.05


@dataclass(eq=False)
class SimTarget:
    """What the data plane has of a target."""

    plan: TargetPlan
    phase: Literal["probing", "serving", "draining"]
    seen: Literal["initial", "healthy", "unhealthy"] = "initial"

    @property
    def gets_requests(self) -> bool:
        """Whether new requests go there: it has passed its checks and has not been told to drain."""
        return self.phase == "serving"


class SimForwarder:
    """The data plane: it outlives the driver that talks to it, as a real one does."""

    def __init__(self, machine: SimMachine, timings: BalancerTimings | None = None) -> None:
        self.machine = machine
        self.timings = timings or BalancerTimings()
        self.plan = BalancerPlan()
        self.targets: dict[TargetPlan, SimTarget] = {}
        self.changed: Callable[[TargetObservation], None] = _ignore

    def serves(self, address: str) -> bool:
        """Whether requests go to an address."""
        return any(target.gets_requests for plan, target in self.targets.items() if plan.address == address)

    def passes(self, plan: TargetPlan) -> bool:
        """Whether a check of a target succeeds."""
        tasks = [
            t for t in self.machine.tasks.values() if t.launch.network and t.launch.network.address == plan.address
        ]
        return all(
            container.status == "RUNNING" and container.health != "UNHEALTHY"
            for task in tasks
            for container in task.containers.values()
        )

    def serve(self, plan: TargetPlan, *, known_healthy: bool) -> None:
        """Take a target in, unless it is in already."""
        target = self.targets.get(plan)
        if target is not None and target.phase != "draining":
            self.changed(_observed(target))
            return
        target = SimTarget(plan, "serving" if known_healthy else "probing", "healthy" if known_healthy else "initial")
        self.targets[plan] = target
        self._after(self.timings.probe_s, target)

    def drain(self, plan: TargetPlan) -> None:
        """No new requests; the last one ends a while later."""
        target = self.targets.get(plan)
        if target is None:
            self.changed(TargetObservation(target=plan, state="drained"))
            return
        target.phase = "draining"
        asyncio.get_running_loop().call_later(self.timings.drain_s, self._drained, target)

    def remove(self, plan: TargetPlan) -> None:
        """Forget a target."""
        self.targets.pop(plan, None)

    def keep(self, groups: frozenset[str]) -> None:
        """Forget the targets of all other groups."""
        for plan in [plan for plan in self.targets if plan.group_id not in groups]:
            del self.targets[plan]

    def _after(self, delay_s: float, target: SimTarget) -> None:
        asyncio.get_running_loop().call_later(delay_s, self._check, target)

    def _check(self, target: SimTarget) -> None:
        if self.targets.get(target.plan) is not target or target.phase == "draining":
            return
        seen = "healthy" if self.passes(target.plan) else "unhealthy"
        if seen == "healthy":
            target.phase = "serving"
        if seen != target.seen:
            target.seen = "healthy" if seen == "healthy" else "unhealthy"
            self.changed(_observed(target))
        self._after(self.timings.check_s, target)

    def _drained(self, target: SimTarget) -> None:
        if self.targets.get(target.plan) is target and target.phase == "draining":
            del self.targets[target.plan]
            self.changed(TargetObservation(target=target.plan, state="drained"))


def _ignore(_observation: TargetObservation) -> None:
    """Nobody listens."""


def _observed(target: SimTarget) -> TargetObservation:
    if target.seen == "unhealthy":
        return TargetObservation(
            target=target.plan,
            state="unhealthy",
            reason="Target.FailedHealthChecks",
            description="Health checks failed",
        )
    return TargetObservation(target=target.plan, state=target.seen)


class SimBalancer:
    """What talks to it."""

    name = "sim"

    def __init__(self, forwarder: SimForwarder) -> None:
        self.forwarder = forwarder
        self._open = False
        self._unclaimed: set[TargetPlan] | None = None
        """What an earlier life left and nobody has spoken of in this one; None before the first plan."""
        self._reports: asyncio.Queue[TargetObservation | None] = asyncio.Queue()

    async def open(self) -> None:
        """Listen to the data plane."""
        self._open = True
        self.forwarder.changed = self._reports.put_nowait

    async def close(self) -> None:
        """Stop listening; it goes on."""
        self._open = False
        self.forwarder.changed = _ignore
        self._reports.put_nowait(None)

    async def apply(self, plan: BalancerPlan) -> Mapping[str, Problem]:
        """There is nothing that could not be."""
        if self._unclaimed is None:
            self._unclaimed = set(self.forwarder.targets)
            asyncio.get_running_loop().call_later(UNCLAIMED_S, self._forget_unclaimed)
        self.forwarder.plan = plan
        self.forwarder.keep(frozenset(group.group_id for group in plan.groups))
        return {}

    async def serve(self, target: TargetPlan, *, known_healthy: bool = False) -> None:
        """See the port."""
        self._claim(target)
        self.forwarder.serve(target, known_healthy=known_healthy)

    async def drain(self, target: TargetPlan) -> None:
        """See the port."""
        self._claim(target)
        self.forwarder.drain(target)

    async def remove(self, target: TargetPlan) -> None:
        """See the port."""
        self.forwarder.remove(target)

    async def observations(self) -> AsyncIterator[TargetObservation]:
        """See the port."""
        while (observation := await self._reports.get()) is not None:
            yield observation

    def _claim(self, target: TargetPlan) -> None:
        if self._unclaimed:
            self._unclaimed.discard(target)

    def _forget_unclaimed(self) -> None:
        if self._open:
            for target in self._unclaimed or ():
                self.forwarder.remove(target)

    async def counts(self) -> tuple[Sequence[BalancerCounts], Sequence[GroupCounts]]:
        """Nobody asks it for anything, so that nothing is counted."""
        return (), ()
