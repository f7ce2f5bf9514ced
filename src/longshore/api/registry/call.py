"""One request of the registry's protocol on its way through a handler, and what handlers share."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from longshore.api.registry.routes import Route
from longshore.domain.clock import Clock
from longshore.domain.ecr.repository import Repository
from longshore.domain.record import Scope
from longshore.drivers.ports import RegistryDriver
from longshore.store.store import Store

API_VERSION = ("docker-distribution-api-version", "registry/2.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryCall:
    """A request whose caller may make it."""

    store: Store
    driver: RegistryDriver
    clock: Clock
    method: str
    route: Route
    query: str
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]
    account: str
    """Whose repositories are asked for."""
    default: Scope
    check_read: Callable[[str], None]
    """Raises RegistryError where the caller may not read the layers of another repository of the account."""
    repository: Repository | None = None
    """The repository that the path names, where it names one."""

    @property
    def base(self) -> str:
        """The repository's path, as the client has it."""
        return f"/v2/{self.route.name}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its body is bytes, or comes in pieces."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | AsyncIterator[bytes] = b""
