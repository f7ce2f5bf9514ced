"""Has the engine remove the network of a VPC that is no more.

The engine makes networks itself, when the first task needs one. Those of VPCs deleted while Longshore was down are
removed when it adopts what runs.
"""

from longshore.control.loop import Loop
from longshore.domain.clock import Clock
from longshore.domain.ec2.network import Vpc
from longshore.domain.record import Key
from longshore.drivers.ports import TaskEngine
from longshore.store.store import Change, Store


class NetworkController:
    """One loop over VPCs that have gone, by key."""

    def __init__(self, store: Store, engine: TaskEngine, clock: Clock) -> None:
        self._store = store
        self._engine = engine
        self.loop: Loop[Key] = Loop("networks", self._reconcile, clock, workers=4)
        store.watch(self._changed, Vpc)

    def _changed(self, change: Change) -> None:
        if change.after is None:
            self.loop.enqueue(change.key)

    async def _reconcile(self, key: Key) -> None:
        await self._store.durable()
        if self._store.get(Vpc, key) is None:  # or the deletion has never reached the disk
            *_, vpc_id = key
            await self._engine.remove_network(vpc_id)
