"""Tasks and their containers: what the user asked for, what is desired, and what was observed.

Three writers, one per field: the API (what was asked, and a user's wish to stop), the controllers (what is
desired), and `control/ecs/observe.py` (what the engine reported). The moves between states are in `decide/ecs/task.py`.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import msgspec

from longshore.domain.arn import ecs_arn
from longshore.domain.record import Filing, Key, Record
from longshore.domain.tag import Tags

TaskStatus = Literal[
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
]
DesiredStatus = Literal["RUNNING", "STOPPED"]
HealthStatus = Literal["UNKNOWN", "HEALTHY", "UNHEALTHY"]
StopCode = Literal[
    "",
    "EssentialContainerExited",
    "UserInitiated",
    "ServiceSchedulerInitiated",
    "TaskFailedToStart",
    "SpotInterruption",
    "TerminationNotice",
    "InfrastructureHealth",
]


class NetworkBinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A container port that answers on a port of the host (bridge and host network modes)."""

    container_port: int
    host_port: int
    protocol: str = "tcp"
    bind_ip: str = "0.0.0.0"  # noqa: S104  the field's value on AWS, not an address we bind


class Container(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A container of a task. `control/ecs/observe.py` writes all but name, image, `essential` and `container_id`."""

    name: str
    image: str
    container_id: str
    """The UUID in the container's ARN."""
    essential: bool = True
    has_health_check: bool = False
    runtime_id: str = ""
    image_digest: str = ""
    last_status: Literal["PENDING", "CREATED", "RUNNING", "STOPPED"] = "PENDING"
    exit_code: int | None = None
    reason: str = ""
    health: HealthStatus = "UNKNOWN"
    health_changed_at: float | None = None
    network_bindings: tuple[NetworkBinding, ...] = ()
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    restart_count: int = 0
    log_stream: str = ""


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The task's elastic network interface. Written by `control/ecs/tasks.py`."""

    attachment_id: str
    subnet_id: str
    status: Literal["PRECREATED", "CREATED", "ATTACHING", "ATTACHED", "DETACHING", "DETACHED", "DELETED"] = "PRECREATED"
    interface_id: str = ""
    private_ip: str = ""
    mac_address: str = ""


class Task(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A task: one running copy of a task definition's revision."""

    kind: ClassVar[str] = "task"

    # What was asked: written once, when the task is made.
    task_id: str
    cluster: str
    task_definition_arn: str
    group: str
    launch_type: str
    created_at: float
    cpu_units: int
    """Reserved CPU: the task's, else the sum of its containers'."""
    memory_mib: int
    """Reserved memory: the task's, else the sum of its containers' reservations or limits."""
    platform_version: str = ""
    started_by: str = ""
    overrides: dict[str, Any] = {}
    """`TaskOverride` as it was given."""
    network_configuration: dict[str, Any] = {}
    """`networkConfiguration` as it was given; empty unless the network mode is awsvpc."""
    enable_execute_command: bool = False
    ephemeral_storage_gib: int = 0
    client_token: str = ""
    request_digest: str = ""
    """Of the `RunTask` input behind `client_token`: tells a repeated call from a different one."""
    service_uid: str = ""
    """The service that owns the task, by its internal id; empty for a standalone task."""
    service_name: str = ""
    deployment_id: str = ""
    tags: Tags = {}
    availability_zone: str = ""

    # What is desired: the API and the service controller.
    desired_status: DesiredStatus = "RUNNING"
    stop_code: StopCode = ""
    stopped_reason: str = ""

    # How far it is: control/ecs/tasks.py (provisioning, release) and control/ecs/observe.py (the rest).
    last_status: TaskStatus = "PROVISIONING"
    attachment: Attachment | None = None
    containers: tuple[Container, ...] = ()
    health: HealthStatus = "UNKNOWN"
    observed: int = 0
    """The highest sequence number of the engine's reports that is in this record."""
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    started_at: float | None = None
    first_healthy_at: float | None = None
    """When its health checks first all passed."""
    first_in_service_at: float | None = None
    """When its targets were first all healthy. Written by `control/balancers.py`."""
    stopping_at: float | None = None
    execution_stopped_at: float | None = None
    stopped_at: float | None = None
    version: int = 1

    # Service controller: whether this task, which is to stop or has stopped, has been counted in its deployment.
    accounted: bool = False

    def names(self) -> Key:
        """By cluster and id."""
        return (self.cluster, self.task_id)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By id; by what ListTasks filters; live ones by cluster and service; those to stop that are to be counted."""
        scope = self.scope
        place = (*scope, self.cluster)
        yield "id", (self.task_id,)
        yield "desired", (*place, self.desired_status)
        yield "family", (*place, self.family, self.desired_status)
        if self.started_by:
            yield "started_by", (*place, self.started_by, self.desired_status)
        if self.service_name:
            yield "service", (*place, self.service_name, self.desired_status)
        if self.client_token:
            yield "token", (*place, self.client_token)
        if self.service_uid and self.desired_status == "STOPPED" and not self.accounted:
            # From the wish on, not from STOPPED on: its replacement is started while its containers are still removed.
            yield "unaccounted", (self.service_uid,)
        if self.last_status == "STOPPED":
            yield "stopped", scope
        else:
            yield "live", ()
            yield "definition", (self.task_definition_arn,)
            yield "live_cluster", place
            if self.service_uid:
                yield "live_service", (self.service_uid,)

    def tallies(self) -> Iterator[tuple[str, Key, int]]:
        """What the task holds of its machine until it is stopped; and the cluster's counts."""
        if self.last_status == "STOPPED":
            return
        yield "cpu_units", (), self.cpu_units
        yield "memory_mib", (), self.memory_mib
        place = (*self.scope, self.cluster)
        if self.last_status == "RUNNING":
            yield "running", place, 1
        elif self.last_status in STARTING:
            yield "pending", place, 1

    def filed_by(self) -> Filing:
        """Its statuses, as far as an index or a tally tells them apart."""
        counted = "PENDING" if self.last_status in STARTING else self.last_status
        return Filing((self.desired_status, counted == "STOPPED", self.accounted), counted)

    @property
    def arn(self) -> str:
        """`arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID`."""
        return ecs_arn(self.scope, "task", self.cluster, self.task_id)

    @property
    def family(self) -> str:
        """The family of its task definition."""
        return self.task_definition_arn.rpartition("/")[2].partition(":")[0]

    @property
    def live(self) -> bool:
        """Whether anything of the task may still exist."""
        return self.last_status != "STOPPED"

    @property
    def wanted(self) -> bool:
        """Whether the task is to run."""
        return self.desired_status == "RUNNING" and self.live


STARTING: frozenset[str] = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})
"""What ECS counts as pending."""
