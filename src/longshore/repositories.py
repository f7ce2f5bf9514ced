"""The parts that repositories of images consist of, put together for `main`: the registry, its loops, its protocol."""

from typing import Any

from longshore.api.access.access import Access
from longshore.api.app import Beside
from longshore.api.callers.auth import Listener
from longshore.api.callers.credentials import Principal
from longshore.api.ecr.token import USER, login_password
from longshore.api.metrics.page import Metrics
from longshore.api.registry import RegistryApi
from longshore.config import Config, default_registry_host
from longshore.control.ecr.images import RegistryImages
from longshore.control.ecr.lifecycle import LifecycleController
from longshore.control.ecr.registry import RegistryController
from longshore.control.loop import Loop
from longshore.domain.clock import Clock
from longshore.domain.ecr.repository import RegistryEndpoint
from longshore.domain.record import Scope
from longshore.drivers.registry.driver import DockerRegistry
from longshore.state import IMAGES, runtime_folder
from longshore.store.store import Store
from longshore.vault import MasterVault


class Repositories:
    """All repositories of one Longshore."""

    def __init__(
        self, config: Config, store: Store, vault: MasterVault, clock: Clock, access: Access, *, instance: str
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._host = config.registry_host or default_registry_host(config.listen, config.port)
        self._default = Scope(config.account, config.region)
        self._access = access
        folder = runtime_folder(instance) / IMAGES
        secret = access.credentials.path_key("registry", instance)  # signs URLs of uploads, which outlive a restart
        self.registry = DockerRegistry(folder, config.state and config.state / IMAGES, clock, secret=secret)
        self.images = RegistryImages(store, self._host, self._default, self._login)
        """What the engines ask before they pull."""
        self._files = RegistryController(store, self.registry, clock)
        self._lifecycle = LifecycleController(store, clock)
        self._api: RegistryApi | None = None

    @property
    def loops(self) -> tuple[Loop[Any], ...]:
        """To be started after `resume`."""
        return self._files.loop, self._lifecycle.loop

    async def resume(self) -> None:
        """At a start: say where the registry is, and have a look at everything."""
        with self._store.transaction() as tx:
            tx.put(RegistryEndpoint(account="", region="", host=self._host))
        await self._files.resume()
        self._lifecycle.resume()

    def beside(self, listener: Listener, metrics: Metrics) -> Beside:
        """What answers `/v2/` at a listener."""
        if self._api is None:
            self._api = RegistryApi(
                store=self._store,
                driver=self.registry,
                vault=self._vault,
                clock=self._clock,
                metrics=metrics,
                access=self._access,
                default=self._default,
            )
        return self._api.beside(listener)

    async def close(self) -> None:
        """End the registry."""
        await self.registry.close()

    def _login(self, account: str) -> tuple[str, str]:
        """For an engine that pulls from us."""
        return USER, login_password(self._vault, Principal(f"arn:aws:iam::{account}:root", account), self._clock.now())
