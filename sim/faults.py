"""What goes wrong in a world, and when: drawn from the seed, ended when the world is told to heal."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

from longshore.domain.ec2.firewall import Ruleset, RulesetChange
from longshore.domain.ecs.launch import TaskLaunch, TaskObservation
from longshore.domain.elbv2.balancing import BalancerPlan, Problem, TargetObservation, TargetPlan
from longshore.domain.names.connect import ConnectPlan, Endpoint
from longshore.drivers.ports import Retryable
from longshore.drivers.sim.balancer import SimBalancer
from longshore.drivers.sim.connect import SimConnect
from longshore.drivers.sim.engine import SimEngine
from longshore.drivers.sim.firewall import SimFirewall


class Fate:
    """The dice of a world."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.healed = False
        self.refuse = dice.choice([0.0, 0.02, 0.2])
        self.slow = dice.choice([0.0, 0.1, 0.5])
        self.late = dice.choice([0.0, 0.1, 0.4])
        self.double = dice.choice([0.0, 0.1])
        self.lose = dice.choice([0.0, 0.02])

    def strikes(self, chance: float) -> bool:
        """Whether it happens now."""
        return not self.healed and self.dice.random() < chance


class Unreliable:
    """Calls that are refused, slow, or done although they seemed to fail."""

    fate: Fate

    async def _struck(self) -> None:
        await self._slowly()
        if self.fate.strikes(self.fate.refuse):
            raise Retryable("it refused (simulated)", after_s=0.2)

    async def _uncertain(self) -> None:
        if self.fate.strikes(self.fate.refuse):
            raise Retryable("it was done, but the answer was lost (simulated)", after_s=0.2)

    async def _slowly(self) -> None:
        if self.fate.strikes(self.fate.slow):
            await asyncio.sleep(self.fate.dice.uniform(0.0, 2.0))


class FaultyBalancer(Unreliable, SimBalancer):
    """A data plane whose calls fail, and whose reports come late and twice."""

    async def apply(self, plan: BalancerPlan) -> Mapping[str, Problem]:
        """Put a plan in place, perhaps."""
        await self._struck()
        answer = await super().apply(plan)
        await self._uncertain()
        return answer

    async def serve(self, target: TargetPlan, *, known_healthy: bool = False) -> None:
        """Take a target in, perhaps."""
        await self._struck()
        await super().serve(target, known_healthy=known_healthy)
        await self._uncertain()

    async def drain(self, target: TargetPlan) -> None:
        """Drain a target, perhaps."""
        await self._struck()
        await super().drain(target)
        await self._uncertain()

    async def remove(self, target: TargetPlan) -> None:
        """Forget a target, perhaps."""
        await self._struck()
        await super().remove(target)
        await self._uncertain()

    async def observations(self) -> AsyncIterator[TargetObservation]:
        """Reports in order, some late, some twice."""
        async for report in super().observations():
            await self._slowly()
            yield report
            if self.fate.strikes(self.fate.double):
                yield report


class FaultyFirewall(Unreliable, SimFirewall):
    """A firewall that is slow, refuses, or has done what it seemed to fail at; never while a life of ours begins."""

    calm = True

    async def replace(self, wanted: Ruleset) -> None:
        """Put rules in force, perhaps."""
        if self.calm:
            await super().replace(wanted)
            return
        await self._struck()
        await super().replace(wanted)
        await self._uncertain()

    async def change(self, change: RulesetChange) -> None:
        """Change them, perhaps."""
        await self._struck()
        await super().change(change)
        await self._uncertain()


class FaultyConnect(Unreliable, SimConnect):
    """Proxies that can't be told at times, tasks that are slow to listen, connections that take their time to end."""

    async def apply(self, task_id: str, plan: ConnectPlan) -> None:
        """Tell a proxy, perhaps."""
        await self._struck()
        await super().apply(task_id, plan)
        await self._uncertain()

    async def busy(self, _task_id: str) -> frozenset[Endpoint]:
        """Nothing, something that has left, or no answer."""
        await self._struck()
        leaving = {each for each in sorted(self.connected) if self.fate.strikes(self.fate.late)}
        return frozenset(leaving)

    async def answers(self, endpoint: Endpoint) -> bool:
        """Perhaps not yet."""
        await self._slowly()
        self.connected.add(endpoint)
        return not self.fate.strikes(self.fate.late) and await super().answers(endpoint)


def _unwatched(_task: object) -> None:
    """Nobody looks on."""


class FaultyEngine(Unreliable, SimEngine):
    """An engine whose calls fail, and whose reports come late, twice and out of order.

    A report that is lost is made up for by the next one on that task, since each is the whole truth; as with a real
    engine, the last one is always repeated until it comes through.
    """

    stops: Callable[[str], None] = staticmethod(_unwatched)
    """Told before a task is stopped."""
    starts: Callable[[TaskLaunch], None] = staticmethod(_unwatched)
    """Told before a task is started."""

    async def start(self, launch: TaskLaunch) -> None:
        """Begin a task, perhaps."""
        await self._struck()
        self.starts(launch)
        await super().start(launch)
        await self._uncertain()

    async def stop(self, task_id: str) -> None:
        """Stop a task, perhaps."""
        await self._struck()
        self.stops(task_id)
        await super().stop(task_id)
        await self._uncertain()

    async def remove(self, task_id: str) -> None:
        """Remove a task, perhaps."""
        await self._struck()
        await super().remove(task_id)
        await self._uncertain()

    async def adopt(self, expected: Collection[TaskLaunch]) -> frozenset[str]:
        """Take over. A real engine is asked until it answers; so is this one, by whoever starts the control plane."""
        await self._slowly()
        return await super().adopt(expected)

    async def observations(self) -> AsyncIterator[Sequence[TaskObservation]]:
        """Reports, some late, some twice, some lost."""
        async for reports in super().observations():
            delivered: list[TaskObservation] = []
            for report in reports:
                if self.fate.strikes(self.fate.late):
                    self._later(report)
                else:
                    delivered += [report, report] if self.fate.strikes(self.fate.double) else [report]
            yield delivered

    def _later(self, report: TaskObservation) -> None:
        """It comes again later: as it was (out of order) and as things are then."""
        delay_s = self.fate.dice.uniform(0.01, 3.0)
        asyncio.get_running_loop().call_later(delay_s, self._deliver, report)
        asyncio.get_running_loop().call_later(delay_s, self._report, report.task_id)
