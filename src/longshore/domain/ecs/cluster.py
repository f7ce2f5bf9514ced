"""Clusters, account settings, and the machine capacity that Fargate tasks are placed on."""

from collections.abc import Iterator
from typing import Any, ClassVar

from longshore.domain.arn import ecs_arn
from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags


class Cluster(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A cluster. Every field is written by the user, through the API."""

    kind: ClassVar[str] = "cluster"

    name: str
    created_at: float
    status: str = "ACTIVE"
    """ACTIVE or INACTIVE (deleted, still describable)."""
    settings: dict[str, str] = {}
    """`containerInsights` and its like."""
    configuration: dict[str, Any] = {}
    """`configuration` as it was given (executeCommandConfiguration, managedStorageConfiguration)."""
    service_connect_namespace: str = ""
    """The ARN of the namespace of services that name none themselves."""
    capacity_providers: tuple[str, ...] = ()
    default_capacity_provider_strategy: tuple[dict[str, Any], ...] = ()
    tags: Tags = {}

    def names(self) -> Key:
        """By name."""
        return (self.name,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """All clusters of a scope."""
        yield "scope", self.scope

    @property
    def arn(self) -> str:
        """`arn:aws:ecs:REGION:ACCOUNT:cluster/NAME`."""
        return ecs_arn(self.scope, "cluster", self.name)


class AccountSetting(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An explicit account setting of one principal, or the account's default. Written by the user."""

    kind: ClassVar[str] = "account_setting"

    principal_arn: str
    """The IAM principal; the account's root for the account-wide default."""
    name: str
    value: str

    def names(self) -> Key:
        """By principal and name."""
        return (self.principal_arn, self.name)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """All settings of a scope."""
        yield "scope", self.scope


class Host(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What the engine's machine can carry. Written by `control/ecs/capacity.py` from the engine's report alone.

    Account and region are empty: the machine serves all of them.
    """

    kind: ClassVar[str] = "host"

    cpu_units: int
    """1024 per core, times the setting `cpu_overcommit`."""
    memory_mib: int
    """Memory less what is kept for the system, times the setting `memory_overcommit`."""
    architecture: str = "X86_64"
    """X86_64 or ARM64, as in `runtimePlatform.cpuArchitecture`."""
    networks: tuple[str, ...] | None = None
    """The ranges that the machine itself has routes or networks for; None where tasks have no real addresses."""

    def names(self) -> Key:
        """There is one."""
        return ("local",)


HOST_KEY: Key = ("", "", "local")
