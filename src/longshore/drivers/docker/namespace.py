"""The namespaces that a task's containers share, held by a pause container: made, or taken from those kept warm.

One per task, owned by its runner.
"""

import asyncio
import logging
from typing import Any

from longshore.domain.ecs.launch import TaskLaunch
from longshore.drivers.docker.client import DockerClient
from longshore.drivers.docker.containers import create_container, delete_container, inspect_container, start_pause
from longshore.drivers.docker.names import PAUSE, Names
from longshore.drivers.docker.translate import EngineFacts, needs_pause, pause_payload
from longshore.drivers.docker.warm import WarmNamespaces

log = logging.getLogger(__name__)


class Namespace:
    """One task's."""

    def __init__(self, client: DockerClient, names: Names, warm: WarmNamespaces, launch: TaskLaunch) -> None:
        self.needed = needs_pause(launch)
        self.container_id = ""
        """Of the pause container; empty before it is created, and where the task needs none."""
        self.asked = False
        """From here on the pause container may exist: the step is seen through, or a removal could come too early."""
        self.created = asyncio.Event()
        """Whether `container_id` can be joined; it may yet change until `settled`. Set too where none is needed."""
        self.settled = asyncio.Event()
        """Whether `container_id` is the task's for good. Set too where none is needed."""
        self._client = client
        self._names = names
        self._warm = warm
        self._launch = launch
        if not self.needed:
            self._settle("")

    def adopt(self, document: dict[str, Any]) -> bool:
        """Take over the pause container of an earlier life (its inspect document); whether it runs."""
        if not self._as_asked(document):
            return False
        self._settle(document["Id"])
        return bool(document["State"]["Running"])

    async def make(self, facts: EngineFacts) -> None:
        """See to it that it is there and runs. Raises DockerError, UnreachableError."""
        self.asked = True
        warm = await self._warm.take(self._launch, facts, self._foresee)
        if warm:
            self._settle(warm)
            return
        self.created.clear()
        name = self._names.container(self._launch.task_id, PAUSE)
        body = pause_payload(self._launch, facts, self._names)
        container_id, document = await create_container(self._client, name, body)
        if document is not None and not self._as_asked(document):
            await delete_container(self._client, container_id)
            container_id, document = await create_container(self._client, name, body)
        if document is not None and document["State"]["Status"] == "exited":
            # From before a crash of the Engine; nothing ran in it, or adopt would have ended the task.
            log.info("starting the namespace of task %s again", self._launch.task_id)
        self._settle(container_id)
        await start_pause(self._client, self.container_id, facts, own_network=self._launch.network is not None)

    def _foresee(self, container_id: str) -> None:
        """This one will probably be the task's: its containers can be created meanwhile."""
        self.container_id = container_id
        self.created.set()

    def _settle(self, container_id: str) -> None:
        self.container_id = container_id
        self.created.set()
        self.settled.set()

    async def pid(self) -> int:
        """A process in it, as this host counts. Raises DockerError, UnreachableError."""
        document = await inspect_container(self._client, self.container_id)
        return int(document["State"]["Pid"]) if document is not None else 0

    def _as_asked(self, document: dict[str, Any]) -> bool:
        """Whether the pause container has the task's address.

        A dockerd that is killed while it creates a container may know it afterwards, but not its address: it would
        give the container another one at its start.
        """
        network = self._launch.network
        if network is None:
            return True
        found = document["NetworkSettings"]["Networks"].get(self._names.vpc_network(network.vpc_id)) or {}
        return (found.get("IPAMConfig") or {}).get("IPv4Address") == network.address

    async def lost(self, *, ran: bool) -> bool:
        """Whether it is gone, or has ended although it `ran`. Raises DockerError, UnreachableError."""
        if not self.container_id:
            return False
        document = await inspect_container(self._client, self.container_id)
        return document is None or (ran and not document["State"]["Running"])
