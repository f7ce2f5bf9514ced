"""CloudWatch Logs: groups and streams. Their events are not records; they live in the event log (`store/events.py`)."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import msgspec

from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags


class LogGroup(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A log group. Written by the user, or by a task whose `awslogs-create-group` asks for it."""

    kind: ClassVar[str] = "log_group"

    name: str
    created_at: float
    retention_days: int | None = None
    """None keeps events until the group is deleted (or the event log's size limit is reached)."""
    kms_key_id: str = ""
    log_group_class: str = "STANDARD"
    deletion_protected: bool = False
    data_protection: str = ""
    """A policy, as it was given; empty: none."""
    data_protection_at: float = 0.0
    """When there was one last; 0: never."""
    index_policy: str = ""
    """As it was given; empty: none."""
    index_policy_at: float = 0.0
    tags: Tags = {}

    def names(self) -> Key:
        """By name."""
        return (self.name,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """All groups of a scope."""
        yield "scope", self.scope


class LogStream(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A stream of a group. `uid` names its events, so that a stream made again under the same name starts empty."""

    kind: ClassVar[str] = "log_stream"

    group: str
    name: str
    uid: str
    created_at: float

    def names(self) -> Key:
        """By group and name."""
        return (self.group, self.name)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """All streams of a group."""
        yield "group", (*self.scope, self.group)


class MetricFilter(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What of a group's events is to become values of a metric. Written by the user; nothing acts on it yet."""

    kind: ClassVar[str] = "metric_filter"

    group: str
    name: str
    pattern: str
    metric_name: str
    metric_namespace: str
    metric_value: str
    """A number, or a field of the pattern such as `$.latency`."""
    default_value: float | None = None
    dimensions: dict[str, str] = {}
    unit: str = ""
    created_at: float

    def names(self) -> Key:
        """By group and name."""
        return (self.group, self.name)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by group, and by metric."""
        yield "scope", self.scope
        yield "group", (*self.scope, self.group)
        yield "metric", (*self.scope, self.metric_namespace, self.metric_name)


class SubscriptionFilter(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Where a group's events are to be sent. Written by the user; nothing is sent."""

    kind: ClassVar[str] = "subscription_filter"

    group: str
    name: str
    pattern: str
    destination: str
    """An ARN."""
    role_arn: str = ""
    distribution: str
    created_at: float

    def names(self) -> Key:
        """By group and name."""
        return (self.group, self.name)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By group."""
        yield "group", (*self.scope, self.group)


class LogResourcePolicy(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Which services of AWS may write events, to any group or to one. Kept; no service of AWS is here to obey it."""

    kind: ClassVar[str] = "log_resource_policy"

    name: str
    """Empty for one of a group."""
    group: str = ""
    document: str
    revision: str
    updated_at: float

    def names(self) -> Key:
        """By group, and by name."""
        return (self.group, self.name)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """Those of the account."""
        if not self.group:
            yield "account", self.scope


class QueryDefinition(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A saved query of Logs Insights."""

    kind: ClassVar[str] = "query_definition"

    definition_id: str
    name: str
    query: str
    language: str = "CWLI"
    groups: tuple[str, ...] = ()
    client_token: str = ""
    modified_at: float

    def names(self) -> Key:
        """By id."""
        return (self.definition_id,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, and by what was given to tell a repeated call."""
        yield "scope", self.scope
        if self.client_token:
            yield "token", (*self.scope, self.client_token)


class LogEvent(NamedTuple):
    """One line of a stream."""

    timestamp_ms: int
    message: str
    ingested_ms: int = 0
    """When the event log took it in; set by the event log."""
    sequence: int = 0
    """Position in the event log, unique and rising; set by the event log."""
    stream_uid: str = ""


class LogTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where output goes: a stream of CloudWatch Logs (driver `awslogs`)."""

    group: str
    stream: str
    region: str
    create_group: bool = False
    multiline_pattern: str = ""
    """A line that matches this regular expression begins a new event; others are appended to it."""
