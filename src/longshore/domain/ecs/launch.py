"""What an engine is told and what it reports: a task with nothing left to look up or decide.

`decide/ecs/launch.py` makes a `TaskLaunch` from a task and its definition, overrides merged and defaults filled in.
An engine answers with `TaskObservation`s: each the whole truth about one task at one moment, so that a report that
comes late, twice or out of order does no harm.
"""

from typing import Literal

import msgspec

from longshore.domain.ecs.task import HealthStatus, NetworkBinding
from longshore.domain.log import LogTarget
from longshore.domain.names.connect import ConnectPlan


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of the plain values below."""


class Hidden(Value, frozen=True, kw_only=True):
    """A secret's value, on its way to a container: in memory alone, and in no log, as it does not show itself."""

    text: str

    def __repr__(self) -> str:
        return "Hidden(…)"

    __str__ = __repr__


class PortMapping(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A container port. `host_port` 0 asks for any free port of the host (bridge mode)."""

    container_port: int
    host_port: int = 0
    protocol: str = "tcp"


class Mount(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A volume of the task at a path of a container."""

    volume: str
    path: str
    read_only: bool = False


class Volume(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A volume of the task: `task` lives and dies with it, `host` is a path of the host, `docker` a Docker volume."""

    name: str
    type: Literal["task", "host", "docker"] = "task"
    host_path: str = ""
    docker_scope: Literal["task", "shared"] = "task"
    docker_driver: str = "local"
    docker_autoprovision: bool = False
    docker_driver_options: dict[str, str] = {}
    docker_labels: dict[str, str] = {}


class HealthCheck(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A container's own check. `command` begins with CMD or CMD-SHELL."""

    command: tuple[str, ...]
    interval_s: int = 30
    timeout_s: int = 5
    retries: int = 3
    start_period_s: int = 0


class Dependency(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A container waits until another is in a condition."""

    container: str
    condition: Literal["START", "COMPLETE", "SUCCESS", "HEALTHY"]


class RestartPolicy(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A container that exits is started again in place, once per period, unless its code is ignored."""

    attempt_period_s: int = 300
    ignored_exit_codes: tuple[int, ...] = ()


class ContainerLaunch(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A container, ready to run. None and empty mean: as the image or the engine has it."""

    name: str
    image: str
    essential: bool = True
    command: tuple[str, ...] | None = None
    entry_point: tuple[str, ...] | None = None
    environment: dict[str, str] = {}
    secrets: dict[str, Hidden] = {}
    """Variables from Secrets Manager and Parameter Store; they win over `environment`."""
    user: str = ""
    working_directory: str = ""
    cpu_units: int = 0
    """Share of the CPU (1024 is a core); 0 leaves it to the task's limit."""
    memory_mib: int | None = None
    """Hard limit: the container is killed above it."""
    memory_reservation_mib: int | None = None
    ports: tuple[PortMapping, ...] = ()
    mounts: tuple[Mount, ...] = ()
    volumes_from: tuple[tuple[str, bool], ...] = ()
    """`(container, read only)`."""
    links: tuple[str, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    health_check: HealthCheck | None = None
    log: LogTarget | None = None
    restart_policy: RestartPolicy | None = None
    start_timeout_s: int | None = None
    stop_timeout_s: int = 30
    ulimits: tuple[tuple[str, int, int], ...] = ()
    """`(name, soft, hard)`."""
    labels: dict[str, str] = {}
    hostname: str = ""
    dns_servers: tuple[str, ...] = ()
    dns_search_domains: tuple[str, ...] = ()
    extra_hosts: tuple[tuple[str, str], ...] = ()
    """`(host name, address)`."""
    docker_security_options: tuple[str, ...] = ()
    system_controls: dict[str, str] = {}
    capabilities_add: tuple[str, ...] = ()
    capabilities_drop: tuple[str, ...] = ()
    devices: tuple[tuple[str, str, str], ...] = ()
    """`(host path, container path, permissions such as rwm)`."""
    tmpfs: tuple[tuple[str, int, tuple[str, ...]], ...] = ()
    """`(container path, size in MiB, mount options)`."""
    shared_memory_mib: int | None = None
    max_swap_mib: int | None = None
    swappiness: int | None = None
    privileged: bool = False
    read_only_root: bool = False
    init_process: bool = False
    interactive: bool = False
    pseudo_terminal: bool = False
    disable_networking: bool = False


class TaskNetwork(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The place of an awsvpc task in its VPC."""

    vpc_id: str
    vpc_cidr: str
    subnet_cidr: str
    interface_id: str
    address: str
    mac_address: str


class WarmNetwork(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A place that a coming task will have: an engine may make its network namespace ahead of it.

    `interface_id` of the network is empty; nothing else of the task is known yet.
    """

    region: str
    network: TaskNetwork


class ContainerObservation(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What is seen of a container."""

    name: str
    status: Literal["PENDING", "CREATED", "RUNNING", "STOPPED"]
    runtime_id: str = ""
    image_digest: str = ""
    exit_code: int | None = None
    reason: str = ""
    """Why it could not start or was ended, with ECS's prefix: `CannotPullContainerError: …`, `OutOfMemoryError: …`."""
    health: HealthStatus = "UNKNOWN"
    network_bindings: tuple[NetworkBinding, ...] = ()
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    restart_count: int = 0


class TaskLaunch(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A task, ready to run. Containers are in the definition's order."""

    task_id: str
    task_arn: str
    account: str
    region: str
    cluster: str
    cluster_arn: str
    family: str
    revision: int
    launch_type: str
    service_name: str = ""
    network_mode: Literal["awsvpc", "bridge", "host", "none"]
    network: TaskNetwork | None = None
    cpu_units: int | None = None
    """Limit of the whole task; None where only containers have limits."""
    memory_mib: int | None = None
    pid_mode: Literal["", "host", "task"] = ""
    ipc_mode: Literal["", "host", "task", "none"] = ""
    containers: tuple[ContainerLaunch, ...]
    volumes: tuple[Volume, ...] = ()
    connect: ConnectPlan | None = None
    """What the task's Service Connect proxy begins with, before the first container; None: it has none."""
    observed: int = 0
    """The highest sequence number already known of this task: reports go on above it, whatever the clock says."""
    known: tuple[ContainerObservation, ...] = ()
    """What was last seen of the containers, if they were ever made: an engine that keeps nothing goes on from there."""


class TaskObservation(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What is seen of a task."""

    task_id: str
    sequence: int
    """Rises with every report on this task, over restarts of the control plane too."""
    containers: tuple[ContainerObservation, ...] = ()
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    failure: str = ""
    """Why the task as a whole cannot run (`ResourceInitializationError: …`); nothing more will be started."""
    ended: bool = False
    """Nothing of the task runs and the engine will start nothing more: every container has stopped or never was."""
