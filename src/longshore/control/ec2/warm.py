"""Has the engine keep namespaces ready at the addresses that the next tasks will get.

Addresses are handed out in order (`decide/ecs/launching.py`), so the next ones of a subnet are known ahead. Nothing is
reserved: a prediction that fails costs a namespace made in vain, and no task ever waits for one.
"""

from longshore.control.loop import Loop
from longshore.decide.ecs.launching import free_addresses
from longshore.domain.clock import Clock
from longshore.domain.ec2.network import NetworkInterface, Subnet, Vpc, mac_of
from longshore.domain.ecs.launch import TaskNetwork, WarmNetwork
from longshore.domain.ecs.task import Task
from longshore.domain.record import Key
from longshore.drivers.ports import TaskEngine
from longshore.store.store import Change, Store

REST_S = 0.5
"""How long after a task got its address the next namespaces are made: the task's own start goes before."""
MOST_SUBNETS = 16
"""For how many subnets, those used last, namespaces are kept."""


class WarmController:
    """Keeps `count` of them for each subnet that tasks start in."""

    def __init__(self, store: Store, engine: TaskEngine, clock: Clock, count: int) -> None:
        self._store = store
        self._engine = engine
        self._clock = clock
        self._count = count
        self._recent: dict[Key, None] = {}
        """Subnets that tasks got addresses in, the last one last."""
        self._due_at = 0.0
        self.loop: Loop[str] = Loop("warm", self._reconcile, clock, workers=1)
        if count:
            store.watch(self._changed, Subnet)

    def resume(self) -> None:
        """At a start: the subnets of the tasks that run count as used."""
        if self._count:
            for task in self._store.select(Task, "live", ()):
                if task.attachment is not None:
                    self._use((*task.scope, task.attachment.subnet_id))

    def _changed(self, change: Change) -> None:
        before, after = change.before, change.after
        if isinstance(before, Subnet) and isinstance(after, Subnet) and before.next_offset != after.next_offset:
            self._use(after.key)
        elif isinstance(before, Subnet) and after is None and before.key in self._recent:
            del self._recent[before.key]
            self.loop.enqueue("namespaces")

    def _use(self, subnet: Key) -> None:
        self._recent.pop(subnet, None)
        self._recent[subnet] = None
        while len(self._recent) > MOST_SUBNETS:
            del self._recent[next(iter(self._recent))]
        self._due_at = self._clock.now() + REST_S
        self.loop.enqueue("namespaces")

    async def _reconcile(self, _key: str) -> float | None:
        if self._clock.now() < self._due_at:
            return self._due_at
        subnets = (self._store.get(Subnet, key) for key in self._recent)
        await self._engine.prepare([place for subnet in subnets if subnet for place in self._next_places(subnet)])
        return None

    def _next_places(self, subnet: Subnet) -> list[WarmNetwork]:
        vpc = self._store.get(Vpc, (*subnet.scope, subnet.vpc_id))
        if vpc is None:
            return []
        places = []
        for address, _ in free_addresses(subnet, lambda address: self._taken(subnet, address)):
            network = TaskNetwork(
                vpc_id=vpc.vpc_id,
                vpc_cidr=vpc.range,
                subnet_cidr=subnet.range,
                interface_id="",
                address=address,
                mac_address=mac_of(address),
            )
            places.append(WarmNetwork(region=subnet.region, network=network))
            if len(places) == self._count:
                break
        return places

    def _taken(self, subnet: Subnet, address: str) -> bool:
        return self._store.count(NetworkInterface, "address", (*subnet.scope, subnet.vpc_id, address)) > 0
