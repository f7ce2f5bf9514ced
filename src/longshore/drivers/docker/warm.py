"""Namespaces kept warm: pause containers with the network and address that a coming task will have, ready to be joined.

`control/ec2/warm.py` says which addresses come next; they are made here in the background. A runner takes one by giving
it the name that its own pause container would have: one step, so that a crash before or after it leaves either a warm
namespace, which the next start removes, or the task's. Whoever comes for an address that a namespace holds in vain
waits here until it has let go.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from longshore.domain.ecs.launch import TaskLaunch, WarmNetwork
from longshore.drivers.docker.client import DockerClient, DockerError, UnreachableError
from longshore.drivers.docker.containers import create_container, delete_container, start_pause
from longshore.drivers.docker.names import PAUSE, Names
from longshore.drivers.docker.network import Networks
from longshore.drivers.docker.translate import EngineFacts, suits_warm, warm_payload
from longshore.drivers.ending import cancelled
from longshore.drivers.ports import Permanent

log = logging.getLogger(__name__)

CLOSE_S = 5.0
"""How long `close` waits for the Engine to remove them; what is left then, the next start removes."""
Address = tuple[str, str]
"""`(VPC, address)`."""


class WarmNamespaces:
    """Those of one engine."""

    def __init__(
        self,
        client: DockerClient,
        names: Names,
        networks: Networks,
        facts: Callable[[], Awaitable[EngineFacts]],
        reachable: Callable[[], Awaitable[None]],
    ) -> None:
        self._client = client
        self._names = names
        self._networks = networks
        self._facts = facts
        self._reachable = reachable
        self._wanted: dict[Address, WarmNetwork] = {}
        self._kept: dict[Address, asyncio.Task[str]] = {}
        """Ready or on their way: the id of each one's container, empty where it could not be made."""
        self._leaving: dict[Address, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        """One is made at a time: starts of tasks go before."""

    def prepare(self, wanted: Sequence[WarmNetwork]) -> None:
        """Keep exactly these from now on. Returns at once."""
        self._wanted = {(each.network.vpc_id, each.network.address): each for each in wanted}
        for address in list(self._kept):
            if address not in self._wanted or self._container(address) == "":
                self._drop(address)
        for address, each in self._wanted.items():
            if address not in self._kept:
                making = self._make(address, each, after=self._leaving.get(address))
                self._kept[address] = asyncio.create_task(making, name=f"warm {address[1]}")

    async def take(self, launch: TaskLaunch, facts: EngineFacts, foreseen: Callable[[str], None]) -> str:
        """The id of a pause container that is the task's from now on; empty: there is none for its address.

        `foreseen` is told of it before the step that makes it the task's, which takes the Engine a while and may yet
        fail. Raises UnreachableError.
        """
        if launch.network is None:
            return ""
        address = (launch.network.vpc_id, launch.network.address)
        self._wanted.pop(address, None)
        container = await self._rename(address, launch, facts, foreseen) if address in self._kept else ""
        if address in self._leaving:
            await asyncio.shield(self._leaving[address])
        return container

    async def _rename(
        self, address: Address, launch: TaskLaunch, facts: EngineFacts, foreseen: Callable[[str], None]
    ) -> str:
        """Make what is kept for the address the task's; empty, and on its way out, if it can't be."""
        try:
            if suits_warm(launch, facts, self._names):
                container: str = await asyncio.shield(self._kept[address])
                name = self._names.container(launch.task_id, PAUSE)
                if container:
                    foreseen(container)
                    await self._client.post(f"/containers/{container}/rename", name=name)
                    del self._kept[address]
                    return container
        except DockerError as error:
            log.info("the namespace kept warm for %s can't be used: %s", address[1], error)
        finally:
            if address in self._kept:
                self._drop(address)
        return ""

    async def leave(self, vpc_id: str) -> None:
        """Let go of all in a VPC that is no more; none is there when this returns."""
        self._wanted = {address: each for address, each in self._wanted.items() if address[0] != vpc_id}
        for address in [address for address in self._kept if address[0] == vpc_id]:
            self._drop(address)
        leaving = [task for address, task in self._leaving.items() if address[0] == vpc_id]
        if leaving:
            await asyncio.wait(leaving)

    def died(self, container: str) -> None:
        """The container of a namespace ended or was removed."""
        for address in list(self._kept):
            if self._container(address) == container:
                self._drop(address)

    def renew(self) -> None:
        """After an outage: make all anew."""
        for address in list(self._kept):
            self._drop(address)
        self.prepare(list(self._wanted.values()))

    async def close(self) -> None:
        """Let go of all."""
        self.prepare(())
        if self._leaving:
            await asyncio.wait(self._leaving.values(), timeout=CLOSE_S)
        await cancelled([*self._kept.values(), *self._leaving.values()])
        self._leaving.clear()

    def _container(self, address: Address) -> str | None:
        """The id of its container; None while it is being made."""
        kept = self._kept[address]
        return kept.result() if kept.done() and not kept.cancelled() else None

    async def _make(self, address: Address, wanted: WarmNetwork, after: asyncio.Task[None] | None) -> str:
        if after is not None:  # the one before it at this address
            await asyncio.shield(after)
        async with self._turn:
            try:
                facts = await self._facts()
                await self._networks.ensure_vpc(wanted.network)
                body = warm_payload(wanted, facts, self._names)
                container, _ = await create_container(self._client, self._names.warm(*address), body)
                await start_pause(self._client, container, facts, own_network=True)
            except (DockerError, UnreachableError, Permanent) as error:
                log.info("no namespace is kept warm for %s: %s", address[1], error)
                return ""
            return container

    def _drop(self, address: Address) -> None:
        leaving = self._delete(address, self._kept.pop(address))
        self._leaving[address] = asyncio.create_task(leaving, name=f"cold {address[1]}")

    async def _delete(self, address: Address, kept: asyncio.Task[str]) -> None:
        """Remove it under its name as a warm one, which it has no more if a task has taken it."""
        await asyncio.wait([kept])
        while True:
            try:
                await delete_container(self._client, self._names.warm(*address))
                break
            except UnreachableError:
                await self._reachable()
            except DockerError as error:
                log.warning("can't remove the namespace kept warm for %s: %s", address[1], error)
                break
        if self._leaving.get(address) is asyncio.current_task():
            del self._leaving[address]
