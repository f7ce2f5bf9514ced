"""Worlds whose containers have a secret: it is rotated, deleted and restored while tasks come and go.

No container begins without a value that the secret has had, and no value is ever on the disk, whatever crashes.
"""

from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import Any

from longshore.api import secretsmanager
from longshore.decide.secrets.secrets import find_secret
from longshore.domain.record import Key
from longshore.store.journal import Row
from sim.checks import Violation
from sim.play import Story
from sim.time import SimLoop
from sim.world import OPERATIONS, SCOPE

NAME = "token"
ARN = f"arn:aws:secretsmanager:{SCOPE.region}:{SCOPE.account}:secret:{NAME}"
MARK = "a-value-that-must-not-be-on-the-disk"
USED = ("CreateSecret", "DeleteSecret", "PutSecretValue", "RestoreSecret")
OPERATIONS |= {name: secretsmanager.SERVICE.operations[name] for name in USED}


class SecretStory(Story):
    """A story in which every container wants the secret."""

    more_of_definition = MappingProxyType({"executionRoleArn": f"arn:aws:iam::{SCOPE.account}:role/execution"})

    def __init__(self, seed: int, loop: SimLoop) -> None:
        super().__init__(seed, loop)
        self.values: list[str] = []
        """All that it ever was, or was about to be when Longshore crashed."""
        self._clean: dict[tuple[str, Key], Row] = {}
        """What the disk has that was looked at already."""

    def container(self, environment: dict[str, str]) -> dict[str, Any]:
        """With the secret in it."""
        return {**super().container(environment), "secrets": [{"name": "TOKEN", "valueFrom": f"{ARN}:key::"}]}

    async def prepare(self) -> None:
        """The secret is there before the first task."""
        await self.call("CreateSecret", Name=NAME, SecretString=self._next())

    def users(self) -> list[Callable[[], Awaitable[None]]]:
        """Who rotates, deletes and restores it, too."""
        return [*super().users(), self._rotate, self._rotate, self._delete_secret, self._restore_secret]

    async def heal(self) -> None:
        """It is there again."""
        await self._restore_secret()
        await super().heal()

    def look(self) -> None:
        """What each container was given, and what the disk has."""
        super().look()
        for task_id, task in self.machine.tasks.items():
            for container in task.launch.containers:
                given = [hidden.text for hidden in container.secrets.values()]
                if len(given) != 1 or given[0] not in self.values:
                    raise Violation(f"task {task_id} began with {given} for its secret")
        for place, row in self.disk.rows.items():
            if self._clean.get(place) is row:
                continue
            if MARK.encode() in row.document:
                raise Violation(f"a secret's value is on the disk, in {place}")
            self._clean[place] = row

    def _next(self) -> str:
        self.values.append(f"{MARK}-{len(self.values)}")
        return f'{{"key": "{self.values[-1]}"}}'

    async def _rotate(self) -> None:
        await self.call("PutSecretValue", SecretId=NAME, SecretString=self._next())

    async def _delete_secret(self) -> None:
        await self.call("DeleteSecret", SecretId=NAME)

    async def _restore_secret(self) -> None:
        find_secret(self.plane.store, SCOPE, NAME, self.clock.now())  # acknowledged: it must be there
        await self.call("RestoreSecret", SecretId=NAME)
