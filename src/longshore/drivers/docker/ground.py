"""What a task stands on: its network, cgroup and volumes, the namespaces that its containers share, and its proxy.

Made before its first container and removed after its last; owned by the task's runner.
"""

import asyncio
from pathlib import Path
from typing import Any

from longshore.domain.ecs.launch import TaskLaunch
from longshore.drivers.docker.cgroups import TaskCgroups
from longshore.drivers.docker.client import DockerError
from longshore.drivers.docker.containers import delete_container
from longshore.drivers.docker.names import PAUSE
from longshore.drivers.docker.namespace import Namespace
from longshore.drivers.docker.tools import Tools
from longshore.drivers.docker.translate import has_own_cgroup, volume_payloads
from longshore.drivers.ports import Permanent, Retryable


class TaskFailureError(Exception):
    """The task as a whole can't run; the text is for its stopped reason."""


class Ground:
    """One task's."""

    def __init__(self, tools: Tools, launch: TaskLaunch) -> None:
        self._tools = tools
        self._launch = launch
        self.namespace = Namespace(tools.client, tools.names, tools.warm, launch)
        self.volumes_made = asyncio.Event()
        """Before this no container is created: Docker would make missing volumes itself, without our labels."""
        self._cpu_limited = False

    async def make(self) -> None:
        """Make what is missing of it. Raises DockerError, OSError, Permanent, TaskFailureError, UnreachableError."""
        tools, launch = self._tools, self._launch
        facts = await tools.facts()
        if has_own_cgroup(launch, facts):
            tools.cgroups.make(launch.task_id, cpu_units=launch.cpu_units, memory_mib=launch.memory_mib)
        await asyncio.gather(
            tools.networks.ensure(launch),
            *(self._volume(body, make) for body, make in volume_payloads(launch, tools.names)),
        )
        self.volumes_made.set()
        if self.namespace.needed:
            await self.namespace.make(facts)
        await self.begin_proxy()

    async def begin_proxy(self) -> None:
        """The Service Connect proxy: it answers before the first container can ask.

        Raises DockerError, TaskFailureError, UnreachableError.
        """
        if self._launch.connect is None or self._tools.proxies is None:
            return
        pid = await self.namespace.pid()
        try:
            hosts = Path(f"/proc/{pid}/root/etc/hosts")  # containers of a task share that of its pause container
            await self._tools.proxies.begin(self._launch.task_id, pid, self._launch.connect, hosts)
        except (Retryable, Permanent) as error:
            raise TaskFailureError(
                f"ResourceInitializationError: Service Connect can't be set up: {error.reason}"
            ) from error

    async def _volume(self, body: dict[str, Any], make: bool) -> None:
        if make:
            await self._tools.client.post("/volumes/create", body)
            return
        try:
            await self._tools.client.get(f"/volumes/{body['Name']}")
        except DockerError as error:
            if error.status != 404:
                raise
            raise TaskFailureError(
                f"CannotCreateVolumeError: the Docker volume {body['Name']} does not exist and autoprovision is false: "
                "make it with `docker volume create`, or set autoprovision."
            ) from error

    def limit_cpu(self) -> None:
        """A container was started: from now on the task's CPU limit holds. Raises OSError."""
        if not self._cpu_limited and self._launch.cpu_units is not None:
            self._cpu_limited = True
            self._tools.cgroups.limit_cpu(self._launch.task_id, self._launch.cpu_units)

    async def remove(self) -> None:
        """Remove all of it, once no container is left. Raises DockerError, UnreachableError."""
        tools, task_id = self._tools, self._launch.task_id
        if tools.proxies is not None:
            await tools.proxies.end(task_id)
        await delete_container(tools.client, tools.names.container(task_id, PAUSE))
        for body, _ in volume_payloads(self._launch, tools.names):
            if "longshore.task" in body["Labels"]:
                await tools.client.delete(f"/volumes/{body['Name']}")
        if has_own_cgroup(self._launch, await tools.facts()):
            await remove_cgroup(tools.cgroups, task_id)


async def remove_cgroup(cgroups: TaskCgroups, task_id: str) -> None:
    """Remove a task's cgroup, and what Docker left in it. The kernel lets go of a process a moment after its end."""
    for attempt in range(5):
        if cgroups.remove(task_id):
            return
        cgroups.kill(task_id)
        await asyncio.sleep(0.02 * 2**attempt)
