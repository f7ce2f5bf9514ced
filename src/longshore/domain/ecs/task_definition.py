"""Task definitions: a family's numbered revisions, each kept as the document that was registered."""

import functools
from collections.abc import Iterator
from typing import Any, ClassVar

from longshore.domain.arn import ecs_arn
from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags


class TaskDefinitionFamily(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The counter behind revisions, which are never reused, not even after deletion. Written by the API."""

    kind: ClassVar[str] = "task_definition_family"

    family: str
    last_revision: int

    def names(self) -> Key:
        """By family."""
        return (self.family,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """All families of a scope."""
        yield "scope", self.scope


class TaskDefinition(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One revision. The API writes all of it; the document never changes after registration."""

    kind: ClassVar[str] = "task_definition"

    family: str
    revision: int
    document: dict[str, Any]
    """The `RegisterTaskDefinition` input, normalised as AWS answers it (defaults filled in), less tags:
    `containerDefinitions`, `networkMode`, `cpu`, `memory`, `volumes`, `compatibilities`, …"""
    registered_at: float
    registered_by: str
    status: str = "ACTIVE"
    """ACTIVE, INACTIVE or DELETE_IN_PROGRESS."""
    deregistered_at: float | None = None
    delete_requested_at: float | None = None
    tags: Tags = {}

    def names(self) -> Key:
        """By family and revision; zero-padded so that keys sort as numbers do."""
        return (self.family, f"{self.revision:09d}")

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and status; by family; by family and status."""
        yield "status", (*self.scope, self.status)
        yield "family", (*self.scope, self.family)
        yield "family_status", (*self.scope, self.family, self.status)

    @property
    def arn(self) -> str:
        """`arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:REVISION`."""
        return ecs_arn(self.scope, "task-definition", f"{self.family}:{self.revision}")

    @property
    def containers(self) -> list[dict[str, Any]]:
        """The container definitions."""
        containers: list[dict[str, Any]] = self.document["containerDefinitions"]
        return containers

    @property
    def network_mode(self) -> str:
        """awsvpc, bridge, host or none."""
        mode: str = self.document.get("networkMode", "bridge")
        return mode


def task_definition_key(scope: tuple[str, str], family: str, revision: int) -> Key:
    """The key of one revision."""
    return (*scope, family, f"{revision:09d}")


@functools.lru_cache(maxsize=1024)
def task_definition_key_of(arn: str) -> Key:
    """The key of a revision from its full ARN, as records hold it."""
    _, _, _, region, account, path, revision = arn.split(":")
    return task_definition_key((account, region), path.removeprefix("task-definition/"), int(revision))
