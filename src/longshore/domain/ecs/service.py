"""Services, their deployments and their events.

A `Deployment` record is three of AWS's nouns at once, since they tell one story: the entry in a service's
`deployments[]`, the service revision that it rolls out, and the service deployment that history shows.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import msgspec

from longshore.domain.arn import ecs_arn
from longshore.domain.names.connect import ServiceConnect
from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags

RolloutState = Literal["IN_PROGRESS", "COMPLETED", "FAILED"]
ServiceDeploymentStatus = Literal[
    "PENDING",
    "IN_PROGRESS",
    "SUCCESSFUL",
    "STOP_REQUESTED",
    "STOPPED",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
]


class DeploymentConfiguration(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """How a rolling deployment goes. Percentages are of the desired count."""

    minimum_healthy_percent: int = 100
    maximum_percent: int = 200
    breaker_enabled: bool = False
    breaker_rollback: bool = False
    breaker_threshold_type: Literal["BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"] = "BOUNDED_PERCENT"
    breaker_threshold: int = 50
    breaker_reset_on_healthy_task: bool = True


class ServiceLoadBalancer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of a service's `loadBalancers`: the target group that a container port of its tasks is registered in."""

    target_group_arn: str
    container_name: str
    container_port: int

    @property
    def group_id(self) -> str:
        """The target group's id, the last part of its ARN."""
        return self.target_group_arn.rpartition("/")[2]


class ServiceRegistry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of a service's `serviceRegistries`: the Cloud Map service in which its tasks are registered.

    `container_name` and `container_port`, or `port` alone, say which port an SRV record tells.
    """

    registry_arn: str
    port: int | None = None
    container_name: str = ""
    container_port: int | None = None

    @property
    def service_id(self) -> str:
        """The Cloud Map service's id, the last part of its ARN."""
        return self.registry_arn.rpartition("/")[2]


class Service(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A service. Its specification is the API's; status INACTIVE and steady state, `control/ecs/services.py`'s."""

    kind: ClassVar[str] = "service"

    cluster: str
    name: str
    uid: str
    """Internal id: a service made again under its name is another."""
    created_at: float
    created_by: str
    task_definition_arn: str
    desired_count: int
    status: Literal["ACTIVE", "DRAINING", "INACTIVE"] = "ACTIVE"
    scheduling_strategy: str = "REPLICA"
    deployment_controller: str = "ECS"
    deployment_configuration: DeploymentConfiguration = DeploymentConfiguration()
    launch_type: str = "FARGATE"
    platform_version: str = "LATEST"
    network_configuration: dict[str, Any] = {}
    load_balancers: tuple[ServiceLoadBalancer, ...] = ()
    service_connect: ServiceConnect | None = None
    service_registries: tuple[ServiceRegistry, ...] = ()
    health_check_grace_s: int | None = None
    enable_ecs_managed_tags: bool = False
    enable_execute_command: bool = False
    propagate_tags: str = "NONE"
    availability_zone_rebalancing: str = "ENABLED"
    role_arn: str = ""
    client_token: str = ""
    request: dict[str, Any] = {}
    """The `CreateService` input, kept to tell a repeated call from a different one."""
    tags: Tags = {}
    steady_since: float | None = None
    """When the service last reached a steady state that it has not left; None while it moves."""
    steady_announced_at: float | None = None

    def names(self) -> Key:
        """By cluster and name."""
        return (self.cluster, self.name)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By cluster, INACTIVE ones apart; and by internal id."""
        yield ("inactive_cluster" if self.status == "INACTIVE" else "cluster"), (*self.scope, self.cluster)
        yield "uid", (self.uid,)
        if self.status != "INACTIVE":
            yield "definition", (self.task_definition_arn,)

    def tallies(self) -> Iterator[tuple[str, Key, int]]:
        """A cluster's `activeServicesCount`."""
        if self.status == "ACTIVE":
            yield "active", (*self.scope, self.cluster), 1

    @property
    def arn(self) -> str:
        """`arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME`."""
        return ecs_arn(self.scope, "service", self.cluster, self.name)


class Rollback(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why and where to a service deployment was rolled back."""

    reason: str
    started_at: float
    to_deployment_id: str


class Deployment(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One rollout of one revision of a service.

    The API writes the revision (what to run) when the deployment is made; from then on
    `control/ecs/services.py` is the only writer, but for a user's wish to stop it (ROLLBACK_REQUESTED).
    """

    kind: ClassVar[str] = "deployment"

    # The revision.
    number: str
    """The digits of `ecs-svc/NUMBER` and of the service revision's ARN."""
    service_uid: str
    cluster: str
    service_name: str
    created_at: float
    task_definition_arn: str
    launch_type: str
    platform_version: str = "LATEST"
    network_configuration: dict[str, Any] = {}
    load_balancers: tuple[ServiceLoadBalancer, ...] = ()
    service_connect: ServiceConnect | None = None
    service_registries: tuple[ServiceRegistry, ...] = ()

    # The entry in deployments[].
    updated_at: float
    status: Literal["PRIMARY", "ACTIVE", "INACTIVE"] = "PRIMARY"
    rollout_state: RolloutState = "IN_PROGRESS"
    rollout_reason: str = ""
    completed_once: bool = False
    """Whether it ever completed: such a deployment is what a rollback goes back to."""

    # The service deployment.
    service_deployment_id: str
    """21 letters and digits: the last part of the service deployment's ARN."""
    service_deployment_status: ServiceDeploymentStatus = "PENDING"
    status_reason: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    stopped_at: float | None = None
    source_numbers: tuple[str, ...] = ()
    """The revisions that ran when this one began."""
    target_requested_count: int = 0
    rollback: Rollback | None = None
    """Set on the deployment that failed."""

    # Launch accounting.
    failed_tasks: int = 0
    """`failedTasks`: tasks of this deployment that did not start or were replaced as unhealthy."""
    breaker_failures: int = 0
    """Failures that the circuit breaker counts; a healthy task sets them back to 0 where it is told to."""
    launch_failures: int = 0
    """Failed launches in a row: what the back-off grows by."""
    retry_at: float | None = None
    """No task is launched before this time."""
    last_failure_at: float | None = None
    """When the last of them stopped: only a task made later and healthy shows that it was overcome."""
    ran_once: bool = False
    """Whether a task of this deployment has ever reached RUNNING (the breaker's second stage)."""

    def names(self) -> Key:
        """By its number, which is unique."""
        return (self.number,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """All of a service; those in its `deployments[]`; past ones a rollback concerns; by service deployment.

        By Service Connect namespace too: current ones, and all that ever had a place in it.
        """
        yield "service", (self.service_uid,)
        if self.namespace:
            yield "places", (*self.scope, self.namespace)
        if self.status != "INACTIVE":
            yield "current", (self.service_uid,)
            if self.namespace:
                yield "namespace", (*self.scope, self.namespace)
        elif self.completed_once or self.service_deployment_status == "ROLLBACK_IN_PROGRESS":
            yield "past", (self.service_uid,)
        yield "service_deployment", (self.service_deployment_id,)
        if self.status != "INACTIVE":
            yield "definition", (self.task_definition_arn,)

    @property
    def namespace(self) -> str:
        """The id of the Service Connect namespace that its tasks are in; empty where they are in none."""
        return self.service_connect.namespace if self.service_connect else ""

    @property
    def registries(self) -> tuple[ServiceRegistry, ...]:
        """Where its tasks are registered in Cloud Map: its own registries, and what it offers by Service Connect."""
        offered = self.service_connect.services if self.service_connect else ()
        return (
            *self.service_registries,
            *(ServiceRegistry(registry_arn=each.discovery_arn, port=each.endpoint_port) for each in offered),
        )

    @property
    def deployment_id(self) -> str:
        """`ecs-svc/NUMBER`, which is also `startedBy` of its tasks."""
        return f"ecs-svc/{self.number}"

    @property
    def revision_arn(self) -> str:
        """`arn:aws:ecs:REGION:ACCOUNT:service-revision/CLUSTER/SERVICE/NUMBER`."""
        return ecs_arn(self.scope, "service-revision", self.cluster, self.service_name, self.number)

    @property
    def service_deployment_arn(self) -> str:
        """`arn:aws:ecs:REGION:ACCOUNT:service-deployment/CLUSTER/SERVICE/ID`."""
        return ecs_arn(self.scope, "service-deployment", self.cluster, self.service_name, self.service_deployment_id)


class ServiceEvent(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a service's `events`. Written by `control/ecs/services.py`; the newest 100 are kept."""

    kind: ClassVar[str] = "service_event"

    service_uid: str
    event_id: str
    created_at: float
    sequence: int
    """Order within the service."""
    message: str

    def names(self) -> Key:
        """By service and order."""
        return (self.service_uid, f"{self.sequence:012d}")

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """All events of a service."""
        yield "service", (self.service_uid,)
