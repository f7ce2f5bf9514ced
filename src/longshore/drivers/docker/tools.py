"""What all tasks of a Docker engine share."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from longshore.domain.clock import Clock
from longshore.domain.ecs.launch import TaskLaunch, TaskObservation
from longshore.drivers.docker.cgroups import TaskCgroups
from longshore.drivers.docker.client import DockerClient
from longshore.drivers.docker.images import Images
from longshore.drivers.docker.names import Names
from longshore.drivers.docker.network import Networks
from longshore.drivers.docker.translate import EngineFacts
from longshore.drivers.docker.warm import WarmNamespaces
from longshore.drivers.ports import LogSink, TaskProxies


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Made once by the engine."""

    client: DockerClient
    names: Names
    images: Images
    networks: Networks
    warm: WarmNamespaces
    cgroups: TaskCgroups
    sink: LogSink
    clock: Clock
    facts: Callable[[], Awaitable[EngineFacts]]
    reachable: Callable[[], Awaitable[None]]
    report: Callable[[TaskObservation], None]
    task_environment: Callable[[TaskLaunch, str], Mapping[str, str]]
    proxies: TaskProxies | None = None
    """None: no task has Service Connect."""
