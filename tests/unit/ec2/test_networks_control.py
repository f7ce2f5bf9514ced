"""The networks of VPCs that are gone: the engine is told once the deletion is on disk, and of no VPC that is there."""

from __future__ import annotations

import asyncio

from longshore.api import ec2
from longshore.control.ec2.networks import NetworkController
from longshore.drivers.ports import Retryable
from longshore.drivers.sim.engine import SimEngine
from tests.support.api import SCOPE, Api
from tests.support.services import ClockOf


class ToldEngine(SimEngine):
    """Remembers which networks it was told to remove; busy as often as it is said."""

    busy = 0

    def __init__(self, clock: ClockOf) -> None:
        super().__init__(clock)
        self.removed: list[str] = []
        self.told = asyncio.Event()

    async def remove_network(self, vpc_id: str) -> None:
        if self.busy:
            self.busy -= 1
            raise Retryable("a container is in it still", after_s=0.0)
        self.removed.append(vpc_id)
        self.told.set()


async def test_a_network_goes_with_its_vpc_as_soon_as_it_is_empty() -> None:
    api = Api(ec2.SERVICE.operations, service="ec2")
    engine = ToldEngine(ClockOf(api))
    engine.busy = 2
    controller = NetworkController(api.store, engine, ClockOf(api))
    controller.loop.start()
    first, second = (api("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(2))
    api("DeleteVpc", VpcId=first)
    async with asyncio.timeout(20):
        await engine.told.wait()
    await controller._reconcile((*SCOPE, second))
    assert engine.removed == [first]
    await controller.loop.stop()
