"""CloudWatch Logs: groups and streams. Their events are not records; they live in the event log (`store/events.py`)."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

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


class LogEvent(NamedTuple):
    """One line of a stream."""

    timestamp_ms: int
    message: str
    ingested_ms: int = 0
    """When the event log took it in; set by the event log."""
    sequence: int = 0
    """Position in the event log, unique and rising; set by the event log."""
    stream_uid: str = ""
