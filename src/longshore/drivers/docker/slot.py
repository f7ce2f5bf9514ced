"""A container of a task as its runner knows it: what is seen, what is being done to it. Pure state.

Owned by the runner; nobody else changes it.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from longshore.domain.ecs.launch import ContainerLaunch, ContainerObservation, TaskLaunch
from longshore.drivers.docker.containers import joined
from longshore.drivers.docker.inspect import observe


@dataclass(slots=True)
class Slot:
    """One container."""

    container: ContainerLaunch
    seen: ContainerObservation
    last_start: float | None = None
    """When it was started last: what the restart policy counts from."""
    joins: str = ""
    """The pause container that it was created to join, if it joins one."""
    stopping: bool = False
    restart_due: bool = False
    """It has exited and its restart policy wants it started again; until then it counts as running."""

    @property
    def created(self) -> bool:
        """Whether it exists in Docker."""
        return bool(self.seen.runtime_id)

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.seen.status == "RUNNING"

    @property
    def over(self) -> bool:
        """Whether it has stopped, or will never start."""
        return self.seen.status == "STOPPED"

    @property
    def was_started(self) -> bool:
        """Whether it ever ran."""
        return self.seen.started_at is not None

    def change(self, **fields: Any) -> None:
        """Note what is seen now."""
        self.seen = msgspec.structs.replace(self.seen, **fields)

    def update(self, launch: TaskLaunch, document: dict[str, Any]) -> bool:
        """Take over what Docker says; whether that is news. What could not start stays stopped."""
        before = self.seen
        if before.status == "STOPPED" and document["State"]["Status"] == "created":
            return False
        self.joins = joined(document["HostConfig"])
        self.seen = observe(launch, self.container, before, document)
        if self.running:
            self.last_start = self.seen.started_at
        if before.started_at is not None and self.seen.restart_count:
            self.change(started_at=before.started_at)
        return self.seen != before

    def should_restart(self) -> bool:
        """Whether the restart policy wants this exit answered by a start: it ran at least one period.

        A container that exits sooner stays stopped, which makes it one restart per period at most.
        """
        policy = self.container.restart_policy
        if policy is None or self.stopping or self.seen.exit_code in policy.ignored_exit_codes:
            return False
        if self.seen.exit_code is None or self.last_start is None or self.seen.finished_at is None:
            return False
        return self.seen.finished_at - self.last_start >= policy.attempt_period_s


def new_slots(launch: TaskLaunch) -> dict[str, Slot]:
    """A task of which nothing exists yet."""
    return {c.name: Slot(c, ContainerObservation(name=c.name, status="PENDING")) for c in launch.containers}
