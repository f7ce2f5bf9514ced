"""Application Auto Scaling: which services may be scaled, by what policies, at which times. Written by the API alone.

Everything here is keyed by the resource that is scaled (`service/CLUSTER/NAME`) and its dimension, as AWS does.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import msgspec

from longshore.domain.arn import Arn
from longshore.domain.record import Key, Record, Scope
from longshore.domain.tag import Tags

NAMESPACE = "ecs"
DESIRED_COUNT = "ecs:service:DesiredCount"
COOLDOWN_S = 300
"""AWS's for services of ECS, unless a policy says otherwise."""
HIGH_PERIODS, LOW_PERIODS = 3, 15
"""How many periods in a row the alarms of a target tracking policy look at before they scale out and in."""
LOW_SHARE = 0.9
"""The lower alarm's threshold, as a share of the target."""
ROLE = "aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"


class ScalableTarget(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A service that may be scaled, and within which bounds."""

    kind: ClassVar[str] = "scalable_target"

    resource_id: str
    dimension: str = DESIRED_COUNT
    target_id: str
    min_capacity: int
    max_capacity: int
    created_at: float
    scale_in_suspended: bool = False
    scale_out_suspended: bool = False
    scheduled_suspended: bool = False
    tags: Tags = {}

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(Arn("application-autoscaling", self.scope, f"scalable-target/{self.target_id}"))

    @property
    def role_arn(self) -> str:
        """The service-linked role: for ECS, AWS takes no other."""
        return f"arn:aws:iam::{self.account}:role/{ROLE}"

    def names(self) -> Key:
        """By resource and dimension."""
        return (self.resource_id, self.dimension)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and by ARN."""
        yield "scope", self.scope
        yield "arn", (self.arn,)


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One step: how much to change where the metric is between two offsets from the alarm's threshold."""

    lower: float | None = None
    upper: float | None = None
    adjustment: int


class StepScaling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a step scaling policy changes the capacity."""

    adjustment_type: Literal["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"]
    steps: tuple[Step, ...]
    min_magnitude: int | None = None
    cooldown_s: int | None = None
    aggregation: str | None = None


class TargetTracking(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a target tracking policy keeps at which value."""

    target: float
    metric: str = ""
    """A predefined metric; empty where `customized` says what is watched."""
    resource_label: str = ""
    customized: dict[str, Any] = {}
    """AWS's CustomizedMetricSpecification."""
    scale_out_cooldown_s: int | None = None
    scale_in_cooldown_s: int | None = None
    disable_scale_in: bool | None = None


class ScalingPolicy(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A policy of a scalable target: one of `step` and `tracking`."""

    kind: ClassVar[str] = "scaling_policy"

    resource_id: str
    dimension: str = DESIRED_COUNT
    name: str
    uid: str
    created_at: float
    step: StepScaling | None = None
    tracking: TargetTracking | None = None
    alarms: tuple[str, ...] = ()
    """Names of the alarms that were made for it: target tracking's own, which go with it."""

    @property
    def arn(self) -> str:
        """Its ARN."""
        return _arn(self.scope, "scalingPolicy", self.uid, self.resource_id, f"policyName/{self.name}")

    @property
    def target_key(self) -> Key:
        """The key of the scalable target that it belongs to."""
        return (*self.scope, self.resource_id, self.dimension)

    def names(self) -> Key:
        """By resource, dimension and name."""
        return (self.resource_id, self.dimension, self.name)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and by scalable target."""
        yield "scope", self.scope
        yield "target", self.target_key


class ScheduledAction(Record, frozen=True, kw_only=True, omit_defaults=True):
    """New bounds for a scalable target at a time, or again and again."""

    kind: ClassVar[str] = "scheduled_action"

    resource_id: str
    dimension: str = DESIRED_COUNT
    name: str
    uid: str
    schedule: str
    """`at(...)`, `rate(...)` or `cron(...)`, as it was given."""
    timezone: str = ""
    """An IANA name; UTC where it is empty."""
    start_at: float | None = None
    end_at: float | None = None
    min_capacity: int | None = None
    max_capacity: int | None = None
    created_at: float

    @property
    def arn(self) -> str:
        """Its ARN."""
        return _arn(self.scope, "scheduledAction", self.uid, self.resource_id, f"scheduledActionName/{self.name}")

    @property
    def target_key(self) -> Key:
        """The key of the scalable target that it belongs to."""
        return (*self.scope, self.resource_id, self.dimension)

    def names(self) -> Key:
        """By resource, dimension and name."""
        return (self.resource_id, self.dimension, self.name)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and by scalable target."""
        yield "scope", self.scope
        yield "target", self.target_key


def _arn(scope: Scope, kind: str, uid: str, resource_id: str, name: str) -> str:
    return str(Arn("autoscaling", scope, f"{kind}:{uid}:resource/{NAMESPACE}/{resource_id}:{name}"))
