"""What the containers of one task print, on its way to where the task definition says. Owned by the task's runner."""

import asyncio

from longshore.domain.ecs.launch import ContainerLaunch, TaskLaunch
from longshore.domain.record import Scope
from longshore.drivers.docker.logs import LogPump, LogSource
from longshore.drivers.docker.tools import Tools


class TaskLogs:
    """One task's: a pump for each container that logs and was started."""

    def __init__(self, tools: Tools, launch: TaskLaunch) -> None:
        self._tools = tools
        self._launch = launch
        self.pumps: dict[str, LogPump] = {}
        """By the container's name."""

    def missing(self, container: ContainerLaunch) -> str | None:
        """What the container's output would go to and is not there."""
        return self._tools.sink.missing(self._scope(container), container.log) if container.log else None

    def follow(self, container: ContainerLaunch, container_id: str) -> None:
        """The container was started, or started again."""
        if container.log is None:
            return
        pump = self.pumps.get(container.name)
        if pump is not None:
            pump.again()
            return
        tools = self._tools
        source = LogSource(container_id, container.pseudo_terminal, self._scope(container), container.log)
        self.pumps[container.name] = LogPump(tools.client, tools.sink, tools.clock, tools.reachable, source)

    async def delivered(self) -> None:
        """Return once all that was printed is where it belongs, and stays there. The containers must have stopped."""
        await asyncio.gather(*(pump.finished() for pump in self.pumps.values()))
        if self.pumps:
            await self._tools.sink.durable()

    async def abandon(self) -> None:
        """Stop following. What was not delivered is read again after a restart."""
        await asyncio.gather(*(pump.abandon() for pump in self.pumps.values()))

    def _scope(self, container: ContainerLaunch) -> Scope:
        region = container.log.region if container.log else ""
        return Scope(self._launch.account, region or self._launch.region)
