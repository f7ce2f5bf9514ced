"""The request chain behind a real HTTP server, in a thread of its own, so that blocking clients can call it."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import boto3
import uvloop
from botocore.config import Config

from longshore.api.access.access import Access
from longshore.api.access.keys import UserKeys
from longshore.api.app import Beside, Chain, aws_app
from longshore.api.callers.auth import Gate, Listener
from longshore.api.callers.credentials import Credentials, KeyPair
from longshore.api.ec2.defaults import seed
from longshore.api.http.server import HttpServer, bind
from longshore.api.internal import internal_paths
from longshore.api.metrics.page import Metrics
from longshore.api.operation import Operation, Service
from longshore.api.registry import RegistryApi
from longshore.api.services import SERVICES
from longshore.domain.kinds import KINDS
from longshore.domain.record import Scope
from longshore.drivers.ports import Provider
from longshore.drivers.registry.driver import DockerRegistry
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.system import SystemClock, SystemIds
from longshore.vault import MasterVault

ACCOUNT = "123456789012"
REGION = "us-east-1"
T = TypeVar("T")


class ShiftedClock(SystemClock):
    """The machine's clock, some seconds off."""

    shift_s = 0.0

    def now(self) -> float:
        return super().now() + self.shift_s


def furnished(*, auth: bool = False) -> "Serving":
    """A server whose account has its default VPC already."""
    made = Serving(auth=auth)
    with made.store.transaction() as tx:
        seed(tx, Scope(ACCOUNT, REGION), "172.31.0.0/16", SystemIds(), 0.0)
    return made


class Serving:
    """A server in a `with` block; `url` is where. `operations` replace or add to those of a service."""

    def __init__(
        self,
        operations: Mapping[str, Mapping[str, Operation]] | None = None,
        *,
        auth: bool = False,
        resettable: bool = False,
        registry: Path | None = None,
        forwards: Mapping[str, Provider] | None = None,
        everything_else: Provider | None = None,
    ) -> None:
        """`registry`: a folder for a real registry's files."""
        self._registry_folder = registry
        self.store = open_store(None, KINDS)
        self.events = EventLog()
        self.clock = ShiftedClock()
        self.credentials = Credentials(b"m" * 32, ACCOUNT)
        self.vault = MasterVault(b"m" * 32)
        self.access = Access(self.credentials, enforce=auth)
        self.resets = 0
        self._resettable = resettable
        self._auth = auth
        self._forwards = dict(forwards or {})
        self._everything_else = everything_else
        self._services = _with(operations or {})
        self._socket = bind("127.0.0.1", 0)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._started = threading.Event()
        self._thread = threading.Thread(target=uvloop.run, args=(self._serve(),), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def client(
        self,
        service: str,
        *,
        keys: KeyPair | None = None,
        region: str = REGION,
        signature_version: str | None = None,
        **options: Any,
    ) -> Any:
        """A boto3 client, with the root key pair unless told otherwise; it never tries again."""
        pair = keys or self.credentials.root()
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=pair.access_key_id,
            aws_secret_access_key=pair.secret_access_key,
            config=Config(
                retries={"total_max_attempts": 1},
                read_timeout=20,
                signature_version=signature_version,
                inject_host_prefix=False,  # DiscoverInstances is sent to `data-` and the host: see docs/names.md
            ),
            **options,
        )

    def tasks(self) -> int:
        """How many asyncio tasks there are."""
        found = asyncio.run_coroutine_threadsafe(_count_tasks(), self._loop)
        return found.result(30)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        listener = Listener("test", signatures=self._auth)
        self.metrics = metrics = Metrics(self.store)
        chain = Chain(
            store=self.store,
            events=self.events,
            services=self._services,
            gate=Gate(self.credentials, UserKeys(self.store, self.vault), ACCOUNT, REGION),
            access=self.access,
            clock=self.clock,
            ids=SystemIds(),
            vault=self.vault,
            metrics=metrics,
            forwards=self._forwards,
            everything_else=self._everything_else,
        )
        providers = [*self._forwards.values(), *([self._everything_else] if self._everything_else else [])]
        for provider in providers:
            await provider.open()
        own = internal_paths(
            store=self.store,
            metrics=metrics,
            engine="sim",
            listener=listener,
            reset=self._reset if self._resettable else None,
        )
        beside = self._beside(listener)
        self.server = HttpServer(aws_app(chain, listener, own, beside), [self._socket])
        await self.server.start()
        self._started.set()
        await self._stop.wait()
        await self.server.stop()
        if self.registry is not None:
            await self.registry.close()
        for provider in providers:
            await provider.close()
        self._socket.close()

    def _beside(self, listener: Listener) -> Beside:
        self.registry: DockerRegistry | None = None
        folder = self._registry_folder
        if folder is None:
            return lambda _scope: None
        secret = "of uploads"  # noqa: S105  no password: it signs the registry's own URLs
        self.registry = DockerRegistry(folder / "run", folder / "files", self.clock, secret=secret, quiet_s=0.0)
        registry_api = RegistryApi(
            store=self.store,
            driver=self.registry,
            vault=self.vault,
            clock=self.clock,
            metrics=self.metrics,
            access=self.access,
            default=Scope(ACCOUNT, REGION),
        )
        return registry_api.beside(listener)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Something in the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _reset(self) -> None:
        self.resets += 1


async def _count_tasks() -> int:
    return len(asyncio.all_tasks()) - 1


def _with(operations: Mapping[str, Mapping[str, Operation]]) -> list[Service]:
    known = {service.name: service for service in SERVICES}
    for name, table in operations.items():
        found = known.get(name, Service(name=name, operations={}, refusal_code="InvalidParameterException"))
        known[name] = Service(
            name=name,
            operations={**found.operations, **table},
            refusal_code=found.refusal_code,
            validation_code=found.validation_code,
        )
    return list(known.values())
